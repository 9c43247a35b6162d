// What could go wrong, and the test for each:
// - a job runs although it is too late ............... "a job that has not started in time never runs"
// - one that started in time is not tried again ...... "one that has started is tried again later"
// - a Date is read by the clock of a process .......... compared with the claim's time, which is the server's
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { until } from "../../../test/support/until.ts";
import { connect } from "../../connect.ts";
import type { Holdfast } from "../../holdfast.ts";

describe.each(backends())("jobs that expire [$name]", ({ url, options }) => {
  let hf: Holdfast;
  beforeAll(async () => {
    hf = await connect(url, { ...options, prefix: `q-${randomUUID()}` });
  });
  afterAll(() => hf.close());

  it("a job that has not started in time never runs; those who wait for it hear of it", async () => {
    const queue = hf.queue<number>(randomUUID());
    const late = await queue.add(1, { expires: 30, unique: "late" });
    const later = await queue.add(2, { expires: new Date(Date.now() - 1_000), result: true });
    const intime = await queue.add(3, { expires: "1h", result: true });
    expect((await queue.get(late.id))!.expiresAt! - (await queue.get(late.id))!.addedAt).toBe(30);
    await sleep(40);
    const waiting = late.result();
    const seen: number[] = [];
    await using worker = queue.work((job) => void seen.push(job.payload));
    expect(await waiting).toEqual({ status: "expired" });
    expect(await later.result()).toEqual({ status: "expired" });
    expect(await intime.result()).toMatchObject({ status: "ok" });
    expect(seen).toEqual([3]);
    await until("they are counted", () => worker.stats().expired === 2);
    expect(worker.stats()).toMatchObject({ completed: 1, failed: 0, dead: 0 });
    expect(await queue.counts()).toMatchObject({ waiting: 0, active: 0, dead: 0 });
    expect(await queue.add(4, { unique: "late" })).toMatchObject({ status: "ok" });
  });

  it("one that has started is tried again later", async () => {
    const queue = hf.queue<number>(randomUUID(), { backoff: { delay: 2_100, jitter: 0 } });
    const attempts: number[] = [];
    await using _worker = queue.work((job) => {
      attempts.push(job.attempt);
      if (job.attempt === 1) throw new Error("no");
    });
    const job = await queue.add(1, { expires: 2_000, result: true });
    expect(await job.result()).toMatchObject({ status: "ok" });
    expect(attempts).toEqual([1, 2]);
  });
});
