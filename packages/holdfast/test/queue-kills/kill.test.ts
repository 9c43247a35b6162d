/**
 * kill -9 at each step of what the fault suite's workers do not do. What could go wrong, and the test for each:
 * - a job that is held by hand is lost with its holder, or run again though its end was carried out ... "a holder that is killed ..."
 * - ... or ends twice where several holders die all the time ......................................... "holders killed at any moment ..."
 * - of the jobs of one call some are lost, or those that were acknowledged run again ................. "a call of many jobs ..."
 * - a death is not reported, or reported twice, where its undertaker dies ............................ "onDead: ..."
 */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { endOf, Mortals } from "../support/mortal.ts";
import { type Standalone, startStandalone } from "../support/servers.ts";
import { until } from "../support/until.ts";
import { connect } from "../../src/connect.ts";
import { Discard, type Holdfast, type Queue, type QueueDeath, type QueueJob } from "../../src/index.ts";

const QUICK = { lease: "5s", poll: "50ms" } as const;

// Each test has its queue, and mostly waits: for a process that begins, for a lease that ends.
describe("jobs and kill -9 [standalone]", () => {
  const prefix = `test-${randomUUID()}`;
  let server: Standalone;
  let hf: Holdfast;
  let mortals: Mortals;

  beforeAll(async () => {
    server = await startStandalone();
    [hf, mortals] = await Promise.all([
      connect(server.url, { prefix }),
      Mortals.of(new URL("mortal.child.ts", import.meta.url)),
    ]);
    // So that the scripts are known to the server, and each is sent once.
    const queue = fresh();
    await queue.addMany([1, 2]);
    const [one, two] = await queue.claim({ count: 2 });
    await one!.extend("30s");
    await Promise.all([one!.complete(), two!.release()]);
  });
  afterAll(async () => {
    await mortals?.[Symbol.asyncDispose]();
    await hf?.close();
    await server?.stop();
  });

  function fresh(): Queue<number> {
    return hf.queue<number>(randomUUID(), { attempts: 3, backoff: { delay: 0 } });
  }
  const start = (queue: Queue<number>, part: string, point = "") =>
    mortals.start(part, point, server.url, prefix, queue.name);
  const dies = async (queue: Queue<number>, part: string, point: string): Promise<void> =>
    expect(await endOf(start(queue, part, point))).toBe("SIGKILL");
  const isOver = (queue: Queue<number>): Promise<unknown> =>
    until("all jobs are over", async () => {
      const { waiting, delayed, active, unhandled } = await queue.counts();
      return waiting + delayed + active + unhandled === 0;
    });
  /** What a worker that lives still finds to do. */
  async function rest(queue: Queue<number>): Promise<QueueJob<number>[]> {
    const seen: QueueJob<number>[] = [];
    await using _worker = queue.work((job) => void seen.push(job), QUICK);
    await isOver(queue);
    return seen;
  }
  const effects = async (queue: Queue<number>): Promise<Map<string, number>> => {
    const flat = (await hf.command("HGETALL", queue.key("effects"))) as unknown[];
    return new Map(flat.flatMap((field, at) => (at % 2 === 0 ? [[String(field), Number(flat[at + 1])]] : [])));
  };

  const LOST = { attempt: 1, crashes: 1 };
  it.concurrent.each([
    ["complete", "sent claim", LOST],
    ["complete", "in its job", LOST],
    ["complete", "sent settle", undefined],
    ["complete", "in its end", undefined],
    ["fail", "sent settle", { attempt: 2, crashes: 0 }],
    ["release", "sent settle", { attempt: 1, crashes: 0 }],
    ["extend", "sent hold", LOST],
    ["extend", "in its end", LOST],
  ])("a holder that is killed as it is to %s its job, %s: what is left is %j", async (verb, point, left) => {
    const queue = fresh();
    await queue.add(1);
    await dies(queue, verb, point);
    expect(await rest(queue)).toMatchObject(left === undefined ? [] : [left]);
    expect(await queue.counts()).toMatchObject({ dead: 0 });
  });

  it.concurrent("holders killed at any moment, several at once: no job is lost, and none runs after its end was confirmed", async () => {
    const queue = fresh();
    const all = Array.from({ length: 90 }, (_, at) => at + 1);
    await queue.addMany(all);
    const confirmed: number[] = [];
    for (let round = 1; round <= 2; round += 1) {
      const holders = Array.from({ length: 3 }, () => start(queue, "holders"));
      for (const holder of holders) holder.on("message", (payload: number) => confirmed.push(payload));
      await until("some are done", () => confirmed.length >= round * 25);
      for (const holder of holders) holder.kill("SIGKILL");
      for (const holder of holders) expect(await endOf(holder)).toBe("SIGKILL");
    }
    const left = (await rest(queue)).map(({ payload }) => payload);
    expect(new Set(confirmed).size).toBe(confirmed.length);
    expect(left.filter((payload) => confirmed.includes(payload))).toEqual([]);
    const done = await effects(queue);
    expect(all.filter((payload) => !done.has(String(payload)) && !left.includes(payload))).toEqual([]);
    expect(await queue.counts()).toMatchObject({ dead: 0 });
  });

  const FIVE = [1, 2, 3, 4, 5];
  it.concurrent.each([
    ["sent claim", FIVE, []],
    ["in its call", FIVE, []],
    ["in its linger", FIVE.slice(1), []],
    ["in the end of its call", FIVE, FIVE],
    // The second claim acknowledges what the first one brought.
    ["sent claim 2", [], FIVE],
  ])(
    "a call of many jobs whose worker is killed, %s: %j run again, and %j had their effect",
    async (point, again, had) => {
      const queue = fresh();
      await queue.addMany(point === "in its linger" ? again : FIVE);
      const worker = start(queue, "many", point);
      if (point === "in its linger") {
        await until("all are claimed", async () => (await queue.counts()).active === again.length);
        worker.kill("SIGKILL");
      }
      expect(await endOf(worker)).toBe("SIGKILL");
      expect(new Set((await effects(queue)).keys())).toEqual(new Set(had.map(String)));
      const left = await rest(queue);
      expect(left.map(({ payload }) => payload)).toEqual(again);
      for (const job of left) expect(job).toMatchObject(LOST);
    },
  );

  it.concurrent.each([
    ["in the last run", 1, 0],
    // It says that there is one who wants to hear of deaths, claims the job, and buries it.
    ["sent settle", 1, 0],
    ["in the report", 1, 0],
    ["in the end of the report", 1, 1],
    // What acknowledges the report.
    ["sent claim 3", 0, 1],
  ])("onDead: its process is killed %s: %i reports are left, and %i had their effect", async (point, reports, had) => {
    const queue = fresh();
    await queue.add(7);
    await dies(queue, "undertaker", point);
    expect((await effects(queue)).get("7") ?? 0).toBe(had);
    const deaths: QueueDeath<number>[] = [];
    {
      await using _worker = queue.work(() => Promise.reject(new Discard("on purpose")), {
        ...QUICK,
        onDead: (death) => void deaths.push(death),
      });
      await isOver(queue);
    }
    expect(deaths).toHaveLength(reports);
    for (const death of deaths) expect(death).toMatchObject({ payload: 7, reason: "on purpose" });
    expect(await queue.counts()).toMatchObject({ dead: 1 });
  });
});
