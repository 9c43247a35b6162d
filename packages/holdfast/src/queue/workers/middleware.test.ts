// What could go wrong, and the test for each:
// - the order is not the one that was given ................... "the first is the outermost, around add and around run"
// - some ways to add or to run a job pass it by ............... "stands around ..."
// - it cannot change or refuse what is added .................. "add may change ...", "add may refuse ..."
// - what a middleware adds is not checked as what a user adds .. "what it makes of a job is checked"
// - a failure, a result or the end of a run is lost ........... "run may change ...", "a run that is to go on later ..."
// - next() is called twice, or its result is forgotten ........ "calls next() once", "is to return ..."
// - one job of many keeps the others waiting .................. "one of many that is refused ..."
import { AsyncLocalStorage } from "node:async_hooks";
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { until } from "../../../test/support/until.ts";
import { connect } from "../../connect.ts";
import type { Holdfast } from "../../holdfast.ts";
import { Discard } from "../failure.ts";
import type { QueueMiddleware } from "./middleware.ts";

describe.each(backends("standalone", "cluster", "embedded"))("middleware [$name]", ({ url, options }) => {
  let hf: Holdfast;
  beforeAll(async () => {
    hf = await connect(url, { ...options, prefix: `q-${randomUUID()}` });
  });
  afterAll(() => hf.close());

  const fresh = (...middleware: QueueMiddleware<number, number>[]) =>
    hf.queue<number, number>(randomUUID(), { attempts: 1 }).use(...middleware);

  it("the first is the outermost, around add and around run", async () => {
    const seen: string[] = [];
    const noting = (name: string): QueueMiddleware<number, number> => ({
      add: async ({ payload }, next) => {
        seen.push(`${name} adds ${payload}`);
        const added = await next();
        seen.push(`${name} added ${added.status}`);
        return added;
      },
      run: async ({ payload }, next) => {
        seen.push(`${name} runs ${payload}`);
        const result = await next();
        seen.push(`${name} ran ${result}`);
        return result;
      },
    });
    const queue = fresh(noting("outer"), noting("inner"));
    const job = await queue.add(1, { result: true });
    expect(seen.splice(0)).toEqual(["outer adds 1", "inner adds 1", "inner added ok", "outer added ok"]);
    await using _worker = queue.work(({ payload }) => payload + 1);
    expect(await job.result({ timeout: "20s" })).toEqual({ status: "ok", value: 2 });
    expect(seen).toEqual(["outer runs 1", "inner runs 1", "inner ran 2", "outer ran 2"]);
  });

  it("stands around each job of addMany, flows, and what schedules and batches add", async () => {
    const [added, ran]: [number[], number[]] = [[], []];
    const queue = fresh({
      add: (job, next) => {
        added.push(job.payload);
        return next();
      },
      run: (job, next) => {
        ran.push(job.payload);
        return next();
      },
    });
    await queue.addMany([1, 2]);
    await queue.add(3, { children: [queue.child(4)] });
    await queue.schedules.set("once", { every: "1d", payload: 5 });
    await queue.schedules.runNow("once");
    const batch = queue.batch({ onComplete: 6 });
    await batch.close();
    await using _worker = queue.work(({ payload }) => payload, { poll: "100ms" });
    await until("all have run", () => ran.length === 6);
    expect(added).toEqual([1, 2, 3]);
    expect(new Set(ran)).toEqual(new Set([1, 2, 3, 4, 5, 6]));
  });

  it("stands around handlers by name, of several queues, and in threads", async () => {
    const ran: string[] = [];
    const noting = (kind: string): QueueMiddleware<number, number> => ({
      run: (job, next) => {
        ran.push(`${kind} ${job.payload}`);
        return next();
      },
    });
    const [named, shared, threaded] = [fresh(noting("named")), fresh(noting("shared")), fresh(noting("threaded"))];
    await named.add(1, { name: "one" });
    await shared.add(2);
    const job = await threaded.add(3, { result: true });
    const source = "export default ({ payload }) => payload * 2;";
    await using _one = named.work({ one: ({ payload }) => payload });
    await using _two = hf.work([shared.with(({ payload }) => payload)]);
    await using _three = threaded.work(new URL(`data:text/javascript,${encodeURIComponent(source)}`));
    expect(await job.result({ timeout: "20s" })).toEqual({ status: "ok", value: 6 });
    await until("all have run", () => ran.length === 3);
    expect(new Set(ran)).toEqual(new Set(["named 1", "shared 2", "threaded 3"]));
  });

  it("add may change the payload and the options; what it makes of a job is checked", async () => {
    const queue = fresh({
      add: ({ payload, options: given }, next) =>
        next({
          payload: payload + 1,
          options: { ...given, tags: ["seen"], priority: payload < 0 ? ("no" as never) : "high" },
        }),
    });
    const { id } = await queue.add(1, { attempts: 2 });
    expect(await queue.get(id)).toMatchObject({ payload: 2, tags: ["seen"], priority: "high" });
    await expect(queue.add(-1)).rejects.toMatchObject({ field: "priority" });
    await expect(queue.add(1, { nome: "a" } as never)).rejects.toThrow(/nome/);
  });

  it("add may refuse a job, which is its adder's error; others of addMany are added", async () => {
    const queue = fresh({
      add: (job, next) => (job.payload < 0 ? Promise.reject(new RangeError("too small")) : next()),
    });
    await expect(queue.add(-1)).rejects.toThrow("too small");
    await expect(queue.addMany([1, -1, 2])).rejects.toThrow("too small");
    await until("the others are there", async () => (await queue.counts()).waiting === 2);
  });

  it("run may change the result, answer itself, and map errors", async () => {
    const queue = fresh({
      run: async (job, next) => {
        if (job.payload === 1) return 100;
        try {
          return (await next()) * 2;
        } catch {
          throw new Discard("mapped");
        }
      },
    });
    const jobs = await queue.addMany([1, 2, 3], { result: true });
    const runs: number[] = [];
    await using _worker = queue.work(({ payload }) => {
      runs.push(payload);
      if (payload === 3) throw new Error("no");
      return payload;
    });
    expect(await Promise.all(jobs.map((job) => job.result({ timeout: "20s" })))).toMatchObject([
      { status: "ok", value: 100 },
      { status: "ok", value: 4 },
      { status: "dead", message: "mapped" },
    ]);
    expect(runs).toEqual([2, 3]);
  });

  it("carries what belongs to a tenant from its adder to its handler", async () => {
    const tenants = new AsyncLocalStorage<string>();
    const queue = fresh({
      add: ({ payload, options: given }, next) => next({ payload, options: { ...given, tags: [tenants.getStore()!] } }),
      run: (job, next) => tenants.run(job.tags[0]!, next),
    });
    await Promise.all(["ada", "bob"].map((tenant, at) => tenants.run(tenant, () => queue.add(at))));
    const seen: [number, string | undefined][] = [];
    await using _worker = queue.work(async ({ payload }) => {
      await new Promise(setImmediate);
      seen.push([payload, tenants.getStore()]);
      return payload;
    });
    await until("both ran", () => seen.length === 2);
    expect(new Map(seen)).toEqual(
      new Map([
        [0, "ada"],
        [1, "bob"],
      ]),
    );
  });

  it("a run that is to go on later does, whatever a middleware makes of its error", async () => {
    let runs = 0;
    const queue = fresh({ run: async (_, next) => next().catch(() => -1) });
    const job = await queue.add(1, { result: true });
    await using _worker = queue.work(
      async (each) => {
        runs += 1;
        await each.sleep("a while", 1);
        return each.payload;
      },
      { poll: "50ms" },
    );
    expect(await job.result({ timeout: "20s" })).toEqual({ status: "ok", value: 1 });
    expect(runs).toBe(2);
  });

  it("one of many that is refused, or comes late, keeps its own outcome; the others run together", async () => {
    const queue = fresh({
      run: async (job, next) => {
        if (job.payload === 2) throw new Error("refused");
        if (job.payload === 3) await new Promise(setImmediate);
        return (await next()) + 1;
      },
    });
    const jobs = await queue.addMany([1, 2, 3, 4], { result: true });
    const calls: number[][] = [];
    await using _worker = queue.workMany(
      (many) => {
        calls.push(many.map(({ payload }) => payload));
        return many.map(({ payload }) => payload * 10);
      },
      { size: 4, linger: "1h" },
    );
    expect(await Promise.all(jobs.map((job) => job.result({ timeout: "20s" })))).toMatchObject([
      { status: "ok", value: 11 },
      { status: "dead", message: "refused" },
      { status: "ok", value: 31 },
      { status: "ok", value: 41 },
    ]);
    expect(calls).toEqual([[1, 3, 4]]);
  });

  it("calls next() once, and is to return what it does", async () => {
    const twice = fresh({
      add: async (_, next) => {
        await next();
        return next();
      },
    });
    await expect(twice.add(1)).rejects.toMatchObject({ code: "CONFLICT" });
    expect(await twice.counts()).toMatchObject({ waiting: 1 });
    const forgetful = fresh({
      add: (async (_: unknown, next: () => Promise<unknown>) => void (await next())) as never,
    });
    await expect(forgetful.add(1)).rejects.toMatchObject({ field: "middleware.add" });
  });

  it("refuses what is none, in the queue's name", () => {
    const queue = fresh();
    const wrong = (given: unknown) => expect(() => queue.use(given as never)).toThrow(`queue "${queue.name}": `);
    wrong({});
    wrong(undefined);
    wrong(() => undefined);
    wrong({ add: 1 });
    wrong({ run: "x" });
    wrong({ ran: () => undefined });
  });
});
