// What could go wrong, and the test for each:
// - what is kept grows without a bound, or is trimmed too far ...... "keeps the last jobs by count", "... by age"
// - dead jobs are never dropped .................................... "keeps the last dead jobs"
// - a kept job keeps its id or its unique key ...................... "a kept job has ended"
// - a queue without retention leaves keys behind ................... "leaves no key behind" (../queue.test.ts)
// - several workers at once pass the bound ......................... "keeps the last jobs by count"
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { until } from "../../../test/support/until.ts";
import { connect } from "../../connect.ts";
import type { Holdfast } from "../../holdfast.ts";
import { Discard } from "../failure.ts";

describe.each(backends())("retention [$name]", ({ url, options }) => {
  let hf: Holdfast;
  beforeAll(async () => {
    hf = await connect(url, { ...options, prefix: `q-${randomUUID()}` });
  });
  afterAll(() => hf.close());

  const fresh = (settings = {}) => hf.queue<number, number>(randomUUID(), settings);
  const numbers = (count: number): number[] => Array.from({ length: count }, (_, at) => at);

  it("a kept job has ended: it is found with its result, and its id and key are free", async () => {
    const queue = fresh({ keep: { completed: 10 } });
    await using worker = queue.work(async (job) => {
      await job.log("once");
      return job.payload * 2;
    });
    const added = await queue.add(21, { id: "one", unique: "key" });
    expect(await added.result()).toEqual({ status: "ok", value: 42 });
    await until("it is done", () => worker.stats().completed === 1);
    const kept = await queue.get("one");
    expect(kept).toMatchObject({ id: "one", state: "completed", payload: 21, result: 42, failures: 0 });
    expect(kept!.finishedAt).toBeGreaterThanOrEqual(kept!.addedAt);
    expect((await queue.logs("one")).map(({ text }) => text)).toEqual(["once"]);
    expect(await queue.counts()).toMatchObject({ completed: 1, waiting: 0, active: 0 });
    expect(await queue.add(1, { id: "one", unique: "key" })).toMatchObject({ status: "ok" });
    await until("it is done again", () => worker.stats().completed === 2);
    expect((await queue.page({ state: "completed" })).jobs).toMatchObject([{ id: "one", result: 2 }]);
  });

  it("keeps the last jobs by count, whoever ends them", async () => {
    const queue = fresh({ keep: { completed: { count: 7, age: "1h" } } });
    await queue.addMany(numbers(300));
    await using one = queue.work((job) => job.payload, { concurrency: 10 });
    await using two = queue.work((job) => job.payload, { concurrency: 10 });
    let most = 0;
    await until("all are done", async () => {
      most = Math.max(most, (await queue.counts()).completed);
      return one.stats().completed + two.stats().completed === 300;
    });
    expect(most).toBeLessThanOrEqual(7);
    expect(await queue.counts()).toMatchObject({ completed: 7 });
    expect((await queue.page({ state: "completed" })).jobs).toHaveLength(7);
    expect(await hf.command("HLEN", await keyOf(hf, queue.name, "kept"))).toBe(14);
  });

  it("keeps jobs by age, also where no more end", async () => {
    const queue = fresh({ keep: { completed: "150ms" } });
    await using worker = queue.work((job) => job.payload);
    const { id } = await queue.add(1);
    await until("it is done", () => worker.stats().completed === 1);
    expect(await queue.get(id)).toMatchObject({ state: "completed" });
    await sleep(160);
    expect(await queue.get(id)).toBeUndefined();
    expect(await queue.counts()).toMatchObject({ completed: 0 });
    expect((await queue.page({ state: "completed" })).jobs).toEqual([]);
    await until("nothing is left", async () => (await keysOf(hf, queue.name)).every((key) => !key.endsWith(":kept")));
  });

  it("keeps the last dead jobs; without any, a job that is given up is gone", async () => {
    for (const count of [5, 0]) {
      const queue = fresh({ attempts: 1, keep: { dead: count } });
      await using worker = queue.work(() => {
        throw new Discard("no");
      });
      const added = await queue.addMany(numbers(40), { result: true });
      await until("all are dead", () => worker.stats().dead === 40);
      expect(await queue.counts()).toMatchObject({ dead: count, waiting: 0, active: 0 });
      expect((await queue.dead.page()).jobs).toHaveLength(count);
      expect(await added[0]!.result()).toEqual({ status: "dead", message: "no" });
      const jobs = (await keysOf(hf, queue.name)).find((key) => key.endsWith(":jobs"));
      expect(jobs === undefined ? 0 : await hf.command("HLEN", jobs)).toBe(count);
    }
  });
});

async function keysOf(hf: Holdfast, name: string): Promise<string[]> {
  const found: string[] = [];
  for await (const keys of hf.scan(`queue:{${name}}`)) found.push(...keys);
  return found;
}

async function keyOf(hf: Holdfast, name: string, part: string): Promise<string> {
  return (await keysOf(hf, name)).find((key) => key.endsWith(`:${part}`))!;
}
