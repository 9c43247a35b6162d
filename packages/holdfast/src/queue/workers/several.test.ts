// What could go wrong, and the test for each:
// - queues together run more than was asked for ................ "shares its concurrency ..."
// - slots are not shared by weight ............................. "weighted: ..." and `slots.test.ts`
// - a queue without jobs keeps its share ....................... "what a queue has no jobs for ..."
// - one that is paused or limited keeps the others from working  the same
// - a later queue goes first in strict order ................... "strict: ..."
// - a queue whose server is away stops the others .............. "a queue that cannot be asked ..."
// - closing or pausing one forgets the others .................. "pauses and closes as one"
import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, expectTypeOf, it, vi } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { until } from "../../../test/support/until.ts";
import { Deferred } from "../../base/deferred.ts";
import { connect } from "../../connect.ts";
import type { Holdfast } from "../../holdfast.ts";
import type { QueueJobs } from "../names.ts";
import { WorkerStore } from "../worker-store.ts";

const numbers = (count: number): number[] => Array.from({ length: count }, (_, at) => at);

describe.each(backends())("a worker of several queues [$name]", ({ url, options }) => {
  let hf: Holdfast;
  beforeAll(async () => {
    hf = await connect(url, { ...options, prefix: `q-${randomUUID()}` });
  });
  afterEach(() => vi.restoreAllMocks());
  afterAll(() => hf.close());

  const fresh = (settings = {}) => hf.queue<number>(randomUUID(), { backoff: { delay: 1, jitter: 0 }, ...settings });

  it("shares its concurrency between all partitions of all queues, and runs each job by its queue's handler", async () => {
    const [one, other] = [fresh(), fresh({ partitions: 3 })];
    await Promise.all([one.addMany(numbers(100)), other.addMany(numbers(100))]);
    let [running, most] = [0, 0];
    const seen: string[] = [];
    const handler = (name: string) => async (job: { readonly payload: number }) => {
      running += 1;
      most = Math.max(most, running);
      await new Promise(setImmediate);
      running -= 1;
      seen.push(`${name}${job.payload}`);
    };
    await using worker = hf.work([one.with(handler("a")), other.with(handler("b"))], { concurrency: 5 });
    await until("all are done", () => worker.stats().completed === 200);
    expect(new Set(seen)).toEqual(new Set(numbers(100).flatMap((at) => [`a${at}`, `b${at}`])));
    expect(most).toBe(5);
  });

  it("weighted: slots are shared in proportion while both want them", async () => {
    const [heavy, light] = [fresh(), fresh()];
    await Promise.all([heavy.addMany(numbers(600)), light.addMany(numbers(600))]);
    const begun: string[] = [];
    const handler = (name: string) => async () => {
      begun.push(name);
      await new Promise(setImmediate);
    };
    const concurrency = 8;
    await using worker = hf.work([heavy.with(handler("heavy"), { weight: 3 }), light.with(handler("light"))], {
      concurrency,
    });
    await until("400 have begun", () => begun.length >= 400);
    const ofHeavy = begun.slice(0, 400).filter((name) => name === "heavy").length;
    expect(Math.abs(ofHeavy - 300)).toBeLessThanOrEqual(concurrency * 2);
    await until("all are done", () => worker.stats().completed === 1_200);
  });

  it("strict: a later queue's jobs begin when the earlier one has none", async () => {
    const [first, second] = [fresh(), fresh()];
    await Promise.all([first.addMany(numbers(600)), second.addMany(numbers(50))]);
    const begun: string[] = [];
    const handler = (name: string) => async () => {
      begun.push(name);
      await new Promise(setImmediate);
    };
    await using worker = hf.work([first.with(handler("first")), second.with(handler("second"))], {
      concurrency: 300,
      order: "strict",
    });
    await until("all are done", () => worker.stats().completed === 650);
    expect(begun.indexOf("second")).toBe(600);
  });

  it("strict: what comes to the earlier queue later goes before what waits in the others", async () => {
    const [first, second] = [fresh(), fresh()];
    await second.addMany(numbers(500));
    const begun: string[] = [];
    const handler = (name: string) => async () => {
      begun.push(name);
      if (begun.length === 10) await first.add(1);
    };
    const handlings = [first.with(handler("first")), second.with(handler("second"))];
    await using worker = hf.work(handlings, { concurrency: 1, order: "strict" });
    await until("all are done", () => worker.stats().completed === 501);
    expect(begun.indexOf("first")).toBeLessThan(500);
  });

  it.each([
    ["empty", () => Promise.resolve()],
    ["paused", (queue: ReturnType<typeof fresh>) => queue.addMany(numbers(9)).then(() => queue.pause())],
    [
      "limited",
      (queue: ReturnType<typeof fresh>) =>
        queue.limits.set({ rate: { limit: 1, per: "1h" } }).then(() => queue.addMany(numbers(9))),
    ],
  ])("what a queue has no jobs for the others get (%s)", async (_, prepare) => {
    for (const order of ["weighted", "strict"] as const) {
      const [idle, busy] = [fresh(), fresh()];
      await prepare(idle);
      const go = new Deferred<void>();
      await using worker = hf.work([idle.with(() => undefined, { weight: 9 }), busy.with(() => go.promise)], {
        concurrency: 10,
        order,
        drain: 0,
      });
      await busy.addMany(numbers(30));
      await until("it has all slots", () => worker.running === 10);
      expect((await busy.counts()).active).toBe(10);
      go.resolve();
      await until("all are done", () => worker.stats().completed >= 30);
    }
  });

  it.each(["weighted", "strict"] as const)(
    "a queue that cannot be asked does not stop the others (%s)",
    async (order) => {
      const [away, here] = [fresh(), fresh()];
      await Promise.all([away.addMany(numbers(20)), here.addMany(numbers(300))]);
      // oxlint-disable-next-line typescript/unbound-method -- it is called with its store
      const { claim } = WorkerStore.prototype;
      let isAway = true;
      vi.spyOn(WorkerStore.prototype, "claim").mockImplementation(function (this: WorkerStore, done, terms) {
        if (isAway && this.keys.active.includes(away.name)) return Promise.reject(new Error("away"));
        return claim.call(this, done, terms);
      });
      const seen = { away: 0, here: 0 };
      await using worker = hf.work(
        [away.with(() => void (seen.away += 1), { weight: 9 }), here.with(() => void (seen.here += 1))],
        { concurrency: 10, order },
      );
      await until("the other's jobs are done", () => seen.here === 300);
      expect(seen.away).toBe(0);
      isAway = false;
      await until("and this one's, later", () => worker.stats().completed === 320);
    },
  );

  it("pauses and closes as one", async () => {
    const [one, other] = [fresh(), fresh()];
    const seen: string[] = [];
    const worker = hf.work([one.with(() => void seen.push("one")), other.with(() => void seen.push("other"))]);
    worker.pause();
    await Promise.all([one.add(1), other.add(1)]);
    expect(seen).toEqual([]);
    worker.resume();
    await until("both ran", () => seen.length === 2);
    await worker.close();
    await worker.ended;
    await Promise.all([one.add(1), other.add(1)]);
    expect((await one.counts()).workers + (await other.counts()).workers).toBe(0);
    expect(seen).toHaveLength(2);
  });

  it("until empty: ends when nothing waits in any of them", async () => {
    const [one, other] = [fresh(), fresh()];
    await Promise.all([one.addMany(numbers(3)), other.addMany(numbers(30))]);
    let runs = 0;
    const handler = async () => {
      await new Promise(setImmediate);
      runs += 1;
    };
    await hf.work([one.with(handler), other.with(handler)], { concurrency: 2, until: "empty" }).ended;
    expect(runs).toBe(33);
  });

  it("has handlers by name, and aliases", async () => {
    type Mails = QueueJobs<{ welcome: { readonly to: string }; digest: { readonly day: string } }>;
    const [mails, other] = [hf.queue<Mails>(randomUUID()), fresh()];
    const seen: string[] = [];
    await using _worker = hf.work([
      mails.with({
        welcome: (job) => void seen.push(job.payload.to),
        digest: (job) => {
          expectTypeOf(job.payload.day).toBeString();
          seen.push(job.payload.day);
        },
      }),
      other.with({ now: (job) => void seen.push(String(job.payload)) }, { aliases: { before: "now" } }),
    ]);
    await mails.add({ to: "ada" }, { name: "welcome" });
    await other.add(7, { name: "before" });
    await until("both ran", () => seen.length === 2);
    expect(new Set(seen)).toEqual(new Set(["ada", "7"]));
  });

  it("refuses what it cannot do", async () => {
    const [one, other] = [fresh(), fresh()];
    const handler = () => undefined;
    const wrong = (work: () => unknown, words: RegExp) => expect(work).toThrow(words);
    wrong(() => hf.work([]), /^work: handlings: .*queue.with\(\)/);
    wrong(() => hf.work([one] as never), /queue.with\(\)/);
    wrong(() => hf.work([one.with(handler), hf.queue<number>(one.name).with(handler)]), /each queue once/);
    wrong(() => hf.work([one.with(handler)], { order: "random" as never }), /order.*"weighted" or "strict"/);
    wrong(() => hf.work([one.with(handler)], { threads: 1 } as never), /threads/);
    wrong(() => one.with(handler, { weight: 0 }), new RegExp(`queue "${one.name}": weight`));
    wrong(() => one.with(new URL("file:///a.js") as never), /handler/);
    await using second = await connect(url, { ...options, prefix: `q-${randomUUID()}` });
    wrong(() => second.work([one.with(handler), other.with(handler)]), /queues of this handle/);
  });
});
