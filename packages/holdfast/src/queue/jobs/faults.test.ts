// What could go wrong on real connections: the answer to a change is lost, and its repetition says or does something else ... "... where the answer is lost"
import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { losingAnswer } from "../../../test/support/lost-answer.ts";
import { type Proxy, type Standalone, startProxy, startStandalone } from "../../../test/support/servers.ts";
import { until } from "../../../test/support/until.ts";
import { Deferred } from "../../base/deferred.ts";
import type { HoldfastError } from "../../base/errors.ts";
import { connect } from "../../connect.ts";
import type { Holdfast } from "../../holdfast.ts";
import { Discard } from "../failure.ts";
import type { QueueJob } from "../job.ts";
import { cancel, cancels, drain, enter, remove, report, retry, settle, started, update } from "../scripts.gen.ts";

describe("changes of jobs under faults", () => {
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
  afterEach(() => proxy.heal());
  afterAll(async () => {
    await Promise.all([hf?.close(), direct?.close()]);
    await proxy?.stop();
    await server?.stop();
  });

  const two = (name: string = randomUUID(), settings = {}) =>
    [hf.queue<number>(name, settings), direct.queue<number>(name, settings)] as const;

  it("cancels a job that waits once, and says so, where the answer is lost", async () => {
    const [far, near] = two();
    const job = await near.add(1, { result: true });
    expect(await losingAnswer(proxy, cancel, () => far.cancel(job.id, "stop"))).toEqual({ status: "ok" });
    expect(await job.result()).toEqual({ status: "cancelled", reason: "stop" });
  });

  it("updates, removes and retries where the answer is lost", async () => {
    const [far, near] = two(undefined, { attempts: 1 });
    const job = await near.add(1);
    expect(await losingAnswer(proxy, update, () => far.update(job.id, { priority: "high" }))).toEqual({ status: "ok" });
    expect(await near.counts()).toMatchObject({ waiting: 1 });
    const seen: number[] = [];
    await using worker = near.work((run) => {
      seen.push(run.payload);
      if (seen.length === 1) throw new Discard("no");
    });
    await until("it is dead", () => worker.stats().dead === 1);
    expect(await near.counts()).toMatchObject({ waiting: 0 });
    worker.pause();
    // Done by the first copy; the repetition finds nothing dead.
    expect((await losingAnswer(proxy, retry, () => far.retry(job.id))).status).toMatch(/ok|duplicate|missing/);
    expect(await near.counts()).toMatchObject({ waiting: 1, dead: 0 });
    expect((await losingAnswer(proxy, remove, () => far.remove(job.id))).status).toMatch(/ok|missing/);
    expect(await near.get(job.id)).toBeUndefined();
  });

  it("adds with a unique mode once where the answer is lost", async () => {
    const [far, near] = two();
    const unique = { key: "k", mode: "replace" } as const;
    const first = await losingAnswer(proxy, enter, () => far.add(1, { unique }));
    expect(first.status).toBe("ok");
    expect(await losingAnswer(proxy, enter, () => far.add(2, { unique }))).toMatchObject({
      status: "replaced",
      id: first.id,
    });
    expect(await near.counts()).toMatchObject({ waiting: 1 });
    expect(await near.get(first.id)).toMatchObject({ payload: 2 });
  });

  it("drains where the answer is lost", async () => {
    const [far, near] = two();
    await near.addMany(Array.from({ length: 400 }, (_, at) => at));
    await losingAnswer(proxy, drain, () => far.drain());
    await near.drain();
    expect(await near.counts()).toMatchObject({ waiting: 0 });
  });

  it.each(["cancels", "settle", "started"] as const)(
    "a cancelled run ends so where the answer to %s is lost",
    async (which) => {
      const [far, near] = two(undefined, { timeout: "500ms" });
      const running = new Deferred<QueueJob<number>>();
      let worker: ReturnType<typeof far.work> | undefined;
      const job = await near.add(1, { result: true, unique: { key: "k", mode: "untilStarted" } });
      const cancelled = async () => {
        await running.promise;
        await job.cancel("stop");
        expect(await job.result()).toEqual({ status: "cancelled", reason: "stop" });
      };
      await losingAnswer(proxy, { cancels, settle, started }[which], async () => {
        worker = far.work(
          (run) =>
            new Promise((_, reject) => {
              running.resolve(run);
              run.signal.addEventListener("abort", () => reject(run.signal.reason as Error));
            }),
          { poll: 100, lease: "3s" },
        );
        if (which !== "settle") return cancelled();
        await cancelled();
      });
      await until("nothing is left", async () => (await near.counts()).active + (await near.counts()).waiting === 0);
      await worker!.close();
    },
  );

  it("a line of a log whose answer is lost is written once, and reported as unknown; a value of progress is not", async () => {
    const [far, near] = two();
    const running = new Deferred<QueueJob<number>>();
    const gate = new Deferred<undefined>();
    await using _worker = far.work(async (run) => {
      running.resolve(run);
      await gate.promise;
    });
    const { id } = await near.add(1);
    const run = await running.promise;
    const logged = losingAnswer(proxy, report, () => run.log("once"));
    // Where the answer was on its way already, it is written and nothing is unknown.
    const code = await logged.then(
      () => "OUTCOME_UNKNOWN",
      (error: HoldfastError) => error.code,
    );
    expect(code).toBe("OUTCOME_UNKNOWN");
    expect((await near.logs(id)).map(({ text }) => text)).toEqual(["once"]);
    await losingAnswer(proxy, report, () => run.progress(0.5));
    expect(await near.get(id)).toMatchObject({ progress: 0.5 });
    gate.resolve(undefined);
  });
});
