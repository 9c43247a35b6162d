// What could go wrong, and the test for each:
// - a large group starves a small one ............................ "a group with 10,000 jobs does not delay one with 1"
// - weights are not shares ....................................... "shares the workers by weight"
// - the lanes and the groups starve each other ................... "the normal lane is a group of weight 1, ..."
// - a limit is exceeded between workers or handles ............... "never runs more than the queue's ...", "... than a group's ..."
// - what ends badly keeps its place, or frees it twice ........... "failures, results, closed workers free their places"
// - a change of a limit is not seen ............................. "a limit that is raised or taken off while jobs wait counts at once"
// - more start than the rate, or fewer .......................... "starts as many as the rate in each window, and no more"
// - a pause stops more than its group, or ends by itself ......... "a paused group waits, others go on"
// - counts, pages and removal do not know grouped jobs ........... "counts, pages and removes jobs of groups"
// - a delayed job is lost on the way to its group, or overtakes . "runs delayed jobs of a group when they are due"
// - more wait than may .......................................... "never lets more wait than may, however many add"
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { until } from "../../../test/support/until.ts";
import { Deferred } from "../../base/deferred.ts";
import { connect } from "../../connect.ts";
import type { Holdfast } from "../../holdfast.ts";
import type { QueueOptions } from "../options.ts";

describe.each(backends())("groups and limits of a queue [$name]", ({ url, options }) => {
  let hf: Holdfast;
  let other: Holdfast;
  beforeAll(async () => {
    const settings = { ...options, prefix: `q-${randomUUID()}` };
    [hf, other] = await Promise.all([connect(url, settings), connect(url, settings)]);
  });
  afterAll(() => Promise.all([hf?.close(), other?.close()]));

  const fresh = (queueOptions?: QueueOptions<string, string>) => hf.queue<string, string>(randomUUID(), queueOptions);
  const many = (what: string, count: number): string[] => Array.from({ length: count }, () => what);
  const countOf = (seen: readonly string[], what: string): number => seen.filter((each) => each === what).length;

  it("shares the workers by weight", async () => {
    const queue = fresh();
    await queue.groups.set("big", { weight: 3 });
    await queue.pause();
    await queue.addMany(many("big", 1_000), { group: "big" });
    await queue.addMany(many("small", 1_000), { group: "small" });
    await queue.resume();
    const seen: string[] = [];
    await using _worker = queue.work((job) => (seen.push(job.payload), "done"), { concurrency: 7 });
    await until("half are done", () => seen.length >= 1_000);
    const first = seen.slice(0, 1_000);
    expect(countOf(first, "big")).toBeGreaterThan(675);
    expect(countOf(first, "big")).toBeLessThan(825);
  });

  it("a group with 10,000 jobs does not delay one with 1", async () => {
    const queue = fresh();
    await queue.addMany(many("many", 10_000), { group: "many" });
    const seen: string[] = [];
    await using _worker = queue.work((job) => (seen.push(job.payload), "done"), { concurrency: 5 });
    await until("some are done", () => seen.length > 100);
    await queue.add("one", { group: "one" });
    const before = seen.length;
    await until("the one is done", () => seen.includes("one"));
    expect(seen.indexOf("one") - before).toBeLessThan(2_000);
    await queue.pause();
    expect(countOf(seen, "one")).toBe(1);
  });

  it("the normal lane is a group of weight 1, the high one comes first, the low one last", async () => {
    const queue = fresh();
    await queue.pause();
    await queue.addMany(many("low", 2), { priority: "low" });
    await queue.addMany(many("lane", 10));
    await queue.addMany(many("group", 10), { group: "g" });
    await queue.addMany(many("high", 2), { priority: "high" });
    await queue.add("group first", { group: "g", priority: "high" });
    await queue.resume();
    const seen: string[] = [];
    await using _worker = queue.work((job) => (seen.push(job.payload), "done"), { concurrency: 1 });
    await until("all are done", () => seen.length === 25);
    expect(seen.slice(0, 2)).toEqual(many("high", 2));
    expect(seen.slice(-2)).toEqual(many("low", 2));
    expect(countOf(seen.slice(2, 12), "lane")).toBe(5);
    expect(seen.indexOf("group first")).toBeLessThan(seen.indexOf("group"));
  });

  /** Runs all jobs of the queue in three workers of two handles, and returns how many ran at once at most. */
  async function mostAtOnce(queueName: string, count: number): Promise<number> {
    let [running, most, ended] = [0, 0, 0];
    const handler = async (): Promise<string> => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setTimeout(resolve, 2));
      running -= 1;
      ended += 1;
      return "done";
    };
    const workers = [hf, other, other].map((each) =>
      each.queue<string, string>(queueName).work(handler, { concurrency: 9 }),
    );
    await until("all are done", () => ended === count);
    await Promise.all(workers.map((worker) => worker.close()));
    return most;
  }

  it("never runs more than the queue's concurrency, over workers and handles", async () => {
    const queue = fresh();
    await queue.limits.set({ concurrency: 4 });
    expect(await queue.limits.get()).toEqual({ concurrency: 4 });
    await queue.addMany(many("x", 200));
    expect(await mostAtOnce(queue.name, 200)).toBe(4);
  });

  it("never runs more than a group's concurrency, over workers and handles", async () => {
    const queue = fresh();
    await queue.groups.set("*", { concurrency: 2 });
    await queue.addMany(many("x", 100), { group: "a" });
    await queue.addMany(many("x", 100), { group: "b" });
    expect(await mostAtOnce(queue.name, 200)).toBe(4);
    expect((await queue.groups.page()).groups).toEqual([]);
  });

  it("failures, results and closed workers free their places", async () => {
    const queue = fresh({ backoff: { delay: 1 }, attempts: 3 });
    await queue.groups.set("g", { concurrency: 1 });
    await queue.limits.set({ concurrency: 1 });
    const begun = new Deferred<undefined>();
    const hasty = queue.work(
      (job) =>
        new Promise<string>((_, reject) => {
          begun.resolve(undefined);
          job.signal.addEventListener("abort", () => reject(job.signal.reason as Error));
        }),
      { drain: 10 },
    );
    await queue.add("kept", { group: "g", result: true });
    await begun.promise;
    await hasty.close();
    await queue.add("fails", { group: "g", attempts: 2 });
    await queue.add("plain", { group: "g" });
    const seen: string[] = [];
    await using worker = queue.work((job) => {
      seen.push(job.payload);
      if (job.payload === "fails") throw new Error("no");
      return "done";
    });
    await until("all have ended", () => worker.stats().completed === 2 && worker.stats().dead === 1);
    expect(seen.toSorted()).toEqual(["fails", "fails", "kept", "plain"]);
    expect((await queue.groups.page()).groups).toMatchObject([{ group: "g", waiting: 0, running: 0 }]);
  });

  it("a limit that is raised or taken off while jobs wait counts at once", async () => {
    const queue = fresh();
    await queue.groups.set("*", { concurrency: 1 });
    await queue.limits.set({ concurrency: 2 });
    await queue.addMany(many("a", 5), { group: "a" });
    await queue.addMany(many("b", 5), { group: "b" });
    const gate = new Deferred<undefined>();
    await using worker = queue.work(async () => (await gate.promise, "done"), { poll: "30s", lease: "90s" });
    await until("as many run as may", () => worker.running === 2);
    await queue.limits.clear();
    await queue.groups.set("a", { concurrency: 3 });
    await until("more of a run", () => worker.running === 4);
    await queue.groups.set("*", {});
    await until("more of b run", () => worker.running === 8);
    await queue.groups.remove("a");
    await until("all run", () => worker.running === 10);
    expect(await queue.groups.get("a")).toBeUndefined();
    expect(await queue.groups.get("*")).toEqual({ weight: 1 });
    gate.resolve(undefined);
  });

  it.each(["queue", "group"])("starts as many as the rate in each window, and no more (%s)", async (scope) => {
    const queue = fresh();
    const rate = { limit: 10, per: "200ms" } as const;
    await (scope === "queue" ? queue.limits.set({ rate }) : queue.groups.set("g", { rate }));
    await queue.addMany(many("x", 45), { group: "g" });
    const starts: number[] = [];
    const handle = (job: { readonly fence: number }) => (starts.push(job.fence / 1_000), "done");
    await using _first = queue.work(handle, { concurrency: 3 });
    await using _second = other.queue<string, string>(queue.name).work(handle, { concurrency: 20 });
    await until("all have started", () => starts.length === 45);
    starts.sort((a, b) => a - b);
    // Any eleven span more than a window; the fence is the server's time of the claim.
    for (let at = 10; at < starts.length; at += 1) expect(starts[at]! - starts[at - 10]!).toBeGreaterThanOrEqual(200);
    expect(starts[9]! - starts[0]!).toBeLessThan(200);
  });

  it("a paused group waits, others go on", async () => {
    const queue = fresh();
    await queue.groups.pause("a");
    await queue.add("a", { group: "a" });
    await queue.add("b", { group: "b" });
    const seen: string[] = [];
    await using worker = queue.work((job) => (seen.push(job.payload), "done"), { poll: "30s", lease: "90s" });
    await until("b is done", () => worker.stats().completed === 1);
    expect(seen).toEqual(["b"]);
    expect((await queue.groups.page()).groups).toMatchObject([{ group: "a", waiting: 1, paused: true }]);
    await queue.groups.resume("a");
    await until("a is done", () => worker.stats().completed === 2);
    await until("no group is known", async () => (await queue.groups.page()).groups.length === 0);
  });

  it("counts, pages and removes jobs of groups", async () => {
    const queue = fresh();
    await queue.addMany(many("x", 3), { group: "a" });
    await queue.add("x", { group: "b", delay: "1h" });
    const { id } = await queue.add("y", { group: "c", priority: "low" });
    expect(await queue.counts()).toMatchObject({ waiting: 4, delayed: 1 });
    expect(await queue.get(id)).toMatchObject({ state: "waiting", payload: "y" });
    const { groups, cursor } = await queue.groups.page({ limit: 1 });
    expect(groups).toEqual([
      {
        group: "a",
        waiting: 3,
        running: 0,
        paused: false,
        blockedUntil: undefined,
        deadHead: undefined,
        limits: undefined,
      },
    ]);
    expect((await queue.groups.page({ cursor: cursor! })).groups).toMatchObject([{ group: "c", waiting: 1 }]);
    expect(await queue.remove(id)).toEqual({ status: "ok" });
    expect(await queue.counts()).toMatchObject({ waiting: 3, delayed: 1 });
    expect((await queue.groups.page()).groups).toMatchObject([{ group: "a" }]);
  });

  it("runs delayed jobs of a group when they are due", async () => {
    const queue = fresh();
    await queue.pause();
    const soon = Date.now() + 10;
    await queue.add("late", { group: "a", at: soon + 10 });
    await queue.add("soon", { group: "a", at: soon });
    const seen: string[] = [];
    await using worker = queue.work((job) => (seen.push(job.payload), "done"), { concurrency: 1 });
    await until("both are due", async () => (await queue.counts()).delayed === 0);
    await queue.resume();
    await until("both are done", () => worker.stats().completed === 2);
    expect(seen).toEqual(["soon", "late"]);
  });

  it("never lets more wait than may, however many add", async () => {
    const queue = fresh({ maxWaiting: 30 });
    const twin = other.queue<string, string>(queue.name, { maxWaiting: 30 });
    const added = await Promise.all([queue, twin, queue].map((each) => each.addMany(many("x", 25))));
    expect(added.flat().filter(({ status }) => status === "ok")).toHaveLength(30);
    expect(added.flat().filter(({ status }) => status === "full")).toHaveLength(45);
    await queue.groups.set("g", { maxWaiting: 2 });
    expect(await queue.add("x", { group: "g", delay: "1h" })).toMatchObject({ status: "full" });
    expect((await queue.counts()).waiting).toBe(30);
    const room = fresh();
    await room.groups.set("g", { maxWaiting: 2 });
    const some = await room.addMany(many("x", 5), { group: "g" });
    expect(some.map(({ status }) => status)).toEqual(["ok", "ok", "full", "full", "full"]);
    const waiting = room.add("y", { group: "g", wait: "20s" });
    await using _worker = room.work(() => "done");
    expect(await waiting).toMatchObject({ status: "ok" });
  });
});
