// What could go wrong, and the test for each:
// - a job is lost or run twice when nothing fails ............ "runs each of many jobs once"
// - jobs of one lane overtake each other ..................... "runs the jobs of a lane in their order"
// - an urgent job waits behind others ........................ "empties the lanes in the order of their priority"
// - a delayed job runs too early, or never ................... "runs a delayed job when it is due, ..."
// - a failure is the end of a job, or never ends ............. "runs a job again ...", "is dead after its attempts"
// - what a handler throws cannot be told to the server ....... "is dead whatever its handler throws"
// - jobs that die again keep a redrive going for ever ........ "redriveAll ends although ..."
// - a job that can never succeed is tried again .............. "Discard", "Snooze", "RetryAfter"
// - the same thing is queued twice ........................... "unique", "id"
// - a result is missed, or waited for for ever ............... "result"
// - closing loses what runs .................................. "close"
// Longer than other files: it goes through what a queue promises, from the first job to a queue that is left clean.
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { runInNewContext } from "node:vm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { until } from "../../test/support/until.ts";
import { Deferred } from "../base/deferred.ts";
import { connect } from "../connect.ts";
import type { Holdfast } from "../holdfast.ts";
import { Discard, RetryAfter, Snooze } from "./failure.ts";
import type { QueueJob } from "./job.ts";

interface Mail {
  readonly to: string;
}

describe.each(backends())("queue [$name]", ({ url, options }) => {
  let hf: Holdfast;
  beforeAll(async () => {
    hf = await connect(url, { ...options, prefix: `q-${randomUUID()}` });
  });
  afterAll(() => hf.close());

  const fresh = (settings = {}) => hf.queue<Mail>(randomUUID(), { backoff: { delay: 1, jitter: 0 }, ...settings });
  const mails = (count: number): Mail[] => Array.from({ length: count }, (_, at) => ({ to: String(at) }));

  it("runs each of many jobs once", async () => {
    const queue = fresh();
    const seen: string[] = [];
    await queue.addMany(mails(1_000));
    expect(await queue.counts()).toMatchObject({ waiting: 1_000, active: 0, delayed: 0, dead: 0 });
    await using one = queue.work((job) => void seen.push(job.payload.to), { concurrency: 30 });
    await using two = queue.work((job) => void seen.push(job.payload.to), { concurrency: 7 });
    await until("all are done", async () => (await queue.counts()).waiting + (await queue.counts()).active === 0);
    await Promise.all([one.close(), two.close()]);
    expect(seen).toHaveLength(1_000);
    expect(new Set(seen).size).toBe(1_000);
    expect(one.stats().completed + two.stats().completed).toBe(1_000);
    expect(await queue.counts()).toMatchObject({ waiting: 0, active: 0, workers: 0 });
  });

  it.each(["1s", "10s", 1_001.4])("runs jobs under a lease of %s, whatever part of it is a round", async (lease) => {
    const queue = fresh();
    const ran = new Deferred<string>();
    await using _worker = queue.work((job) => ran.resolve(job.payload.to), { lease: lease as "1s" });
    await queue.add({ to: "ada" });
    expect(await ran.promise).toBe("ada");
  });

  it("runs the jobs of a lane in their order", async () => {
    const queue = fresh();
    const seen: number[] = [];
    await using worker = queue.work((job) => void seen.push(Number(job.payload.to)), { concurrency: 1 });
    await queue.addMany(mails(100));
    await until("all are done", () => seen.length === 100);
    expect(seen).toEqual(mails(100).map(({ to }) => Number(to)));
    expect(worker.running).toBeLessThanOrEqual(1);
  });

  it("empties the lanes in the order of their priority", async () => {
    const queue = fresh();
    const seen: string[] = [];
    await queue.add({ to: "c" }, { priority: "low" });
    await queue.add({ to: "b" });
    await queue.add({ to: "a" }, { priority: "high" });
    await using _worker = queue.work((job) => void seen.push(job.payload.to), { concurrency: 1 });
    await until("all are done", () => seen.length === 3);
    expect(seen).toEqual(["a", "b", "c"]);
  });

  it.each([
    ["an object without a prototype", Object.create(null), "the handler threw a value that cannot be shown"],
    ["a symbol", Symbol("s"), "Symbol(s)"],
    ["an error whose message is a number", Object.assign(new Error("x"), { message: 42 }), "Error: 42"],
    ["an error of another realm", runInNewContext('new Error("there")'), "there"],
    ["half of a character at the cut", new Error(`${"x".repeat(499)}\u{1F600}`), expect.stringMatching(/^x{499}/)],
  ])("is dead whatever its handler throws: %s", async (_, thrown: unknown, message: unknown) => {
    const queue = fresh({ attempts: 1 });
    await queue.add({ to: "ada" });
    await using _worker = queue.work(() => {
      throw thrown;
    });
    await until("it is dead", async () => (await queue.counts()).dead === 1);
    expect((await queue.dead.page()).jobs).toMatchObject([{ failures: 1, history: [{ attempt: 1, message }] }]);
  });

  it("redriveAll ends although what it redrives dies again at once", async () => {
    const queue = fresh({ attempts: 1 });
    await queue.addMany(mails(600));
    await using _worker = queue.work(
      () => {
        throw new Discard("never");
      },
      { concurrency: 50 },
    );
    await until("all are dead", async () => (await queue.counts()).dead === 600);
    expect(await queue.dead.redriveAll()).toBe(600);
  });

  it("wakes a worker that waits, well before it would look by itself", async () => {
    const queue = fresh();
    const ran = new Deferred<string>();
    await using worker = queue.work((job) => ran.resolve(job.payload.to), { poll: "30s", lease: "90s" });
    await until("the worker listens", async () => (await queue.counts()).workers === 1);
    await queue.add({ to: "ada" });
    expect(await ran.promise).toBe("ada");
    expect(worker.stats().lost).toBe(0);
  });

  it("runs a delayed job when it is due, also where an earlier one is added to a worker that sleeps", async () => {
    const queue = fresh();
    const seen: string[] = [];
    await using _worker = queue.work((job) => void seen.push(job.payload.to), { poll: "1s" });
    await queue.add({ to: "late" }, { delay: "700ms" });
    await queue.add({ to: "soon" }, { at: Date.now() - 1_000 });
    await queue.add({ to: "later" }, { delay: "200ms" });
    expect((await queue.counts()).delayed).toBeGreaterThan(0);
    await until("all are done", () => seen.length === 3);
    expect(seen).toEqual(["soon", "later", "late"]);
  });

  it("runs a job again after a failure, with its attempt counted and its history kept", async () => {
    const queue = fresh();
    const attempts: number[] = [];
    const done = new Deferred<QueueJob<Mail>>();
    await using worker = queue.work((job) => {
      attempts.push(job.attempt);
      if (job.attempt < 3) throw new Error(`no ${job.attempt}`);
      done.resolve(job);
      return "sent";
    });
    await queue.add({ to: "ada" });
    await done.promise;
    expect(attempts).toEqual([1, 2, 3]);
    await until("it is acknowledged", () => worker.stats().completed === 1);
    expect(worker.stats()).toMatchObject({ failed: 2, dead: 0 });
    expect(await queue.counts()).toMatchObject({ waiting: 0, active: 0, delayed: 0, dead: 0 });
  });

  it("is dead after its attempts, is shown with its history, and runs again when it is redriven", async () => {
    const queue = fresh({ attempts: 2 });
    let isBroken = true;
    const done = new Deferred<number>();
    await using _worker = queue.work((job) => {
      if (isBroken) throw new Error("down");
      done.resolve(job.attempt);
      return "sent";
    });
    const { id } = await queue.add({ to: "ada" });
    await until("it is dead", async () => (await queue.counts()).dead === 1);
    const page = await queue.dead.page();
    expect(page).toMatchObject({ cursor: undefined, jobs: [{ id, payload: { to: "ada" }, failures: 2, crashes: 0 }] });
    expect(page.jobs[0]!.history.map(({ message, attempt }) => ({ message, attempt }))).toEqual([
      { message: "down", attempt: 1 },
      { message: "down", attempt: 2 },
    ]);
    isBroken = false;
    expect(await queue.dead.redriveAll()).toBe(1);
    expect(await done.promise).toBe(1);
    expect(await queue.dead.redrive([id])).toBe(0);
  });

  it("Discard: is dead at once; Snooze: uses no attempt; RetryAfter: says when", async () => {
    const queue = fresh({ attempts: 2, backoff: { delay: "1h" } });
    const runs: string[] = [];
    await using _worker = queue.work((job) => {
      runs.push(`${job.payload.to} ${job.attempt}`);
      if (job.payload.to === "discard") throw new Discard("no such address");
      if (runs.filter((run) => run.startsWith(job.payload.to)).length === 1)
        throw job.payload.to === "snooze" ? new Snooze(1) : new RetryAfter(1);
    });
    for (const to of ["discard", "snooze", "retry"]) await queue.add({ to });
    await until("they have run", () => runs.length === 5);
    await until("one is dead", async () => (await queue.counts()).dead === 1);
    expect(runs.toSorted()).toEqual(["discard 1", "retry 1", "retry 2", "snooze 1", "snooze 1"]);
  });

  it("a job with the id of one that is not over is a duplicate; afterwards the id is free", async () => {
    const queue = fresh();
    const [first, second] = await Promise.all([
      queue.add({ to: "a" }, { id: "mail-1" }),
      queue.add({ to: "b" }, { id: "mail-1" }),
    ]);
    expect([first.status, second.status]).toEqual(["ok", "duplicate"]);
    expect(await queue.add({ to: "c" }, { id: "mail-1" })).toMatchObject({ status: "duplicate", id: "mail-1" });
    await using worker = queue.work(() => "sent");
    await until("it is done", () => worker.stats().completed === 1);
    expect(await queue.add({ to: "d" }, { id: "mail-1" })).toMatchObject({ status: "ok" });
  });

  it("a unique key is taken until its job is over, or for as long as asked", async () => {
    const queue = fresh();
    const first = await queue.add({ to: "a" }, { unique: "digest" });
    const [second, other] = await Promise.all([
      queue.add({ to: "b" }, { unique: "digest" }),
      queue.add({ to: "c" }, { unique: { key: "hourly", for: "1h" } }),
    ]);
    expect(second).toMatchObject({ status: "duplicate", id: first.id });
    expect(other.status).toBe("ok");
    await using worker = queue.work(() => "sent");
    await until("both are done", () => worker.stats().completed === 2);
    expect(await queue.add({ to: "d" }, { unique: { key: "hourly", for: "1h" } })).toMatchObject({
      status: "duplicate",
      id: other.id,
    });
    expect(await queue.add({ to: "e" }, { unique: "digest" })).toMatchObject({ status: "ok" });
  });

  it("a result reaches all who wait for it, before and after it is there; a dead job says why", async () => {
    const queue = fresh({ attempts: 1 });
    const job = await queue.add({ to: "ada" }, { result: true });
    const waiting = [job.result(), queue.result(job.id)];
    await using _worker = queue.work((run) => {
      if (run.payload.to === "broken") throw new Error("no such address");
      return `sent to ${run.payload.to}`;
    });
    for (const result of [...waiting, job.result()])
      expect(await result).toEqual({ status: "ok", value: "sent to ada" });
    const broken = await queue.add({ to: "broken" }, { result: true });
    expect(await broken.result()).toEqual({ status: "dead", message: "no such address" });
    expect(await queue.result("never-added")).toEqual({ status: "missing" });
  });

  it("a result that does not come in time is a TimeoutError", async () => {
    const queue = fresh();
    const job = await queue.add({ to: "ada" }, { result: true });
    await expect(job.result({ timeout: 20 })).rejects.toMatchObject({ code: "TIMEOUT" });
    const abort = new AbortController();
    const waiting = job.result({ signal: abort.signal });
    abort.abort();
    await expect(waiting).rejects.toMatchObject({ code: "ABORTED" });
  });

  it("pauses and resumes a worker, and the queue of all of them", async () => {
    const queue = fresh();
    const seen: string[] = [];
    await queue.pause();
    await using worker = queue.work((job) => void seen.push(job.payload.to), { poll: "30s", lease: "90s" });
    await queue.add({ to: "a" });
    await until("the worker has asked", async () => (await queue.counts()).workers === 1);
    expect(await queue.counts()).toMatchObject({ waiting: 1, paused: true });
    await queue.resume();
    await until("it ran", () => seen.length === 1);
    worker.pause();
    await queue.add({ to: "b" });
    expect(await queue.counts()).toMatchObject({ waiting: 1, paused: false });
    worker.resume();
    await until("it ran", () => seen.length === 2);
  });

  it("close waits for what runs, and returns what does not end in time to the queue", async () => {
    const queue = fresh();
    const gate = new Deferred<undefined>();
    const started = new Deferred<undefined>();
    const patient = queue.work(async () => {
      started.resolve(undefined);
      await gate.promise;
      return "sent";
    });
    await queue.add({ to: "a" });
    await started.promise;
    const closing = patient.close();
    gate.resolve(undefined);
    await closing;
    expect(patient.stats()).toMatchObject({ completed: 1, lost: 0 });

    const aborted = new Deferred<unknown>();
    const begun = new Deferred<undefined>();
    const hasty = queue.work(
      (job) =>
        new Promise<string>((_, reject) => {
          begun.resolve(undefined);
          job.signal.addEventListener("abort", () => {
            aborted.resolve(job.signal.reason);
            reject(job.signal.reason as Error);
          });
        }),
      { drain: 10 },
    );
    await queue.add({ to: "b" });
    await begun.promise;
    await hasty.close();
    expect(await aborted.promise).toMatchObject({ code: "ABORTED" });
    expect(await queue.counts()).toMatchObject({ waiting: 1, active: 0, dead: 0, workers: 0 });
  });

  it("calls off a run that is longer than its limit, and counts it as a failure", async () => {
    const queue = fresh({ attempts: 1, runTimeout: 30 });
    await using worker = queue.work(async (job) => {
      await sleep(60_000, undefined, { signal: job.signal }).catch(() => undefined);
      return "late";
    });
    await queue.add({ to: "a" });
    await until("it is dead", () => worker.stats().dead === 1);
    expect(worker.stats()).toMatchObject({ completed: 0, failed: 1, lost: 0 });
    expect((await queue.dead.page()).jobs[0]!.history[0]!.message).toContain("runTimeout of 30 ms");
  });

  it("shows and removes a job that is not running", async () => {
    const queue = fresh();
    const { id } = await queue.add({ to: "a" }, { delay: "1h", unique: "once" });
    expect(await queue.get(id)).toMatchObject({ id, state: "delayed", payload: { to: "a" }, failures: 0 });
    expect(await queue.remove(id)).toEqual({ status: "ok" });
    expect(await queue.remove(id)).toEqual({ status: "missing" });
    expect(await queue.get(id)).toBeUndefined();
    expect(await queue.add({ to: "b" }, { unique: "once" })).toMatchObject({ status: "ok" });
    const running = new Deferred<undefined>();
    const gate = new Deferred<undefined>();
    await using _worker = queue.work(async () => {
      running.resolve(undefined);
      await gate.promise;
      return "sent";
    });
    await running.promise;
    await queue.add({ to: "c" }, { id: "c", delay: "1h" });
    expect(await queue.get("c")).toMatchObject({ state: "delayed" });
    gate.resolve(undefined);
  });

  it("leaves no key behind that has neither a bound nor a time to live", async () => {
    const queue = hf.queue<Mail, string>(`bounds-${randomUUID()}`);
    await using worker = queue.work(() => "sent");
    await queue.addMany(mails(10), { unique: { key: "x", for: "1h" } });
    await queue.addMany(mails(10), { result: true });
    await until("all are done", () => worker.stats().completed === 11);
    await worker.close();
    const left: string[] = [];
    for await (const keys of hf.scan(`queue:{${queue.name}}`)) left.push(...keys.map((key) => key.split("}:")[1]!));
    const kinds = new Set(left.map((part) => part.split(":")[0]!));
    expect([...kinds].toSorted()).toEqual(["minute", "op", "result", "seen", "totals", "unique", "windows"]);
  });
});
