/**
 * A server that answers but takes no writes, or none that need memory. What could go wrong, and the test for each:
 * - leases are not renewed while memory is full, and every running job of the fleet is called off ... "goes on"
 * - what is done cannot be acknowledged, so that memory stays full .................................. the same
 * - events that have no room keep jobs from ending ................................................ the same, "with events"
 * - a dead worker's jobs, or those of one that closes, stay where they are .......................... "... are taken back"
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
      const lease = 1_000;
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
