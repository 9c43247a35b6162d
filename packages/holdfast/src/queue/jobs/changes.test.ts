// What could go wrong, and the test for each:
// - a job runs as it was before it was changed, or twice ......... "changes what has not started"
// - a job that runs is changed ................................... "... busy"
// - a change and a claim at once: the job is lost, or runs twice . "races with claims: each job runs once"
// - a job runs before those that it waits for .................... "a job that waits for others keeps waiting"
// - a promoted job waits for its time ............................ "promote: runs a delayed job now"
// - a retried job is run twice, or beside one of its key ......... "retry: ..."
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { until } from "../../../test/support/until.ts";
import { Deferred } from "../../base/deferred.ts";
import { connect } from "../../connect.ts";
import type { Holdfast } from "../../holdfast.ts";
import { Discard } from "../failure.ts";

describe.each(backends())("changing jobs [$name]", ({ url, options }) => {
  let hf: Holdfast;
  beforeAll(async () => {
    hf = await connect(url, { ...options, prefix: `q-${randomUUID()}` });
  });
  afterAll(() => hf.close());

  const fresh = (settings = {}) => hf.queue<number>(randomUUID(), settings);

  it("changes what has not started: payload, time, priority", async () => {
    const queue = fresh();
    const [a, b, c, d] = await queue.addMany([1, 2, 3, 4], { tags: ["kept"] });
    expect(await queue.update(b!.id, { payload: 20 })).toEqual({ status: "ok" });
    expect(await queue.update(c!.id, { priority: "high" })).toEqual({ status: "ok" });
    expect(await queue.update(d!.id, { delay: "1h", priority: "low" })).toEqual({ status: "ok" });
    expect(await queue.update(a!.id, {})).toEqual({ status: "ok" });
    expect(await queue.get(b!.id)).toMatchObject({ payload: 20, state: "waiting", tags: ["kept"] });
    expect(await queue.get(d!.id)).toMatchObject({ payload: 4, state: "delayed", priority: "low" });
    expect(await queue.update(d!.id, { at: Date.now() + 50, payload: 40 })).toEqual({ status: "ok" });
    const seen: number[] = [];
    await using worker = queue.work((job) => void seen.push(job.payload), { concurrency: 1 });
    await until("all are done", () => worker.stats().completed === 4);
    expect(seen).toEqual([3, 1, 20, 40]);
    expect(await queue.update(a!.id, { payload: 5 })).toEqual({ status: "missing" });
    expect(await queue.counts()).toMatchObject({ waiting: 0, delayed: 0, active: 0 });
  });

  it("a job that runs is active, a dead one missing", async () => {
    const queue = fresh({ attempts: 1 });
    const gate = new Deferred<undefined>();
    const { id } = await queue.add(1);
    await using worker = queue.work(async () => {
      await gate.promise;
      throw new Discard("no");
    });
    await until("it runs", () => worker.running === 1);
    expect(await queue.update(id, { payload: 2 })).toEqual({ status: "active" });
    expect(await queue.promote(id)).toEqual({ status: "active" });
    expect(await queue.remove(id)).toEqual({ status: "busy" });
    gate.resolve(undefined);
    await until("it is dead", () => worker.stats().dead === 1);
    expect(await queue.update(id, { payload: 2 })).toEqual({ status: "missing" });
    expect(await queue.cancel(id)).toEqual({ status: "missing" });
  });

  it("promote: runs a delayed job now, at the end of its lane; one that waits stays where it is", async () => {
    const queue = fresh();
    const first = await queue.add(1);
    const later = await queue.add(2, { delay: "1h" });
    expect(await queue.promote(first.id)).toEqual({ status: "ok" });
    expect(await queue.promote(later.id)).toEqual({ status: "ok" });
    expect(await queue.promote(later.id)).toEqual({ status: "ok" });
    const seen: number[] = [];
    await using worker = queue.work((job) => void seen.push(job.payload), { concurrency: 1 });
    await until("both are done", () => worker.stats().completed === 2);
    expect(seen).toEqual([1, 2]);
    expect(await queue.promote(later.id)).toEqual({ status: "missing" });
  });

  it("retry: runs a dead or a kept job again, with all its attempts, unless its key is another's", async () => {
    const queue = fresh({ attempts: 1, keep: { completed: 10 } });
    let isBroken = true;
    const attempts: number[] = [];
    await using worker = queue.work((job) => {
      attempts.push(job.attempt);
      if (isBroken) throw new Error("no");
    });
    const { id } = await queue.add(1, { unique: "key" });
    await until("it is dead", () => worker.stats().dead === 1);
    isBroken = false;
    const other = await queue.add(2, { unique: "key", delay: "1h" });
    expect(await queue.retry(id)).toEqual({ status: "duplicate" });
    expect(await queue.dead.redrive([id])).toBe(0);
    await other.cancel();
    expect(await queue.retry(id)).toEqual({ status: "ok" });
    await until("it is done", () => worker.stats().completed === 1);
    expect(await queue.get(id)).toMatchObject({ state: "completed" });
    expect(await queue.retry(id)).toEqual({ status: "ok" });
    await until("it is done", () => worker.stats().completed === 2);
    expect(attempts).toEqual([1, 1, 1]);
    expect(await queue.remove(id)).toEqual({ status: "ok" });
    expect(await queue.retry(id)).toEqual({ status: "missing" });
  });

  it("a job that waits for others keeps waiting: its payload and lane change, its time cannot", async () => {
    const queue = fresh();
    const job = await queue.add(1, { children: [queue.child(2, { delay: "1h" })], result: true });
    const child = (await queue.page({ state: "delayed" })).jobs[0]!;
    expect(await queue.update(job.id, { payload: 10, priority: "high" })).toEqual({ status: "ok" });
    expect(await queue.update(job.id, { delay: "1s" })).toEqual({ status: "blocked" });
    expect(await queue.promote(job.id)).toEqual({ status: "blocked" });
    expect(await queue.get(job.id)).toMatchObject({ state: "blocked", payload: 10, priority: "high" });
    const seen: number[] = [];
    await using _worker = queue.work((ran) => void seen.push(ran.payload), { concurrency: 1 });
    await queue.promote(child.id);
    expect(await job.result()).toMatchObject({ status: "ok" });
    expect(seen).toEqual([2, 10]);
  });

  it("races with claims: each job runs once, as it was or as it was changed", async () => {
    const queue = fresh();
    const added = await queue.addMany(Array.from({ length: 300 }, (_, at) => at));
    const ran = new Map<string, number[]>();
    const note = (id: string, payload: number) => void ran.set(id, [...(ran.get(id) ?? []), payload]);
    await using one = queue.work((job) => note(job.id, job.payload), { concurrency: 3 });
    await using two = queue.work((job) => note(job.id, job.payload), { concurrency: 3 });
    const changed = await Promise.all(
      added.map(({ id }, at) => {
        const change = [{ priority: "low" }, { delay: 1 }, { priority: "high", delay: 1 }, {}] as const;
        return queue.update(id, { payload: 1_000 + at, ...change[at % 4] });
      }),
    );
    await until("all are done", () => one.stats().completed + two.stats().completed === 300);
    for (const [at, { id }] of added.entries())
      expect(ran.get(id)).toEqual([changed[at]!.status === "ok" ? 1_000 + at : at]);
    await until("nothing is left", async () => (await queue.counts()).waiting === 0);
    expect(one.stats().lost + two.stats().lost).toBe(0);
  });
});
