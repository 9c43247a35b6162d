// What could go wrong, and the test for each:
// - an end is counted as another, or not at all .............. "counts how runs ended, by reason and over time"
// - a reason shows what was stored ........................... in the same test, and "shows no part of a message"
// - what a worker counted is lost when it closes ............. in the same test: nothing is waited for but the close
// - a flush whose answer was lost counts twice ............... "counts a flush once, however often it is sent"
// - a flush that failed is lost .............................. "sends again what did not arrive, as it was"
// - names or reasons without end fill the memory ............. "bounds what is kept"
// - the totals fall when jobs are removed .................... "keeps its totals when what was counted is over"
// - a worker is not seen, or what it runs .................... "shows the workers and what they run"
// - a quantile is far off .................................... "knows quantiles to within a bucket" (property)
// - a wait is counted that was asked for ..................... "does not take a delay for a wait"
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { until } from "../../../test/support/until.ts";
import { Deferred } from "../../base/deferred.ts";
import { systemRuntime } from "../../base/runtime.ts";
import { connect } from "../../connect.ts";
import type { Holdfast } from "../../holdfast.ts";
import { Discard } from "../failure.ts";
import { reasonOf } from "../../core/observe/reason.ts";
import { bucketOf, timesOf } from "../../core/observe/histogram.ts";
import { Tally } from "./tally.ts";

describe.each(backends())("what is seen of a queue [$name]", ({ url, options }) => {
  let hf: Holdfast;
  beforeAll(async () => {
    hf = await connect(url, { ...options, prefix: `qo-${randomUUID()}` });
  });
  afterAll(() => hf.close());

  it("counts how runs ended, by reason and over time", async () => {
    const queue = hf.queue<string>(randomUUID(), { backoff: { delay: 1, jitter: 0 }, partitions: 2 });
    const [worked, seen] = [new Deferred<void>(), new Set<string>()];
    const worker = queue.work((job) => {
      if (job.payload === "never") throw new Discard("no such address: ada@example.com");
      if (job.payload === "twice" && job.attempt === 1)
        throw Object.assign(new TypeError("ada@example.com"), { code: "ECONNRESET" });
      seen.add(job.id);
      if (seen.size === 6) worked.resolve();
    });
    await queue.addMany(["a", "b", "c", "d", "twice", "never"]);
    await queue.add("kept", { result: true });
    await worked.promise;
    await until("one is dead", async () => (await queue.counts()).dead === 1);
    await worker.close();
    const { totals, lastHour, workers, counts } = await queue.overview();
    expect(counts).toMatchObject({ dead: 1, waiting: 0 });
    expect(totals).toMatchObject({ completed: 6, failed: 2, dead: 1, recovered: 0, names: {} });
    expect(totals.reasons).toHaveLength(2);
    expect(totals.reasons).toEqual(
      expect.arrayContaining([
        { reason: "Discard", count: 1 },
        { reason: "TypeError ECONNRESET", count: 1 },
      ]),
    );
    // Each run took its time; of a job that ran twice only the first run had waited.
    expect([totals.run.count, totals.wait.count]).toEqual([8, 7]);
    expect(totals.run.p50).toBeGreaterThan(0);
    expect(lastHour).toEqual(totals);
    expect(workers).toEqual([]);
    const points = await queue.stats();
    expect(points).toHaveLength(61);
    expect(points.reduce((sum, { completed }) => sum + completed, 0)).toBe(6);
    const [hour, ...rest] = await queue.stats({ from: new Date(points[0]!.at), every: "2h" });
    expect(rest).toEqual([]);
    expect(hour).toEqual({ at: points[0]!.at, ...totals });
    expect(await queue.stats({ from: Date.now() + 3_600_000, to: Date.now() + 7_200_000 })).toEqual([]);
  });

  it("keeps its totals when what was counted is over", async () => {
    const queue = hf.queue<number>(randomUUID());
    for (let round = 1; round <= 2; round += 1) {
      const done = new Deferred<void>();
      await using worker = queue.work(() => done.resolve());
      await queue.add(round);
      await done.promise;
      await worker.close();
      expect((await queue.overview()).totals.completed).toBe(round);
    }
  });

  it("shows the workers and what they run", async () => {
    const queue = hf.queue<number>(randomUUID(), { partitions: 2 });
    const [allRun, release] = [new Deferred<void>(), new Deferred<void>()];
    let running = 0;
    await using worker = queue.work(
      () => {
        running += 1;
        if (running === 3) allRun.resolve();
        return release.promise;
      },
      { concurrency: 3 },
    );
    const jobs = await Promise.all([1, 2, 3, 4].map((at) => queue.add(at, { key: String(at) })));
    await allRun.promise;
    await until("the worker has said who it is", async () => (await queue.overview()).workers[0]?.pid !== undefined);
    const { workers, counts } = await queue.overview();
    expect(counts).toMatchObject({ active: 3, waiting: 1 });
    expect(workers).toMatchObject([{ host: hostname(), pid: process.pid, concurrency: 3, running: 3 }]);
    const ids = jobs.map(({ id }) => id);
    expect(workers[0]!.jobs).toHaveLength(3);
    for (const { id, since } of workers[0]!.jobs) {
      expect(ids).toContain(id);
      expect(since).toBeGreaterThanOrEqual((await queue.get(id))!.addedAt);
    }
    release.resolve();
    await worker.close();
  });

  it("does not take a delay for a wait", async () => {
    const queue = hf.queue<number>(randomUUID());
    const done = new Deferred<void>();
    const worker = queue.work(() => done.resolve());
    await queue.add(1, { delay: 20 });
    await done.promise;
    await worker.close();
    expect((await queue.overview()).totals).toMatchObject({ completed: 1, wait: { count: 0, p50: 0 } });
  });

  it("refuses what is no time and no whole minute", async () => {
    const queue = hf.queue<number>("refusing");
    await expect(queue.stats({ every: "90s" })).rejects.toThrow('queue "refusing": every: expected whole minutes');
    await expect(queue.stats({ from: new Date(Number.NaN) })).rejects.toMatchObject({ field: "from" });
  });
});

describe.each(backends("standalone", "embedded"))("a tally on the server [$name]", ({ url, options }) => {
  it("counts a flush once, however often it is sent", async () => {
    await using hf = await connect(url, { ...options, prefix: `qo-${randomUUID()}` });
    const { TallyStore } = await import("./store.ts");
    const { Core } = await import("../../core/core.ts");
    const { QueueKeys } = await import("../keys.ts");
    const { Keyspace } = await import("../../core/keyspace/keyspace.ts");
    const core = new Core(hf.driver, { keys: new Keyspace(`qo-${randomUUID()}`), codec: {} });
    const store = new TallyStore(core, new QueueKeys(core.keys.group("queue", "q")), undefined);
    const about = { host: "a", pid: 1, concurrency: 1 };
    for (const flush of [1, 1, 2, 1]) await store.flush("w", about, flush, ["c", "2"]);
    expect(Object.fromEntries(await store.totals())).toEqual({ c: 4 });
    expect(await store.about("w")).toMatchObject(about);
    const many = Array.from({ length: 100 }, (_, at) => [`e:Error ${at}`, "1"]).flat();
    await store.flush("w", about, 3, many);
    await store.flush("w", about, 4, ["e:Error 0", "1", "e:late", "1"]);
    const totals = await store.totals();
    // Bounds what is kept.
    expect(totals.size).toBe(1 + 1 + 60 + 1);
    expect([totals.get("e:Error 0"), totals.get("e:")]).toEqual([2, 41]);
    await core.close();
  });
});

describe("a tally", () => {
  const run = { fence: 0, failures: undefined, crashes: 0, tookMs: 3, thrown: undefined };
  const record = { addedAt: 0, isDelayed: true, name: "mail" };

  it("sends again what did not arrive, as it was", async () => {
    const sent: [number, readonly string[]][] = [];
    let isAway = true;
    const tally = new Tally(systemRuntime, (flush, counts) => {
      sent.push([flush, counts]);
      return isAway ? Promise.reject(Object.assign(new Error("away"))) : Promise.resolve();
    });
    tally.ended({ ...run, record }, "completed");
    await tally.close();
    tally.ended({ ...run, record }, "completed");
    isAway = false;
    await tally.close();
    expect(sent.map(([flush]) => flush)).toEqual([1, 1, 2]);
    expect(sent[1]).toEqual(sent[0]);
    expect(sent[0]![1]).toEqual(["c", "1", "c:mail", "1", "t4", "1", "T", "3"]);
  });
});

describe("reasons and times", () => {
  it("shows no part of a message", () => {
    expect(reasonOf(new Error("secret"))).toBe("Error");
    expect(reasonOf(Object.assign(new Error("x"), { name: "a secret\n", code: 11000 }))).toBe("Error 11000");
    expect(reasonOf({ name: "Mine", code: "it was ada@example.com" })).toBe("Mine");
    expect(reasonOf("secret")).toBe("Error");
    const hostile = {
      get name() {
        throw new Error("no");
      },
    };
    expect(reasonOf(hostile)).toBe("Error");
  });

  it("knows quantiles to within a bucket", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 1.01, max: 1e8, noNaN: true }), { minLength: 1 }), (times) => {
        const counts = new Map<number, number>();
        for (const ms of times) counts.set(bucketOf(ms), (counts.get(bucketOf(ms)) ?? 0) + 1);
        const sorted = times.toSorted((a, b) => a - b);
        const { p50, p99, count } = timesOf(counts, 0);
        expect(count).toBe(times.length);
        for (const [part, found] of [
          [0.5, p50],
          [0.99, p99],
        ] as const) {
          const exact = sorted[Math.max(Math.ceil(part * times.length) - 1, 0)]!;
          expect(found / exact).toBeGreaterThan(0.7);
          expect(found / exact).toBeLessThan(1.42);
        }
      }),
    );
  });
});
