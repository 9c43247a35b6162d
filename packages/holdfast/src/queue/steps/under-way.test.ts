// A job that sleeps, or waits for a signal, has begun. What could go wrong, and the test for each:
// - it is cancelled, and what it did is not undone .............. "undoes what it did when it is cancelled ..."
// - undoing is called off, or given up at its first failure ..... "does not call off what undoes"
// - its worker closes before it has heard of it ................. "undoes also where the worker closes first"
// - another job with its unique key changes it half-way ......... "replace: leaves it", "rerun: runs after it"
// - ... or takes its place without undoing ...................... "cancelRunning: undoes it"
// - it expires ................................................. "does not expire once it has begun"
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { until } from "../../../test/support/until.ts";
import { Deferred } from "../../base/deferred.ts";
import { connect } from "../../connect.ts";
import type { Holdfast } from "../../holdfast.ts";
import { Limited, Snooze } from "../failure.ts";
import type { QueueJob } from "../job.ts";
import type { Queue } from "../queue.ts";

describe.each(backends())("jobs under way [$name]", ({ url, options }) => {
  let hf: Holdfast;
  beforeAll(async () => {
    hf = await connect(url, { ...options, prefix: `q-${randomUUID()}` });
  });
  afterAll(() => hf.close());

  const fresh = (settings = {}) => hf.queue<string>(randomUUID(), { backoff: { delay: 1, jitter: 0 }, ...settings });
  /** Charges, and waits to be told to ship. */
  function saga(queue: Queue<string>) {
    const done: string[] = [];
    const handler = async (job: QueueJob<string>) => {
      await job.step("charge", () => void done.push(`charge ${job.payload}`));
      await job.compensate("refund", () => void done.push(`refund ${job.payload}`));
      await job.waitFor("ship");
      done.push(`ship ${job.payload}`);
    };
    return { done, handler, worker: queue.work(handler) };
  }
  const waits = (queue: Queue<string>, id: string) =>
    until("it waits for the signal", async () => (await queue.get(id))?.state === "delayed");
  const CANCELLED = { status: "dead", message: "it was cancelled" };

  it("undoes what it did when it is cancelled while it waits, once, however often", async () => {
    const queue = fresh();
    const { done, handler, worker } = saga(queue);
    const job = await queue.add("a", { result: true });
    await waits(queue, job.id);
    await worker.close();
    expect([await job.cancel("no"), await job.cancel("no")]).toEqual([{ status: "running" }, { status: "running" }]);
    await using _worker = queue.work(handler);
    expect(await job.result()).toEqual(CANCELLED);
    expect(done).toEqual(["charge a", "refund a"]);
    expect(await queue.get(job.id)).toMatchObject({ state: "dead", reason: "it was cancelled", failures: 0 });
    expect(await job.cancel()).toEqual({ status: "missing" });
  });

  it("does not call off what undoes, and tries it again where it fails", async () => {
    const queue = fresh();
    const [begun, aborted] = [new Deferred<undefined>(), [] as boolean[]];
    await using _worker = queue.work(async (job) => {
      await job.compensate("refund", async () => {
        expect(await queue.cancel(job.id)).toEqual({ status: "running" });
        aborted.push(job.signal.aborted);
        if (aborted.length === 1) throw new Error("the bank is closed");
      });
      await job.step("charge", () => {
        begun.resolve(undefined);
        return new Promise((_, reject) => job.signal.addEventListener("abort", () => reject(job.signal.reason)));
      });
    });
    const job = await queue.add("a", { result: true });
    await begun.promise;
    expect(await job.cancel()).toEqual({ status: "running" });
    expect(await job.result()).toEqual(CANCELLED);
    expect(aborted).toEqual([false, false]);
  });

  it("undoes also where the worker closes before it has heard of the cancel", async () => {
    const queue = fresh();
    const [begun, done] = [new Deferred<undefined>(), [] as string[]];
    const handler = async (job: QueueJob<string>) => {
      await job.compensate("refund", () => void done.push("refund"));
      await job.step("charge", () => {
        begun.resolve(undefined);
        return new Promise(() => undefined);
      });
    };
    const worker = queue.work(handler, { drain: 0 });
    const job = await queue.add("a", { result: true });
    await begun.promise;
    await Promise.all([job.cancel(), worker.close()]);
    await using _worker = queue.work(handler);
    await job.cancel();
    expect(await job.result()).toEqual(CANCELLED);
    expect(done).toEqual(["refund"]);
  });

  it("replace: leaves it as it is, though it does not run just then", async () => {
    const queue = fresh();
    const { done, worker } = saga(queue);
    await using _worker = worker;
    const unique = { key: "k", mode: "replace" } as const;
    const job = await queue.add("a", { result: true, unique });
    await waits(queue, job.id);
    expect(await queue.add("b", { unique })).toMatchObject({ status: "duplicate", id: job.id });
    await queue.signal(job.id, "ship");
    expect(await job.result()).toMatchObject({ status: "ok" });
    expect(done).toEqual(["charge a", "ship a"]);
    // A signal alone is no beginning.
    const next = await queue.add("c", { unique, delay: "1h" });
    await queue.signal(next.id, "ship");
    expect(await queue.add("d", { unique, delay: "1h" })).toMatchObject({ status: "replaced", id: next.id });
  });

  it("rerun: runs once more after it", async () => {
    const queue = fresh();
    const { done, worker } = saga(queue);
    await using _worker = worker;
    const unique = { key: "k", mode: "rerun" } as const;
    const job = await queue.add("a", { result: true, unique });
    await waits(queue, job.id);
    const next = await queue.add("b", { unique, result: true });
    expect(next).toMatchObject({ status: "ok" });
    for (const { id } of [job, next]) await queue.signal(id, "ship");
    expect(await next.result()).toMatchObject({ status: "ok" });
    expect(done).toEqual(["charge a", "ship a", "charge b", "ship b"]);
  });

  it("cancelRunning: undoes it, and the new one has the key", async () => {
    const queue = fresh();
    const { done, worker } = saga(queue);
    await using _worker = worker;
    const unique = { key: "k", mode: "cancelRunning" } as const;
    const job = await queue.add("a", { result: true, unique });
    await waits(queue, job.id);
    const next = await queue.add("b", { unique, result: true });
    expect(next.id).not.toBe(job.id);
    expect(await job.result()).toEqual(CANCELLED);
    expect(await queue.add("c", { unique: "k" })).toMatchObject({ status: "duplicate", id: next.id });
    await queue.signal(next.id, "ship");
    expect(await next.result()).toMatchObject({ status: "ok" });
    expect(done.filter((one) => one.endsWith("a"))).toEqual(["charge a", "refund a"]);
  });

  it("does not expire once it has begun, whatever lets it run again", async () => {
    const queue = fresh();
    const [IN_TIME, LATE] = [1_500, 1_600];
    const runs = new Map<string, number>();
    const later: Record<string, (job: QueueJob<string>) => unknown> = {
      sleep: (job) => job.sleep("a while", LATE),
      snooze: () => Promise.reject(new Snooze(LATE)),
      limited: () => Promise.reject(new Limited(LATE)),
      spawn: (job) => job.spawn("one", [queue.child("child", { delay: LATE })]),
    };
    await using worker = queue.work(async (job) => {
      const run = (runs.get(job.payload) ?? 0) + 1;
      runs.set(job.payload, run);
      if (run === 1 || job.payload === "sleep") await later[job.payload]?.(job);
    });
    const jobs = await Promise.all(
      Object.keys(later).map((name) => queue.add(name, { expires: IN_TIME, result: true, group: name })),
    );
    for (const job of jobs) expect(await job.result()).toMatchObject({ status: "ok" });
    expect([...runs.values()]).toEqual([2, 2, 2, 2, 1]);
    expect(worker.stats().expired).toBe(0);
  });
});
