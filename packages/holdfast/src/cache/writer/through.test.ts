/**
 * Writing through: what could go wrong, and the test for each:
 * - the cache has what the database has refused .................................... "refuses"
 * - a load that has read the old row is stored after the write ...................... "a load that began before"
 * - of two writes at once the cache keeps the one that the database has overwritten . "of two writes at once"
 * - a process dies, or loses the server, between the database and the cache ......... "between the database and the cache"
 * - the server is away, and the old entry is served for good ........................ "is removed when the server is back"
 * - the writes of an entry overtake each other ...................................... "in their order"
 */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { type Proxy, type Standalone, startProxy, startStandalone } from "../../../test/support/servers.ts";
import { until } from "../../../test/support/until.ts";
import { Deferred } from "../../base/deferred.ts";
import { connect } from "../../connect.ts";
import type { Holdfast } from "../../holdfast.ts";
import type { CacheWrite } from "./options.ts";

describe.each(backends("standalone", "cluster", "embedded"))("a writer through [$name]", ({ url, options }) => {
  let hf: Holdfast;
  beforeAll(async () => {
    hf = await connect(url, { ...options, prefix: `test-${randomUUID()}` });
  });
  afterAll(() => hf.close());

  const cacheOf = (writer: CacheWrite<number>) => hf.cache<number>(randomUUID(), { timeout: "30s", writer });

  it("writes to the database, then to the cache", async () => {
    const rows = new Map<string, number | undefined>();
    const cache = cacheOf((entries) => {
      for (const { id, value } of entries) rows.set(id, value);
    });
    const { status, isCached, version } = await cache.write("a", 1);
    expect([status, isCached]).toEqual(["ok", true]);
    expect(version).toBeGreaterThan(1e15);
    expect([await cache.get("a"), rows.get("a")]).toEqual([1, 1]);
    await cache.write("a", undefined);
    expect([await cache.get("a"), rows.get("a")]).toEqual([undefined, undefined]);
    const results = await cache.writeMany([
      ["b", 2],
      ["c", 3],
    ]);
    expect([...results.keys()]).toEqual(["b", "c"]);
    expect(await cache.getMany(["b", "c"])).toEqual(
      new Map([
        ["b", 2],
        ["c", 3],
      ]),
    );
    expect(await cache.writer.lag()).toMatchObject({ count: 0 });
  });

  it("keeps nothing that the database refuses, and passes its error on", async () => {
    const cache = cacheOf(() => Promise.reject(new Error("check constraint")));
    await cache.set("a", 1);
    await expect(cache.write("a", 2)).rejects.toThrow("check constraint");
    // It may have been committed all the same: who asks gets what the database has.
    expect(await cache.getOrSet("a", () => 1)).toBe(1);
    const some = cacheOf(
      (entries) => new Map(entries.filter(({ id }) => id === "b").map(({ id }) => [id, new Error("no")])),
    );
    await expect(
      some.writeMany([
        ["a", 1],
        ["b", 2],
      ]),
    ).rejects.toMatchObject({ code: "PARTIAL" });
    expect(await some.getMany(["a", "b"])).toEqual(new Map([["a", 1]]));
  });

  it("a load that began before a write is not stored over it", async () => {
    const cache = cacheOf(() => undefined);
    const [begun, gate] = [new Deferred<void>(), new Deferred<void>()];
    const loaded = cache.getOrSet("a", async () => {
      begun.resolve();
      await gate.promise;
      return 1;
    });
    await begun.promise;
    await cache.write("a", 2);
    gate.resolve();
    await loaded;
    expect(await cache.get("a")).toBe(2);
  });

  it("of two writes at once the cache keeps none that the database has overwritten", async () => {
    let row = 0;
    const name = randomUUID();
    const [begun, gate] = [new Deferred<void>(), new Deferred<void>()];
    const slow = hf.cache<number>(name, {
      writer: async ([entry]) => {
        row = entry!.value!;
        begun.resolve();
        await gate.promise;
      },
    });
    const quick = hf.cache<number>(name, { writer: ([entry]) => void (row = entry!.value!) });
    const first = slow.write("a", 1);
    await begun.promise;
    await quick.write("a", 2);
    gate.resolve();
    expect(await first).toMatchObject({ status: "ok", isCached: false });
    expect(row).toBe(2);
    expect(await quick.getOrSet("a", () => row)).toBe(2);
  });

  it("keeps the writes of an entry in their order", async () => {
    const seen: unknown[] = [];
    const cache = cacheOf(async ([entry]) => {
      await new Promise((resolve) => setImmediate(resolve));
      seen.push(entry!.value);
    });
    await Promise.all([1, 2, 3, undefined, 5].map((value) => cache.write("a", value)));
    expect(seen).toEqual([1, 2, 3, undefined, 5]);
    expect(await cache.get("a")).toBe(5);
  });

  it("who asks while the database is written waits for it, and gets no older value", async () => {
    const gate = new Deferred<void>();
    const begun = new Deferred<void>();
    const cache = cacheOf(async () => {
      begun.resolve();
      await gate.promise;
    });
    await cache.set("a", 1);
    const writing = cache.write("a", 2);
    await begun.promise;
    const read = cache.getOrSet("a", () => 1);
    gate.resolve();
    await writing;
    expect(await read).toBe(2);
  });
});

describe("a writer through, and a server that is away [standalone]", () => {
  let server: Standalone;
  let proxy: Proxy;
  let hf: Holdfast;
  let near: Holdfast;
  beforeAll(async () => {
    server = await startStandalone();
    proxy = await startProxy({ port: server.port });
    hf = await connect(proxy.url);
    near = await connect(server.url);
  });
  afterAll(async () => {
    await proxy.heal();
    await hf.close();
    await near.close();
    await proxy.stop();
    await server.stop();
  });

  it("goes on with the database, says so, and the entry is removed when the server is back", async () => {
    const name = randomUUID();
    let row = 1;
    const cache = hf.cache<number>(name, { timeout: "100ms", writer: ([entry]) => void (row = entry!.value!) });
    const strict = hf.cache<number>(name, { timeout: "100ms", onOutage: "throw", writer: () => void (row = -1) });
    await until("it is stored", () => cache.set("a", 1));
    proxy.freeze();
    expect(await cache.write("a", 2)).toEqual({ status: "ok", version: 0, isCached: false });
    await expect(strict.write("a", 3)).rejects.toMatchObject({ op: "cache.write" });
    expect(row).toBe(2);
    await proxy.heal();
    const other = near.cache<number>(name);
    await until("it is removed", async () => (await other.get("a")) === undefined);
    expect(await other.getOrSet("a", () => row)).toBe(2);
  });

  it("a server that is lost between the database and the cache leaves no old entry", async () => {
    const name = randomUUID();
    const cache = hf.cache<number>(name, { timeout: "100ms", loadLease: "200ms", writer: () => proxy.freeze() });
    const other = near.cache<number>(name);
    await until("it is stored", () => cache.set("a", 1));
    const { isCached } = await cache.write("a", 2);
    expect(isCached).toBe(false);
    // As if its process had died: the removal has not been sent yet.
    expect(await other.getOrSet("a", () => 2)).toBe(2);
    await proxy.heal();
  });
});
