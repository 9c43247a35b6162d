// What could go wrong when a flow is cancelled, and the test for each:
// - a job of it runs all the same, in whatever queue and state it is .. "cancels what waits, is delayed, waits for others and runs, in every queue"
// - the last job runs, or dies, because the others are cancelled ...... the same
// - a job that is added later runs ..................................... "what was not added yet is never added", "... spawns nothing more"
// - one that two wait for is cancelled twice, or missed ............... "cancels one that two wait for once"
// - those who wait are told that it died .............................. "a cancelled child: ..."
// - those who wait hear of it when a worker comes by .................. "what waits hears at once of a child that is gone ..."
// - the reason does not reach another queue ........................... the first one, "... with keys of its own"
import { randomBytes, randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { until } from "../../../test/support/until.ts";
import { Deferred } from "../../base/deferred.ts";
import { connect } from "../../connect.ts";
import type { Holdfast } from "../../holdfast.ts";
import type { QueueJob } from "../job.ts";
import type { QueueChildResult } from "./fan-in.ts";
import { Post } from "./post.ts";

describe.each(backends())("cancelling flows [$name]", ({ url, options }) => {
  let hf: Holdfast;
  beforeAll(async () => {
    hf = await connect(url, { ...options, prefix: `q-${randomUUID()}` });
  });
  afterAll(() => hf.close());

  const fresh = (settings = {}) => {
    const name = randomUUID();
    return {
      albums: hf.queue<string, string>(`albums-${name}`, settings),
      images: hf.queue<string, string>(`images-${name}`, settings),
    };
  };
  const untilAborted = (job: QueueJob<string>) =>
    new Promise<never>((_, reject) => {
      job.signal.addEventListener("abort", () => reject(job.signal.reason as Error));
    });
  const EMPTY = { waiting: 0, delayed: 0, blocked: 0, active: 0, dead: 0 };

  type Images = ReturnType<typeof fresh>["images"];
  it.each<[string, (images: Images, id: string) => Promise<unknown>]>([
    ["removed", (images, id) => images.remove(id)],
    ["removed by a filter", (images) => images.where({ state: "waiting" }).remove()],
    ["cancelled", (images, id) => images.cancel(id)],
    ["drained", (images) => images.drain()],
  ])("what waits hears at once of a child that is gone, with no worker there (%s)", async (_how, away) => {
    const { albums, images } = fresh();
    const album = await albums.add("album", { children: [images.child("a", { onDead: "ignore" })], result: true });
    const { jobs } = await images.page({ state: "waiting" });
    await away(images, jobs[0]!.id);
    await until("it waits no more", async () => {
      const { waiting, blocked } = await albums.counts();
      return waiting === 1 && blocked === 0;
    });
    await using _worker = albums.work(async (job) => (await job.children()).map(({ status }) => status).join());
    expect(await album.result()).toMatchObject({ status: "ok" });
  });

  it.each([{}, { partitions: 3 }])(
    "cancels what waits, is delayed, waits for others and runs, in every queue (%o)",
    async (settings) => {
      const { albums, images } = fresh(settings);
      const ran: string[] = [];
      const running = new Deferred<QueueJob<string>>();
      await using worker = images.work(
        (job) => {
          ran.push(job.payload);
          running.resolve(job);
          return untilAborted(job);
        },
        { concurrency: 1, poll: "100ms" },
      );
      const sheet = albums.child("sheet", {
        children: [images.child("runs", { priority: "high" }), images.child("late", { delay: "1h" })],
      });
      const album = await albums.add("album", {
        children: [sheet, images.child("other", { delay: "2h" })],
        result: true,
      });
      const { signal, id } = await running.promise;
      const [result, below] = [album.result(), images.result(id)];
      expect(await albums.flows.cancel(album.id, "withdrawn")).toBe(5);
      expect(await result).toEqual({ status: "cancelled", reason: "withdrawn" });
      expect(await below).toEqual({ status: "cancelled", reason: "withdrawn" });
      expect(signal.reason).toMatchObject({ code: "ABORTED", cause: "withdrawn" });
      await using _late = albums.work((job) => String(ran.push(job.payload)), { poll: "50ms" });
      await until("the run is over", () => worker.stats().cancelled === 1);
      expect(await albums.counts()).toMatchObject(EMPTY);
      expect(await images.counts()).toMatchObject(EMPTY);
      expect(ran).toEqual(["runs"]);
      expect(await albums.flows.get(album.id)).toBeUndefined();
    },
  );

  it("cancels one that two wait for once, and leaves what has ended", async () => {
    const { albums, images } = fresh();
    const original = images.child("original", { delay: "1h" });
    const done = images.child("done");
    const sizes = ["small", "large"].map((size) => images.child(size, { children: [original, done] }));
    const album = await albums.add("album", { children: sizes });
    await until(
      "one is there",
      async () => (await images.claim().then(([job]) => job?.complete("fine"))) !== undefined,
    );
    expect(await albums.flows.cancel(album.id)).toBe(4);
    expect(await albums.flows.cancel("unknown")).toBe(0);
    expect(await images.counts()).toMatchObject(EMPTY);
  });

  it("what was not added yet is never added", async () => {
    const { albums, images } = fresh();
    // oxlint-disable-next-line unbound-method
    const carryOut = Post.prototype.carryOut;
    const gate = new Deferred<undefined>();
    const slow = vi.spyOn(Post.prototype, "carryOut").mockImplementationOnce(async function (this: Post, name, plan) {
      await gate.promise;
      await carryOut.call(this, name, plan);
    });
    const adding = albums.add("album", { id: "a", children: [images.child("one"), images.child("two")] });
    await until("it is written down", async () => (await albums.get("a")) !== undefined);
    expect(await albums.flows.cancel("a")).toBe(1);
    gate.resolve(undefined);
    await adding;
    slow.mockRestore();
    expect(await images.counts()).toMatchObject(EMPTY);
    expect(await albums.counts()).toMatchObject(EMPTY);
  });

  it("a job that runs spawns nothing more once its flow is cancelled", async () => {
    const { albums, images } = fresh();
    const [running, gate] = [new Deferred<undefined>(), new Deferred<undefined>()];
    await using worker = albums.work(async (job) => {
      running.resolve(undefined);
      await gate.promise;
      await job.spawn("more", [images.child("one")]);
      return "never";
    });
    const album = await albums.add("album", { result: true });
    await running.promise;
    expect(await albums.flows.cancel(album.id, "stop")).toBe(1);
    gate.resolve(undefined);
    expect(await album.result()).toEqual({ status: "cancelled", reason: "stop" });
    await until("it is over", () => worker.stats().cancelled === 1);
    expect(await images.counts()).toMatchObject(EMPTY);
  });

  it.each(["ignore", "continue"] as const)("a cancelled child: what waits is told so (%s)", async (onDead) => {
    const { albums, images } = fresh();
    const child = images.child("cancelled", { onDead, delay: "1h" });
    const album = await albums.add("album", { children: [child, images.child("late", { delay: "1h" })], result: true });
    const { children } = (await albums.flows.get(album.id))!;
    const seen: QueueChildResult[][] = [];
    await using _one = albums.work(async (job) => {
      seen.push(await job.children());
      return "went on";
    });
    await using _two = images.work(() => "fine", { poll: "50ms" });
    expect(await images.cancel(children[0]!.id)).toEqual({ status: "ok" });
    if (onDead === "ignore") await images.promote(children[1]!.id);
    expect(await album.result()).toMatchObject({ status: "ok" });
    expect(seen[0]!.map(({ status }) => status)).toEqual(["cancelled", onDead === "ignore" ? "ok" : "pending"]);
  });

  it("a cancelled child: what is to fail with it is dead, and says why", async () => {
    const { albums, images } = fresh();
    const album = await albums.add("album", { children: [images.child("one", { delay: "1h" })], result: true });
    const { children } = (await albums.flows.get(album.id))!;
    await using _one = albums.work(() => "never");
    await using _two = images.work(() => "never", { poll: "50ms" });
    await images.cancel(children[0]!.id);
    expect(await album.result()).toMatchObject({
      status: "dead",
      message: expect.stringContaining("the job that it waited for was cancelled"),
    });
  });

  it("a running child that is cancelled is told as that too", async () => {
    const { albums, images } = fresh();
    const running = new Deferred<QueueJob<string>>();
    await using _one = images.work((job) => {
      running.resolve(job);
      return untilAborted(job);
    });
    await using _two = albums.work(async (job) => (await job.children())[0]!.status);
    const album = await albums.add("album", { children: [images.child("one", { onDead: "ignore" })], result: true });
    await images.cancel((await running.promise).id);
    expect(await album.result()).toEqual({ status: "ok", value: "cancelled" });
  });

  it("cancels a flow whose queues have keys of their own, without the reason where they differ", async () => {
    const encrypt = () => ({ keys: { k: randomBytes(32) }, current: "k" });
    const name = randomUUID();
    const albums = hf.queue<string>(`albums-${name}`, { encrypt: encrypt() });
    const images = hf.queue<string>(`images-${name}`, { encrypt: encrypt() });
    const running = new Deferred<QueueJob<string>>();
    await using _worker = images.work((job) => {
      running.resolve(job);
      return untilAborted(job);
    });
    const album = await albums.add("album", { children: [images.child("one")], result: true });
    const { id, signal } = await running.promise;
    const [result, below] = [album.result(), images.result(id)];
    expect(await albums.flows.cancel(album.id, "a secret")).toBe(2);
    expect(await result).toEqual({ status: "cancelled", reason: "a secret" });
    expect(await below).toEqual({ status: "cancelled", reason: undefined });
    expect(signal.aborted).toBe(true);
  });
});
