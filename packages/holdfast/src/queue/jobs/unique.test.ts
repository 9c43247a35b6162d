// What could go wrong, and the test for each:
// - a replaced job runs as it was, at its old time, or twice ........ "replace: ..."
// - a key is free too late, or too early ............................ "untilStarted: ...", "drop with `for` ..."
// - what came during a run is lost, or runs once for each ........... "rerun: ..."
// - a job that waits for another's end is lost when that ends badly . "rerun: ... however that ended"
// - the old run goes on ............................................. "cancelRunning: ..."
// - of many keys whose time is over some stay taken ................. "drop with `for`: a key whose time is over ..."
// - the answer is lost and the call repeated ........................ ./faults.test.ts
// - additions and claims at once lose one, or run two ............... "races with claims ..."
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { until } from "../../../test/support/until.ts";
import { Deferred } from "../../base/deferred.ts";
import { connect } from "../../connect.ts";
import type { Holdfast } from "../../holdfast.ts";
import { Discard } from "../failure.ts";
import type { Queue } from "../queue.ts";

describe.each(backends())("unique modes [$name]", ({ url, options }) => {
  let hf: Holdfast;
  beforeAll(async () => {
    hf = await connect(url, { ...options, prefix: `q-${randomUUID()}` });
  });
  afterAll(() => hf.close());

  const fresh = (settings = {}) => hf.queue<number>(randomUUID(), { attempts: 1, ...settings });

  /** A worker whose runs wait to be let go, in their order. */
  function held(queue: Queue<number>, end: () => void = () => undefined) {
    const seen: number[] = [];
    const gates: Deferred<undefined>[] = [];
    const worker = queue.work(async (job) => {
      const gate = new Deferred<undefined>();
      gates.push(gate);
      seen.push(job.payload);
      job.signal.addEventListener("abort", () => gate.reject(job.signal.reason));
      await gate.promise;
      end();
    });
    const ran = (count: number) => until(`${count} ran`, () => seen.length === count);
    return { worker, seen, ran, end: (at: number) => gates[at]!.resolve(undefined) };
  }

  it("replace: the last payload and time win while it has not started; one that runs keeps others out", async () => {
    const queue = fresh();
    const unique = { key: "k", mode: "replace" } as const;
    const first = await queue.add(1, { unique, delay: "1h" });
    const second = await queue.add(2, { unique, delay: "2h", priority: "high" });
    expect(second).toMatchObject({ status: "replaced", id: first.id });
    const { dueAt, addedAt, ...job } = (await queue.get(first.id))!;
    expect(job).toMatchObject({ payload: 2, state: "delayed", priority: "high" });
    expect(dueAt! - addedAt).toBeGreaterThanOrEqual(7_200_000);
    expect(await queue.add(3, { unique })).toMatchObject({ status: "replaced", id: first.id });
    expect(await queue.add(4, { unique })).toMatchObject({ status: "replaced", id: first.id });
    expect(await queue.counts()).toMatchObject({ waiting: 1, delayed: 0 });
    const { worker, seen, ran, end } = held(queue);
    await ran(1);
    expect(await queue.add(5, { unique })).toMatchObject({ status: "duplicate", id: first.id });
    end(0);
    await until("it is done", () => worker.stats().completed === 1);
    expect(await queue.add(6, { unique })).toMatchObject({ status: "ok" });
    await ran(2);
    end(1);
    await worker.close();
    expect(seen).toEqual([4, 6]);
  });

  it("untilStarted: the key is free when its job starts", async () => {
    const queue = fresh();
    const unique = { key: "k", mode: "untilStarted" } as const;
    const first = await queue.add(1, { unique });
    expect(await queue.add(2, { unique })).toMatchObject({ status: "duplicate", id: first.id });
    const { worker, seen, ran, end } = held(queue);
    await ran(1);
    const third = await queue.add(3, { unique });
    expect(third.status).toBe("ok");
    await ran(2);
    end(0);
    await until("the first is done", () => worker.stats().completed === 1);
    end(1);
    await worker.close();
    expect(seen).toEqual([1, 3]);
  });

  it("rerun: of those that came during a run the last one runs after it, once", async () => {
    const queue = fresh();
    const unique = { key: "k", mode: "rerun" } as const;
    const first = await queue.add(1, { unique });
    expect(await queue.add(2, { unique })).toMatchObject({ status: "duplicate", id: first.id });
    const { worker, seen, ran, end } = held(queue);
    await ran(1);
    const next = await queue.add(3, { unique });
    expect(next.status).toBe("ok");
    expect(await queue.get(next.id)).toMatchObject({ state: "waiting", payload: 3 });
    expect(await queue.add(4, { unique })).toMatchObject({ status: "replaced", id: next.id });
    end(0);
    await ran(2);
    const last = await queue.add(5, { unique });
    expect(await last.cancel()).toEqual({ status: "ok" });
    end(1);
    await until("both are done", () => worker.stats().completed === 2);
    expect(await queue.add(6, { unique })).toMatchObject({ status: "ok" });
    await ran(3);
    end(2);
    await worker.close();
    expect(seen).toEqual([1, 4, 6]);
  });

  it.each(["dead", "cancelled", "closed"])("rerun: runs after the other one however that ended: %s", async (way) => {
    const queue = fresh();
    const unique = { key: "k", mode: "rerun" } as const;
    const first = await queue.add(1, { unique });
    const started = new Deferred<undefined>();
    const gate = new Deferred<undefined>();
    const worker = queue.work(
      async () => {
        started.resolve(undefined);
        await gate.promise;
        throw new Discard("no");
      },
      { drain: 10, concurrency: 1 },
    );
    await started.promise;
    await queue.add(2, { unique });
    if (way === "cancelled") await first.cancel();
    if (way !== "closed") gate.resolve(undefined);
    await worker.close();
    const seen: number[] = [];
    await using _other = queue.work((job) => void seen.push(job.payload), { concurrency: 1 });
    await until("it ran", () => seen.includes(2));
    expect(seen).toEqual(way === "closed" ? [1, 2] : [2]);
  });

  it("cancelRunning: the running one is cancelled, and the last one runs", async () => {
    const queue = fresh();
    const unique = { key: "k", mode: "cancelRunning" } as const;
    const first = await queue.add(1, { unique });
    expect(await queue.add(2, { unique })).toMatchObject({ status: "replaced", id: first.id });
    const { worker, seen, ran, end } = held(queue);
    await ran(1);
    const third = await queue.add(3, { unique });
    expect(third.status).toBe("ok");
    expect(await first.result()).toEqual({
      status: "cancelled",
      reason: "another job with its unique key was added",
    });
    await ran(2);
    expect(await queue.add(4, { unique: "k" })).toMatchObject({ status: "duplicate", id: third.id });
    end(1);
    await until("it is done", () => worker.stats().completed === 1);
    expect(worker.stats()).toMatchObject({ cancelled: 1, failed: 0 });
    await worker.close();
    expect(seen).toEqual([2, 3]);
  });

  it.each(["replace", "rerun", "cancelRunning"] as const)("races with claims: %s", async (mode) => {
    const queue = fresh();
    const unique = { key: "k", mode };
    const seen: number[] = [];
    await using worker = queue.work((job) => void seen.push(job.payload), { concurrency: 4 });
    const statuses = new Map<string, number[]>();
    for (let at = 0; at < 150; at += 1) {
      const { status } = await queue.add(at, { unique });
      statuses.set(status, [...(statuses.get(status) ?? []), at]);
      if (at % 10 === 0) await Promise.all([queue.add(-1), queue.add(-1)]);
    }
    await until("nothing is left", async () => {
      const { waiting, delayed, active } = await queue.counts();
      return waiting + delayed + active === 0;
    });
    const own = seen.filter((payload) => payload >= 0);
    expect(new Set(own).size).toBe(own.length);
    expect(own.length).toBeLessThanOrEqual(statuses.get("ok")!.length);
    for (const at of statuses.get("duplicate") ?? []) expect(own).not.toContain(at);
    expect(worker.stats()).toMatchObject({ failed: 0, lost: 0 });
    expect(await queue.add(1_000, { unique })).toMatchObject({ status: "ok" });
  });

  it("drop with `for`: a key whose time is over is free, however many there are of them", async () => {
    const queue = fresh();
    const key = (at: number) => ({ unique: { key: `k${at}`, for: 300 } });
    await Promise.all(Array.from({ length: 1_200 }, (_, at) => queue.add(at, key(at))));
    await sleep(310);
    expect(await queue.add(1, key(1_199))).toMatchObject({ status: "ok" });
    expect(await queue.add(1, key(1_199))).toMatchObject({ status: "duplicate" });
    expect(await queue.add(1, { unique: "k1198" })).toMatchObject({ status: "ok" });
    expect(await queue.add(1, { unique: { key: "k1197", mode: "replace" } })).toMatchObject({ status: "ok" });
    // What clears the others away leaves those that were taken again.
    for (let at = 0; at < 3; at += 1) await queue.add(at, { id: randomUUID() });
    for (const taken of ["k1198", "k1197"])
      expect(await queue.add(2, { unique: taken })).toMatchObject({ status: "duplicate" });
  });

  it("replace: moves a job to its new group", async () => {
    const queue = fresh();
    const unique = { key: "k", mode: "replace" } as const;
    await queue.add(1, { unique, group: "a" });
    expect(await queue.add(2, { unique, group: "b" })).toMatchObject({ status: "replaced" });
    expect((await queue.groups.page()).groups).toMatchObject([{ waiting: 1 }]);
    const seen: number[] = [];
    await using worker = queue.work((job) => void seen.push(job.payload));
    await until("it is done", () => worker.stats().completed === 1);
    expect(seen).toEqual([2]);
    expect(await queue.counts()).toMatchObject({ waiting: 0, active: 0 });
  });
});
