// What could go wrong, and the test for each:
// - all jobs land in one partition, or some in one that no worker reads .... "spreads jobs ... and runs each once"
// - processes disagree on where a job is ................................... "finds a job by its id", "jobs of one key ..."
// - what must meet does not ................................................ "ids and unique keys are taken once"
// - workers claim more together than their worker may run .................. "shares its concurrency ..."
// - a partition's dead letters are not shown ............................... "pages through the dead letters ..."
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { until } from "../../test/support/until.ts";
import { connect } from "../connect.ts";
import type { Holdfast } from "../holdfast.ts";
import { Discard } from "./failure.ts";

const PARTITIONS = 5;

describe.each(backends())("a queue of several partitions [$name]", ({ url, options }) => {
  let hf: Holdfast;
  beforeAll(async () => {
    hf = await connect(url, { ...options, prefix: `q-${randomUUID()}` });
  });
  afterAll(() => hf.close());

  const fresh = (name: string = randomUUID()) =>
    hf.queue<number, number>(name, { partitions: PARTITIONS, attempts: 1 });
  const numbers = (count: number): number[] => Array.from({ length: count }, (_, at) => at);

  it("spreads jobs over its partitions and runs each once", async () => {
    const queue = fresh();
    const added = await queue.addMany(numbers(1_000));
    expect(new Set(added.map(({ id }) => id.split("~")[0])).size).toBe(PARTITIONS);
    expect(await queue.counts()).toMatchObject({ waiting: 1_000, workers: 0 });
    const seen: number[] = [];
    await using worker = queue.work((job) => seen.push(job.payload), { concurrency: 20 });
    await until("all are done", () => worker.stats().completed === 1_000);
    expect(new Set(seen).size).toBe(1_000);
    expect(seen).toHaveLength(1_000);
    expect(await queue.counts()).toMatchObject({ waiting: 0, active: 0, workers: 1 });
  });

  it("shares its concurrency between the partitions", async () => {
    const queue = fresh();
    await queue.addMany(numbers(200));
    let [running, most] = [0, 0];
    await using worker = queue.work(
      async (job) => {
        running += 1;
        most = Math.max(most, running);
        await new Promise(setImmediate);
        running -= 1;
        return job.payload;
      },
      { concurrency: 3 },
    );
    await until("all are done", () => worker.stats().completed === 200);
    expect(most).toBe(3);
  });

  it("finds a job by its id, made here or given, from any handle", async () => {
    const name = randomUUID();
    const made = await fresh(name).add(1, { result: true, delay: "1h" });
    const given = await fresh(name).add(2, { id: "invoice-42" });
    const other = fresh(name);
    expect(await other.get(made.id)).toMatchObject({ payload: 1, state: "delayed" });
    expect(await other.get(given.id)).toMatchObject({ payload: 2, state: "waiting" });
    expect(await other.remove("invoice-42")).toEqual({ status: "ok" });
  });

  it("ids and unique keys are taken once; what would have to be in two places is refused", async () => {
    const queue = fresh();
    await queue.add(1, { id: "a" });
    expect(await queue.add(2, { id: "a" })).toMatchObject({ status: "duplicate", id: "a" });
    const first = await queue.add(3, { unique: "digest" });
    expect(await queue.add(4, { unique: "digest" })).toMatchObject({ status: "duplicate", id: first.id });
    await expect(queue.add(5, { id: "a", unique: "b" })).rejects.toMatchObject({
      code: "INVALID_ARGUMENT",
      field: "key",
    });
  });

  it("jobs of one key are in one partition, in their order", async () => {
    const queue = fresh();
    for (const payload of numbers(20)) await queue.add(payload, { key: "customer-7" });
    const seen: number[] = [];
    await using _worker = queue.work((job) => seen.push(job.payload), { concurrency: 1 });
    await until("all are done", () => seen.length === 20);
    expect(seen).toEqual(numbers(20));
  });

  it("pauses whole; pages through the dead letters of all partitions and redrives them", async () => {
    const queue = fresh();
    await queue.pause();
    await queue.addMany(numbers(200));
    await using worker = queue.work(() => {
      throw new Discard("never");
    });
    expect(await queue.counts()).toMatchObject({ waiting: 200, paused: true });
    await queue.resume();
    await until("all are dead", () => worker.stats().dead === 200);
    await worker.close();
    const found: number[] = [];
    let cursor: string | undefined;
    do {
      const page = await queue.dead.page({ limit: 7, ...(cursor === undefined ? {} : { cursor }) });
      found.push(...page.jobs.map(({ payload }) => payload!));
      cursor = page.cursor;
    } while (cursor !== undefined);
    expect(found.toSorted((a, b) => a - b)).toEqual(numbers(200));
    expect(await queue.dead.redriveAll()).toBe(200);
    expect(await queue.counts()).toMatchObject({ waiting: 200, dead: 0 });
    await expect(queue.dead.page({ cursor: "9.0" })).rejects.toMatchObject({ field: "cursor" });
  });
});
