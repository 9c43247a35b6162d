// What could go wrong, and the test for each:
// - a kind of death is not reported ............................. "reports ... (failure, discard, flow)", "... whose workers died too often"
// - one is reported twice, or by each of several workers ........ "once over all workers and partitions", "... answer is lost"
// - the process that buried the job dies before it has called ... "survives the death of the process that buried the job"
// - a report is run as if it were the dead job .................. "a worker without onDead leaves reports to those with one", "claimed by hand"
// - the dead job is gone by the time ............................ "knows the job although none is kept"
// - its payload cannot be read .................................. "a payload that cannot be read ..."
// - a handler that fails makes reports of reports ............... "a handler that fails is run again, and its own death is no news"
// - what is no death is reported ................................ "is not called for what was cancelled, expired or went well"
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { losingAnswer } from "../../../test/support/lost-answer.ts";
import { type Proxy, type Standalone, startProxy, startStandalone } from "../../../test/support/servers.ts";
import { until } from "../../../test/support/until.ts";
import { Deferred } from "../../base/deferred.ts";
import { connect } from "../../connect.ts";
import type { Holdfast } from "../../holdfast.ts";
import { Discard } from "../failure.ts";
import { settle } from "../scripts.gen.ts";
import type { QueueDeath } from "./deaths.ts";

const numbers = (count: number): number[] => Array.from({ length: count }, (_, at) => at);

describe.each(backends())("deaths [$name]", ({ url, options }) => {
  let hf: Holdfast;
  beforeAll(async () => {
    hf = await connect(url, { ...options, prefix: `q-${randomUUID()}` });
  });
  afterAll(() => hf.close());

  const fresh = (settings = {}) =>
    hf.queue<number>(randomUUID(), { attempts: 1, backoff: { delay: 1, jitter: 0 }, ...settings });

  it("reports what died of its failures, was discarded, or died with a job that it waited for", async () => {
    const queue = fresh({ attempts: 2 });
    const deaths: QueueDeath<number>[] = [];
    await using worker = queue.work(
      ({ payload }) => {
        if (payload === 1) throw new Error("again and again");
        if (payload === 2) throw new Discard("at once");
      },
      { onDead: (death) => void deaths.push(death) },
    );
    const failed = await queue.add(1, { name: "one", tags: ["t"], group: "g" });
    await until("the first is reported", () => deaths.length === 1);
    expect(deaths[0]).toMatchObject({
      id: failed.id,
      payload: 1,
      name: "one",
      group: "g",
      tags: ["t"],
      reason: "again and again",
      failures: 2,
      crashes: 0,
      attempt: 1,
      history: [{ attempt: 1 }, { attempt: 2, message: "again and again" }],
    });
    expect(deaths[0]!.at).toBeGreaterThanOrEqual(deaths[0]!.addedAt);
    await queue.add(3, { id: "parent", children: [queue.child(2)] });
    await until("the others are", () => deaths.length === 3);
    expect(deaths[1]).toMatchObject({ payload: 2, reason: "at once" });
    expect(deaths[2]).toMatchObject({ id: "parent", payload: 3, reason: expect.stringMatching(/waited for is dead/) });
    await until("all are acknowledged", () => worker.stats().completed === 3);
    expect(await queue.counts()).toMatchObject({ dead: 3, waiting: 0 });
  });

  it("once over all workers and partitions", async () => {
    const queue = fresh({ partitions: 3 });
    const deaths: number[] = [];
    const start = () =>
      queue.work(() => Promise.reject(new Error("no")), { onDead: ({ payload }) => void deaths.push(payload) });
    await using one = start();
    await using _other = start();
    await until("both are there", async () => (await queue.counts()).workers >= 2);
    await queue.addMany(numbers(60));
    await queue.add(60, { id: "my own" });
    await until("all are dead", async () => (await queue.counts()).dead === 61);
    await until("all are reported", () => deaths.length >= 61);
    await until("nothing waits", async () => {
      const { waiting, active } = await queue.counts();
      return waiting + active === 0;
    });
    expect(deaths.toSorted((a, b) => a - b)).toEqual(numbers(61));
    await one.close();
  });

  it("a worker without onDead leaves reports to those with one, whatever names it knows", async () => {
    const queue = fresh();
    const runs: number[] = [];
    const fail = ({ payload }: { readonly payload: number }) => {
      runs.push(payload);
      throw new Error("no");
    };
    const reporter = queue.work({ other: () => undefined }, { onDead: () => undefined });
    await until("it is there", async () => (await queue.counts()).workers === 1);
    await reporter.close();
    await using without = queue.work(fail, { poll: "50ms" });
    await using _named = queue.work({ two: fail }, { poll: "50ms" });
    await queue.add(1);
    await until("it is left to others", async () => (await queue.counts()).unhandled === 1);
    await queue.add(2, { name: "two" });
    await until("so is the other", async () => (await queue.counts()).unhandled === 2);
    expect(await queue.claim({ count: 5 })).toEqual([]);
    expect(await queue.counts()).toMatchObject({ unhandled: 2, dead: 2 });
    expect(without.stats().failed).toBeLessThanOrEqual(2);
    const deaths: number[] = [];
    await using _with = queue.work({ other: () => undefined }, { onDead: ({ payload }) => void deaths.push(payload) });
    await until("both are reported", () => deaths.length === 2);
    expect(new Set(deaths)).toEqual(new Set([1, 2]));
    expect(runs.toSorted((a, b) => a - b)).toEqual([1, 2]);
  });

  it("knows the job although none is kept, and shows it as its payload", async () => {
    const queue = fresh({ keep: { dead: { count: 0 } } });
    const seen = new Deferred<QueueDeath<number>>();
    const go = new Deferred<void>();
    await using _worker = queue.work(() => Promise.reject(new Error("no")), {
      onDead: async (death) => {
        seen.resolve(death);
        await go.promise;
      },
    });
    const { id } = await queue.add(7);
    expect(await seen.promise).toMatchObject({ id, payload: 7, reason: "no" });
    expect(await queue.counts()).toMatchObject({ dead: 0 });
    expect((await queue.page({ state: "active" })).jobs).toMatchObject([{ payload: 7 }]);
    go.resolve();
  });

  it("a payload that cannot be read does not keep its job's death from being reported", async () => {
    const name = randomUUID();
    await hf.queue<unknown>(name).add("seven");
    const validate = (value: unknown) =>
      typeof value === "number" ? { value } : { issues: [{ message: "not a number" }] };
    const payload = { "~standard": { version: 1 as const, vendor: "test", validate } };
    const queue = hf.queue<number>(name, { payload, attempts: 1 });
    const death = new Deferred<QueueDeath<number>>();
    await using _worker = queue.work(() => undefined, { onDead: death.resolve });
    const reported = await death.promise;
    expect(reported.reason).toMatch(/does not match the schema/);
    expect(() => reported.payload).toThrow(/does not match the schema/);
  });

  it("a handler that fails is run again, and its own death is no news", async () => {
    const queue = fresh({ attempts: 3 });
    const attempts: number[] = [];
    await using worker = queue.work(() => Promise.reject(new Discard("no")), {
      onDead: ({ attempt }) => {
        attempts.push(attempt);
        throw new Error("neither");
      },
    });
    await queue.add(1);
    await until("both are dead", async () => (await queue.counts()).dead === 2);
    await until("nothing runs", () => worker.running === 0);
    expect(attempts).toEqual([1, 2, 3]);
    expect((await queue.dead.page()).jobs).toMatchObject([
      { payload: 1, history: [{ message: "no" }] },
      { payload: 1, failures: 3 },
    ]);
    expect(await queue.counts()).toMatchObject({ waiting: 0, delayed: 0 });
  });

  it("each death of a job is reported, if it is redriven in between", async () => {
    const queue = fresh();
    const deaths: string[] = [];
    await using _worker = queue.work(() => Promise.reject(new Error("no")), {
      onDead: ({ id }) => void deaths.push(id),
    });
    const { id } = await queue.add(1);
    await until("it is reported", () => deaths.length === 1);
    expect(await queue.dead.redrive([id])).toBe(1);
    await until("and again", () => deaths.length === 2);
    expect(deaths).toEqual([id, id]);
  });

  it("is not called for what was cancelled, expired or went well; and costs nothing where nobody asks", async () => {
    const [queue, plain] = [fresh(), fresh()];
    const deaths: number[] = [];
    await queue.add(1, { expires: new Date(1_000) });
    const cancelled = await queue.add(2, { delay: "1h" });
    await queue.add(3);
    await cancelled.cancel();
    await using worker = queue.work(() => undefined, { onDead: ({ payload }) => void deaths.push(payload) });
    await until("both are over", () => worker.stats().completed === 1 && worker.stats().expired === 1);
    await plain.add(4);
    await using _other = plain.work(() => Promise.reject(new Error("no")));
    await until("it is dead", async () => (await plain.counts()).dead === 1);
    expect(await plain.counts()).toMatchObject({ waiting: 0, unhandled: 0 });
    expect(deaths).toEqual([]);
  });

  it("is there for handlers of many jobs, and for workers of several queues", async () => {
    const [many, several] = [fresh(), fresh()];
    const deaths: string[] = [];
    await using _many = many.workMany(() => Promise.reject(new Error("all")), {
      size: 2,
      linger: "1h",
      onDead: ({ payload, reason }) => void deaths.push(`${payload} ${reason}`),
    });
    const onDead = ({ payload }: QueueDeath<number>) => void deaths.push(`${payload}`);
    await using _several = hf.work([several.with(() => Promise.reject(new Error("no")), { onDead })]);
    await many.addMany([1, 2]);
    await several.add(3);
    await until("all are reported", () => deaths.length === 3);
    expect(new Set(deaths)).toEqual(new Set(["1 all", "2 all", "3"]));
  });

  it("refuses what is no function", () => {
    const queue = fresh();
    const wrong = (work: () => unknown) => expect(work).toThrow(`queue "${queue.name}": onDead: expected a function`);
    wrong(() => queue.work(() => undefined, { onDead: 1 as never }));
    wrong(() => queue.workMany(() => undefined, { onDead: "x" as never }));
    wrong(() => queue.with(() => undefined, { onDead: {} as never }));
  });
});

describe("deaths under faults", () => {
  const prefix = `test-${randomUUID()}`;
  let server: Standalone;
  let proxy: Proxy;
  let hf: Holdfast;
  let direct: Holdfast;
  beforeAll(async () => {
    server = await startStandalone();
    proxy = await startProxy(server);
    const options = { prefix, timeout: "20s", pingInterval: "100ms", pingTimeout: "300ms" } as const;
    [hf, direct] = await Promise.all([connect(proxy.url, options), connect(server.url, { prefix })]);
  });
  afterAll(async () => {
    await Promise.all([hf?.close(), direct?.close()]);
    await proxy?.stop();
    await server?.stop();
  });

  const reporting = (queue: ReturnType<typeof direct.queue<number>>, deaths: QueueDeath<number>[]) =>
    queue.work(() => Promise.reject(new Discard("no")), { poll: 100, onDead: (death) => void deaths.push(death) });

  it("reports once where the answer to the burial is lost", async () => {
    const name = randomUUID();
    const deaths: QueueDeath<number>[] = [];
    const worker = await losingAnswer(proxy, settle, async () => {
      const worker = reporting(hf.queue<number>(name), deaths);
      await direct.queue<number>(name).add(1);
      await until("it is reported", () => deaths.length > 0);
      return worker;
    });
    await worker.close();
    expect(deaths).toHaveLength(1);
    expect(await direct.queue(name).counts()).toMatchObject({ dead: 1, waiting: 0, active: 0 });
  });

  it("survives the death of the process that buried the job", async () => {
    const name = randomUUID();
    const queue = direct.queue<number>(name);
    const lost: QueueDeath<number>[] = [];
    const victim = hf.queue<number>(name, { timeout: "500ms" }).work(
      () => {
        throw new Discard("no");
      },
      {
        lease: "3s",
        poll: 100,
        // The job is buried, and its report has been claimed.
        onDead: (death) => {
          lost.push(death);
          proxy.dropReplies();
          return new Promise((_, reject) =>
            death.signal.addEventListener("abort", () => reject(death.signal.reason as Error)),
          );
        },
      },
    );
    await queue.add(1);
    await until("it was claimed", () => lost.length === 1);
    const deaths: QueueDeath<number>[] = [];
    await using other = reporting(queue, deaths);
    await until("another worker has it", () => deaths.length === 1);
    await until("it is acknowledged", () => other.stats().completed === 1);
    expect(deaths[0]).toMatchObject({ id: lost[0]!.id, payload: 1, reason: "no" });
    expect(await queue.counts()).toMatchObject({ dead: 1, waiting: 0 });
    await proxy.heal();
    await victim.close();
    expect(deaths).toHaveLength(1);
  });

  it("reports a job whose workers died too often", async () => {
    const name = randomUUID();
    const queue = direct.queue<number>(name, { maxCrashes: 0 });
    const running = new Deferred<void>();
    const victim = hf.queue<number>(name, { timeout: "500ms" }).work(
      (job) =>
        new Promise((_, reject) => {
          running.resolve();
          job.signal.addEventListener("abort", () => reject(job.signal.reason as Error));
        }),
      { lease: "3s", poll: 100 },
    );
    await queue.add(7);
    await running.promise;
    proxy.dropReplies();
    const deaths: QueueDeath<number>[] = [];
    await using worker = reporting(queue, deaths);
    await until("it is reported", () => deaths.length === 1);
    expect(deaths[0]).toMatchObject({
      payload: 7,
      crashes: 1,
      failures: 0,
      reason: expect.stringMatching(/died too often/),
    });
    await until("it is acknowledged", () => worker.stats().completed === 1);
    await proxy.heal();
    await victim.close();
    expect(deaths).toHaveLength(1);
  });
});
