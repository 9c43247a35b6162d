// What could go wrong, and the test for each:
// - a job is lost, or its data, its time, its order or its attempts are ................ "moves jobs of every kind ..."
// - a job runs here and there ........................................................ "moves jobs away from running workers of BullMQ ..."
// - the migration dies between two steps, or an answer is lost ........................ "goes on after it died at any step ..."
// - what BullMQ still needs is taken from it: active jobs, flows, schedulers .......... "leaves what belongs to BullMQ ..."
// - a job that cannot be added here is lost, or keeps the migration going for ever .... "gives back what this queue refuses"
// - a dry run changes something ....................................................... "a dry run ..."
// - its keys are in several slots ..................................................... all of it on a cluster, with a prefix in braces
import { randomUUID } from "node:crypto";
import { FlowProducer, type JobsOptions, Queue as BullQueue, Worker as BullWorker } from "bullmq";
import { Cluster, Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { until } from "../../test/support/until.ts";
import { Deferred } from "../base/deferred.ts";
import { connect } from "../connect.ts";
import type { Driver } from "../driver/port.ts";
import type { Holdfast } from "../holdfast.ts";
import type { Queue } from "../queue/queue.ts";
import { migrateFromBullMQ } from "./bullmq.ts";

interface Mail {
  readonly to: string;
}

describe.each(backends("standalone", "cluster"))("migration from BullMQ [$name]", ({ name: backend, url, options }) => {
  const prefix = backend === "cluster" ? "{bull}" : "bull";
  let hf: Holdfast;
  let connection: Redis | Cluster;
  beforeAll(async () => {
    hf = await connect(url, { ...options, prefix: `m-${randomUUID()}` });
    const [host, port] = url
      .replace(/^.*:\/\//, "")
      .split(",")[0]!
      .split(":");
    connection =
      backend === "cluster"
        ? new Cluster([{ host: host!, port: Number(port) }], { redisOptions: { maxRetriesPerRequest: null } })
        : new Redis(url, { maxRetriesPerRequest: null });
  });
  afterAll(async () => {
    await hf.close();
    connection.disconnect();
  });

  const fresh = (): {
    bull: BullQueue<Mail>;
    queue: Queue<Mail>;
    from: { connection: Holdfast; name: string; prefix: string };
  } => {
    const name = randomUUID();
    const bull = new BullQueue<Mail>(name, { connection, prefix });
    onTestFinished(() => bull.close());
    return { bull, queue: hf.queue<Mail>(name), from: { connection: hf, name, prefix } };
  };
  const addAll = (bull: BullQueue<Mail>, count: number, opts: JobsOptions = {}) =>
    bull.addBulk(Array.from({ length: count }, (_, at) => ({ name: "mail", data: { to: String(at) }, opts })));
  /** Runs what waits in our queue; resolves with it, in its order. */
  const drained = async (queue: Queue<Mail>): Promise<string[]> => {
    const seen: string[] = [];
    await using _worker = queue.work((job) => void seen.push(job.payload.to), { concurrency: 1 });
    await until("all have run", async () => {
      const { waiting, active } = await queue.counts();
      return waiting + active === 0;
    });
    return seen;
  };
  const emptyOf = async (bull: BullQueue) => bull.getJobCounts("wait", "prioritized", "delayed", "active");
  const NONE = { wait: 0, prioritized: 0, delayed: 0, active: 0 };

  it("moves jobs of every kind, in their order and with what they were added with", async () => {
    const { bull, queue, from } = fresh();
    const dueAt = Date.now() + 3_600_000;
    await bull.add("mail", { to: "low" }, { priority: 9 });
    await bull.add(
      "mail",
      { to: "later" },
      { delay: 3_600_000, attempts: 4, backoff: { type: "exponential", delay: 1_000 } },
    );
    await bull.add("mail", { to: "urgent" }, { priority: 1 });
    await bull.add("mail", { to: "first" });
    await bull.add("mail", { to: "second" }, { jobId: "of-my-own" });
    await bull.add("mail", { to: "front" }, { lifo: true });
    await bull.add("mail", { to: "once" }, { deduplication: { id: "only" } });
    const report = await migrateFromBullMQ({ from, to: queue });
    expect(report).toMatchObject({
      moved: { waiting: 4, prioritized: 2, delayed: 1, failed: 0 },
      duplicates: 0,
      left: { active: 0, parents: 0, children: 0, scheduled: 0, unmapped: 0, refused: 0 },
      backoffs: { "exponential 1000 ms": 1 },
      isPaused: false,
    });
    const [later] = await delayedOf(queue, from.name);
    expect(later!.dueAt).toBeGreaterThan(dueAt - 1_000);
    expect(later!.dueAt).toBeLessThan(dueAt + 60_000);
    expect(await queue.add({ to: "again" }, { unique: "only" })).toMatchObject({ status: "duplicate" });
    expect(await drained(queue)).toEqual(["front", "first", "second", "once", "urgent", "low"]);
    expect(await emptyOf(bull)).toEqual(NONE);
    expect(await keysOf(bull)).toEqual([]);
  });

  /** The one delayed job of a test has the second id that BullMQ gave. */
  const delayedOf = async (queue: Queue<Mail>, name: string) => [await queue.get(`${prefix}:${name}:2`)];

  /** Keys of jobs, or of what we keep beside the queue, that are left on BullMQ's server. */
  const keysOf = async (bull: BullQueue): Promise<string[]> => {
    const found: string[] = [];
    const nodes = connection instanceof Cluster ? connection.nodes("master") : [connection];
    for (const node of nodes) found.push(...(await node.keys(`${prefix}:${bull.name}:*`)));
    const kept = new Set(["meta", "id", "events", "pc", "marker"].map((part) => `${prefix}:${bull.name}:${part}`));
    return found.filter((key) => !kept.has(key));
  };

  it("moves the jobs of a paused queue, and says so", async () => {
    const { bull, queue, from } = fresh();
    await addAll(bull, 3);
    await bull.pause();
    await addAll(bull, 2, { priority: 2 });
    const report = await migrateFromBullMQ({ from, to: queue });
    expect(report).toMatchObject({ moved: { waiting: 3, prioritized: 2 }, isPaused: true });
    expect(await queue.counts()).toMatchObject({ waiting: 5 });
  });

  it("moves jobs away from running workers of BullMQ: each runs once, here or there", async () => {
    const { bull, queue, from } = fresh();
    const runs = new Map<string, number>();
    const ran = (to: string): void => void runs.set(to, (runs.get(to) ?? 0) + 1);
    await addAll(bull, 400);
    const worker = new BullWorker<Mail>(from.name, async (job) => ran(job.data.to), {
      connection,
      prefix,
      concurrency: 3,
    });
    onTestFinished(() => worker.close());
    await until("BullMQ is at work", () => Promise.resolve(runs.size > 5));
    const report = await migrateFromBullMQ({ from, to: queue, batch: 20 });
    await drained(queue).then((seen) => seen.forEach(ran));
    await until("BullMQ has nothing left", async () =>
      Object.values(await emptyOf(bull)).every((count) => count === 0),
    );
    await until("all have run", () => Promise.resolve(runs.size === 400));
    expect(report.moved.waiting).toBeGreaterThan(0);
    expect([...runs.values()].filter((count) => count !== 1)).toEqual([]);
  });

  it("goes on after it died at any step, before or after the server did it: each job runs once", async () => {
    for (const place of ["before", "after"] as const) {
      for (let step = 0; ; step += 1) {
        const { bull, queue, from } = fresh();
        await addAll(bull, 6);
        await addAll(bull, 3, { priority: 2 });
        const dying = { driver: dyingDriver(hf.driver, step, place) } as Holdfast;
        const died = await migrateFromBullMQ({ from: { ...from, connection: dying }, to: queue, batch: 4 }).then(
          () => false,
          () => true,
        );
        // What was moved by then has run and is over when the migration goes on.
        const seen = await drained(queue);
        const inBullMQ = await emptyOf(bull);
        const report = await migrateFromBullMQ({ from, to: queue, batch: 4 });
        seen.push(...(await drained(queue)));
        expect({ step, place, seen: seen.toSorted() }).toEqual({
          step,
          place,
          seen: ["0", "0", "1", "1", "2", "2", "3", "4", "5"],
        });
        expect(await keysOf(bull)).toEqual([]);
        expect(report.moved.waiting + report.moved.prioritized).toBeGreaterThanOrEqual(inBullMQ["wait"]!);
        if (!died) break;
      }
    }
  }, 120_000);

  it("leaves what belongs to BullMQ: active jobs, flows, next runs of schedulers, failed and completed ones; and reports schedulers", async () => {
    const { bull, queue, from } = fresh();
    const release = new Deferred<void>();
    const worker = new BullWorker<Mail>(
      from.name,
      async ({ data }) => {
        if (data.to === "bad") throw new Error("no such address");
        if (data.to === "slow") await release.promise;
      },
      { connection, prefix, concurrency: 5 },
    );
    onTestFinished(() => worker.close());
    await bull.addBulk(["bad", "good", "slow"].map((to) => ({ name: "mail", data: { to } })));
    await until("they have run", async () => {
      const { active, failed, completed } = await bull.getJobCounts("active", "failed", "completed");
      return active === 1 && failed === 1 && completed === 1;
    });
    await bull.pause();
    await bull.upsertJobScheduler(
      "nightly",
      { pattern: "0 3 * * *", tz: "Europe/Berlin" },
      { name: "mail", data: { to: "all" } },
    );
    await bull.upsertJobScheduler("often", { every: 60_000 });
    const flows = new FlowProducer({ connection, prefix });
    onTestFinished(() => flows.close());
    const child = (to: string) => ({ name: "mail", queueName: from.name, data: { to } });
    await flows.add({ ...child("parent"), children: [child("child-1"), child("child-2")] });
    await addAll(bull, 2);
    const left = { active: 1, parents: 1, children: 2, scheduled: 2, unmapped: 0, refused: 0, failed: 1, completed: 1 };
    const report = await migrateFromBullMQ({ from, to: queue });
    expect(report).toMatchObject({ moved: { waiting: 2, delayed: 0, failed: 0 }, left });
    expect(report.schedules.map(({ code }) => code).toSorted()).toEqual([
      'await queue.schedules.set("nightly", { cron: "0 3 * * *", timeZone: "Europe/Berlin", payload: {"to":"all"} });',
      'await queue.schedules.set("often", { every: 60000 });',
    ]);
    const again = await migrateFromBullMQ({ from, to: queue, failed: "retry" });
    expect(again).toMatchObject({ moved: { waiting: 0, failed: 1 }, left: { ...left, failed: 0 } });
    release.resolve();
    expect((await drained(queue)).toSorted()).toEqual(["0", "1", "bad"]);
  });

  it("gives back what this queue refuses, and what `map` leaves out", async () => {
    const { bull, from } = fresh();
    const payload = {
      "~standard": {
        version: 1 as const,
        vendor: "test",
        validate: (value: unknown) =>
          (value as Mail).to === "1" ? { issues: [{ message: "not this one" }] } : { value: value as Mail },
      },
    };
    const queue = hf.queue<Mail>(randomUUID(), { payload });
    await addAll(bull, 5);
    await addAll(bull, 3, { delay: 60_000 });
    const report = await migrateFromBullMQ({
      from,
      to: queue,
      batch: 2,
      map: ({ data, name }) =>
        (data as Mail).to === "2"
          ? undefined
          : { payload: data as Mail, options: { priority: name === "mail" ? "high" : "low" } },
    });
    expect(report).toMatchObject({ moved: { waiting: 3, delayed: 1 }, left: { unmapped: 2, refused: 2 } });
    expect(report.problems.map(({ message }) => message)).toEqual([
      expect.stringContaining("does not match its schema"),
      expect.stringContaining("does not match its schema"),
    ]);
    const waiting = await bull.getWaiting();
    expect(waiting.map(({ data }) => data.to).toSorted()).toEqual(["1", "2"]);
    const delayed = await bull.getDelayed();
    expect(delayed.map(({ data }) => data.to).toSorted()).toEqual(["1", "2"]);
  });

  it("a dry run counts and changes nothing", async () => {
    const { bull, queue, from } = fresh();
    await addAll(bull, 5);
    await addAll(bull, 3, { delay: 60_000 });
    const report = await migrateFromBullMQ({ from, to: queue, dryRun: true, batch: 2 });
    expect(report).toMatchObject({ moved: { waiting: 5, delayed: 3 } });
    expect(await emptyOf(bull)).toEqual({ ...NONE, wait: 5, delayed: 3 });
    expect(await queue.counts()).toMatchObject({ waiting: 0, delayed: 0 });
  });
});

describe("migration from BullMQ: what it is given", () => {
  it.each([
    [{ from: { connection: "redis://x", name: "" } }, "from.name"],
    [{ from: { connection: 7, name: "q" } }, "from.connection"],
    [{ from: { connection: "redis://x", name: "q", prefx: "b" } }, "prefx"],
    [{ batch: 0 }, "batch"],
    [{ failed: "move" }, "failed"],
    [{ to: {} }, "to"],
  ])("refuses %j", async (wrong, field) => {
    await using hf = await connect("embedded://");
    const right = { from: { connection: hf, name: "q" }, to: hf.queue<Mail>("q") };
    await expect(migrateFromBullMQ({ ...right, ...wrong } as never)).rejects.toThrow(field);
  });
});

/** Rejects its call number `step`, before it is sent or when it is done, and all that follow. */
function dyingDriver(driver: Driver, step: number, place: "before" | "after"): Driver {
  let calls = 0;
  const script: Driver["script"] = async (...args) => {
    const call = calls;
    calls += 1;
    if (call > step || (call === step && place === "before")) throw new Error("killed");
    const reply = await driver.script(...args);
    if (call === step) throw new Error("killed");
    return reply;
  };
  return new Proxy(driver, {
    get: (target, name) => {
      if (name === "script") return script;
      const value: unknown = Reflect.get(target, name);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
}
