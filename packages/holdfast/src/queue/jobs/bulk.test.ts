// What could go wrong, and the test for each:
// - the wrong jobs are changed, or by a dry run ............... "cancels, retries and removes what matches"
// - a filter and a claim at once: a running job is removed .... "leaves alone what has started meanwhile"
// - draining drops what runs, or keeps ids and keys taken ..... "drain: ..."
// - it goes on for ever where jobs are added all the time ..... "drain: ends although ..."
// - there is more than one script may look at ................ "pages, drains and obliterates jobs of more groups ..."
// - what runs is obliterated unasked, or acknowledged later ... "obliterate: ..."
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { until } from "../../../test/support/until.ts";
import { Deferred } from "../../base/deferred.ts";
import { connect } from "../../connect.ts";
import type { Holdfast } from "../../holdfast.ts";
import { Discard } from "../failure.ts";

describe.each(backends())("many jobs at once [$name]", ({ url, options }) => {
  let hf: Holdfast;
  beforeAll(async () => {
    hf = await connect(url, { ...options, prefix: `q-${randomUUID()}` });
  });
  afterAll(() => hf.close());

  const fresh = (settings = {}) => hf.queue<number>(randomUUID(), settings);
  const numbers = (count: number): number[] => Array.from({ length: count }, (_, at) => at);

  it.each([1, 3])("cancels, retries and removes what matches, after a dry run (partitions: %i)", async (partitions) => {
    const queue = fresh({ partitions, attempts: 1, keep: { completed: "1h" } });
    await queue.addMany(numbers(620), { tags: ["a", "b"] });
    await queue.addMany(numbers(30), { tags: ["b"], delay: "1h" });
    const tagged = queue.where({ state: "waiting", tag: "a" });
    expect(await tagged.cancel("no", { dryRun: true })).toEqual({ matched: 620, changed: 0 });
    expect(await queue.where({ state: "waiting", tag: "c" }).cancel()).toEqual({ matched: 0, changed: 0 });
    expect(await queue.where({ state: "delayed", olderThan: "1h" }).remove()).toEqual({ matched: 0, changed: 0 });
    expect(await tagged.cancel("no", { limit: 610 })).toEqual({ matched: 610, changed: 610 });
    expect(await queue.counts()).toMatchObject({ delayed: 30 });
    await using worker = queue.work((job) => {
      throw new Discard(job.payload % 2 === 0 ? "even: 12" : "odd");
    });
    await until("they are dead", () => worker.stats().dead === 10);
    let odd = 0;
    for await (const { payload } of queue.entries({ state: "dead" })) odd += payload! % 2;
    // What a search field that was left empty asks for would be all of them.
    expect(() => queue.where({ state: "dead", failure: "" })).toThrow("failure: expected a text that is not empty");
    expect(await queue.where({ state: "dead", failure: "odd" }).remove()).toEqual({ matched: odd, changed: odd });
    const even = queue.where({ state: "dead", failure: /^even: \d+$/g });
    expect(await even.retry()).toEqual({ matched: 10 - odd, changed: 10 - odd });
    await until("they are dead again", () => worker.stats().dead === 20 - odd);
    expect(await queue.dead.redrive({ where: { failure: "odd" } })).toBe(0);
    expect(await queue.clean({ state: "delayed", limit: 12 })).toBe(12);
    expect(await queue.clean({ state: "delayed" })).toBe(18);
    await sleep(5);
    expect(await queue.clean({ state: "dead", olderThan: 1 })).toBe(10 - odd);
    expect(await queue.counts()).toMatchObject({ waiting: 0, delayed: 0, dead: 0, active: 0 });
  });

  it("pages, drains and obliterates jobs of more groups than one call looks at, most of them empty", async () => {
    const queue = fresh();
    // A group without jobs is known for as long as it is paused; their names come before and between the others.
    await Promise.all(numbers(400).map((at) => queue.groups.pause(`g${String(at).padStart(4, "0")}`)));
    const add = () =>
      Promise.all(numbers(300).map((at) => queue.add(at, { group: `g${String(at * 2 + 301).padStart(4, "0")}` })));
    await add();
    const seen: number[] = [];
    for await (const { payload } of queue.entries({ state: "waiting" })) seen.push(payload!);
    expect(seen).toEqual(numbers(300));
    const first = await queue.page({ state: "waiting", limit: 1 });
    expect(first.cursor).toBeDefined();
    expect(await queue.drain()).toBe(300);
    expect(await queue.counts()).toMatchObject({ waiting: 0 });
    await add();
    expect(await queue.obliterate()).toEqual({ status: "ok" });
    expect(await queue.counts()).toMatchObject({ waiting: 0 });
    expect((await queue.groups.page({ limit: 1 })).groups).toEqual([]);
  });

  it("reads a page of more jobs than one script returns", async () => {
    const queue = fresh();
    await queue.addMany(numbers(600));
    const { jobs, cursor } = await queue.page({ state: "waiting", limit: 500 });
    expect(jobs.map(({ payload }) => payload)).toEqual(numbers(500));
    expect((await queue.page({ state: "waiting", cursor, limit: 500 })).jobs).toHaveLength(100);
  });

  it("runs delayed jobs that are due at once, of groups and without, more than one call moves", async () => {
    const queue = fresh();
    const at = new Date(Date.now() - 1_000);
    await queue.addMany(numbers(450), { at });
    await Promise.all(numbers(60).map((of) => queue.add(of, { at, group: `g${of % 7}` })));
    await using worker = queue.work(() => undefined, { concurrency: 50, poll: "1m", lease: "1m" });
    await until("all have run", () => worker.stats().completed === 510);
    expect(await queue.counts()).toMatchObject({ waiting: 0, delayed: 0 });
  });

  it("leaves alone what has started meanwhile", async () => {
    const queue = fresh();
    await queue.addMany(numbers(600));
    const seen = new Set<number>();
    await using worker = queue.work((job) => void seen.add(job.payload), { concurrency: 20 });
    const { changed } = await queue.where({ state: "waiting" }).remove();
    await until("the rest is done", () => worker.stats().completed === 600 - changed);
    expect(seen.size).toBe(600 - changed);
    expect(worker.stats().lost).toBe(0);
  });

  it("drain: drops what waits and is delayed; what runs goes on; ids and keys are free", async () => {
    const queue = fresh();
    const gate = new Deferred<undefined>();
    await queue.add(0);
    await using worker = queue.work(() => gate.promise, { concurrency: 1 });
    await until("one runs", () => worker.running === 1);
    await queue.addMany(numbers(600), { priority: "low" });
    await queue.add(1, { id: "one", unique: "key" });
    await queue.addMany(numbers(300), { delay: "1h" });
    await queue.remove("one");
    await queue.add(1, { id: "one", unique: "key" });
    expect(await queue.drain()).toBe(901);
    expect(await queue.counts()).toMatchObject({ waiting: 0, delayed: 0, active: 1 });
    expect(await queue.drain()).toBe(0);
    expect(await queue.add(2, { id: "one", unique: "key" })).toMatchObject({ status: "ok" });
    gate.resolve(undefined);
    await until("both are done", () => worker.stats().completed === 2);
  });

  it("drain: ends although jobs are added all the time", async () => {
    const queue = fresh();
    await queue.addMany(numbers(2_000));
    const state = { isOver: false };
    const adding = (async () => {
      while (!state.isOver) await queue.addMany(numbers(400));
    })();
    expect(await queue.drain()).toBeGreaterThanOrEqual(2_000);
    state.isOver = true;
    await adding;
  });

  it("obliterate: also jobs that no worker here knows by name", async () => {
    const queue = hf.queue<number>(randomUUID());
    await using worker = queue.work({ other: () => undefined });
    await queue.add(1, { name: "unknown" });
    await until("it is left", async () => (await queue.counts()).unhandled === 1);
    await worker.close();
    expect(await queue.obliterate()).toEqual({ status: "ok" });
    expect(await queue.counts()).toMatchObject({ unhandled: 0, waiting: 0 });
  });

  it("obliterate: not what runs, unless it is forced; then its end changes nothing, and the queue can be used", async () => {
    const queue = fresh({ partitions: 2, keep: { completed: 10 } });
    const gate = new Deferred<undefined>();
    await queue.addMany(numbers(20));
    await using worker = queue.work((job) => (job.payload === 100 ? "new" : gate.promise), {
      concurrency: 2,
      poll: 50,
    });
    await until("some run", () => worker.running === 2);
    expect(await queue.obliterate()).toEqual({ status: "busy" });
    expect((await queue.counts()).waiting).toBe(18);
    await queue.pause();
    expect(await queue.obliterate({ force: true })).toEqual({ status: "ok" });
    expect(await queue.counts()).toMatchObject({ waiting: 0, delayed: 0, active: 0, dead: 0, paused: false });
    gate.resolve(undefined);
    await until("they have ended", () => worker.stats().lost === 2);
    const added = await queue.add(100, { result: true });
    expect(await added.result()).toEqual({ status: "ok", value: "new" });
    expect(await queue.obliterate({ force: true })).toEqual({ status: "ok" });
  });
});
