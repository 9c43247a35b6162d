// What could go wrong, and the test for each:
// - a job runs by another name's handler ..................... "runs each job by the handler of its name"
// - a job of a new name dies at an old worker ................ "an old worker beside a new one ..."
// - what was left to others is never found ................... "finds what was left before it came", "finds it although ..."
// - leaving a job to others uses an attempt or its order ...... "an old worker beside a new one ..."
// - one that is moved meanwhile runs too early, or twice ...... "a job that was moved or removed ..."
// - jobs with a renamed name have no handler ................. "aliases"
// - a worker that is to end early or never .................... "ends when nothing is left", "does not end while ..."
// - handlers or aliases that are none ........................ "refuses"
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { until } from "../../../test/support/until.ts";
import { Deferred } from "../../base/deferred.ts";
import { connect } from "../../connect.ts";
import type { Holdfast } from "../../holdfast.ts";
import type { QueueJobs } from "../names.ts";
import type { QueueWorkOptions } from "../work-options.ts";

type Mails = QueueJobs<{ welcome: { readonly to: string }; digest: { readonly day: string } }>;

describe.each(backends())("jobs by name [$name]", ({ url, options }) => {
  let hf: Holdfast;
  beforeAll(async () => {
    hf = await connect(url, { ...options, prefix: `q-${randomUUID()}` });
  });
  afterAll(() => hf.close());

  const fresh = (settings = {}) => hf.queue<Mails>(randomUUID(), { backoff: { delay: 1, jitter: 0 }, ...settings });
  const QUICK = { poll: "100ms" } as const;

  it("runs each job by the handler of its name", async () => {
    const queue = fresh({ partitions: 2 });
    const seen: string[] = [];
    await using worker = queue.work({
      welcome: (job) => void seen.push(`${job.name}:${job.payload.to}`),
      digest: (job) => void seen.push(`${job.name}:${job.payload.day}`),
    });
    await Promise.all([
      queue.add({ to: "ada" }, { name: "welcome" }),
      queue.add({ day: "monday" }, { name: "digest" }),
      queue.addMany([{ to: "bob" }, { to: "eve" }], { name: "welcome" }),
    ]);
    await until("all are done", () => seen.length === 4);
    expect(seen.toSorted()).toEqual(["digest:monday", "welcome:ada", "welcome:bob", "welcome:eve"]);
    await worker.close();
  });

  it("has types by name", () => {
    const queue = fresh();
    const wrong = () => {
      // @ts-expect-error: a digest has a day
      void queue.add({ to: "ada" }, { name: "digest" });
      // @ts-expect-error: there is no such name
      void queue.add({ to: "ada" }, { name: "bill" });
      // @ts-expect-error: there is no such name
      queue.work({ bill: () => undefined });
      queue.work({ welcome: (job) => expectTypeOf(job.payload.to).toBeString() });
      hf.queue<{ to: string }>("plain").work({
        any: (job) => expectTypeOf(job.payload).toEqualTypeOf<{ to: string }>(),
      });
    };
    expect(wrong).toBeTypeOf("function");
  });

  it("an old worker beside a new one leaves it what it does not know, in its order and without the loss of an attempt", async () => {
    const queue = fresh({ attempts: 1 });
    const seen: string[] = [];
    await using old = queue.work({ welcome: (job) => void seen.push(job.payload.to) }, { ...QUICK, concurrency: 1 });
    const days = Array.from({ length: 20 }, (_, at) => String(at));
    await queue.addMany(
      days.map((day) => ({ day })),
      { name: "digest" },
    );
    await queue.add({ to: "ada" }, { name: "welcome" });
    await until("the old one is through", () => seen.length === 1);
    await until("the others are counted", async () => (await queue.counts()).unhandled === 20);
    expect(await queue.counts()).toMatchObject({ waiting: 0, active: 0, dead: 0, delayed: 0 });
    expect(old.stats()).toMatchObject({ completed: 1, failed: 0 });
    await old.close();
    const runs: string[] = [];
    await using _new = queue.work(
      { digest: (job) => void runs.push(`${job.payload.day}/${job.attempt}`) },
      { concurrency: 1 },
    );
    await until("the new one has run them", () => runs.length === 20);
    expect(runs).toEqual(days.map((day) => `${day}/1`));
    expect(await queue.counts()).toMatchObject({ unhandled: 0, dead: 0 });
  });

  it("finds it although the old worker is still there, and is woken for it", async () => {
    const queue = fresh();
    const seen: string[] = [];
    await using _old = queue.work({ welcome: () => undefined }, { poll: "20s", lease: "60s" });
    await using _new = queue.work({ digest: (job) => void seen.push(job.payload.day) }, { poll: "20s", lease: "60s" });
    await until("both listen", async () => (await queue.counts()).workers === 2);
    for (let day = 0; day < 20; day += 1) {
      await queue.add({ day: String(day) }, { name: "digest" });
      await until("it has run", () => seen.length === day + 1);
    }
    expect(seen).toHaveLength(20);
  });

  it("a worker with one handler for all jobs finds what was left, jobs without a name by a worker with names too", async () => {
    const queue = hf.queue<number>(randomUUID());
    await using old = queue.work({ other: () => undefined }, QUICK);
    await queue.add(1);
    await queue.add(2, { name: "new" });
    await until("they are left", async () => (await queue.counts()).unhandled === 2);
    await old.close();
    const seen: [number, unknown][] = [];
    await using _all = queue.work((job) => void seen.push([job.payload, job.name]), QUICK);
    await until("all are done", () => seen.length === 2);
    expect(seen.toSorted((one, two) => one[0] - two[0])).toEqual([
      [1, undefined],
      [2, "new"],
    ]);
  });

  it("aliases: the handler of the new name runs what was added with the old one", async () => {
    const queue = hf.queue<number>(randomUUID());
    const ran = new Deferred<string | undefined>();
    await queue.add(1, { name: "hello" });
    await using _worker = queue.work({ welcome: (job) => ran.resolve(job.name) }, { aliases: { hello: "welcome" } });
    expect(await ran.promise).toBe("hello");
  });

  it("a job that was removed while it was left to others is never run", async () => {
    const queue = fresh();
    await using old = queue.work({ welcome: () => undefined }, QUICK);
    const { id } = await queue.add({ day: "monday" }, { name: "digest" });
    await until("it is left", async () => (await queue.counts()).unhandled === 1);
    expect(await queue.remove(id)).toEqual({ status: "ok" });
    await old.close();
    const seen: string[] = [];
    await using _new = queue.work({ digest: (job) => void seen.push(job.payload.day) }, QUICK);
    await queue.add({ day: "tuesday" }, { name: "digest" });
    await until("the other has run", () => seen.length > 0);
    expect(seen).toEqual(["tuesday"]);
    await until("none is counted", async () => (await queue.counts()).unhandled === 0);
  });

  it("ends when nothing is left", async () => {
    const queue = fresh({ partitions: 3 });
    let ran = 0;
    await queue.addMany(Array.from({ length: 500 }, (_, at) => ({ day: String(at) })));
    const worker = queue.work(() => void (ran += 1), { until: "empty", concurrency: 20 });
    await worker.ended;
    expect(ran).toBe(500);
    expect(await queue.counts()).toMatchObject({ waiting: 0, active: 0, workers: 0 });
  });

  it("ends at once where there is nothing, and leaves what is delayed", async () => {
    const queue = fresh();
    await queue.add({ day: "monday" }, { delay: "1h" });
    await queue.work(() => undefined, { until: "empty" }).ended;
    expect(await queue.counts()).toMatchObject({ delayed: 1 });
  });

  it("a job that was moved or removed while nobody knew it runs where it is, and once", async () => {
    const queue = fresh();
    await using _old = queue.work({ digest: () => undefined }, QUICK);
    const welcome = { name: "welcome" } as const;
    const delayed = await queue.add({ to: "delayed" }, welcome);
    const removed = await queue.add({ to: "removed" }, welcome);
    const moved = await queue.add({ to: "moved" }, { ...welcome, group: "a" });
    await until("all are left", async () => (await queue.counts()).unhandled === 3);
    expect(await queue.update(delayed.id, { delay: "1h" })).toEqual({ status: "ok" });
    expect(await queue.remove(removed.id)).toEqual({ status: "ok" });
    expect(await queue.counts()).toMatchObject({ unhandled: 1, waiting: 0 });
    const [seen, held] = [[] as string[], new Deferred<undefined>()];
    const run = async (job: { readonly payload: { readonly to: string } }) => {
      seen.push(job.payload.to);
      await held.promise;
    };
    await using one = queue.work({ welcome: run }, QUICK);
    expect(await queue.update(moved.id, { priority: "high" })).toMatchObject({ status: expect.any(String) });
    await until("it runs", () => seen.length > 0);
    await using two = queue.work({ welcome: run }, QUICK);
    await until("the second one has looked", async () => (await queue.counts()).unhandled === 0);
    held.resolve(undefined);
    await until("it is done", () => one.stats().completed + two.stats().completed === 1);
    expect(seen).toEqual(["moved"]);
    expect(await queue.counts()).toMatchObject({ waiting: 0, delayed: 1, active: 0 });
  });

  it("does not end while the queue is paused and jobs wait", async () => {
    const queue = fresh();
    await queue.pause();
    await queue.add({ day: "monday" });
    let ran = 0;
    const worker = queue.work(() => void (ran += 1), { until: "empty", ...QUICK });
    await until("it has looked", async () => (await queue.counts()).workers === 1);
    await queue.resume();
    await worker.ended;
    expect(ran).toBe(1);
  });

  it.each<[unknown, unknown, string]>([
    [undefined, {}, "handler: expected a function, or an object with a function for each name"],
    [[], {}, "handler: expected a function, or an object"],
    [{}, {}, "handler: expected 1 to 1000 handlers"],
    [{ welcome: 5 }, {}, 'handler "welcome": expected a function'],
    [{ "": () => 1 }, {}, "name: expected a non-empty"],
    [{ welcome: () => 1 }, { aliases: { hello: "welcom" } }, "aliases.hello: expected the name of one of the handlers"],
    [{ welcome: () => 1 }, { aliases: { welcome: "welcome" } }, "aliases.welcome: expected a name without a handler"],
    [{ welcome: () => 1 }, { aliases: 5 }, "aliases: expected an object"],
    [() => 1, { aliases: { hello: "welcome" } }, "aliases: expected handlers by name"],
    [() => 1, { until: "full" }, 'until: expected "empty"'],
  ])("refuses %o with %j", (handler, given, message) => {
    expect(() => hf.queue("mails").work(handler as () => void, given as QueueWorkOptions)).toThrow(
      `queue "mails": ${message}`,
    );
  });

  it.each([5, "", "x".repeat(201)])("add refuses the name %j", async (name) => {
    const plain = hf.queue<number>("mails");
    await expect(plain.add(1, { name: name as string })).rejects.toMatchObject({ field: "name" });
  });
});
