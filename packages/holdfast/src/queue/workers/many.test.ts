// What could go wrong, and the test for each:
// - a handler is given too many jobs, or one by one ............. "gives a call up to `size` jobs ...", "waits for more ..."
// - one that fails takes the others with it ..................... "each job has its own result or failure"
// - what it throws, or a wrong answer, ends some of them well ... "fails all of them ..."
// - jobs of several groups meet ................................. "oneGroup: ..."
// - the lease ends while jobs wait for others ................... "a lease that is over calls off what waits ..."
// - close() waits for jobs that wait for more ................... "close does not wait for more jobs"
// - a job that is cancelled while it waits runs ................. "one that is cancelled while it waits ..."
// - a call outlasts its time, and its slots are never free ...... "runTimeout holds for the call ..."
// - more calls, or more jobs, than were asked for ............... "runs no more calls at once than ..."
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { until } from "../../../test/support/until.ts";
import { Deferred } from "../../base/deferred.ts";
import { connect } from "../../connect.ts";
import type { Holdfast } from "../../holdfast.ts";
import { Discard, RetryAfter, Snooze } from "../failure.ts";
import { WorkerStore } from "../worker-store.ts";
import type { QueueManyJob } from "./gatherings.ts";

const numbers = (count: number): number[] => Array.from({ length: count }, (_, at) => at);

describe.each(backends())("handlers of many jobs [$name]", ({ url, options }) => {
  let hf: Holdfast;
  beforeAll(async () => {
    hf = await connect(url, { ...options, prefix: `q-${randomUUID()}` });
  });
  afterAll(() => hf.close());

  const fresh = (settings = {}) =>
    hf.queue<number, number>(randomUUID(), { backoff: { delay: 1, jitter: 0 }, ...settings });
  const payloads = (jobs: readonly QueueManyJob<number>[]) => jobs.map(({ payload }) => payload);

  it.each([1, 3])("gives a call up to `size` jobs (partitions: %i)", async (partitions) => {
    const queue = fresh({ partitions });
    await queue.addMany(numbers(95));
    const calls: number[][] = [];
    await using worker = queue.workMany((jobs) => void calls.push(payloads(jobs)), { size: 10, linger: 0 });
    await until("all are done", () => worker.stats().completed === 95);
    expect(calls.flat().toSorted((one, other) => one - other)).toEqual(numbers(95));
    expect(Math.max(...calls.map(({ length }) => length))).toBe(10);
    expect(calls.length).toBeLessThan(95 / 2);
    expect(await queue.counts()).toMatchObject({ waiting: 0, active: 0 });
  });

  it("keeps their order", async () => {
    const queue = fresh();
    await queue.addMany(numbers(50));
    const seen: number[] = [];
    await using worker = queue.workMany((jobs) => void seen.push(...payloads(jobs)), { size: 7 });
    await until("all are done", () => worker.stats().completed === 50);
    expect(seen).toEqual(numbers(50));
  });

  it("waits for more jobs after the first, no longer than `linger`, and begins at once when it is full", async () => {
    const queue = fresh();
    const calls: number[][] = [];
    await using worker = queue.workMany((jobs) => void calls.push(payloads(jobs)), { size: 3, linger: "1h" });
    await queue.add(1);
    await until("it waits", () => worker.running === 1);
    await queue.add(2);
    await until("both wait", () => worker.running === 2);
    expect(calls).toEqual([]);
    await queue.add(3);
    await until("they ran together", () => calls.length === 1);
    expect(calls).toEqual([[1, 2, 3]]);
    await worker.close();
    await using _other = queue.workMany((jobs) => void calls.push(payloads(jobs)), { size: 3, linger: 20 });
    await queue.add(4);
    await until("the linger is over", () => calls.length === 2);
    expect(calls[1]).toEqual([4]);
  });

  it("each job has its own result or failure, attempt and fence", async () => {
    const queue = fresh({ attempts: 2 });
    const seen: (readonly [payload: number, attempt: number])[] = [];
    const added = await Promise.all(numbers(6).map((payload) => queue.add(payload, { result: true })));
    await using _worker = queue.workMany(
      (jobs) =>
        jobs.map(({ payload, attempt, fence, signal }) => {
          expect(fence).toBeGreaterThan(0);
          expect(signal.aborted).toBe(false);
          seen.push([payload, attempt]);
          if (payload === 1 && attempt === 1) return new Error("once");
          if (payload === 2) return new Error("always");
          if (payload === 3) return new Discard("never");
          if (payload === 4 && seen.filter(([other]) => other === 4).length === 1) return new Snooze(1);
          if (payload === 5 && attempt === 1) return new RetryAfter(1);
          return payload * 10;
        }),
      { size: 6, linger: 0 },
    );
    const results = await Promise.all(added.map((job) => job.result({ timeout: "20s" })));
    expect(results).toMatchObject([
      { status: "ok", value: 0 },
      { status: "ok", value: 10 },
      { status: "dead", message: "always" },
      { status: "dead", message: "never" },
      { status: "ok", value: 40 },
      { status: "ok", value: 50 },
    ]);
    const attempts = (payload: number) => seen.filter(([other]) => other === payload).map(([, attempt]) => attempt);
    expect(numbers(6).map(attempts)).toEqual([[1], [1, 2], [1, 2], [1], [1, 1], [1, 2]]);
  });

  it.each([
    ["throws", () => Promise.reject(new Error("all of it")), /all of it/],
    ["returns too few", () => [1], /an array of 1.*each of its 3 jobs/],
    ["returns no array", () => 3 as never, /a value of type number/],
  ])("fails all of them where the handler %s", async (_, handler, message) => {
    const queue = fresh({ attempts: 1 });
    const added = await Promise.all([1, 2, 3].map((payload) => queue.add(payload, { result: true })));
    await using worker = queue.workMany(handler, { size: 3, linger: "1h" });
    for (const job of added)
      expect(await job.result({ timeout: "20s" })).toMatchObject({
        status: "dead",
        message: expect.stringMatching(message),
      });
    expect(worker.stats()).toMatchObject({ failed: 3, dead: 3, completed: 0 });
  });

  it("one whose payload cannot be read fails alone", async () => {
    const name = randomUUID();
    await hf.queue<unknown>(name).addMany([1, "two", 3]);
    const onlyNumbers = {
      "~standard": {
        version: 1 as const,
        vendor: "test",
        validate: (value: unknown) =>
          typeof value === "number" ? { value } : { issues: [{ message: "not a number" }] },
      },
    };
    const queue = hf.queue<number>(name, { payload: onlyNumbers, attempts: 1 });
    const seen: number[] = [];
    await using worker = queue.workMany((jobs) => void seen.push(...payloads(jobs)), { size: 3, linger: "1h" });
    await until("all have ended", () => worker.stats().completed + worker.stats().dead === 3);
    expect(seen).toEqual([1, 3]);
    expect(await queue.counts()).toMatchObject({ dead: 1, active: 0 });
  });

  it("oneGroup: the jobs of a call have the same group, or none", async () => {
    const queue = fresh();
    const calls: (readonly [group: number, count: number])[] = [];
    for (const at of numbers(30)) await queue.add(at % 3, at % 3 === 0 ? {} : { group: `g${at % 3}` });
    await using worker = queue.workMany(
      (jobs) => {
        expect(new Set(payloads(jobs)).size).toBe(1);
        calls.push([jobs[0]!.payload, jobs.length]);
      },
      { size: 30, linger: 50, oneGroup: true },
    );
    await until("all are done", () => worker.stats().completed === 30);
    expect(calls.reduce((sum, [, count]) => sum + count, 0)).toBe(30);
    expect(calls.length).toBeLessThan(10);
  });

  it("runs no more calls at once than `concurrency`, and claims no more jobs than they take", async () => {
    const queue = fresh();
    await queue.addMany(numbers(40));
    let [calls, most] = [0, 0];
    const go = new Deferred<void>();
    await using worker = queue.workMany(
      async () => {
        calls += 1;
        most = Math.max(most, calls);
        await go.promise;
        calls -= 1;
      },
      { size: 5, linger: 0, concurrency: 2 },
    );
    await until("both run", () => calls === 2);
    expect(await queue.counts()).toMatchObject({ active: 10, waiting: 30 });
    go.resolve();
    await until("all are done", () => worker.stats().completed === 40);
    expect(most).toBe(2);
    await queue.add(1);
    await until("its slots are free again", () => worker.stats().completed === 41);
  });

  it("a call of fewer jobs than its size holds their slots too", async () => {
    const queue = fresh();
    const go = new Deferred<void>();
    const seen: number[] = [];
    await using worker = queue.workMany(
      async (jobs) => {
        seen.push(...payloads(jobs));
        await go.promise;
      },
      { size: 5, linger: 0 },
    );
    await queue.add(1);
    await until("it runs", () => seen.length === 1);
    await queue.addMany([2, 3]);
    await using other = queue.workMany((jobs) => void seen.push(...payloads(jobs)), { size: 5, linger: 0 });
    await until("another worker ran them", () => other.stats().completed === 2);
    expect(worker.running).toBe(1);
    go.resolve();
  });

  it("close does not wait for more jobs, and lets the call end", async () => {
    const queue = fresh();
    await queue.addMany([1, 2]);
    const calls: number[][] = [];
    const worker = queue.workMany((jobs) => void calls.push(payloads(jobs)), { size: 5, linger: "1h" });
    await until("they wait", () => worker.running === 2);
    await worker.close();
    expect(calls).toEqual([[1, 2]]);
    expect(await queue.counts()).toMatchObject({ waiting: 0, active: 0 });
  });

  it("at the end of `drain` what runs is called off, and waits again without the loss of an attempt", async () => {
    const queue = fresh();
    await queue.addMany([1, 2]);
    const begun = new Deferred<readonly QueueManyJob<number>[]>();
    const worker = queue.workMany(
      (jobs) => {
        begun.resolve(jobs);
        return new Promise<never>(() => undefined);
      },
      { size: 2, linger: "1h", drain: 10 },
    );
    const jobs = await begun.promise;
    await worker.close();
    expect(jobs.every(({ signal }) => signal.aborted)).toBe(true);
    expect(await queue.counts()).toMatchObject({ waiting: 2, active: 0 });
    const attempts: number[] = [];
    await using _other = queue.workMany((jobs) => void attempts.push(...jobs.map(({ attempt }) => attempt)));
    await until("both ran", () => attempts.length === 2);
    expect(attempts).toEqual([1, 1]);
  });

  it("one that is cancelled while it waits for others does not run, and the others do", async () => {
    const queue = fresh();
    const seen: number[] = [];
    await using worker = queue.workMany((jobs) => void seen.push(...payloads(jobs)), { size: 3, linger: "1h" });
    const first = await queue.add(1, { result: true });
    await queue.add(2);
    await until("both wait", () => worker.running === 2);
    await first.cancel("no longer wanted");
    expect(await first.result({ timeout: "20s" })).toMatchObject({ status: "cancelled" });
    await queue.addMany([3, 4]);
    await until("the others ran", () => worker.stats().completed === 3);
    expect(seen).toEqual([2, 3, 4]);
    expect(worker.stats()).toMatchObject({ cancelled: 1, failed: 0 });
  });

  it("runTimeout holds for the call, not for the wait; then its slots are free", async () => {
    const queue = fresh({ runTimeout: "1s", attempts: 1 });
    const [reasons, seen]: [unknown[], number[]] = [[], []];
    await using worker = queue.workMany(
      async (jobs) => {
        seen.push(...payloads(jobs));
        if (jobs[0]!.payload !== 1) return;
        const { signal } = jobs[1]!;
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        reasons.push(...jobs.map((job) => (job.signal.reason as Error).name));
      },
      { size: 2, linger: "1500ms" },
    );
    await queue.add(0);
    await until("one that has waited for longer is done", () => worker.stats().completed === 1);
    await queue.addMany([1, 2]);
    await until("both have failed", () => worker.stats().dead === 2);
    expect(reasons).toEqual(["TimeoutError", "TimeoutError"]);
    await queue.addMany([3, 4]);
    await until("others run", () => worker.stats().completed === 3);
    expect(seen).toEqual([0, 1, 2, 3, 4]);
  });

  it("a job may be committed in a call", async () => {
    const queue = fresh();
    await queue.addMany([1, 2]);
    const keys: string[] = [];
    await using worker = queue.workMany(
      async (jobs) => {
        for (const job of jobs) {
          keys.push(job.key("total"));
          await job.commit((tx) => tx.queue("INCRBY", job.key("total"), job.payload));
        }
        return Promise.reject(new Error("too late to matter"));
      },
      { size: 2, linger: "1h" },
    );
    await until("both are done", () => worker.stats().completed === 2);
    expect(String(await hf.command("GET", keys[0]!))).toBe("3");
    expect(worker.stats()).toMatchObject({ failed: 0 });
  });

  it("until empty: ends when what waited has run", async () => {
    const queue = fresh();
    await queue.addMany(numbers(7));
    const seen: number[] = [];
    await queue.workMany((jobs) => void seen.push(...payloads(jobs)), { size: 5, until: "empty" }).ended;
    expect(seen).toEqual(numbers(7));
  });

  it("refuses what it cannot do", () => {
    const queue = fresh();
    const handler = () => undefined;
    const wrong = (given: object, field: string) =>
      expect(() => queue.workMany(handler, given)).toThrow(expect.objectContaining({ field }));
    wrong({ size: 0 }, "size");
    wrong({ size: 1_001 }, "size");
    wrong({ size: 1_000, concurrency: 11 }, "concurrency");
    wrong({ linger: -1 }, "linger");
    wrong({ oneGroup: "yes" }, "oneGroup");
    expect(() => queue.workMany(handler, { threads: 2 } as never)).toThrow(/threads/);
    expect(() => queue.workMany({ one: handler } as never)).toThrow(/a function that is given an array/);
  });

  it("has types of its own", () => {
    const queue = fresh();
    const wrong = () => {
      // @ts-expect-error: a job of many cannot sleep
      queue.workMany(([job]) => job!.sleep("a", 1));
      // @ts-expect-error: results are numbers
      queue.workMany(() => ["one"]);
    };
    expect(wrong).toBeTypeOf("function");
  });
});

describe.each(backends("standalone", "embedded"))(
  "handlers of many jobs and their lease [$name]",
  ({ url, options }) => {
    it("a lease that is over calls off what waits; it is claimed again, and runs once", async () => {
      await using hf = await connect(url, { ...options, prefix: `q-${randomUUID()}` });
      const queue = hf.queue<number>(randomUUID());
      const calls: number[][] = [];
      const claims = vi.spyOn(WorkerStore.prototype, "claim");
      await using worker = queue.workMany((jobs) => void calls.push(jobs.map(({ payload }) => payload)), {
        size: 3,
        linger: "1h",
        lease: "3s",
        poll: "100ms",
      });
      await queue.addMany([1, 2]);
      await until("both wait", () => worker.running === 2);
      claims.mockRejectedValue(new Error("away"));
      await until("both are called off", () => worker.running === 0);
      claims.mockRestore();
      await until("both wait again", () => worker.running === 2);
      await queue.add(3);
      await until("they ran", () => calls.length === 1);
      expect(new Set(calls[0])).toEqual(new Set([1, 2, 3]));
      await until("they are acknowledged", () => worker.stats().completed === 3);
      expect(worker.stats()).toMatchObject({ failed: 0, lost: 2 });
    });
  },
);
