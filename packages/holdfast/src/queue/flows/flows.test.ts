// What could go wrong, and the test for each:
// - a job starts before those that it waits for have ended .... "runs a tree from its leaves"
// - what they returned is lost, or in another order ........... "hands their results on"
// - a job that two wait for runs twice, or frees one of them .. "runs a job once for which two wait"
// - it waits for ever for one that is dead .................... "fail", "ignore", "continue"
// - the adder dies in the middle .............................. "a worker adds what its adder did not"
// - the news that a job has ended is lost with its worker ..... "a worker delivers what another one left"
// - a slot is held while its job waits ........................ "spawn: waits without a slot and uses no attempt"
// - a callback runs twice, too early, or never ................ "batch"
// - what a flow leaves behind grows without end ............... "leaves nothing behind"
// Longer than other files: each promise of a flow is tried on its own.
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { until } from "../../../test/support/until.ts";
import { connect } from "../../connect.ts";
import type { Holdfast } from "../../holdfast.ts";
import { Discard } from "../failure.ts";
import type { QueueChildResult } from "./fan-in.ts";
import { Post } from "./post.ts";

describe.each(backends())("flows [$name]", ({ url, options }) => {
  let hf: Holdfast;
  beforeAll(async () => {
    hf = await connect(url, { ...options, prefix: `q-${randomUUID()}` });
  });
  afterAll(() => hf.close());

  /** Two queues, in slots of their own. */
  const fresh = (settings = {}) => {
    const name = randomUUID();
    const given = { attempts: 1, ...settings };
    return {
      albums: hf.queue<string, string>(`albums-${name}`, given),
      images: hf.queue<string, string>(`images-${name}`, given),
    };
  };
  const valuesOf = (results: readonly QueueChildResult[]) =>
    results.map((result) => (result.status === "ok" ? result.value : result.status));

  it.each([{}, { partitions: 3 }])("runs a tree from its leaves and hands their results on (%o)", async (settings) => {
    const { albums, images } = fresh(settings);
    const order: string[] = [];
    const seen = vi.fn<(name: string, children: unknown[]) => void>();
    await using _one = images.work(async (job) => {
      order.push(job.payload);
      seen(job.payload, valuesOf(await job.children()));
      return job.payload.toUpperCase();
    });
    await using _two = albums.work(async (job) => {
      order.push(job.payload);
      return valuesOf(await job.children()).join();
    });
    const sheet = images.child("sheet", { children: [images.child("a"), images.child("b")] });
    const album = await albums.add("album", { children: [sheet, images.child("cover")], result: true });
    expect(await album.result()).toEqual({ status: "ok", value: "SHEET,COVER" });
    expect(order.at(-1)).toBe("album");
    expect(order.indexOf("sheet")).toBeGreaterThan(Math.max(order.indexOf("a"), order.indexOf("b")));
    expect(seen).toHaveBeenCalledWith("sheet", ["A", "B"]);
  });

  it("runs a job once for which two wait", async () => {
    const { albums, images } = fresh();
    const runs: string[] = [];
    await using _one = images.work(async (job) => {
      runs.push(job.payload);
      return `${job.payload}(${valuesOf(await job.children()).join()})`;
    });
    await using _two = albums.work(async (job) => valuesOf(await job.children()).join());
    const original = images.child("original");
    const sizes = ["small", "large"].map((size) => images.child(size, { children: [original] }));
    const album = await albums.add("album", { children: [...sizes, original], result: true });
    expect(await album.result()).toEqual({ status: "ok", value: "small(original()),large(original()),original()" });
    expect(runs.toSorted()).toEqual(["large", "original", "small"]);
  });

  it("a job with very many children starts when the last one has ended", async () => {
    const { albums, images } = fresh();
    const names = Array.from({ length: 1_200 }, (_, at) => String(at));
    const album = await albums.add("album", { children: names.map((name) => images.child(name)), result: true });
    expect(await albums.counts()).toMatchObject({ blocked: 1, waiting: 0 });
    expect((await albums.get(album.id))?.state).toBe("blocked");
    await using _one = images.work((job) => job.payload, { concurrency: 100 });
    await using _two = albums.work(async (job) => valuesOf(await job.children()).join());
    expect(await album.result()).toEqual({ status: "ok", value: names.join() });
  });

  it("fail: dies with one that it waits for, as does what waits for it", async () => {
    const { albums, images } = fresh();
    await using _one = images.work((job) => {
      if (job.payload === "broken") throw new Error("no such file");
      return job.payload;
    });
    await using _two = albums.work(() => "never");
    const sheet = albums.child("sheet", { children: [images.child("fine"), images.child("broken")] });
    const album = await albums.add("album", { children: [sheet], result: true });
    expect(await album.result()).toMatchObject({
      status: "dead",
      message: expect.stringContaining("the job that it waited for is dead"),
    });
    await until("both are dead", async () => (await albums.counts()).dead === 2);
    // Both may have died within a millisecond: then their order is that of their ids.
    const { jobs } = await albums.dead.page();
    const dead = Object.fromEntries(jobs.map((job) => [job.payload, job]));
    expect(dead).toMatchObject({
      sheet: { failures: 0, reason: expect.stringContaining("images-") },
      album: { failures: 0, reason: expect.stringContaining("albums-") },
    });
  });

  it("ignore: goes on when all have ended; continue: starts at once", async () => {
    const { albums, images } = fresh();
    await using _one = images.work((job) => {
      if (job.payload === "broken") throw new Discard("no such file");
      return job.payload;
    });
    await using _two = albums.work(async (job) =>
      (await job.children()).map((child) => (child.status === "dead" ? child.message : child.status)).join(),
    );
    const children = [images.child("broken", { onDead: "ignore" }), images.child("fine")];
    const patient = await albums.add("patient", { children, result: true });
    expect(await patient.result()).toEqual({ status: "ok", value: "no such file,ok" });
    const never = images.child("fine", { delay: "1h" });
    const hasty = await albums.add("hasty", {
      children: [images.child("broken", { onDead: "continue" }), never],
      result: true,
    });
    expect(await hasty.result()).toEqual({ status: "ok", value: "no such file,pending" });
  });

  it("an id of a job that is not over is a duplicate, and none of its children is added", async () => {
    const { albums, images } = fresh();
    await albums.add("first", { id: "one", delay: "1h" });
    const second = await albums.add("second", { id: "one", children: [images.child("a")] });
    expect(second).toMatchObject({ status: "duplicate", id: "one" });
    expect(await images.counts()).toMatchObject({ waiting: 0 });
  });

  it.each([
    [{ children: ["a"] }, "children"],
    [{ children: 5 }, "children"],
    [{ children: ["child"], delay: "1h" }, "children"],
    [{ children: ["child"], unique: "a" }, "children"],
  ])("refuses %o", async (bad, field) => {
    const { albums, images } = fresh();
    const { children } = bad;
    const given = Array.isArray(children) && children[0] === "child" ? [images.child("a")] : children;
    await expect(albums.add("album", { ...bad, children: given } as never)).rejects.toMatchObject({ field });
    expect(() => images.child("a", { onDead: "explode" } as never)).toThrow(/onDead/);
    expect(() => images.child("a", { id: "a" } as never)).toThrow(/id/);
  });

  it("a worker adds what its adder did not", async () => {
    const { albums, images } = fresh();
    const dies = vi.spyOn(Post.prototype, "carryOut").mockResolvedValueOnce();
    const children = [images.child("sheet", { children: [images.child("a")] }), images.child("b")];
    await albums.add("album", { id: "album", children, result: true });
    dies.mockRestore();
    expect(await images.counts()).toMatchObject({ waiting: 0, blocked: 0 });
    await using _one = images.work((job) => job.payload);
    await using _two = albums.work(async (job) => valuesOf(await job.children()).join(), { poll: 200 });
    expect(await albums.result("album")).toEqual({ status: "ok", value: "sheet,b" });
  });

  it("a worker delivers what another one left", async () => {
    const { albums, images } = fresh();
    const dies = vi.spyOn(Post.prototype, "kick").mockReturnValue(undefined);
    const album = await albums.add("album", { children: [images.child("a")], result: true });
    const dying = images.work((job) => job.payload);
    await until("it is done", () => dying.stats().completed === 1);
    await dying.close();
    dies.mockRestore();
    expect(await albums.counts()).toMatchObject({ blocked: 1 });
    await using _one = images.work((job) => job.payload, { poll: 100 });
    await using _two = albums.work(async (job) => valuesOf(await job.children()).join());
    expect(await album.result()).toEqual({ status: "ok", value: "a" });
  });

  it("spawn: waits without a slot and uses no attempt, also where the handler catches everything", async () => {
    const { albums } = fresh();
    const attempts: number[] = [];
    await using worker = albums.work(
      async (job) => {
        if (job.payload !== "album") return job.payload;
        attempts.push(job.attempt);
        try {
          const first = await job.spawn("first", [albums.child("a"), albums.child("b")]);
          const second = await job.spawn("second", [albums.child(valuesOf(first).join("+"))]);
          const none = await job.spawn("none", []);
          return [...valuesOf(second), none.length].join();
        } catch {
          return "caught";
        }
      },
      { concurrency: 1 },
    );
    const album = await albums.add("album", { result: true });
    expect(await album.result()).toEqual({ status: "ok", value: "a+b,0" });
    expect(attempts).toEqual([1, 1, 1]);
    expect(worker.stats()).toMatchObject({ failed: 0, lost: 0 });
  });

  it("batch: each callback exactly once, by how the jobs ended; an empty one has succeeded", async () => {
    const { albums, images } = fresh();
    const called: string[] = [];
    const callbacks = (name: string) => ({
      onComplete: `${name} complete`,
      onSuccess: `${name} success`,
      onDead: `${name} dead`,
    });
    await using worker = albums.work((job) => {
      called.push(job.payload);
      return "";
    });
    await using _images = images.work((job) => {
      if (job.payload === "broken") throw new Discard("no such file");
      return "";
    });
    const good = albums.batch(callbacks("good"));
    await good.add([images.child("a"), images.child("b")]);
    expect(await good.add([images.child("c")])).toEqual({ status: "ok" });
    const bad = albums.batch(callbacks("bad"));
    await bad.add([images.child("broken"), images.child("broken"), images.child("a")]);
    const empty = albums.batch(callbacks("empty"));
    await until("one is dead", () => called.includes("bad dead"));
    expect(called).toEqual(["bad dead"]);
    await Promise.all([good.close(), bad.close(), empty.close(), empty.close()]);
    expect((await good.add([images.child("d")])).status).toBe("closed");
    await until("all have been called", () => worker.stats().completed === 6);
    expect(called.toSorted()).toEqual([
      "bad complete",
      "bad dead",
      "empty complete",
      "empty success",
      "good complete",
      "good success",
    ]);
    expect(await albums.counts()).toMatchObject({ waiting: 0, blocked: 0, dead: 0 });
  });

  it("a batch can be added to and closed by another process", async () => {
    const { albums, images } = fresh();
    await albums.batch({ id: "nightly", onComplete: "done" }).add([images.child("a")]);
    await albums.batch({ id: "nightly", onComplete: "done" }).add([images.child("b")]);
    await albums.batch({ id: "nightly", onComplete: "done" }).close();
    await using _images = images.work((job) => job.payload);
    const called: string[] = [];
    await using _albums = albums.work(async (job) => {
      called.push(job.payload, ...(valuesOf(await job.children()) as string[]));
      return "";
    });
    await until("it was called", () => called.length === 3);
    expect(called.toSorted()).toEqual(["a", "b", "done"]);
  });

  it("shows a flow, and runs again what has died of it, and only that", async () => {
    const { albums, images } = fresh();
    const runs: string[] = [];
    let isBroken = true;
    await using _one = images.work((job) => {
      runs.push(job.payload);
      if (isBroken && job.payload === "broken") throw new Error("no such file");
      return job.payload;
    });
    await using _two = albums.work(async (job) => {
      runs.push(job.payload);
      return valuesOf(await job.children()).join();
    });
    const sheet = albums.child("sheet", { children: [images.child("fine"), images.child("broken")] });
    const album = await albums.add("album", { id: "album", children: [sheet, images.child("cover")], result: true });
    expect(await album.result()).toMatchObject({ status: "dead" });
    await until("all have ended", () => runs.length === 3);
    const flow = await albums.flows.get("album");
    const dead = { state: "dead", result: { status: "dead", message: "no such file" }, children: [] };
    const ended = { state: "ended", result: { status: "ok" }, children: [] };
    expect(flow).toMatchObject({ id: "album", state: "dead", result: undefined });
    expect(flow!.children).toMatchObject([{ state: "dead", children: [ended, dead] }, ended]);
    isBroken = false;
    runs.length = 0;
    expect(await albums.flows.retry("album")).toBe(1);
    expect(await albums.result("album")).toEqual({ status: "ok", value: "fine,broken,cover" });
    expect(runs).toEqual(["broken", "sheet", "album"]);
    expect(await albums.flows.retry("album")).toBe(0);
    expect(await albums.flows.get("album")).toBeUndefined();
  });

  it("leaves nothing behind", async () => {
    const { albums, images } = fresh();
    await using _one = images.work((job) => job.payload);
    await using two = albums.work((job) => job.payload);
    const children = [images.child("sheet", { children: [images.child("a")] }), images.child("b")];
    await albums.add("album", { children });
    const batch = albums.batch({ onSuccess: "x", onDead: "y" });
    await batch.add([images.child("c")]);
    await batch.close();
    await until("both have run", () => two.stats().completed === 2);
    const left = async () => {
      const parts: string[] = [];
      for (const { name } of [albums, images])
        for await (const keys of hf.scan(`queue:{${name}}`)) parts.push(...keys.map((key) => key.split("}:")[1]!));
      return [...new Set(parts.map((part) => part.split(":")[0]!))].toSorted();
    };
    await until("the letters are delivered", async () => !(await left()).includes("letters"));
    // What workers count is written every few seconds, and is kept by design.
    const bounded = ["idle", "workers", "op", "wake", "batch", "totals", "minute", "seen"];
    expect((await left()).filter((part) => !bounded.includes(part))).toEqual([]);
  });
});
