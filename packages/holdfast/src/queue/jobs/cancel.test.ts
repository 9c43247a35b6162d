// What could go wrong, and the test for each:
// - a job that waits runs although it was cancelled ............. "a job that waits or is delayed is over at once"
// - its id or its unique key stays taken ........................ the same, "an id that is added again runs once"
// - a running handler does not hear of it ....................... "a running job: ..."
// - nor where the wake-up is lost ............................... "is heard of at the next round where the wake-up is lost"
// - the job is tried again, or counts as done ................... "however its run ends"
// - what a job did that sleeps stays done ....................... "one that sleeps and has something to undo ..."
// - its worker dies before it has ended ......................... "is over when its worker leaves"
// - cancelled and run at the same time .......................... "races with claims: each job either runs to its end or is cancelled"
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { until } from "../../../test/support/until.ts";
import { Deferred } from "../../base/deferred.ts";
import { connect } from "../../connect.ts";
import type { Holdfast } from "../../holdfast.ts";
import type { QueueJob } from "../job.ts";

describe.each(backends())("cancelling jobs [$name]", ({ url, options }) => {
  let hf: Holdfast;
  beforeAll(async () => {
    hf = await connect(url, { ...options, prefix: `q-${randomUUID()}` });
  });
  afterAll(() => hf.close());

  const fresh = (settings = {}) => hf.queue<number, string>(randomUUID(), settings);
  const untilAborted = (job: QueueJob<number>) =>
    new Promise<never>((_, reject) => {
      job.signal.addEventListener("abort", () => reject(job.signal.reason as Error));
    });

  it("a job that waits or is delayed is over at once; its id and its unique key are free", async () => {
    const queue = fresh();
    const one = await queue.add(1, { id: "one", result: true });
    const two = await queue.add(2, { delay: "1h", unique: "two" });
    const waiting = one.result();
    expect(await one.cancel("no longer wanted")).toEqual({ status: "ok" });
    expect(await waiting).toEqual({ status: "cancelled", reason: "no longer wanted" });
    expect(await queue.cancel(two.id)).toEqual({ status: "ok" });
    expect(await two.result()).toEqual({ status: "cancelled", reason: undefined });
    expect(await queue.cancel(two.id)).toEqual({ status: "ok" });
    expect(await queue.cancel(two.id, "another reason")).toEqual({ status: "missing" });
    expect(await queue.get("one")).toBeUndefined();
    expect(await queue.add(3, { unique: "two" })).toMatchObject({ status: "ok" });
    const seen: number[] = [];
    await using worker = queue.work((job) => String(seen.push(job.payload)));
    await until("the other one ran", () => worker.stats().completed === 1);
    expect(seen).toEqual([3]);
    expect(await queue.counts()).toMatchObject({ waiting: 0, delayed: 0, active: 0 });
  });

  it("an id that is added again runs once, however often it was cancelled or removed", async () => {
    const queue = fresh();
    for (let time = 0; time < 3; time += 1) {
      await queue.add(time, { id: "again" });
      await (time === 1 ? queue.remove("again") : queue.cancel("again"));
    }
    await queue.add(7, { id: "again" });
    const gate = new Deferred<undefined>();
    const seen: number[] = [];
    const handler = async (job: QueueJob<number>) => {
      seen.push(job.payload);
      await gate.promise;
      return "done";
    };
    await using one = queue.work(handler, { concurrency: 2 });
    await using two = queue.work(handler, { concurrency: 2 });
    await until("it runs", () => seen.length === 1);
    await until("the others were passed over", async () => (await queue.counts()).waiting === 0);
    gate.resolve(undefined);
    await until("it is done", () => one.stats().completed + two.stats().completed === 1);
    expect(seen).toEqual([7]);
    expect(await queue.add(8, { id: "again" })).toMatchObject({ status: "ok" });
    await until("it ran", () => one.stats().completed + two.stats().completed === 2);
    expect(seen).toEqual([7, 8]);
  });

  it("a running job: its signal aborts with the reason, and it is not run again", async () => {
    const queue = fresh();
    const running = new Deferred<QueueJob<number>>();
    await using worker = queue.work(
      (job) => {
        running.resolve(job);
        return untilAborted(job);
      },
      { poll: "30s", lease: "90s" },
    );
    const added = await queue.add(1, { unique: "one" });
    const { signal } = await running.promise;
    const result = added.result();
    expect(await added.cancel("too slow")).toEqual({ status: "running" });
    expect(await result).toEqual({ status: "cancelled", reason: "too slow" });
    expect(signal.reason).toMatchObject({ code: "ABORTED", cause: "too slow" });
    expect(worker.stats()).toMatchObject({ cancelled: 1, failed: 0, completed: 0, lost: 0 });
    expect(await queue.counts()).toMatchObject({ waiting: 0, delayed: 0, active: 0, dead: 0 });
    expect(await queue.add(2, { unique: "one" })).toMatchObject({ status: "ok" });
  });

  it.each(["returns", "fails"])("however its run ends: it %s", async (way) => {
    const queue = fresh();
    const gate = new Deferred<undefined>();
    const running = new Deferred<undefined>();
    await using _worker = queue.work(async () => {
      running.resolve(undefined);
      await gate.promise;
      if (way === "fails") throw new Error("no");
      return "done";
    });
    const added = await queue.add(1, { result: true });
    await running.promise;
    expect(await added.cancel("stop")).toEqual({ status: "running" });
    expect(await added.cancel("another reason")).toEqual({ status: "running" });
    gate.resolve(undefined);
    expect(await added.result()).toEqual({ status: "cancelled", reason: "stop" });
    expect(await queue.get(added.id)).toBeUndefined();
  });

  it("many running jobs of one worker: all of them hear of it, in pieces", async () => {
    const queue = fresh();
    const MANY = 1_300;
    await queue.addMany(Array.from({ length: MANY }, (_, at) => at));
    await using worker = queue.work(untilAborted, { concurrency: MANY });
    await until("all run", () => worker.running === MANY);
    expect(await queue.where({ state: "active" }).cancel()).toEqual({ matched: MANY, changed: MANY });
    await until("all are cancelled", () => worker.stats().cancelled === MANY);
    expect(await queue.counts()).toMatchObject({ waiting: 0, active: 0 });
  });

  it("one that sleeps and has something to undo runs once more for that, and is not dropped by a second cancel", async () => {
    const queue = fresh();
    const log: string[] = [];
    const added = await queue.add(1, { result: true });
    const handler = async (job: QueueJob<number>) => {
      await job.step("charge", () => void log.push("charge"));
      await job.compensate("refund", () => log.push("refund"));
      await job.sleep("rest", "1h");
      return "never";
    };
    const worker = queue.work(handler);
    await until("it sleeps", async () => (await queue.get(added.id))?.state === "delayed");
    await worker.close();
    expect(await added.cancel("too late")).toEqual({ status: "running" });
    expect(await added.cancel("too late")).toEqual({ status: "running" });
    await using _other = queue.work(handler);
    expect(await added.result()).toEqual({ status: "dead", message: "it was cancelled" });
    expect(log).toEqual(["charge", "refund"]);
    expect(await queue.counts()).toMatchObject({ waiting: 0, delayed: 0, active: 0, dead: 1 });
  });

  it("is heard of at the next round where the wake-up is lost", async () => {
    const queue = fresh();
    const running = new Deferred<QueueJob<number>>();
    await using _worker = queue.work(
      (job) => {
        if (job.payload === 2) return "done";
        running.resolve(job);
        return untilAborted(job);
      },
      { poll: "20s", lease: "60s" },
    );
    const added = await queue.add(1);
    await running.promise;
    // As the script marks it, without its message.
    const head = await headOf(hf, queue.name);
    const worker = (await hf.command("ZRANGE", `${head}workers`, "0", "-1")) as string[];
    const other = await queue.add(3, { delay: "1h" });
    await other.cancel("stop");
    const copy = "return redis.call('HSET', KEYS[2], ARGV[1], '60000:' .. redis.call('GET', KEYS[1]))";
    await hf.command("EVAL", copy, "2", `${head}result:${other.id}`, `${head}meta`, `x${added.id}`);
    await hf.command("HSET", `${head}control`, `x${String(worker[0])}`, "1");
    await queue.add(2);
    expect(await added.result()).toEqual({ status: "cancelled", reason: "stop" });
    await queue.add(2);
    await until("the mark goes", async () => (await hf.command("EXISTS", `${head}control`)) === 0);
  });

  it("is over when its worker leaves", async () => {
    const queue = fresh();
    const running = new Deferred<undefined>();
    const worker = queue.work(
      async () => {
        running.resolve(undefined);
        return new Promise<string>(() => undefined);
      },
      { drain: 50 },
    );
    const added = await queue.add(1, { unique: "one" });
    await running.promise;
    await added.cancel("stop");
    await worker.close();
    expect(await added.result()).toEqual({ status: "cancelled", reason: "stop" });
    expect(await queue.counts()).toMatchObject({ waiting: 0, active: 0 });
    expect(await queue.add(2, { unique: "one" })).toMatchObject({ status: "ok" });
  });

  it("races with claims: each job either runs to its end or is cancelled", async () => {
    const queue = fresh();
    const done = new Set<string>();
    await using _one = queue.work((job) => void done.add(job.id) as never, { concurrency: 7 });
    await using _two = queue.work((job) => void done.add(job.id) as never, { concurrency: 3 });
    const added = await queue.addMany(
      Array.from({ length: 400 }, (_, at) => at),
      { result: true },
    );
    const cancelled = new Map<string, string>();
    const even = added.filter((_, at) => at % 2 === 0);
    await Promise.all(even.map(async (job) => cancelled.set(job.id, (await job.cancel()).status)));
    const wrong: unknown[] = [];
    // Not one after the other: on a busy machine 400 round trips take longer than a test may.
    const results = await Promise.all(added.map((job) => job.result()));
    for (const [at, { status }] of results.entries()) {
      const { id } = added[at]!;
      const answer = cancelled.get(id);
      const isRight =
        status === "ok"
          ? done.has(id) && answer !== "ok" && answer !== "running"
          : answer === "ok" || answer === "running";
      if (!isRight || (answer === "ok" && done.has(id))) wrong.push({ id, status, answer, ran: done.has(id) });
    }
    expect(wrong).toEqual([]);
    expect(await queue.counts()).toMatchObject({ waiting: 0, active: 0, dead: 0 });
  });
});

async function headOf(hf: Holdfast, name: string): Promise<string> {
  for await (const keys of hf.scan(`queue:{${name}}`)) if (keys[0] !== undefined) return `${keys[0].split("}:")[0]!}}:`;
  throw new Error("the queue has no keys");
}
