// What could go wrong on real connections, and the test for each:
// - the answer to an addition is lost ................ "adds once where the answer is lost"
// - the answer to a claim is lost .................... "runs once what a lost claim has brought"
// - and so is the answer to the call after it ....... "acknowledges what ended although neither ..."
// - a worker is cut off while it runs a job .......... "calls off a run whose lease is over; another worker runs the job, ..."
// - its process stands still, and nobody else is there "a job that was called off is claimed again, ..."
// - a worker stays away after the server was stopped . "goes on when a stopped server does"
import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { losingAnswer } from "../../test/support/lost-answer.ts";
import { type Proxy, type Standalone, startProxy, startStandalone } from "../../test/support/servers.ts";
import { until } from "../../test/support/until.ts";
import { Deferred } from "../base/deferred.ts";
import { connect } from "../connect.ts";
import type { Holdfast } from "../holdfast.ts";
import type { QueueJob } from "./job.ts";
import { add, append, claim } from "./scripts.gen.ts";
import { WorkerStore } from "./worker-store.ts";

/** Long enough that a busy machine renews it in time, short enough to be waited out. */
const LEASE = "3s";

describe("queue under faults", () => {
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

  afterEach(async () => {
    server.resume();
    await proxy.heal();
  });

  afterAll(async () => {
    await Promise.all([hf?.close(), direct?.close()]);
    await proxy?.stop();
    await server?.stop();
  });

  it.each([
    ["plain", append, {}],
    ["particular", add, { unique: "digest" }],
  ])("adds once where the answer is lost (%s)", async (_, script, options) => {
    const name = randomUUID();
    const added = await losingAnswer(proxy, script, () => hf.queue<number>(name).add(1, options));
    expect(added.status).toBe("ok");
    expect(await direct.queue(name).counts()).toMatchObject({ waiting: 1 });
    expect(await direct.queue(name).get(added.id)).toMatchObject({ payload: 1 });
  });

  it("runs once what a lost claim has brought", async () => {
    const name = randomUUID();
    await direct.queue<number>(name).addMany([1, 2, 3]);
    const seen: number[] = [];
    let worker: ReturnType<typeof start> | undefined;
    const start = () => hf.queue<number>(name).work((job) => void seen.push(job.payload));
    await losingAnswer(proxy, claim, async () => {
      worker = start();
      await until("all have run", () => seen.length === 3);
    });
    await until("all are acknowledged", () => worker!.stats().completed === 3);
    await worker!.close();
    expect(seen.toSorted((a, b) => a - b)).toEqual([1, 2, 3]);
    expect(await direct.queue(name).counts()).toMatchObject({ waiting: 0, active: 0, workers: 0 });
  });

  it("acknowledges what ended although neither the call that said so nor the one after it was answered", async () => {
    const name = randomUUID();
    let runs = 0;
    const mayEnd = new Deferred<undefined>();
    const asked = vi.spyOn(WorkerStore.prototype, "claim");
    await using worker = hf.queue<number>(name, { timeout: "500ms" }).work(
      async () => {
        runs += 1;
        await mayEnd.promise;
      },
      { poll: 100 },
    );
    await direct.queue<number>(name).add(1);
    await until("it runs", () => runs === 1);
    proxy.freeze();
    mayEnd.resolve(undefined);
    const failed = (): number => asked.mock.settledResults.filter(({ type }) => type === "rejected").length;
    await until("two calls have failed", () => failed() >= 2);
    proxy.reset();
    await proxy.heal();
    await until("it is acknowledged", async () => (await direct.queue(name).counts()).active === 0);
    asked.mockRestore();
    await until("the worker has heard so", () => worker.stats().completed === 1);
    expect(runs).toBe(1);
    expect(worker.stats().lost).toBe(0);
  });

  it("calls off a run whose lease is over; another worker runs the job, with a crash counted and a higher fence", async () => {
    const name = randomUUID();
    const runs: QueueJob<number>[] = [];
    const cutOff = new Deferred<unknown>();
    const first = hf.queue<number>(name, { timeout: "500ms" }).work(
      (job) =>
        new Promise((_, reject) => {
          runs.push(job);
          job.signal.addEventListener("abort", () => {
            cutOff.resolve(job.signal.reason);
            reject(job.signal.reason as Error);
          });
        }),
      { lease: LEASE, poll: 100 },
    );
    await direct.queue<number>(name).add(7);
    await until("it runs", () => runs.length === 1);
    proxy.dropReplies();
    expect(await cutOff.promise).toMatchObject({ code: "LEASE_LOST", reason: "expired" });
    await using second = direct.queue<number>(name).work((job) => void runs.push(job), { poll: 100 });
    await until("it has run again", () => runs.length === 2);
    expect(runs[1]).toMatchObject({ payload: 7, crashes: 1, attempt: 1 });
    expect(runs[1]!.fence).toBeGreaterThan(runs[0]!.fence);
    await until("it is acknowledged", () => second.stats().completed === 1);
    expect(second.stats().recovered).toBe(1);
    await proxy.heal();
    await first.close();
    expect(first.stats()).toMatchObject({ completed: 0, lost: 1 });
    expect(await direct.queue(name).counts()).toMatchObject({ waiting: 0, active: 0, dead: 0 });
  });

  it("a job that was called off is claimed again, with a higher fence and in a slot of its own, where no other worker has taken it", async () => {
    const name = randomUUID();
    const fences: number[] = [];
    let mostRunning = 0;
    let blocked = false;
    await using worker = direct.queue<string>(name).work(
      (job) => {
        mostRunning = Math.max(mostRunning, worker.running);
        if (job.payload === "blocks" && !blocked) {
          blocked = true;
          // The event loop, for longer than the lease.
          Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_500);
        }
        if (job.payload !== "waits") return;
        fences.push(job.fence);
        if (fences.length > 1) return;
        return new Promise<void>((_, reject) => {
          job.signal.addEventListener("abort", () => reject(job.signal.reason as Error));
        });
      },
      { concurrency: 2, lease: "1s", poll: 100 },
    );
    await direct.queue<string>(name).addMany(["waits", "blocks", "a", "b", "c", "d"]);
    await until("all are acknowledged", () => worker.stats().completed === 6);
    expect(fences[1]).toBeGreaterThan(fences[0]!);
    expect(mostRunning).toBeLessThanOrEqual(2);
    expect(worker.stats()).toMatchObject({ completed: 6, failed: 0, recovered: 0 });
  });

  it("a job whose workers die too often is dead, and its unique key is free", async () => {
    const name = randomUUID();
    const queue = direct.queue<number>(name, { maxCrashes: 0 });
    const running = new Deferred<undefined>();
    const victim = hf.queue<number>(name, { timeout: "500ms" }).work(
      (job) =>
        new Promise((_, reject) => {
          running.resolve(undefined);
          job.signal.addEventListener("abort", () => reject(job.signal.reason as Error));
        }),
      { lease: LEASE, poll: 100 },
    );
    await queue.add(7, { result: true, unique: "once" });
    await running.promise;
    proxy.dropReplies();
    await using _undertaker = queue.work(() => undefined, { poll: 100 });
    await until("it is dead", async () => (await queue.counts()).dead === 1);
    const { jobs } = await queue.dead.page();
    expect(jobs).toMatchObject([{ payload: 7, crashes: 1, failures: 0 }]);
    expect(await queue.result(jobs[0]!.id)).toEqual({
      status: "dead",
      message: "1 of its workers died while they ran it",
    });
    expect(await queue.add(8, { unique: "once" })).toMatchObject({ status: "ok" });
    await proxy.heal();
    await victim.close();
  });

  it("goes on when a stopped server does", async () => {
    const name = randomUUID();
    const seen: number[] = [];
    await using worker = hf.queue<number>(name, { timeout: "300ms" }).work((job) => void seen.push(job.payload), {
      poll: 100,
    });
    await direct.queue<number>(name).add(1);
    // Else the answer to its acknowledgement might be the one that is lost, and what is not confirmed is not counted.
    await until("it is acknowledged", () => worker.stats().completed === 1);
    await server.pause();
    const adding = direct.queue<number>(name).add(2);
    await until("the connection is given up", () => hf.driver.nodes().every(({ state }) => state === "down"));
    server.resume();
    await adding;
    await until("it has run", () => seen.length === 2);
    await until("it is acknowledged", () => worker.stats().completed === 2);
    expect(seen).toEqual([1, 2]);
  });
});
