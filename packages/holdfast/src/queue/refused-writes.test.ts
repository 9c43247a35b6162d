/**
 * A server that answers but takes no writes, or none that need memory. What could go wrong, and the test for each:
 * - leases are not renewed while memory is full, and every running job of the fleet is called off ... "goes on"
 * - what is done cannot be acknowledged, so that memory stays full .................................. the same
 * - events that have no room keep jobs from ending ................................................ the same, "with events"
 * - a dead worker's jobs, or those of one that closes, stay where they are .......................... "... are taken back"
 * - a flow stands still, as nobody can be told that a job has ended ................................. "... a flow runs to its end"
 * - the jobs of a worker that died stay with it ..................................................... "... of a worker that died are ..."
 * - a commit is refused though it frees more than it takes, or is half done ......................... "... a commit ..."
 * - a step is not remembered, and is done again by each run .......................................... "... the steps of a job are ..."
 * - jobs are lost, or a worker gives up, while the server takes no writes at all .................... "does every job"
 */
import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { REFUSALS } from "../../test/support/refusals.ts";
import { type Standalone, startStandalone } from "../../test/support/servers.ts";
import { until } from "../../test/support/until.ts";
import { Deferred } from "../base/deferred.ts";
import { connect } from "../connect.ts";
import type { Holdfast } from "../holdfast.ts";
import type { QueueCounts } from "./overview/job-counts.ts";

describe("a queue on a server that takes no writes [standalone]", () => {
  let server: Standalone;
  let hf: Holdfast;
  beforeAll(async () => {
    server = await startStandalone({ config: { "enable-protected-configs": "local" } });
    hf = await connect(server.url, { prefix: `test-${randomUUID()}`, timeout: "5s" });
  });
  afterEach(async () => {
    for (const refusal of REFUSALS) await refusal.end(server);
  });
  afterAll(async () => {
    await hf?.close();
    await server?.stop();
  });
  const fill = (): Promise<unknown> => server.command("CONFIG", "SET", "maxmemory", "1");
  const inState = (name: string, state: Partial<QueueCounts>): Promise<unknown> =>
    until(`the queue has ${JSON.stringify(state)}`, async () => {
      const counts = Object.entries(await hf.queue(name).counts());
      return Object.entries(state).every(([field, count]) =>
        counts.some(([each, now]) => each === field && now === count),
      );
    });

  it.each([
    ["plain", {}],
    ["with events", { events: {} }],
  ])(
    "while memory is full a worker goes on: renews, acknowledges, fails, keeps results and claims (%s)",
    async (_, options) => {
      const queue = hf.queue<string, string>(randomUUID(), { ...options, attempts: 2, backoff: { delay: 0 } });
      const result = await queue.add("long", { result: true });
      await queue.addMany(["fails", "well", "well"]);
      const [begun, end] = [new Deferred<undefined>(), new Deferred<undefined>()];
      const lease = 2_000;
      const worker = queue.work(
        async ({ payload, signal }) => {
          if (payload === "fails") throw new Error("as it should");
          if (payload === "well") return "done";
          begun.resolve(undefined);
          await end.promise;
          signal.throwIfAborted();
          return "long done";
        },
        { concurrency: 1, lease },
      );
      await begun.promise;
      await fill();
      // Longer than a lease: by the server's clock, which the worker's renewals must have moved.
      const [began] = (await server.command("TIME")) as [string];
      await until("more than a lease has passed", async () => {
        const [now] = (await server.command("TIME")) as [string];
        return Number(now) - Number(began) > (2 * lease) / 1_000;
      });
      end.resolve(undefined);
      await inState(queue.name, { waiting: 0, delayed: 0, active: 0, dead: 1 });
      expect(await result.result()).toEqual({ status: "ok", value: "long done" });
      expect(worker.stats()).toMatchObject({ completed: 3, dead: 1, lost: 0 });
      await worker.close();
    },
  );

  it("while memory is full the jobs of a worker that closes are taken back", async () => {
    const queue = hf.queue<number>(randomUUID());
    await queue.addMany([1, 2]);
    const worker = queue.work(() => new Promise(() => undefined), { drain: 0 });
    await inState(queue.name, { active: 2 });
    await fill();
    await worker.close();
    expect(await queue.counts()).toMatchObject({ waiting: 2, active: 0 });
  });

  it("while memory is full a flow runs to its end", async () => {
    const queue = hf.queue<string, string>(randomUUID());
    const children = ["a", "b"].map((each) => queue.child(each));
    const job = await queue.add("parent", { children, result: true });
    await fill();
    await using _worker = queue.work(({ payload }) => payload, { poll: 100 });
    await inState(queue.name, { waiting: 0, blocked: 0, active: 0 });
    expect(await job.result()).toEqual({ status: "ok", value: "parent" });
  });

  it("while memory is full the jobs of a worker that died are taken back", async () => {
    const name = randomUUID();
    await hf.queue<number>(name).addMany([1, 2]);
    // As a process that is killed: it renews nothing, and says nothing.
    const [one, two] = await hf.queue<number>(name).claim({ count: 2, lease: "1s" });
    expect([one?.payload, two?.payload]).toEqual([1, 2]);
    await fill();
    const done: number[] = [];
    await using worker = hf.queue<number>(name).work(({ payload }) => void done.push(payload), { poll: 100 });
    await until("both are done", () => worker.stats().completed === 2);
    expect(done).toEqual([1, 2]);
  });

  it("while memory is full a commit is refused whole, and done once there is room", async () => {
    const queue = hf.queue<number>(randomUUID(), { attempts: 100, backoff: { type: "fixed", delay: 10 } });
    await queue.add(1);
    const total = queue.key("total");
    let refused = 0;
    await fill();
    await using worker = queue.work(async (job) => {
      await job
        .commit((tx) => tx.queue("INCRBY", total, "5"))
        .catch((error: unknown) => {
          refused += 1;
          throw error;
        });
    });
    await until("it was refused", () => refused > 0 || worker.stats().completed === 1);
    for (const refusal of REFUSALS) await refusal.end(server);
    await inState(queue.name, { waiting: 0, delayed: 0, active: 0, dead: 0 });
    expect(String(await hf.command("GET", total))).toBe("5");
    expect(worker.stats().completed).toBe(1);
  });

  it("while memory is full the steps of a job are remembered: each is done once, over a sleep, a failure and what undoes them", async () => {
    const queue = hf.queue<number>(randomUUID(), { attempts: 2, backoff: { delay: 0 } });
    const job = await queue.add(1, { result: true });
    await fill();
    const done: string[] = [];
    await using worker = queue.work(async (run) => {
      await run.step("charge", () => done.push("charge"));
      await run.compensate("refund", () => void done.push("refund"));
      await run.sleep("a while", 10);
      await run.step("ship", () => done.push("ship"));
      throw new Error("out of stock");
    });
    expect(await job.result({ timeout: "60s" })).toEqual({ status: "dead", message: "out of stock" });
    expect(done).toEqual(["charge", "ship", "refund"]);
    expect(worker.stats()).toMatchObject({ dead: 1, lost: 0 });
  });

  it.each(REFUSALS.filter(({ partly }) => !partly))(
    "a worker does every job once writes are taken again ($name)",
    async (refusal) => {
      const queue = hf.queue<number>(randomUUID());
      await queue.addMany([1, 2, 3]);
      const [begun, end] = [new Deferred<undefined>(), new Deferred<undefined>()];
      const done = new Set<number>();
      await using worker = queue.work(
        async ({ payload }) => {
          begun.resolve(undefined);
          await end.promise;
          done.add(payload);
        },
        { concurrency: 2 },
      );
      await begun.promise;
      await refusal.begin(server);
      end.resolve(undefined);
      await until("what ran has ended", () => Promise.resolve(done.size >= 2 && worker.running === 0));
      await refusal.end(server);
      await inState(queue.name, { waiting: 0, active: 0, dead: 0 });
      expect(done).toEqual(new Set([1, 2, 3]));
    },
  );
});
