// What could go wrong, and the test for each:
// - a step that is done is done again after a failure ......... "does a finished step once over all runs"
// - ... or after the death of its worker ....................... "goes on where a dead worker stopped"
// - a step of a lost claim is remembered ....................... "remembers nothing for a claim that is over"
// - a job that is given up leaves half of its work behind ...... "undoes in reverse ..."
// - ... or stops undoing where undoing fails, or its worker dies "goes on undoing ..."
// - a wait holds a slot, uses an attempt, or is forgotten ...... "sleeps ...", "waits for a signal ..."
// - a signal comes before it is waited for ..................... "keeps a signal that came early"
// - a long job starts again from its first item ................ "iterates ..."
// - what is remembered outlives the job ........................ "leaves nothing behind"
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { until } from "../../../test/support/until.ts";
import { Deferred } from "../../base/deferred.ts";
import { connect } from "../../connect.ts";
import type { Holdfast } from "../../holdfast.ts";
import { Discard } from "../failure.ts";

describe.each(backends())("steps [$name]", ({ url, options }) => {
  let hf: Holdfast;
  beforeAll(async () => {
    hf = await connect(url, { ...options, prefix: `q-${randomUUID()}` });
  });
  afterAll(() => hf.close());

  const fresh = (settings = {}) =>
    hf.queue<string>(randomUUID(), { backoff: { delay: 1, jitter: 0 }, attempts: 3, ...settings });

  it("does a finished step once over all runs, and returns what it returned", async () => {
    const queue = fresh();
    const done: string[] = [];
    await using _worker = queue.work(async (job) => {
      const charged = await job.step("charge", () => {
        done.push("charge");
        return { amount: 5 };
      });
      const nothing = await job.step("notify", () => void done.push("notify"));
      if (job.attempt < 3) throw new Error("not yet");
      return [charged, nothing === undefined];
    });
    const job = await queue.add("order", { result: true });
    expect(await job.result()).toEqual({ status: "ok", value: [{ amount: 5 }, true] });
    expect(done).toEqual(["charge", "notify"]);
  });

  it("refuses a second step of one name in one run, and names that are none", async () => {
    const queue = fresh({ attempts: 1 });
    await using _worker = queue.work(async (job) => {
      await job.step("a", () => 1);
      await job.step(job.payload, () => 2);
    });
    for (const name of ["a", ""]) {
      const job = await queue.add(name, { result: true });
      expect(await job.result()).toMatchObject({ status: "dead", message: expect.stringContaining("name") });
    }
  });

  it("remembers nothing for a claim that is over", async () => {
    const queue = fresh();
    const held = new Deferred<undefined>();
    const claimed = new Deferred<undefined>();
    const ended = new Deferred<unknown>();
    const slow = queue.work(
      async (job) => {
        claimed.resolve(undefined);
        await held.promise;
        await job.step("late", () => "late").catch((error: unknown) => ended.resolve(error));
      },
      { drain: 0 },
    );
    await queue.add("order", { id: "one" });
    await claimed.promise;
    const closing = slow.close();
    await closing;
    held.resolve(undefined);
    expect(await ended.promise).toMatchObject({ code: "LEASE_LOST" });
    const again: string[] = [];
    await using worker = queue.work(async (job) => {
      await job.step("late", () => void again.push("done here"));
    });
    await until("it is done", () => worker.stats().completed === 1);
    expect(again).toEqual(["done here"]);
  });

  it("undoes in reverse, once each, what a job did that is given up; then it is dead for its own reason", async () => {
    const queue = fresh({ attempts: 2 });
    const log: string[] = [];
    await using worker = queue.work(async (job) => {
      await job.step("reserve", () => void log.push("reserve"));
      await job.compensate("release", () => log.push("release"));
      await job.step("charge", () => void log.push("charge"));
      await job.compensate("refund", () => log.push("refund"));
      await job.step("ship", () => {
        log.push("ship");
        if (job.payload === "discard") throw new Discard("no such address");
        throw new Error("no lorry");
      });
    });
    const job = await queue.add("order", { result: true });
    expect(await job.result()).toEqual({ status: "dead", message: "no lorry" });
    expect(log).toEqual(["reserve", "charge", "ship", "ship", "refund", "release"]);
    expect((await queue.dead.page()).jobs).toMatchObject([{ failures: 2, history: [{}, { message: "no lorry" }] }]);
    log.length = 0;
    const other = await queue.add("discard", { result: true });
    expect(await other.result()).toEqual({ status: "dead", message: "no such address" });
    expect(log).toEqual(["reserve", "charge", "ship", "refund", "release"]);
    expect(worker.stats()).toMatchObject({ dead: 2 });
  });

  it("goes on undoing where that failed, with attempts of its own", async () => {
    const queue = fresh({ attempts: 2 });
    const log: string[] = [];
    await using _worker = queue.work(async (job) => {
      await job.compensate("first", () => log.push("first"));
      await job.compensate("second", () => {
        log.push("second");
        if (log.filter((word) => word === "second").length < 2) throw new Error("bank is down");
      });
      await job.compensate("third", () => log.push("third"));
      throw new Discard("given up");
    });
    const job = await queue.add("order", { result: true });
    expect(await job.result()).toMatchObject({ status: "dead" });
    expect(log).toEqual(["third", "second", "second", "first"]);
  });

  it("a job with nothing to undo is dead at once, and a redriven one starts from the beginning", async () => {
    const queue = fresh({ attempts: 1 });
    let runs = 0;
    await using _worker = queue.work(async (job) => {
      await job.step("count", () => (runs += 1));
      throw new Error("no");
    });
    await queue.add("order");
    await until("it is dead", async () => (await queue.counts()).dead === 1);
    expect(runs).toBe(1);
    await queue.dead.redriveAll();
    await until("it has run again", () => runs === 2);
  });

  it("sleeps without a slot and without using an attempt", async () => {
    const queue = fresh({ attempts: 1 });
    const log: string[] = [];
    await using worker = queue.work(
      async (job) => {
        if (job.payload === "other") return void log.push("other");
        await job.step("before", () => void log.push("before"));
        await job.sleep("nap", 300);
        log.push(`after ${job.attempt}`);
      },
      { concurrency: 1, poll: 100 },
    );
    await queue.add("sleeper");
    await until("it sleeps", async () => (await queue.counts()).delayed === 1);
    await queue.add("other");
    await until("both are done", () => worker.stats().completed === 2);
    expect(log).toEqual(["before", "other", "after 1"]);
  });

  it("waits for a signal without a slot, keeps one that came early, and gives up in time", async () => {
    const queue = fresh();
    await using _worker = queue.work(
      async (job) => [
        await job.waitFor("approved"),
        await job.waitFor("priced"),
        await job.waitFor("never", { timeout: 50 }),
      ],
      { concurrency: 1, poll: 100 },
    );
    const job = await queue.add("order", { result: true });
    expect(await queue.signal(job.id, "priced", { amount: 5 })).toEqual({ status: "ok" });
    await until("it waits", async () => (await queue.counts()).delayed === 1);
    expect(await queue.signal(job.id, "approved")).toEqual({ status: "ok" });
    expect(await job.result()).toEqual({
      status: "ok",
      value: [{ status: "ok" }, { status: "ok", value: { amount: 5 } }, { status: "expired" }],
    });
    expect(await queue.signal(job.id, "approved")).toEqual({ status: "missing" });
  });

  it("iterates on from where it was, after a failure and after its worker closed", async () => {
    const queue = fresh();
    const items = Array.from({ length: 100 }, (_, at) => at);
    const source = (after: number | undefined) =>
      items.filter((item) => item > (after ?? -1)).map((at) => [at, at] as const);
    const seen: number[] = [];
    const half = new Deferred<undefined>();
    const handler = (stopAt: number) => async (job: { iterate: Function; attempt: number }) => {
      await job.iterate("rows", source, async (item: number) => {
        await new Promise(setImmediate);
        if (item === 20 && job.attempt === 1) throw new Error("row 20");
        seen.push(item);
        if (item === stopAt) half.resolve(undefined);
      });
    };
    const first = queue.work(handler(50));
    await queue.add("export");
    await half.promise;
    await first.close();
    expect(first.stats()).toMatchObject({ completed: 0, failed: 1 });
    await using second = queue.work(handler(-1));
    await until("it is done", () => second.stats().completed === 1);
    expect(seen).toEqual(items);
  });

  it("leaves nothing behind", async () => {
    const queue = fresh();
    await using worker = queue.work(async (job) => {
      await job.step("a", () => 1);
      await job.compensate("b", () => 1);
      await job.sleep("c", 1);
    });
    await queue.add("order");
    await until("it is done", () => worker.stats().completed === 1);
    await worker.close();
    const parts: string[] = [];
    for await (const keys of hf.scan(`queue:{${queue.name}}`)) parts.push(...keys.map((key) => key.split("}:")[1]!));
    expect(parts.filter((part) => !/^(op|totals|minute|seen)\b/.test(part))).toEqual([]);
  });
});
