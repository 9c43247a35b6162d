// What could go wrong with jobs that are moved, or that wait elsewhere than in a lane, and the test for each:
// - a job that is moved to a group runs twice, or never ............... "moves a job to another group, from there, and out of it"
// - counts, limits and order of groups do not follow .................. the same, "... full", "strict order ..."
// - a delayed job forgets its group, or its time ...................... "moves a delayed job, which keeps its time"
// - a job that waits for others starts before them .................... "a change does not let a job go that waits for others"
// - jobs that wait for others, or for a worker of their name, are not
//   found, or are when they do not wait any more ...................... "pages of jobs that wait for others", "... of names that no worker knows"
// - they are removed or cancelled, and something is left .............. the same
// - a replaced job stays under its old name ........................... "one that is replaced is found under its new name"
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { until } from "../../../test/support/until.ts";
import { connect } from "../../connect.ts";
import type { Holdfast } from "../../holdfast.ts";
import { Discard } from "../failure.ts";
import type { Queue } from "../queue.ts";
import type { QueueJobState } from "./info.ts";

describe.each(backends())("places of jobs [$name]", ({ url, options }) => {
  let hf: Holdfast;
  const prefix = `q-${randomUUID()}`;
  beforeAll(async () => {
    hf = await connect(url, { ...options, prefix });
  });
  afterAll(() => hf.close());

  const fresh = (settings = {}) => hf.queue<number>(randomUUID(), settings);
  const paged = async (queue: Queue<number>, state: QueueJobState, limit = 2) => {
    const found: number[] = [];
    let cursor: string | undefined;
    do {
      const page = await queue.page({ state, cursor, limit });
      found.push(...page.jobs.map(({ payload }) => payload!));
      cursor = page.cursor;
    } while (cursor !== undefined);
    return found;
  };
  const waitingIn = async (queue: Queue<number>) =>
    Object.fromEntries((await queue.groups.page()).groups.map(({ group, waiting }) => [group, waiting]));
  const keysOf = async (queue: Queue<number>) => {
    const found: string[] = [];
    for await (const keys of hf.scan(`queue:{${queue.name}}`)) found.push(...keys.map((key) => key.split("}:")[1]!));
    return found;
  };

  it("moves a job to another group, from there, and out of it", async () => {
    const queue = fresh();
    const [a, b, c] = await queue.addMany([1, 2, 3], { tags: ["x/y", "é"] });
    const seen: number[] = [];
    expect(await queue.update(a!.id, { group: "one" })).toEqual({ status: "ok" });
    expect(await queue.update(b!.id, { group: "one", priority: "high", payload: 20 })).toEqual({ status: "ok" });
    expect(await queue.update(b!.id, { group: "two" })).toEqual({ status: "ok" });
    expect(await queue.update(c!.id, { group: "two" })).toEqual({ status: "ok" });
    expect(await queue.update(c!.id, { group: null })).toEqual({ status: "ok" });
    expect(await queue.get(b!.id)).toMatchObject({ group: "two", priority: "high", payload: 20, tags: ["x/y", "é"] });
    expect((await queue.get(c!.id))!.group).toBeUndefined();
    expect(await waitingIn(queue)).toEqual({ one: 1, two: 1 });
    await using worker = queue.work((job) => void seen.push(job.payload), { concurrency: 1 });
    await until("all are done", () => worker.stats().completed === 3);
    expect(new Set(seen)).toEqual(new Set([1, 20, 3]));
    await until("ghosts are passed over", async () => (await queue.counts()).waiting === 0);
    expect(seen).toHaveLength(3);
    expect(await waitingIn(queue)).toEqual({});
  });

  it("a group that is full takes none, and its limits hold for those that come", async () => {
    const queue = fresh();
    await queue.groups.set("g", { maxWaiting: 1, concurrency: 1 });
    const [a, b, c] = await queue.addMany([1, 2, 3]);
    expect(await queue.update(a!.id, { group: "g" })).toEqual({ status: "ok" });
    expect(await queue.update(b!.id, { group: "g" })).toEqual({ status: "full" });
    expect((await queue.get(b!.id))!.group).toBeUndefined();
    expect(await queue.update(a!.id, { group: "g", payload: 10 })).toEqual({ status: "ok" });
    const jobs = await queue.claim({ count: 5 });
    expect(new Set(jobs.map(({ payload }) => payload))).toEqual(new Set([10, 2, 3]));
    expect(await queue.update(c!.id, { group: "g" })).toEqual({ status: "active" });
    await jobs.find(({ payload }) => payload === 2)!.release();
    expect(await queue.update(b!.id, { group: "g" })).toEqual({ status: "ok" });
    // One of its group runs.
    expect(await queue.claim()).toEqual([]);
    await jobs.find(({ payload }) => payload === 10)!.complete();
    expect((await queue.claim())[0]!.payload).toBe(2);
  });

  it("strict order: a moved job comes last, and one that is moved away does not hold the others up", async () => {
    const queue = fresh({ attempts: 1 });
    await queue.groups.set("s", { order: "strict" });
    const first = await queue.add(1, { group: "s" });
    await queue.add(2, { group: "s" });
    const other = await queue.add(3);
    await queue.update(other.id, { group: "s" });
    await queue.update(first.id, { group: "t" });
    const seen: number[] = [];
    await using worker = queue.work((job) => {
      if (job.payload === 1) throw new Discard("no");
      seen.push(job.payload);
    });
    await until("all are over", () => worker.stats().completed === 2 && worker.stats().dead === 1);
    expect(seen).toEqual([2, 3]);
  });

  it("moves a delayed job, which keeps its time", async () => {
    const queue = fresh();
    const job = await queue.add(1, { delay: "1h" });
    const { dueAt } = (await queue.get(job.id))!;
    expect(await queue.update(job.id, { group: "g" })).toEqual({ status: "ok" });
    expect(await queue.get(job.id)).toMatchObject({ state: "delayed", dueAt, group: "g" });
    await queue.promote(job.id);
    expect(await waitingIn(queue)).toEqual({ g: 1 });
    expect((await queue.claim())[0]!.payload).toBe(1);
  });

  it("refuses a group in another partition, and what is no group", async () => {
    const queue = fresh({ partitions: 8 });
    const job = await queue.add(1, { key: "k", delay: "1h" });
    const answers = await Promise.allSettled(
      Array.from({ length: 30 }, (_, at) => queue.update(job.id, { group: `g${at}` })),
    );
    const refused = answers.filter(({ status }) => status === "rejected");
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length).toBeLessThan(30);
    expect(String((refused[0] as PromiseRejectedResult).reason)).toContain("a group in the partition of the job");
    await expect(queue.update(job.id, { group: "*" })).rejects.toThrow("group:");
    await expect(queue.update(job.id, { group: "" })).rejects.toThrow("group:");
  });

  it("a change does not let a job go that waits for others, or for the one with its key", async () => {
    const queue = fresh();
    const parent = await queue.add(1, { children: [queue.child(2, { delay: "1h" })] });
    expect(await queue.update(parent.id, { priority: "high", payload: 10 })).toEqual({ status: "ok" });
    expect(await queue.update(parent.id, { group: "g" })).toEqual({ status: "ok" });
    expect(await queue.update(parent.id, { delay: "1s" })).toEqual({ status: "blocked" });
    expect(await queue.promote(parent.id)).toEqual({ status: "blocked" });
    expect(await queue.claim()).toEqual([]);
    expect(await queue.get(parent.id)).toMatchObject({ state: "blocked", group: "g", priority: "high", payload: 10 });
    const unique = { key: "k", mode: "rerun" } as const;
    await queue.add(3, { unique });
    const [running] = await queue.claim();
    const rerun = await queue.add(4, { unique });
    expect(await queue.update(rerun.id, { group: "g" })).toEqual({ status: "blocked" });
    expect(await queue.update(rerun.id, { delay: "1s" })).toEqual({ status: "blocked" });
    expect(await queue.update(rerun.id, { payload: 40 })).toEqual({ status: "ok" });
    await running!.complete();
    expect((await queue.claim())[0]!.payload).toBe(40);
  });

  it("pages of jobs that wait for others, which are cancelled and removed by filter", async () => {
    const queue = fresh();
    const parents: string[] = [];
    for (let at = 0; at < 5; at += 1) {
      const children = [queue.child(100 + at, { delay: "1h" })];
      parents.push((await queue.add(at, { children, tags: [at < 2 ? "few" : "many"] })).id);
    }
    expect(await paged(queue, "blocked")).toEqual([0, 1, 2, 3, 4]);
    expect(await queue.where({ state: "blocked", tag: "few" }).cancel("no")).toEqual({ matched: 2, changed: 2 });
    expect(await paged(queue, "blocked")).toEqual([2, 3, 4]);
    expect(await queue.where({ state: "blocked" }).remove({ limit: 1 })).toEqual({ matched: 1, changed: 1 });
    const { children } = (await queue.flows.get(parents[3]!))!;
    await queue.promote(children[0]!.id);
    await (await queue.claim())[0]!.complete();
    await until("it waits no more", async () => (await queue.get(parents[3]!))?.state === "waiting");
    expect(await paged(queue, "blocked")).toEqual([4]);
    expect(await queue.where({ state: "blocked" }).cancel()).toMatchObject({ changed: 1 });
    expect((await keysOf(queue)).filter((key) => key.startsWith("blocked"))).toEqual([]);
  });

  it("a job that died of another one and is redriven is shown as it waits", async () => {
    const queue = fresh({ attempts: 1 });
    const parent = await queue.add(1, { children: [queue.child(2), queue.child(3, { delay: "1h" })] });
    await (await queue.claim())[0]!.fail("no");
    await until("it is dead", async () => (await queue.get(parent.id))?.state === "dead");
    expect(await paged(queue, "blocked")).toEqual([]);
    await queue.retry(parent.id);
    expect(await paged(queue, "blocked")).toEqual([1]);
  });

  it("pages of names that no worker knows, which are cancelled and removed by filter", async () => {
    const queue = fresh();
    await queue.addMany([1, 2, 3], { name: "b" });
    await queue.addMany([4, 5], { name: "a" });
    const last = await queue.add(6);
    expect(await queue.claim({ names: ["none"] })).toEqual([]);
    expect(await queue.counts()).toMatchObject({ waiting: 0, unhandled: 6 });
    expect(await paged(queue, "unhandled")).toEqual([6, 4, 5, 1, 2, 3]);
    expect(await queue.get(last.id)).toMatchObject({ state: "unhandled", name: undefined });
    const named = await queue.page({ state: "unhandled", name: "a" });
    expect(named.jobs.map(({ payload, name }) => [payload, name])).toEqual([
      [4, "a"],
      [5, "a"],
    ]);
    expect(await queue.where({ state: "unhandled", name: "b" }).cancel("no", { limit: 1 })).toMatchObject({
      changed: 1,
    });
    expect(await queue.where({ state: "unhandled", name: "b" }).remove({ limit: 1 })).toMatchObject({ changed: 1 });
    expect(await queue.update(last.id, { priority: "high" })).toEqual({ status: "ok" });
    expect(await queue.counts()).toMatchObject({ waiting: 1, unhandled: 3 });
    const rest = await queue.claim({ count: 9 });
    expect(rest[0]!.payload).toBe(6);
    expect(new Set(rest.map(({ payload }) => payload))).toEqual(new Set([6, 3, 4, 5]));
    const left = await keysOf(queue);
    expect(left.filter((key) => key.startsWith("unhandled") || key === "ghosts")).toEqual([]);
  });

  it("one that is replaced is found under its new name", async () => {
    const queue = fresh();
    const unique = { key: "k", mode: "replace" } as const;
    await queue.add(1, { name: "old", unique });
    expect(await queue.claim({ names: ["none"] })).toEqual([]);
    expect(await queue.add(2, { name: "new", unique })).toMatchObject({ status: "replaced" });
    expect((await queue.claim({ names: ["new"] }))[0]!.payload).toBe(2);
    expect(await queue.counts()).toMatchObject({ unhandled: 0, waiting: 0, active: 1 });
  });
});
