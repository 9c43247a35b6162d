// What could go wrong, and the test for each:
// - progress is written for each of a thousand calls, or the last one is not .. "progress: the last value is read"
// - a run that is over still says something .................................. "a run that is over ..."
// - logs grow without a bound ................................................ "logs: the last ones are kept"
// - a value of the user's lies on the server as it is ........................ "encrypts what a user has said"
// - a page misses or repeats a job ........................................... "pages through ...", "a page ... while jobs are taken"
// - removed and moved jobs are shown ......................................... "shows no job that was removed or moved"
import { randomBytes, randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { until } from "../../../test/support/until.ts";
import { Deferred } from "../../base/deferred.ts";
import { connect } from "../../connect.ts";
import type { Holdfast } from "../../holdfast.ts";
import { Discard } from "../failure.ts";
import type { QueueJob } from "../job.ts";
import type { Queue } from "../queue.ts";
import type { QueueJobState } from "./info.ts";

describe.each(backends())("looking at jobs [$name]", ({ url, options }) => {
  let hf: Holdfast;
  beforeAll(async () => {
    hf = await connect(url, { ...options, prefix: `q-${randomUUID()}` });
  });
  afterAll(() => hf.close());

  const fresh = (settings = {}) => hf.queue<number>(randomUUID(), settings);
  const numbers = (count: number): number[] => Array.from({ length: count }, (_, at) => at);

  /** A job that runs until `end` is called. */
  async function running(queue: Queue<number>) {
    const gate = new Deferred<undefined>();
    const started = new Deferred<QueueJob<number>>();
    const worker = queue.work(async (job) => {
      started.resolve(job);
      await gate.promise;
    });
    await queue.add(1);
    return { worker, job: await started.promise, end: () => gate.resolve(undefined) };
  }

  it("progress: the last value is read, whatever kind it is, and it goes with the job", async () => {
    const queue = fresh();
    const { worker, job, end } = await running(queue);
    expect((await queue.get(job.id))!.progress).toBeUndefined();
    await job.progress(0.1);
    expect(await queue.get(job.id)).toMatchObject({ state: "active", progress: 0.1 });
    await Promise.all(numbers(1_000).map((at) => job.progress({ at })));
    await until("the last one is there", async () => {
      const { progress } = (await queue.get(job.id))!;
      return (progress as { at: number }).at === 999;
    });
    end();
    await until("it is done", () => worker.stats().completed === 1);
    await worker.close();
    expect(await queue.get(job.id)).toBeUndefined();
  });

  it("logs: the last ones are kept, by number and by size, with the server's time", async () => {
    const queue = fresh();
    const { worker, job, end } = await running(queue);
    expect(await queue.logs(job.id)).toEqual([]);
    await job.log("first: 1:2\n3");
    const [line] = await queue.logs(job.id);
    expect(line!.text).toBe("first: 1:2\n3");
    expect(line!.at).toBeGreaterThanOrEqual(job.addedAt);
    for (const at of numbers(120)) await job.log(`line ${at}`);
    expect((await queue.logs(job.id)).map(({ text }) => text)).toEqual(
      numbers(120)
        .map((at) => `line ${at}`)
        .slice(20),
    );
    for (const _ of numbers(40)) await job.log("x".repeat(5_000));
    const long = await queue.logs(job.id);
    expect(long.length).toBeLessThan(17);
    expect(long.at(-1)!.text).toHaveLength(2_000);
    end();
    await worker.close();
    expect(await queue.logs(job.id)).toEqual([]);
  });

  it("a run that is over has nothing more to say", async () => {
    const queue = fresh();
    const { worker, job, end } = await running(queue);
    end();
    await until("it is done", () => worker.stats().completed === 1);
    await expect(job.progress(1)).rejects.toMatchObject({ code: "LEASE_LOST" });
    await expect(job.log("late")).rejects.toMatchObject({ code: "LEASE_LOST" });
    await worker.close();
    expect(await queue.get(job.id)).toBeUndefined();
  });

  it("encrypts what a user has said", async () => {
    const keys = { current: "a", keys: { a: randomBytes(32) } };
    const queue = fresh({ encrypt: keys, keep: { completed: 10 }, attempts: 2, backoff: { delay: 1 } });
    const gate = new Deferred<undefined>();
    await using worker = queue.work(async (job) => {
      await job.log("SECRET log");
      await job.progress("SECRET progress");
      if (job.payload === 2) await gate.promise;
      if (job.attempt === 1) throw new Error("SECRET failure");
      return "SECRET result";
    });
    await queue.add(1);
    await until("it is done", () => worker.stats().completed === 1);
    const two = await queue.add(2);
    await until("it runs", async () => (await queue.get(two.id))?.progress === "SECRET progress");
    await two.cancel("SECRET reason");
    const kinds = new Set<string>();
    for await (const found of hf.scan(`queue:{${queue.name}}`))
      for (const key of found) {
        const kind = (await hf.command("TYPE", key)) as string;
        const read = { hash: ["HGETALL", key], string: ["GET", key], list: ["LRANGE", key, "0", "-1"] }[kind];
        if (read === undefined) continue;
        kinds.add(key.split("}:")[1]!.split(":")[0]!);
        expect(JSON.stringify(await hf.command(...(read as ["GET", string])))).not.toContain("SECRET");
      }
    expect([...kinds]).toEqual(expect.arrayContaining(["meta", "kept", "jobs"]));
    gate.resolve(undefined);
    expect(await two.result()).toEqual({ status: "cancelled", reason: "SECRET reason" });
  });

  it.each<QueueJobState>(["waiting", "delayed", "dead", "completed", "active"])(
    "pages through %s jobs",
    async (state) => {
      for (const partitions of [1, 3]) {
        const queue = fresh({ partitions, attempts: 1, keep: { completed: 1_000 } });
        const lanes = ["low", "normal", "high"] as const;
        for (const priority of lanes)
          await queue.addMany(numbers(40), {
            priority,
            tags: [priority],
            ...(state === "delayed" ? { delay: "1h" } : {}),
          });
        const gate = new Deferred<undefined>();
        const worker =
          state === "waiting" || state === "delayed"
            ? undefined
            : queue.work(
                async () => {
                  if (state === "active") await gate.promise;
                  if (state === "dead") throw new Discard("no");
                },
                { concurrency: 120 },
              );
        await until("they are there", async () => (await queue.counts())[state] === 120);
        const seen: string[] = [];
        let cursor: string | undefined;
        do {
          const page = await queue.page({ state, cursor, limit: 17 });
          seen.push(...page.jobs.map(({ id }) => id));
          for (const job of page.jobs) expect(job).toMatchObject({ state, tags: [job.priority] });
          cursor = page.cursor;
        } while (cursor !== undefined);
        expect(seen).toHaveLength(120);
        expect(new Set(seen).size).toBe(120);
        expect(await idsOf(queue, state)).toEqual(seen);
        gate.resolve(undefined);
        await worker?.close();
      }
    },
  );

  it("a page neither misses nor repeats a job that stays, while jobs are taken and added", async () => {
    const queue = fresh();
    await queue.addMany(numbers(100));
    const first = await queue.page({ state: "waiting", limit: 30 });
    const worker = queue.work(() => undefined, { concurrency: 1 });
    await until("some are done", () => worker.stats().completed > 10);
    await worker.close();
    await queue.addMany(numbers(50));
    const stays = await idsOf(queue, "waiting");
    const second = await queue.page({ state: "waiting", cursor: first.cursor!, limit: 200 });
    const [shown, later] = [first.jobs.map(({ id }) => id), second.jobs.map(({ id }) => id)];
    expect(later.filter((id) => shown.includes(id))).toEqual([]);
    expect([...shown, ...later]).toEqual(expect.arrayContaining(stays));
  });

  it("shows no job that was removed or moved", async () => {
    const queue = fresh();
    const [gone, moved, later, stays] = await queue.addMany(numbers(4));
    await queue.remove(gone!.id);
    await queue.update(moved!.id, { priority: "high" });
    await queue.update(later!.id, { delay: "1h" });
    const ids = async (state: QueueJobState) => (await queue.page({ state })).jobs.map(({ id }) => id);
    expect(await ids("waiting")).toEqual([moved!.id, stays!.id]);
    expect(await ids("delayed")).toEqual([later!.id]);
  });
});

async function idsOf(queue: Queue<number>, state: QueueJobState): Promise<string[]> {
  const ids: string[] = [];
  for await (const { id } of queue.entries({ state })) ids.push(id);
  return ids;
}
