// What could go wrong, and the test for each:
// - jobs that are added one by one leave a key each ................ "remembers some hundred calls of a producer in one small key"
// - ids are longer than what one size class of the server holds .... the same
// - each job of a claim costs the server a walk past the others .... "keeps what a busy worker runs in a skip list"
// - jobs in bulk overtake others, as they take no part in merging ... "adds in bulk behind what was added before"
// - a job that a handler adds as it ends wakes its own worker ..... "claims what a handler adds with the round that acknowledges it"
// - runs that end together are acknowledged one by one ............. "acknowledges what ends together with one round"
import { randomUUID } from "node:crypto";
import { describe, expect, it, vi } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { Deferred } from "../base/deferred.ts";
import { connect } from "../connect.ts";
import { claim } from "./scripts.gen.ts";

describe.each(backends("standalone", "embedded"))("what a queue costs [$name]", ({ url, options }) => {
  it("remembers some hundred calls of a producer in one small key, which expires", async () => {
    const prefix = `qc-${randomUUID()}`;
    await using hf = await connect(url, { ...options, prefix });
    const queue = hf.queue<number>("jobs");
    const ids: string[] = [];
    for (let at = 0; at < 600; at += 1) ids.push((await queue.add(at, { priority: at % 2 === 0 ? "high" : "low" })).id);
    const mixed = await Promise.all(
      Array.from({ length: 250 }, (_, at) => queue.add(at, { priority: at % 3 === 0 ? "low" : "normal" })),
    );
    ids.push(...mixed.map(({ id }) => id));
    expect(new Set(ids).size).toBe(850);
    expect(Math.max(...ids.map((id) => id.length))).toBeLessThanOrEqual(14);
    const keys: string[] = [];
    for await (const page of hf.scan("queue:{jobs}:op:")) keys.push(...page);
    expect(keys).toHaveLength(2);
    for (const key of keys) {
      expect(await hf.command("PTTL", key)).toBeGreaterThan(30_000);
      expect(await hf.command("STRLEN", key)).toBeLessThanOrEqual(64);
    }
    const seen: string[] = [];
    for await (const { priority, payload } of queue.entries({ state: "waiting" })) seen.push(`${priority} ${payload}`);
    const single = (odd: number): number[] => Array.from({ length: 300 }, (_, at) => at * 2 + odd);
    const many = Array.from({ length: 250 }, (_, at) => at);
    expect(seen).toEqual([
      ...single(0).map((at) => `high ${at}`),
      ...many.filter((at) => at % 3 !== 0).map((at) => `normal ${at}`),
      ...single(1).map((at) => `low ${at}`),
      ...many.filter((at) => at % 3 === 0).map((at) => `low ${at}`),
    ]);
  });

  it("keeps what a busy worker runs in a skip list, and nothing else in it", async () => {
    const prefix = `qc-${randomUUID()}`;
    await using hf = await connect(url, { ...options, prefix });
    const queue = hf.queue<number>("jobs");
    const [allRun, release] = [new Deferred<void>(), new Deferred<void>()];
    let running = 0;
    await queue.addMany(Array.from({ length: 20 }, (_, at) => at));
    await using worker = queue.work(
      () => {
        running += 1;
        if (running === 20) allRun.resolve();
        return release.promise;
      },
      { concurrency: 20 },
    );
    await allRun.promise;
    const keys: string[] = [];
    for await (const page of hf.scan("queue:{jobs}:active:")) keys.push(...page);
    expect(keys).toHaveLength(1);
    expect(await hf.command("ZCARD", keys[0]!)).toBe(20);
    expect(String(await hf.command("OBJECT", "ENCODING", keys[0]!))).toBe("skiplist");
    expect(await queue.counts()).toMatchObject({ active: 20 });
    release.resolve();
    await worker.close();
    expect(worker.stats()).toMatchObject({ completed: 20, lost: 0 });
  });

  it("adds in bulk behind what was added before, and in front of what is added after", async () => {
    const prefix = `qc-${randomUUID()}`;
    await using hf = await connect(url, { ...options, prefix });
    const queue = hf.queue<number>("jobs");
    const numbers = Array.from({ length: 460 }, (_, at) => at);
    const added = [queue.add(0), queue.addMany(numbers.slice(1, 459)), queue.add(459)].map(async (adding) => adding);
    const results = (await Promise.all(added)).flat();
    expect(new Set(results.map(({ id }) => id)).size).toBe(460);
    const seen: unknown[] = [];
    for await (const { payload } of queue.entries({ state: "waiting" })) seen.push(payload);
    expect(seen.slice(0, 401)).toEqual(numbers.slice(0, 401));
    expect(seen.toSorted((a, b) => Number(a) - Number(b))).toEqual(numbers);
  });

  it("claims what a handler adds with the round that acknowledges it", async () => {
    const prefix = `qc-${randomUUID()}`;
    await using hf = await connect(url, { ...options, prefix });
    const queue = hf.queue<number>("jobs");
    const scripts = vi.spyOn(hf.driver, "script");
    const allRan = new Deferred<void>();
    await using worker = queue.work(
      ({ payload: left }) => {
        if (left === 0) return allRan.resolve();
        queue.add(left - 1).catch(allRan.reject);
      },
      { concurrency: 1 },
    );
    await queue.add(50);
    await allRan.promise;
    await worker.close();
    expect(worker.stats()).toMatchObject({ completed: 51 });
    // A few more are of the beginning and the end.
    expect(scripts.mock.calls.filter(([script]) => script === claim).length).toBeLessThan(60);
  });

  it("acknowledges what ends together with one round", async () => {
    const prefix = `qc-${randomUUID()}`;
    await using hf = await connect(url, { ...options, prefix });
    const queue = hf.queue<number>("jobs");
    const [allRun, release] = [new Deferred<void>(), new Deferred<void>()];
    let running = 0;
    await queue.addMany(Array.from({ length: 20 }, (_, at) => at));
    await using worker = queue.work(
      async ({ payload }) => {
        running += 1;
        if (running === 20) allRun.resolve();
        await release.promise;
        // As timers that end in the same millisecond, one after the other.
        for (let ticks = payload; ticks > 0; ticks -= 1)
          await new Promise<void>((resolve) => process.nextTick(resolve));
      },
      { concurrency: 20 },
    );
    await allRun.promise;
    const scripts = vi.spyOn(hf.driver, "script");
    release.resolve();
    await worker.close();
    const acknowledgements = scripts.mock.calls.filter(([script, , args]) => script === claim && args.length > 8);
    expect(acknowledgements).toHaveLength(1);
    expect(worker.stats()).toMatchObject({ completed: 20, lost: 0 });
  });
});
