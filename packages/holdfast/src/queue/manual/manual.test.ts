// What could go wrong, and the test for each:
// - a claimed job is run by a worker too, or is not claimed in order .. "claims in the order of workers, and completes"
// - its holder dies and it is lost, or ends what is another's ......... "after its lease another one has it, and the late end is stale"
// - extending does not help, or helps what is over .................... "extend keeps it ..."
// - it cannot be ended in another process ............................. "is ended elsewhere by its token"
// - a failure, a release or a scope that is left counts wrongly ....... "fails as in a handler", "a release uses no attempt"
// - it does not hear that its job is cancelled ........................ "a cancelled job: ..."
// - limits, names, pauses, lanes do not hold .......................... "limits of groups hold", "names: ...", "a paused queue ..."
// - waiting misses a job, or never ends ............................... "waits for a job", "waits no longer than ..."
// - claims leave something behind ..................................... "leaves no worker behind"
// - those who wait for its result, or for the job, are not told ....... "its result and its parent are told"
// - what a job did stays done, as it is claimed by one who cannot undo it "leaves a job that is to undo what it did to workers"
// - options that are none ............................................. "refuses"
// Longer than other files: each promise of a claim is tried on its own.
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { until } from "../../../test/support/until.ts";
import { connect } from "../../connect.ts";
import type { Holdfast } from "../../holdfast.ts";
import { Discard, RetryAfter } from "../failure.ts";
import type { QueueClaimOptions } from "./claims.ts";

describe.each(backends())("claiming jobs by hand [$name]", ({ url, options }) => {
  let hf: Holdfast;
  let other: Holdfast;
  beforeAll(async () => {
    const given = { ...options, prefix: `q-${randomUUID()}` };
    hf = await connect(url, given);
    other = await connect(url, given);
  });
  afterAll(() => Promise.all([hf.close(), other.close()]));

  const fresh = (settings = {}) => hf.queue<number, string>(randomUUID(), settings);
  const one = async (queue: ReturnType<typeof fresh>, given: QueueClaimOptions = {}) => {
    const [job] = await queue.claim(given);
    if (job === undefined) throw new Error("nothing was claimed");
    return job;
  };

  it("claims in the order of workers, and completes", async () => {
    const queue = fresh();
    await queue.add(2);
    await queue.add(3, { priority: "low" });
    await queue.add(1, { priority: "high", name: "first", tags: ["a"] });
    expect(await queue.claim({ consumer: "gateway-1" })).toHaveLength(1);
    const jobs = await queue.claim({ count: 10, consumer: "gateway-2" });
    expect(jobs.map(({ payload, attempt, crashes }) => [payload, attempt, crashes])).toEqual([
      [2, 1, 0],
      [3, 1, 0],
    ]);
    expect(await queue.counts()).toMatchObject({ waiting: 0, active: 3, workers: 2 });
    const { workers } = await queue.overview();
    expect(new Set(workers.map(({ id }) => id.split(":")[0]))).toEqual(new Set(["gateway-1", "gateway-2"]));
    for (const job of jobs) expect(await job.complete("done")).toEqual({ status: "ok" });
    for (const job of jobs) expect(await job.complete("done")).toEqual({ status: "stale" });
    expect(await queue.counts()).toMatchObject({ waiting: 0, active: 1, workers: 1 });
    expect(await queue.claim()).toEqual([]);
  });

  it("after its lease another one has it, and the late end is stale", async () => {
    const queue = fresh();
    await queue.add(1);
    const first = await one(queue, { lease: "3s" });
    const { signal } = first;
    expect(await queue.claim()).toEqual([]);
    const second = await one(queue, { wait: "20s" });
    expect(second).toMatchObject({ id: first.id, attempt: 1, crashes: 1 });
    expect(second.fence).toBeGreaterThan(first.fence);
    expect(signal.reason).toMatchObject({ code: "LEASE_LOST" });
    expect(await first.complete("late")).toEqual({ status: "stale" });
    expect(await first.fail("late")).toEqual({ status: "stale" });
    expect(await first.release()).toEqual({ status: "stale" });
    expect(await first.extend("1m")).toEqual({ status: "stale" });
    await expect(first.progress(1)).rejects.toMatchObject({ code: "LEASE_LOST" });
    expect(await queue.held(first.token)).toBeUndefined();
    expect(await second.complete("in time")).toEqual({ status: "ok" });
  });

  it("a worker takes back what a holder has left", async () => {
    const queue = fresh();
    await queue.add(1);
    const held = await one(queue, { lease: "1s" });
    const seen: number[] = [];
    await using worker = queue.work((job) => String(seen.push(job.crashes)), { poll: "200ms" });
    await until("it ran", () => worker.stats().completed === 1);
    expect(seen).toEqual([1]);
    expect(await held.complete()).toEqual({ status: "stale" });
  });

  it("extend keeps it, for all of its claim, and never shortens its lease", async () => {
    const queue = fresh();
    await queue.addMany([1, 2]);
    const [first, second] = await queue.claim({ count: 2, lease: "3s" });
    expect(await first!.extend("1m")).toEqual({ status: "ok" });
    expect(await second!.extend("1s")).toEqual({ status: "ok" });
    await queue.add(3);
    // Another claim's lease, which is longer than theirs was, passes meanwhile; it is taken back.
    const short = await one(queue, { lease: "4s" });
    expect((await one(queue, { wait: "20s" })).id).toBe(short.id);
    expect(await queue.claim()).toEqual([]);
    expect(await second!.complete()).toEqual({ status: "ok" });
    expect(await first!.complete()).toEqual({ status: "ok" });
  });

  it("is ended elsewhere by its token", async () => {
    const queue = fresh({ keep: { completed: 10 }, partitions: 3 });
    const elsewhere = other.queue<number, string>(queue.name, { keep: { completed: 10 }, partitions: 3 });
    const added = await queue.add(7, { result: true, tags: ["a"] });
    const { token } = await one(queue);
    const job = (await elsewhere.held(token))!;
    expect(job).toMatchObject({ id: added.id, payload: 7, attempt: 1, tags: ["a"], token });
    expect(await job.extend("1m")).toEqual({ status: "ok" });
    await job.progress(0.5);
    await job.log("half of it");
    expect(await queue.get(added.id)).toMatchObject({ state: "active", progress: 0.5 });
    expect(await job.complete("done")).toEqual({ status: "ok" });
    expect(await added.result()).toEqual({ status: "ok", value: "done" });
    expect(await queue.get(added.id)).toMatchObject({ state: "completed", result: "done" });
    expect(await queue.held(token)).toBeUndefined();
    expect(await queue.counts()).toMatchObject({ active: 0, workers: 0 });
  });

  it("fails as in a handler", async () => {
    const queue = fresh({ attempts: 2, backoff: { delay: 0 } });
    await queue.add(1);
    expect(await (await one(queue)).fail(new Error("first"))).toEqual({ status: "ok" });
    const again = await one(queue);
    expect(again.attempt).toBe(2);
    expect(await again.fail("second")).toEqual({ status: "dead" });
    const { jobs } = await queue.dead.page();
    expect(jobs[0]!.history.map(({ message }) => message)).toEqual(["first", "second"]);
    await queue.add(2);
    expect(await (await one(queue)).fail(new Discard("never"))).toEqual({ status: "dead" });
    await queue.add(3);
    expect(await (await one(queue)).fail(new RetryAfter("1h"))).toEqual({ status: "ok" });
    expect(await queue.counts()).toMatchObject({ waiting: 0, delayed: 1, dead: 2, active: 0 });
  });

  it("a release uses no attempt, and so does leaving the scope", async () => {
    const queue = fresh({ attempts: 1 });
    await queue.add(1);
    await queue.add(2);
    expect(await (await one(queue)).release()).toEqual({ status: "ok" });
    {
      await using job = await one(queue);
      expect(job).toMatchObject({ payload: 1, attempt: 1, crashes: 0 });
    }
    {
      await using job = await one(queue);
      expect(job).toMatchObject({ payload: 1, attempt: 1, crashes: 0 });
      expect(await job.complete()).toEqual({ status: "ok" });
    }
    expect(await (await one(queue)).release({ delay: "1h" })).toEqual({ status: "ok" });
    expect(await queue.counts()).toMatchObject({ waiting: 0, delayed: 1, active: 0, workers: 0 });
  });

  it("a cancelled job: its signal aborts, extend says it, and it is over", async () => {
    const queue = fresh();
    const added = await queue.add(1);
    await queue.add(2);
    const job = await one(queue);
    const { signal } = job;
    const aborted = new Promise((resolve) => {
      signal.addEventListener("abort", resolve);
    });
    expect(await added.cancel("too slow")).toEqual({ status: "running" });
    await aborted;
    expect(signal.reason).toMatchObject({ code: "ABORTED", cause: "too slow" });
    expect(await job.extend("1m")).toEqual({ status: "cancelled" });
    expect(await (await queue.held(job.token))!.complete("all the same")).toEqual({ status: "cancelled" });
    expect(await added.result()).toEqual({ status: "cancelled", reason: "too slow" });
    const second = await one(queue);
    await queue.cancel(second.id);
    expect((await queue.held(second.token))!.signal.aborted).toBe(true);
    expect(await second.fail("no")).toEqual({ status: "cancelled" });
    expect(await queue.counts()).toMatchObject({ waiting: 0, active: 0, dead: 0, workers: 0 });
  });

  it("limits of groups hold, and a place is free with the end", async () => {
    const queue = fresh();
    await queue.groups.set("g", { concurrency: 1 });
    await queue.addMany([1, 2], { group: "g" });
    await queue.add(3);
    const jobs = await queue.claim({ count: 10 });
    expect(new Set(jobs.map(({ payload }) => payload))).toEqual(new Set([1, 3]));
    expect(await queue.claim()).toEqual([]);
    const grouped = jobs.find(({ payload }) => payload === 1)!;
    const waiting = one(queue, { wait: "20s" });
    await grouped.release({ delay: "1h" });
    expect((await waiting).payload).toBe(2);
  });

  it("names: others are left to those who know theirs, in their order and without the loss of an attempt", async () => {
    const queue = fresh({ attempts: 1 });
    await queue.addMany([1, 2], { name: "mail" });
    await queue.add(3, { name: "image" });
    await queue.add(4);
    expect((await one(queue, { names: ["image", "video"] })).payload).toBe(3);
    expect(await queue.claim({ names: ["image"] })).toEqual([]);
    expect(await queue.counts()).toMatchObject({ waiting: 0, unhandled: 3 });
    expect((await one(queue, { names: ["mail"] })).payload).toBe(1);
    const rest = await queue.claim({ count: 5 });
    expect(new Map(rest.map(({ payload, attempt }) => [payload, attempt]))).toEqual(
      new Map([
        [2, 1],
        [4, 1],
      ]),
    );
  });

  it("a paused queue gives none; one that expires is not given", async () => {
    const queue = fresh();
    await queue.add(1);
    await queue.pause();
    expect(await queue.claim()).toEqual([]);
    await queue.resume();
    expect((await one(queue)).payload).toBe(1);
    const late = await queue.add(2, { expires: new Date(1), result: true });
    expect(await queue.claim()).toEqual([]);
    expect(await late.result()).toEqual({ status: "expired" });
  });

  it("a payload that cannot be read is a failure", async () => {
    const name = randomUUID();
    const strict = {
      "~standard": {
        version: 1,
        vendor: "test",
        validate: (value: unknown) => (value === 1 ? { issues: [{ message: "not one" }] } : { value: value as number }),
      },
    } as const;
    await hf.queue<number>(name).addMany([1, 2]);
    const queue = hf.queue<number>(name, { payload: strict, attempts: 1 });
    expect((await queue.claim({ count: 2 })).map(({ payload }) => payload)).toEqual([2]);
    expect(await hf.queue(name).counts()).toMatchObject({ dead: 1, active: 1 });
  });

  it.each([1, 3])("waits for a job, in a queue of %i partitions", async (partitions) => {
    const queue = fresh({ partitions });
    const waiting = queue.claim({ count: 5, wait: "30s" });
    await until("it listens", async () => (await queue.counts()).workers > 0);
    await other.queue<number>(queue.name, { partitions }).add(1);
    const jobs = await waiting;
    expect(jobs.map(({ payload }) => payload)).toEqual([1]);
    await jobs[0]!.complete();
    const delayed = queue.claim({ wait: "30s" });
    await queue.add(2, { delay: "300ms" });
    expect((await delayed).map(({ payload }) => payload)).toEqual([2]);
  });

  it("waits no longer than asked, and leaves no worker behind", async () => {
    const queue = fresh({ partitions: 2 });
    expect(await queue.claim({ wait: "50ms" })).toEqual([]);
    const stop = new AbortController();
    const waiting = queue.claim({ wait: "30s", signal: stop.signal });
    await until("it listens", async () => (await queue.counts()).workers > 0);
    stop.abort("no longer wanted");
    await expect(waiting).rejects.toMatchObject({ code: "ABORTED", cause: "no longer wanted" });
    await queue.add(1);
    const job = await one(queue);
    expect(await queue.counts()).toMatchObject({ workers: 1 });
    await job.complete();
    expect(await queue.counts()).toMatchObject({ workers: 0, active: 0 });
  });

  it("its result and its parent are told, and it counts", async () => {
    const [queue, parents] = [fresh(), fresh()];
    await parents.add(9, { children: [queue.child(1), queue.child(2, { onDead: "ignore" })] });
    const jobs = await until("the children are there", async () => {
      const found = await queue.claim({ count: 2 });
      if (found.length === 2) return found;
      for (const job of found) await job.release();
      return false;
    });
    await jobs.find(({ payload }) => payload === 1)!.complete("one");
    await jobs.find(({ payload }) => payload === 2)!.fail(new Discard("two"));
    const parent = await until("the parent waits no more", async () => (await parents.claim())[0]);
    expect(await parent.complete()).toEqual({ status: "ok" });
    await until("it is counted", async () => {
      const { totals } = await queue.overview();
      return totals.completed === 1 && totals.dead === 1;
    });
  });

  it("leaves a job that is to undo what it did to workers", async () => {
    const queue = fresh();
    const log: string[] = [];
    await using worker = queue.work(async (job) => {
      await job.step("charge", () => void log.push("charge"));
      await job.compensate("refund", () => log.push("refund"));
      worker.pause();
      throw new Discard("no");
    });
    const job = await queue.add(1, { result: true });
    await until("it is given up", async () => {
      const { active, waiting } = await queue.counts();
      return log.length > 0 && active === 0 && waiting === 1;
    });
    expect(await queue.claim()).toEqual([]);
    expect(await queue.get(job.id)).toMatchObject({ state: "delayed" });
    worker.resume();
    expect(await job.result()).toEqual({ status: "dead", message: "no" });
    expect(log).toEqual(["charge", "refund"]);
  });

  it("frees a unique key that is taken until the job starts", async () => {
    const queue = fresh();
    const unique = { key: "k", mode: "untilStarted" } as const;
    await queue.add(1, { unique });
    expect(await queue.add(2, { unique })).toMatchObject({ status: "duplicate" });
    await one(queue);
    expect(await queue.add(3, { unique })).toMatchObject({ status: "ok" });
  });

  it("refuses what it does not understand", async () => {
    const queue = fresh();
    await expect(queue.claim({ count: 0 })).rejects.toThrow(`queue "${queue.name}": count:`);
    await expect(queue.claim({ lease: "10ms" })).rejects.toThrow("lease:");
    await expect(queue.claim({ names: [] })).rejects.toThrow("names: expected 1 to");
    await expect(queue.claim({ names: "mail" as never })).rejects.toThrow("names:");
    await expect(queue.claim({ consumer: "a b" })).rejects.toThrow("consumer:");
    await expect(queue.claim({ cuont: 1 } as never)).rejects.toThrow('did you mean "count"');
    for (const token of ["", "x", 5, Buffer.from('["a",1,2]').toString("base64url"), "y".repeat(5_000)])
      await expect(queue.held(token as never)).rejects.toThrow("token: expected the token of a job that was claimed");
    await queue.add(1);
    const job = await one(queue);
    await expect(job.fail(undefined)).rejects.toThrow("error:");
    await expect(job.extend("1ms")).rejects.toThrow("lease:");
    await expect(job.release({ dealy: 1 } as never)).rejects.toThrow('did you mean "delay"');
    expect(await job.complete()).toEqual({ status: "ok" });
  });
});
