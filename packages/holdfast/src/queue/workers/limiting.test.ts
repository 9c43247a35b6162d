// What could go wrong, and the test for each:
// - a limited job loses an attempt, or its place ............. "goes back in front, without an attempt, in its order"
// - each worker takes what it wants .......................... "workers of several handles, and other code, share the units"
// - one who is limited holds up the others ................... "pauses the group of the job, and no other one"
// - the cost is not the job's ................................ "takes the cost of each job"
// - a text for all pauses a group, and the next one is denied  "an id for all pauses the queue"
// - it is asked by one kind of worker only ................... "is asked by workMany and by a worker of several queues"
// - what undoes is held up ................................... "is not asked for what undoes"
// - a cost that can never be had is tried for ever ........... "fails a job whose cost can never be had"
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { until } from "../../../test/support/until.ts";
import { connect } from "../../connect.ts";
import type { Holdfast } from "../../holdfast.ts";
import { Discard } from "../failure.ts";

describe.each(backends())("a limiter before runs [$name]", ({ url, options }) => {
  let hf: Holdfast;
  let other: Holdfast;
  beforeAll(async () => {
    const settings = { ...options, prefix: `q-${randomUUID()}` };
    [hf, other] = await Promise.all([connect(url, settings), connect(url, settings)]);
  });
  afterAll(() => Promise.all([hf.close(), other.close()]));

  const limits = (limit: number, handle = hf, name: string = randomUUID()) =>
    handle.limiter(name, { limit, window: "1h", algorithm: "sliding" });
  const numbers = [1, 2, 3, 4, 5, 6];

  it("goes back in front, without an attempt, in its order", async () => {
    const queue = hf.queue<number>(randomUUID(), { attempts: 1 });
    await queue.addMany(numbers);
    const api = limits(2);
    const ran: number[] = [];
    await using _worker = queue.work((job) => void ran.push(job.payload), { limiter: { use: api, id: "all" } });
    await until("the rest waits", async () => {
      const { waiting, active } = await queue.counts();
      return ran.length === 2 && waiting === 4 && active === 0;
    });
    expect(ran).toEqual([1, 2]);
    const { jobs } = await queue.page({ state: "waiting" });
    expect(jobs.map(({ payload, failures }) => [payload, failures])).toEqual([3, 4, 5, 6].map((each) => [each, 0]));
    await api.reset("all");
    await queue.resume();
    await until("two more ran", () => ran.length === 4);
    expect(ran).toEqual([1, 2, 3, 4]);
  });

  it("workers of several handles, and other code, share the units", async () => {
    const [name, shared] = [randomUUID(), randomUUID()];
    const queue = hf.queue<number>(name);
    expect((await limits(5, hf, shared).consume("all", { cost: 2 })).allowed).toBe(true);
    await queue.addMany(numbers);
    let ran = 0;
    const work = (handle: Holdfast) =>
      handle.queue<number>(name).work(() => void (ran += 1), {
        concurrency: 1,
        limiter: { use: limits(5, handle, shared), id: "all" },
      });
    await using _one = work(hf);
    await using _two = work(other);
    await until("the rest waits", async () => {
      const { waiting, active } = await queue.counts();
      return waiting === 3 && active === 0;
    });
    expect(ran).toBe(3);
  });

  it("pauses the group of the job, and no other one", async () => {
    const queue = hf.queue<number>(randomUUID());
    for (const group of ["acme", "ajax"]) await queue.addMany(numbers, { group });
    const ran: (string | undefined)[] = [];
    const api = limits(2);
    await using worker = queue.work((job) => void ran.push(job.group), { limiter: { use: api } });
    await until("both are paused", async () => {
      const { groups } = await queue.groups.page();
      return groups.length === 2 && groups.every(({ waiting, running }) => waiting === 4 && running === 0);
    });
    const { groups } = await queue.groups.page();
    expect(groups.every(({ blockedUntil }) => (blockedUntil ?? 0) > 0)).toBe(true);
    await queue.add(7, { group: "third" });
    await until("the third group runs", () => ran.includes("third"));
    const count = (group: string) => ran.filter((each) => each === group).length;
    expect(["acme", "ajax", "third"].map(count)).toEqual([2, 2, 1]);
    await until("its end is known", () => worker.stats().completed === 5);
    expect(worker.stats().failed).toBe(0);
  });

  it("takes the cost of each job", async () => {
    const queue = hf.queue<number>(randomUUID());
    await queue.addMany([3, 4, 5]);
    const api = limits(10);
    const ran: number[] = [];
    await using _worker = queue.work((job) => void ran.push(job.payload), {
      limiter: { use: api, id: (job) => `all-${job.id.length > 0}`, cost: (job) => job.payload },
    });
    await until("the rest waits", async () => (await queue.counts()).waiting === 1 && ran.length === 2);
    expect(ran).toEqual([3, 4]);
    expect((await api.peek("all-true")).remaining).toBe(3);
  });

  it("an id for all pauses the queue", async () => {
    const queue = hf.queue<number>(randomUUID());
    const api = limits(1);
    await queue.add(1, { group: "acme" });
    await queue.add(2, { group: "acme" });
    await using _worker = queue.work(() => undefined, { concurrency: 1, limiter: { use: api, id: "all" } });
    const consume = vi.spyOn(api, "consume");
    await until("one waits", async () => {
      const { waiting, active } = await queue.counts();
      return waiting === 1 && active === 0 && consume.mock.calls.length > 0;
    });
    const asked = consume.mock.calls.length;
    await queue.add(3, { group: "ajax" });
    await queue.add(4);
    // What looks at the queue as a worker does finds nothing that it may take.
    expect(await queue.claim()).toEqual([]);
    expect(consume.mock.calls.length).toBe(asked);
  });

  it("is asked by workMany and by a worker of several queues", async () => {
    const api = limits(2);
    const limiter = { use: api, id: (job: { readonly payload: number }) => `n${job.payload}` };
    const many = hf.queue<number>(randomUUID());
    await many.addMany([1, 1, 1, 2]);
    const seen: number[] = [];
    await using _many = many.workMany((jobs) => void seen.push(...jobs.map(({ payload }) => payload)), { limiter });
    await until("the rest waits", async () => {
      const { waiting, active } = await many.counts();
      return waiting === 1 && active === 0;
    });
    expect(seen).toEqual([1, 1, 2]);

    const several = hf.queue<number>(randomUUID());
    await several.addMany([3, 3, 3]);
    await using worker = hf.work([several.with(() => undefined, { limiter })]);
    await until("one waits", async () => {
      const { waiting, active } = await several.counts();
      return waiting === 1 && active === 0;
    });
    expect(worker.stats().completed).toBe(2);
  });

  it("is not asked for what undoes", async () => {
    const queue = hf.queue<number>(randomUUID(), { attempts: 1 });
    const api = limits(1);
    const undo = vi.fn<() => void>();
    await using _worker = queue.work(
      async (job) => {
        await job.compensate("undo", undo);
        throw new Discard("never");
      },
      { limiter: { use: api, id: "all" } },
    );
    await queue.add(1);
    await until("it is dead", async () => (await queue.counts()).dead === 1);
    expect(undo).toHaveBeenCalledTimes(1);
  });

  it("fails a job whose cost can never be had", async () => {
    const queue = hf.queue<number>(randomUUID(), { attempts: 1 });
    await using _worker = queue.work(() => undefined, { limiter: { use: limits(5), id: "all", cost: 6 } });
    await queue.add(1);
    await until("it is dead", async () => (await queue.counts()).dead === 1);
    const { jobs } = await queue.dead.page();
    expect(jobs[0]!.history[0]!.message).toContain("cost");
  });

  it("refuses what is no limiter", () => {
    const queue = hf.queue<number>(randomUUID());
    const refused = (limiter: unknown) => () => queue.work(() => undefined, { limiter: limiter as never });
    expect(refused({})).toThrow("limiter.use");
    expect(refused({ use: limits(1), cost: 0 })).toThrow("limiter.cost");
    expect(refused({ use: limits(1), id: 5 })).toThrow("limiter.id");
    expect(refused({ use: limits(1), scope: "job" })).toThrow("limiter.scope");
    expect(refused({ use: limits(1), whose: "x" })).toThrow("whose");
  });
});
