/**
 * What could go wrong, and the test for it:
 * - a hit asks the server all the same ........................................ "answers from memory"
 * - what another process changes is served for good, if only of some ids ............ "another process"
 * - a value comes back after a newer one was seen ............................... "never goes back"
 * - this process does not see its own change, or that of another cache object of its ... "its own changes"
 * - an entry outlives its time to live in memory ............................... "its time to live"
 * - the connection is lost, and with it the word of what changes ................. "lost connection", "staleness"
 * - the reads have a connection of their own, beside that which says what changes .... "a borrowed client"
 * - the process stands still, and serves on what others have changed meanwhile ........ "has stood still"
 * - entries are kept before the server says what changes, or where it may not ...... "may not track"
 * - one value before, another kind of value after it was kept .................... "frozen from the first call"
 */
import { spawnSync } from "node:child_process";
import { createClient } from "@redis/client";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { type Proxy, type Standalone, startProxy, startStandalone } from "../../../test/support/servers.ts";
import { randomName, TwoHandles } from "../../../test/support/two-handles.ts";
import { InvalidArgumentError } from "../../base/errors.ts";
import { connect } from "../../connect.ts";
import type { Cache } from "../cache.ts";

/** Long enough for a busy machine. */
const SOON = { timeout: 20_000 };
const PATIENT = { timeout: "1m", jitter: 0 } as const;

/** Until it is kept: the first reads are before the server has said what changes. */
async function kept(cache: Cache<never>, id: string | number): Promise<void> {
  await expect
    .poll(async () => {
      await cache.get(id);
      return cache.peek(id);
    }, SOON)
    .toBeDefined();
}

describe.each(backends())("a cache in memory [$name]", ({ url, options }) => {
  const two = new TwoHandles({ url, options });

  it("answers from memory what it has read before, by every call that reads", async () => {
    const cache = two.a.cache<number>(randomName(), { ...PATIENT, l1: true });
    expect(cache.peek("a")).toBeUndefined();
    await cache.setMany([
      ["a", 1],
      ["b", 2],
    ]);
    await kept(cache as never, "a");
    await kept(cache as never, "b");
    const { l1Hits } = cache.stats();
    const none = (): never => expect.unreachable("loaded although it is in memory");
    expect(cache.peek("a")).toBe(1);
    expect(await cache.get("a")).toBe(1);
    expect(await cache.getOrSet("a", none)).toBe(1);
    expect(await cache.getOrSet("a", none, { ttl: "1m" })).toBe(1);
    expect(await cache.getMany(["a", "b"])).toHaveLength(2);
    expect(await cache.getOrSetMany(["a", "b"], none)).toHaveLength(2);
    expect(cache.stats().l1Hits - l1Hits).toBe(7);
    expect(cache.stats().l1).toMatchObject({ entries: 2, isCoherent: true });
  });

  it("drops what another process changes", async () => {
    const cache = two.a.cache<string>(randomName(), { ...PATIENT, l1: true });
    const there = two.b.cache<string>(cache.name, PATIENT);
    await there.set("a", "first");
    await kept(cache as never, "a");
    await there.set("a", "second");
    await expect.poll(() => cache.get("a"), SOON).toBe("second");
    await kept(cache as never, "a");
    await there.delete("a");
    await expect.poll(() => cache.get("a"), SOON).toBeUndefined();
    expect(cache.stats().l1!.changes).toBeGreaterThanOrEqual(2);
    // A load elsewhere changes nothing that was there.
    await there.getOrSet("b", () => "loaded");
    expect(await cache.get("b")).toBe("loaded");
  });

  it.each(["{a}%7D:b", 5])("drops what another process changes, also where its id is %j", async (id) => {
    const cache = two.a.cache<string>(randomName(), { ...PATIENT, l1: true });
    const there = two.b.cache<string>(cache.name, PATIENT);
    await there.set(id, "first");
    await kept(cache as never, id);
    expect([cache.peek(String(id)), cache.peek(id)]).toEqual(["first", "first"]);
    await there.set(id, "second");
    await expect.poll(() => cache.get(id), SOON).toBe("second");
    expect(() => cache.peek("")).toThrow(InvalidArgumentError);
  });

  it("never goes back to an older value, whoever writes meanwhile", async () => {
    const cache = two.a.cache<number>(randomName(), { ...PATIENT, l1: true });
    const there = two.b.cache<number>(cache.name, PATIENT);
    await there.set("n", 0);
    await kept(cache as never, "n");
    const written = new AbortController();
    const writer = (async () => {
      for (let n = 1; n <= 200; n += 1) await there.set("n", n);
      written.abort();
    })();
    const reader = async (): Promise<void> => {
      for (let last = 0; !written.signal.aborted;) {
        const n = (await cache.get("n"))!;
        expect(n).toBeGreaterThanOrEqual(last);
        last = n;
        await new Promise((resolve) => setImmediate(resolve));
      }
    };
    await Promise.all([writer, reader(), reader(), reader()]);
    await expect.poll(() => cache.get("n"), SOON).toBe(200);
    expect(cache.stats().l1Hits).toBeGreaterThan(0);
  });

  it("sees its own changes at once, and those of every cache object of the handle", async () => {
    const cache = two.a.cache<number>(randomName(), { ...PATIENT, l1: true });
    const other = two.a.cache<number>(cache.name, PATIENT);
    await cache.set("a", 1);
    await kept(cache as never, "a");
    const writing = cache.set("a", 2);
    expect(cache.peek("a")).toBeUndefined();
    expect(await cache.get("a")).toBe(2);
    await writing;
    await kept(cache as never, "a");
    await other.set("a", 3);
    expect(await cache.get("a")).toBe(3);
    await kept(cache as never, "a");
    await other.deleteMany(["a"]);
    expect(await cache.get("a")).toBeUndefined();
    expect(await other.getOrSet("a", () => 4)).toBe(4);
    expect(await cache.get("a")).toBe(4);
  });

  it("ends with its time to live, by the server's clock, and earlier where l1.ttl says so", async () => {
    const cache = two.a.cache<number>(randomName(), { ...PATIENT, l1: true });
    const short = two.a.cache<number>(randomName(), { ...PATIENT, l1: { ttl: 1 } });
    await short.set("a", 1);
    await expect.poll(async () => [await short.get("a"), short.stats().l1!.entries], SOON).toEqual([1, 1]);
    await expect.poll(() => short.peek("a"), SOON).toBeUndefined();
    const begunAt = performance.now();
    await cache.set("a", 1, { ttl: 300 });
    await expect.poll(() => cache.get("a"), { ...SOON, interval: 1 }).toBeUndefined();
    // Its server's 300 ms began after they were counted here; clocks differ by less than the rest.
    expect(cache.peek("a")).toBeUndefined();
    expect(performance.now() - begunAt).toBeGreaterThan(250);
  });

  it("is frozen from the first call, from a load as from memory; or one's own where it is decoded for each", async () => {
    const cache = two.a.cache<{ list: number[] }>(randomName(), { ...PATIENT, l1: true });
    const loaded = await cache.getOrSet("a", () => ({ list: [1] }));
    expect(() => loaded.list.push(2)).toThrow(TypeError);
    await kept(cache as never, "a");
    expect(cache.peek("a")).toBe(await cache.get("a"));
    const own = two.a.cache<{ list: number[] }>(cache.name, { ...PATIENT, l1: { values: "decoded" } });
    await kept(own as never, "a");
    own.peek("a")!.list.push(2);
    expect(await own.get("a")).toEqual({ list: [1] });
    const dates = two.a.cache<Date>(randomName(), { ...PATIENT, serializer: "structured", l1: true });
    await dates.set("a", new Date(5));
    await kept(dates as never, "a");
    dates.peek("a")!.setTime(6);
    expect(dates.peek("a")).toEqual(new Date(5));
  });

  it("remembers that there is none", async () => {
    const cache = two.a.cache<number>(randomName(), { ...PATIENT, negativeTtl: "1m", l1: true });
    await cache.set("warm", 1);
    await kept(cache as never, "warm");
    expect(await cache.getOrSet("none", () => undefined)).toBeUndefined();
    await cache.get("none");
    const { l1Hits } = cache.stats();
    expect(await cache.getOrSet("none", () => expect.unreachable("loaded again"))).toBeUndefined();
    expect(cache.stats().l1Hits).toBe(l1Hits + 1);
  });

  it("refuses options that it does not know", () => {
    for (const l1 of [{ max: 0 }, { maxBytes: -1 }, { values: "mine" }, { tll: 5 }, "yes", 7])
      expect(() => two.a.cache("x", { l1: l1 as never })).toThrow(InvalidArgumentError);
  });
});

describe("a cache in memory, when its server is away [standalone]", () => {
  let server: Standalone;
  let proxy: Proxy;
  beforeAll(async () => {
    server = await startStandalone();
    proxy = await startProxy({ port: server.port });
  });
  afterEach(() => proxy.heal());
  afterAll(async () => {
    await proxy.stop();
    await server.stop();
  });
  const lose = (): void => {
    proxy.refuse();
    proxy.cut();
  };

  it("forgets all with a lost connection, and what changed meanwhile is seen after it", async () => {
    await using hf = await connect(proxy.url);
    await using other = await connect(server.url);
    const cache = hf.cache<string>(randomName(), { jitter: 0, l1: true });
    const there = other.cache<string>(cache.name, PATIENT);
    await there.set("a", "before");
    await kept(cache as never, "a");
    lose();
    await expect.poll(() => cache.peek("a"), SOON).toBeUndefined();
    expect(cache.stats().l1!.isCoherent).toBe(false);
    await there.set("a", "meanwhile");
    expect(await cache.getOrSet("a", () => "alone", { signal: AbortSignal.timeout(60_000) }).catch(() => "alone")).toBe(
      "alone",
    );
    expect(cache.peek("a")).toBeUndefined();
    await proxy.heal();
    await expect.poll(() => cache.get("a").catch(() => undefined), SOON).toBe("meanwhile");
    await kept(cache as never, "a");
    expect(cache.stats().l1!.isCoherent).toBe(true);
  });

  it("forgets all when the network has been silent for as long as a connection may be", async () => {
    await using hf = await connect(proxy.url, { pingInterval: "100ms", pingTimeout: "1s" });
    const cache = hf.cache<string>(randomName(), { ...PATIENT, l1: true });
    await cache.set("a", "before");
    await kept(cache as never, "a");
    proxy.freeze();
    await expect.poll(() => cache.peek("a"), SOON).toBeUndefined();
  });

  it("serves nothing from memory when the process has stood still, before it has read what its connections have", async () => {
    await using hf = await connect(server.url);
    const cache = hf.cache<string>(randomName(), { ...PATIENT, l1: true });
    await cache.set("a", "before");
    await kept(cache as never, "a");
    // Another process deletes it while this one can hear nothing.
    const deletes = `require("node:net").connect(${server.port}, "127.0.0.1").end("DEL ${hf.key("x", "x").split(":")[0]!}:cache:${cache.name}:{a}\\r\\n")`;
    spawnSync(process.execPath, ["-e", deletes]);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3_100);
    expect(cache.peek("a")).toBeUndefined();
    expect(await cache.get("a")).toBeUndefined();
  });

  it("serves what it has for staleness after a lost connection, and no longer", async () => {
    await using hf = await connect(proxy.url);
    const long = hf.cache<string>(randomName(), { ...PATIENT, l1: { staleness: "10m" } });
    const short = hf.cache<string>(long.name, { ...PATIENT, l1: { staleness: 1 } });
    await long.set("a", "before");
    await kept(long as never, "a");
    await kept(short as never, "a");
    lose();
    await expect.poll(() => short.peek("a"), SOON).toBeUndefined();
    expect(await long.getOrSet("a", () => "alone")).toBe("before");
  });

  it("keeps nothing of a borrowed client while its own connection, which says what changes, is lost", async () => {
    const client = createClient({ url: server.url, RESP: 3, socket: { reconnectStrategy: 50 } });
    await client.connect();
    await using hf = await connect(client);
    await using other = await connect(server.url);
    const cache = hf.cache<string>(randomName(), { ...PATIENT, l1: true });
    const there = other.cache<string>(cache.name, PATIENT);
    await there.set("a", "before");
    await kept(cache as never, "a");
    await there.set("a", "after");
    await expect.poll(() => cache.get("a"), SOON).toBe("after");
    await kept(cache as never, "a");
    // The connections that track, and not the borrowed one.
    const clients = String(await server.command("CLIENT", "LIST"));
    for (const [, id] of clients.matchAll(/^id=(\d+) .*flags=\S*t\S* /gm))
      await server.command("CLIENT", "KILL", "ID", id!);
    await expect.poll(() => cache.peek("a"), SOON).toBeUndefined();
    await there.set("a", "meanwhile");
    await expect.poll(() => cache.get("a"), SOON).toBe("meanwhile");
    await kept(cache as never, "a");
    client.destroy();
  });

  it("keeps nothing, and says so once, where the user may not track", async () => {
    await server.command("ACL", "SETUSER", "limited", "on", ">pw", "~*", "&*", "+@all", "-client|tracking");
    const warnings: string[] = [];
    const hear = (warning: Error): void => void warnings.push(warning.message);
    process.on("warning", hear);
    await using hf = await connect(server.url, { username: "limited", password: "pw" });
    const cache = hf.cache<number>(randomName(), { ...PATIENT, l1: true });
    await cache.set("a", 1);
    for (let at = 0; at < 20; at += 1) expect(await cache.get("a")).toBe(1);
    await expect.poll(() => warnings.filter((said) => said.includes("not kept in memory")), SOON).toHaveLength(1);
    expect([cache.peek("a"), cache.stats().l1]).toMatchObject([undefined, { entries: 0, isCoherent: false }]);
    process.off("warning", hear);
  });
});
