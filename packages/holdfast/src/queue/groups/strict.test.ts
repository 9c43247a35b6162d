// What could go wrong, and the test for each:
// - a job overtakes one that failed before it ............. "strict order: one that failed is run again before the next one"
// - a dead head lets the others through, or for ever not .. "strict order: a dead head blocks its group until ...", "... is skipped"
// - a pause that a handler asks for stops too much ........ "Limited pauses the job's group for all workers, ..."
// - or is not known to other workers, or costs an attempt . "Limited pauses the queue for all workers, ..."
// - settings that mean nothing are taken .................. "refuses what means nothing"
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { until } from "../../../test/support/until.ts";
import { connect } from "../../connect.ts";
import type { Holdfast } from "../../holdfast.ts";
import { Discard, Limited } from "../failure.ts";
import type { QueueOptions } from "../options.ts";
import type { QueueGroupOptions } from "./options.ts";

describe.each(backends())("groups in strict order, and Limited [$name]", ({ url, options }) => {
  let hf: Holdfast;
  beforeAll(async () => {
    hf = await connect(url, { ...options, prefix: `q-${randomUUID()}` });
  });
  afterAll(() => hf.close());

  const fresh = (queueOptions?: QueueOptions<string, string>) => hf.queue<string, string>(randomUUID(), queueOptions);
  const group = "g";

  it("strict order: one that failed is run again before the next one", async () => {
    const queue = fresh({ backoff: { delay: 20 }, attempts: 5 });
    await queue.groups.set(group, { order: "strict" });
    await queue.addMany(["a", "b", "c"], { group });
    const seen: string[] = [];
    await using worker = queue.work(
      (job) => {
        seen.push(job.payload);
        if (job.payload !== "c" && job.attempt < 3) throw new Error("no");
        return "done";
      },
      { concurrency: 5 },
    );
    await until("all are done", () => worker.stats().completed === 3);
    expect(seen).toEqual(["a", "a", "a", "b", "b", "b", "c"]);
  });

  it.each(["redriven", "removed"])("strict order: a dead head blocks its group until it is %s", async (way) => {
    const queue = fresh({ attempts: 1 });
    await queue.groups.set(group, { order: "strict" });
    await queue.addMany(["a", "b"], { group });
    await queue.add("c", { group: "other" });
    const seen: string[] = [];
    await using worker = queue.work((job) => {
      seen.push(job.payload);
      if (job.payload === "a" && seen.length < 3) throw new Discard("no");
      return "done";
    });
    await until("another group goes on", () => seen.includes("c") && worker.stats().dead === 1);
    const { groups } = await queue.groups.page();
    expect(groups).toMatchObject([{ group, waiting: 1, running: 0, deadHead: expect.any(String) as string }]);
    const { deadHead } = groups[0]!;
    if (way === "redriven") await queue.dead.redriveAll();
    else await queue.remove(deadHead!);
    await until("the rest is done", () => seen.includes("b"));
    expect(seen.filter((each) => each !== "c")).toEqual(way === "redriven" ? ["a", "a", "b"] : ["a", "b"]);
  });

  it.each<[string, QueueGroupOptions]>([
    ["skip", { order: "strict", onDead: "skip" }],
    ["later: the order is given up", { order: "strict" }],
  ])("strict order: a dead head is skipped where that is asked for (%s)", async (when, limits) => {
    const queue = fresh({ attempts: 1 });
    await queue.groups.set("*", limits);
    await queue.addMany(["a", "b"], { group });
    const seen: string[] = [];
    await using worker = queue.work((job) => {
      seen.push(job.payload);
      if (job.payload === "a") throw new Error("no");
      return "done";
    });
    await until("a is dead", () => worker.stats().dead === 1);
    if (when !== "skip") await queue.groups.set("*", {});
    await until("b is done", () => worker.stats().completed === 1);
    expect(seen).toEqual(["a", "b"]);
  });

  it("Limited pauses the job's group for all workers, which uses no attempt; the job is the next one", async () => {
    const queue = fresh({ attempts: 1 });
    await queue.groups.set(group, { concurrency: 1 });
    await queue.addMany(["a", "b"], { group });
    const seen: string[] = [];
    const run = (job: { readonly payload: string; readonly attempt: number }) => {
      seen.push(`${job.payload} ${job.attempt}`);
      if (seen.length === 1) throw new Limited("1h");
      return "done";
    };
    await using first = queue.work(run, { concurrency: 1 });
    await until("it was asked for", () => seen.length === 1);
    await using second = queue.work(run, { concurrency: 1 });
    await queue.add("c", { group: "other" });
    const done = () => first.stats().completed + second.stats().completed;
    await until("the other group's is done", () => done() === 1);
    expect(seen).toEqual(["a 1", "c 1"]);
    const [info] = (await queue.groups.page()).groups;
    expect(info).toMatchObject({ group, waiting: 2, running: 0, paused: false });
    expect(info!.blockedUntil).toBeGreaterThan(Date.now() + 3_000_000);
    await queue.groups.resume(group);
    await until("all are done", () => done() === 3);
    expect(seen.slice(2)).toEqual(["a 1", "b 1"]);
  });

  it("Limited pauses the queue for all workers, for the time that was asked for", async () => {
    const queue = fresh({ attempts: 1 });
    const starts: number[] = [];
    await using worker = queue.work(
      (job) => {
        starts.push(job.fence / 1_000);
        if (starts.length === 1) throw new Limited(150, { scope: "queue" });
        return "done";
      },
      { concurrency: 1, poll: "30s", lease: "90s" },
    );
    await queue.addMany(["a", "b", "c"]);
    await until("all are done", () => worker.stats().completed === 3);
    expect(starts[1]! - starts[0]!).toBeGreaterThanOrEqual(150);
    expect(worker.stats()).toMatchObject({ failed: 0, dead: 0 });
  });

  it("refuses what means nothing", async () => {
    const queue = fresh();
    const refused: [QueueGroupOptions, string][] = [
      [{ weight: 0 }, "weight"],
      [{ concurrency: 1.5 }, "concurrency"],
      [{ order: "strict", concurrency: 2 }, "concurrency"],
      [{ rate: { limit: 0, per: "1s" } }, "rate.limit"],
      [{ rate: { limit: 1, per: "2d" } }, "rate.per"],
      [{ onDead: "drop" as "skip" }, "onDead"],
      [{ wieght: 2 } as QueueGroupOptions, "wieght"],
    ];
    for (const [limits, field] of refused) await expect(queue.groups.set(group, limits)).rejects.toThrow(field);
    await expect(queue.add("a", { group: "*" })).rejects.toThrow("group");
    await expect(queue.limits.set({ concurrency: 0 })).rejects.toThrow("concurrency");
    await expect(hf.queue(randomUUID(), { partitions: 4 }).limits.set({ concurrency: 3 })).rejects.toThrow(
      "concurrency",
    );
    expect(() => new Limited("soon" as "1s")).toThrow("delay");
    expect(() => new Limited(1, { scope: "all" as "queue" })).toThrow("scope");
  });
});
