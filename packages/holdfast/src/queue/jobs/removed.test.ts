// Removed and cancelled jobs leave their ids behind in their lanes. What could go wrong, and the test for each:
// - they are counted, and fill a queue that has a limit ........ "are not counted, and leave room"
// - draining takes them for jobs, and leaves jobs behind ........ "drain: drops what is left"
// - one script passes over all of them, or a worker over none ... "a worker passes over them, however many"
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { until } from "../../../test/support/until.ts";
import { connect } from "../../connect.ts";
import type { Holdfast } from "../../holdfast.ts";
import type { Queue } from "../queue.ts";

describe.each(backends())("jobs that were removed [$name]", ({ url, options }) => {
  let hf: Holdfast;
  beforeAll(async () => {
    hf = await connect(url, { ...options, prefix: `q-${randomUUID()}` });
  });
  afterAll(() => hf.close());

  const fresh = (settings = {}) => hf.queue<number>(randomUUID(), settings);
  const numbers = (count: number): number[] => Array.from({ length: count }, (_, at) => at);
  const addAndRemove = async (queue: Queue<number>, count: number, priority: "high" | "normal" = "normal") => {
    await queue.addMany(numbers(count), { tags: ["gone"], priority });
    expect(await queue.where({ state: "waiting", tag: "gone" }).remove()).toMatchObject({ changed: count });
  };

  it("are not counted, and leave room", async () => {
    const queue = fresh({ maxWaiting: 10 });
    const { id } = await queue.add(1);
    await queue.addMany(numbers(9));
    expect(await queue.add(1)).toMatchObject({ status: "full" });
    await queue.remove(id);
    await queue.add(2, { id: "moved" });
    expect(await queue.update("moved", { priority: "high" })).toEqual({ status: "ok" });
    expect(await queue.add(1)).toMatchObject({ status: "full" });
    const { waiting, oldestMs } = await queue.counts();
    expect(waiting).toBe(10);
    expect(oldestMs).toBeGreaterThan(0);
    await using worker = queue.work(() => undefined);
    await until("all are done", () => worker.stats().completed === 10);
    expect((await queue.counts()).waiting).toBe(0);
    expect(await Promise.all(numbers(11).map((one) => queue.add(one)))).toMatchObject([
      ...Array.from({ length: 10 }, () => ({ status: "ok" })),
      { status: "full" },
    ]);
  });

  it("drain: drops what is left", async () => {
    const queue = fresh();
    await addAndRemove(queue, 150);
    await queue.addMany(numbers(120));
    expect(await queue.drain()).toBe(120);
    expect(await queue.counts()).toMatchObject({ waiting: 0, delayed: 0 });
  });

  it.each([false, true])("a worker passes over them, however many, also with limits (%s)", async (isLimited) => {
    const queue = fresh();
    if (isLimited) await queue.limits.set({ concurrency: 50 });
    await addAndRemove(queue, 400, "high");
    await queue.add(1, { priority: "high" });
    await addAndRemove(queue, 400);
    await queue.add(2);
    const seen: number[] = [];
    await using worker = queue.work((job) => void seen.push(job.payload), { concurrency: 3, poll: "10m", lease: "1h" });
    await until("they are done", () => worker.stats().completed === 2);
    expect(seen).toEqual([1, 2]);
    expect(await queue.counts()).toMatchObject({ waiting: 0 });
    await worker.close();
    await addAndRemove(queue, 400);
    await queue.add(3);
    expect((await queue.claim({ lease: "10s" })).map(({ payload }) => payload)).toEqual([3]);
  });
});
