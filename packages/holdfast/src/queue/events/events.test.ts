// What could go wrong, and the test for each:
// - something that happened is not told, or in another order ... "tells what becomes of a job, in order", "tells every other end"
// - so of jobs without a worker of ours ....................... "tells of jobs that are claimed by hand, or many at once"
// - a reader is not woken ...................................... in all of them: it looks by itself after an hour only
// - one that went away cannot go on where it was ............... "goes on behind a cursor"
// - trimmed events are skipped in silence ...................... "says what it has missed"
// - the stream is lost, or removed ............................. "says that all is gone"
// - partitions are mixed up .................................... "merges partitions, each in its order"
// - jobs that are added otherwise are not told ................. "tells of schedules, flows and unique keys"
// - it does not end ............................................ "ends with its signal, by return and with the handle"
// - an outage ends it, or something is missed .................. in faults.test.ts
// - a queue without the option pays for it ..................... "notes nothing for a queue without it"
// - a value that cannot be read stops all that comes after ..... "passes over a value that it has no key for"
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { until } from "../../../test/support/until.ts";
import { Deferred } from "../../base/deferred.ts";
import { connect } from "../../connect.ts";
import { Keyspace } from "../../core/keyspace/keyspace.ts";
import type { Holdfast } from "../../holdfast.ts";
import { Discard, Snooze } from "../failure.ts";
import { QueueKeys } from "../keys.ts";
import type { QueueEvent } from "./event.ts";
import type { QueueEvents } from "./stream.ts";

const OPTIONS = { events: {}, backoff: { delay: 1, jitter: 0 } } as const;
const LONG = "1h";

async function take(events: QueueEvents, count: number): Promise<QueueEvent[]> {
  const taken: QueueEvent[] = [];
  while (taken.length < count) taken.push((await events.next()).value!);
  return taken;
}

const jobOf = (event: QueueEvent): string => (event.type === "gap" ? "" : event.job);
const types = (events: readonly QueueEvent[]): string[] => events.map(({ type }) => type);

describe.each(backends())("the events of a queue [$name]", ({ url, options }) => {
  const prefix = `qe-${randomUUID()}`;
  let hf: Holdfast;
  beforeAll(async () => {
    hf = await connect(url, { ...options, prefix });
  });
  afterAll(() => hf.close());

  it("tells what becomes of a job, in order", async () => {
    const queue = hf.queue<string>(randomUUID(), OPTIONS);
    await using events = queue.events({ poll: LONG });
    await events.ready;
    await using _worker = queue.work(async (job) => {
      if (job.attempt === 1) throw new Error("secret");
      if (job.attempt === 2) throw new Snooze(1);
      await job.progress({ done: 1 });
    });
    const before = Date.now();
    const { id } = await queue.add("a", { name: "mail" });
    const told = await take(events, 5);
    expect(types(told)).toEqual(["added", "started", "failed", "started", "released"]);
    for (const event of told) expect(event).toMatchObject({ job: id, name: "mail", cursor: expect.any(String) });
    expect(told[1]).toMatchObject({ worker: expect.stringMatching(/^[-\w]{36}$/) });
    expect(told[2]).toMatchObject({ delayMs: 1 });
    expect(Math.abs((told[0] as { at: number }).at - before)).toBeLessThan(60_000);
    expect(JSON.stringify(told)).not.toContain("secret");
  });

  it("tells every other end", async () => {
    const queue = hf.queue<string>(randomUUID(), OPTIONS);
    await using events = queue.events({ poll: LONG });
    await events.ready;
    const told = async (count: number) => types(await take(events, count));
    const { id: cancelled } = await queue.add("x");
    await queue.cancel(cancelled);
    const { id: removed } = await queue.add("x", { delay: "1h" });
    await queue.update(removed, { delay: "2h" });
    await queue.remove(removed);
    await queue.add("x");
    await queue.drain();
    expect(await told(7)).toEqual(["added", "cancelled", "added", "updated", "removed", "added", "removed"]);
    const running = new Deferred<void>();
    const worker = queue.work(
      async (job) => {
        if (job.payload === "dead") throw new Discard("no");
        if (job.payload === "progress") await job.progress({ part: 0.5 });
        if (job.payload === "long progress") await job.progress("p".repeat(2_000));
        if (job.payload === "commit") await job.commit((tx) => tx.queue("SET", job.key("k"), "1"));
        if (job.payload !== "hang") return;
        running.resolve();
        await new Promise((resolve) => job.signal.addEventListener("abort", resolve));
      },
      { drain: 0 },
    );
    const { id: dead } = await queue.add("dead");
    expect(await told(3)).toEqual(["added", "started", "dead"]);
    await queue.retry(dead);
    expect(await told(3)).toEqual(["retried", "started", "dead"]);
    for (const payload of ["progress", "long progress"]) {
      await queue.add(payload);
      const [, , progress, completed] = await take(events, 4);
      expect(completed!.type).toBe("completed");
      const value = payload === "progress" ? { part: 0.5 } : undefined;
      expect(progress).toMatchObject({ type: "progress", value });
    }
    await queue.add("commit");
    expect(await told(3)).toEqual(["added", "started", "completed"]);
    await queue.add("x", { expires: 1, delay: 20 });
    expect(await told(2)).toEqual(["added", "expired"]);
    const { id: hung } = await queue.add("hang");
    await running.promise;
    await queue.cancel(hung);
    expect(await told(3)).toEqual(["added", "started", "cancelled"]);
    await queue.add("hang");
    expect(await told(2)).toEqual(["added", "started"]);
    await worker.close();
    expect(await told(1)).toEqual(["released"]);
  });

  it("tells of jobs that are claimed by hand, or many at once", async () => {
    const queue = hf.queue<string>(randomUUID(), OPTIONS);
    await using events = queue.events({ poll: LONG });
    await events.ready;
    await queue.add("a");
    const [job] = await queue.claim({ consumer: "gateway" });
    await job!.progress(0.5);
    await job!.complete();
    const told = await take(events, 4);
    expect(types(told)).toEqual(["added", "started", "progress", "completed"]);
    expect(told[1]).toMatchObject({ job: job!.id, worker: expect.stringMatching(/^gateway:/) });
    await queue.addMany(["b", "c"]);
    await using _worker = queue.workMany(() => undefined, { size: 2 });
    expect(types(await take(events, 6))).toEqual(["added", "added", "started", "started", "completed", "completed"]);
  });

  it("goes on behind a cursor", async () => {
    const queue = hf.queue<number>(randomUUID(), OPTIONS);
    const added = await queue.addMany(Array.from({ length: 500 }, (_, at) => at));
    await using all = queue.events({ from: "start", poll: LONG });
    const told = await take(all, 500);
    expect(told.map(jobOf)).toEqual(added.map(({ id }) => id));
    const at = 123;
    await using rest = hf.queue<number>(queue.name, OPTIONS).events({ from: told[at]!.cursor, poll: LONG });
    expect(await take(rest, 376)).toEqual(told.slice(at + 1));
    const next = rest.next();
    await queue.add(1);
    expect(types([(await next).value!])).toEqual(["added"]);
    // From now on, by default.
    await using late = queue.events({ poll: LONG });
    await late.ready;
    await queue.add(2);
    expect((await take(late, 1))[0]).toEqual((await take(all, 2))[1]);
  });

  it("says what it has missed", async () => {
    const queue = hf.queue<number>(randomUUID(), { events: { max: 100 } });
    await using reader = queue.events({ poll: LONG });
    await reader.ready;
    await queue.addMany(Array.from({ length: 1_000 }, (_, at) => at));
    const [gap, ...rest] = await take(reader, 2);
    expect(gap).toMatchObject({ type: "gap", missed: expect.any(Number) });
    const { missed, cursor } = gap as { missed: number; cursor: string };
    await using again = queue.events({ from: cursor, poll: LONG });
    const kept = await take(again, 1_000 - missed);
    expect(kept.every(({ type }) => type === "added")).toBe(true);
    expect(kept[0]).toEqual(rest[0]);
    // A node of a stream is trimmed as a whole.
    expect(kept.length).toBeGreaterThanOrEqual(100);
    expect(kept.length).toBeLessThan(300);
  });

  it("says that all is gone", async () => {
    const queue = hf.queue<number>(randomUUID(), OPTIONS);
    await using reader = queue.events({ from: "start", poll: 50 });
    await queue.addMany([1, 2, 3]);
    await take(reader, 3);
    await queue.obliterate();
    expect(await take(reader, 1)).toMatchObject([{ type: "gap", missed: undefined }]);
    await queue.add(1);
    expect(types(await take(reader, 1))).toEqual(["added"]);
  });

  it("merges partitions, each in its order", async () => {
    const queue = hf.queue<number>(randomUUID(), { ...OPTIONS, partitions: 3 });
    await using reader = queue.events({ poll: LONG });
    await reader.ready;
    await using _worker = queue.work(() => undefined);
    for (let at = 0; at < 30; at += 1) await queue.add(at, { key: `k${at % 5}` });
    const told = await take(reader, 90);
    const added = new Set(told.map(jobOf));
    expect(added.size).toBe(30);
    for (const job of added) {
      const own = told.filter((event) => jobOf(event) === job);
      expect(types(own)).toEqual(["added", "started", "completed"]);
    }
    // From any place in between, of each of the partitions.
    await using rest = queue.events({ from: told[40]!.cursor, poll: LONG });
    const others = await take(rest, 49);
    const key = (event: QueueEvent): string => `${event.type} ${jobOf(event)}`;
    expect(others.map(key).sort()).toEqual(told.slice(41).map(key).sort());
    expect(() => hf.queue(queue.name, OPTIONS).events({ from: told[0]!.cursor })).toThrow(/as many partitions/);
  });

  it("tells of schedules, flows and unique keys", async () => {
    const queue = hf.queue<string>(randomUUID(), OPTIONS);
    await using reader = queue.events({ poll: LONG });
    await reader.ready;
    await queue.add("a", { unique: { key: "k", mode: "replace" } });
    await queue.add("b", { unique: { key: "k", mode: "replace" } });
    expect(types(await take(reader, 2))).toEqual(["added", "updated"]);
    await queue.drain();
    await queue.add("parent", { id: "p", children: [queue.child("c", { name: "child" })] });
    const flow = await take(reader, 3);
    expect(flow).toMatchObject([{ type: "removed" }, { type: "added", job: "p" }, { type: "added", name: "child" }]);
    await using worker = queue.work(() => {
      throw new Discard("no");
    });
    expect(types(await take(reader, 3))).toEqual(["started", "dead", "dead"]);
    await worker.close();
    await queue.flows.retry("p");
    expect(types(await take(reader, 2)).sort()).toEqual(["retried", "retried"]);
    await queue.schedules.set("s", { every: "1h", payload: "x" });
    await queue.schedules.runNow("s");
    expect(types(await take(reader, 1))).toEqual(["added"]);
  });

  it("ends with its signal, by return and with the handle", async () => {
    const other = await connect(url, { ...options, prefix: `qe-${randomUUID()}` });
    const queue = other.queue<number>("q", OPTIONS);
    const stop = new AbortController();
    const readers = [queue.events({ signal: stop.signal }), queue.events(), queue.events(), queue.events()] as const;
    const ends = readers.map((reader) => reader.next());
    stop.abort();
    await readers[1].return();
    await readers[2].close();
    expect(await Promise.all(ends.slice(0, 3))).toEqual([1, 2, 3].map(() => ({ value: undefined, done: true })));
    await other.close();
    expect(await ends[3]).toEqual({ value: undefined, done: true });
    expect(() => queue.events()).toThrow(/closed/);
    expect(await readers[3].next()).toEqual({ value: undefined, done: true });
    expect(await hf.queue("q", OPTIONS).events({ signal: AbortSignal.abort() }).next()).toMatchObject({ done: true });
  });

  it("notes nothing for a queue without it", async () => {
    const queue = hf.queue<number>(randomUUID());
    expect(() => queue.events()).toThrow(/events/);
    await using worker = queue.work(() => undefined);
    await queue.addMany([1, 2, 3]);
    await until("all are done", () => worker.stats().completed === 3);
    const { events, eventsMax, watched } = new QueueKeys(new Keyspace(prefix).group("queue", queue.name));
    for (const key of [events, eventsMax, watched]) expect(await hf.command("EXISTS", key)).toBe(0);
  });

  it("passes over a value that it has no key for", async () => {
    const name = randomUUID();
    const encrypt = { keys: { a: Buffer.alloc(32, 1) }, current: "a" };
    const queue = hf.queue<number>(name, { ...OPTIONS, encrypt });
    await using worker = queue.work((job) => job.progress("half"));
    await queue.add(1);
    await until("it is done", () => worker.stats().completed === 1);
    await using reader = hf.queue<number>(name, OPTIONS).events({ from: "start" });
    expect((await take(reader, 4))[2]).toMatchObject({ type: "progress", value: undefined });
  });
});
