/**
 * What could go wrong, and the test for it:
 * - a wake-up is lost .......................................................... core/wait/wakeups.test.ts
 * - a caller joins a load that is older than its question ...................... loads.test.ts, simulation.test.ts
 * - the same call returns other things on another path ......................... values.test.ts
 * - the server is away: requests hang, or fail although the database is there ... "while the server is away"
 * - the answer to a write is lost .............................................. "a lost reply"
 * - an entry cannot be read (another schema, key, format) ....................... "unreadable entries"
 * - options that are not understood are ignored .............................. "refuses options"
 * - an entry or a lease without a time to live ................................. "every key has a time to live"
 */
import { describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { randomName, TwoHandles } from "../../test/support/two-handles.ts";
import { startProxy, startStandalone, until } from "../../test/support/servers.ts";
import { connect } from "../connect.ts";
import { HoldfastError, type InvalidArgumentError } from "../base/errors.ts";
import type { Holdfast } from "../holdfast.ts";
import type { Cache } from "./cache.ts";

describe.each(backends())("cache [$name]", ({ url, options }) => {
  const two = new TwoHandles({ url, options });

  /** The same cache as two processes see it. */
  const pair = (settings: Parameters<Holdfast["cache"]>[1] = {}): [Cache<unknown>, Cache<unknown>] => {
    const name = randomName();
    return [two.a.cache(name, settings), two.b.cache(name, settings)];
  };

  it("get, set and delete", async () => {
    const [here, there] = pair();
    expect(await here.get("ada")).toBeUndefined();
    await here.set("ada", { name: "Ada" });
    expect(await there.get("ada")).toEqual({ name: "Ada" });
    expect(await there.delete("ada")).toBe(true);
    expect(await here.delete("ada")).toBe(false);
    expect(await here.get("ada")).toBeUndefined();
  });

  it.each(["{a}b", "a:b", "%7B", "ключ", "x y", 42])("the id %j", async (id) => {
    const [here, there] = pair();
    await here.set(id, id);
    expect(await there.get(id)).toBe(id);
    expect(await there.delete(id)).toBe(true);
  });

  it("getMany returns what there is, over all slots", async () => {
    const [here, there] = pair();
    const ids = Array.from({ length: 200 }, (_, at) => `user-${at}`);
    await Promise.all(ids.filter((_, at) => at % 2 === 0).map((id) => here.set(id, id.length)));
    const found = await there.getMany([...ids, ...ids]);
    expect(found.size).toBe(100);
    expect(found.get("user-10")).toBe(7);
  });

  it("calls that are not awaited are executed in their order", async () => {
    const [here] = pair();
    await here.set("x", 0);
    const results: Promise<unknown>[] = [];
    const changes: Promise<unknown>[] = [];
    for (let round = 1; round <= 50; round += 1) {
      changes.push(here.set("x", round));
      results.push(here.get("x"));
    }
    changes.push(here.delete("x"));
    results.push(here.get("x"));
    await Promise.all(changes);
    expect(await Promise.all(results)).toEqual([...Array.from({ length: 50 }, (_, at) => at + 1), undefined]);
  });

  it("every key has a time to live, within the jitter", async () => {
    const ttlMs = 600_000;
    const [here] = pair({ ttl: ttlMs, jitter: 0.5 });
    await here.set("a", 1);
    await here.getOrSet("b", () => 2);
    let answer!: (value: number) => void;
    const loading = here.getOrSet("c", () => new Promise<number>((resolve) => (answer = resolve)));
    await expect.poll(() => here.stats().loads).toBe(2);
    const seen: string[] = [];
    for (const kind of ["cache", "load"])
      for await (const keys of two.a.scan(`${kind}:${here.name}:`)) seen.push(...keys);
    expect(seen).toHaveLength(3);
    for (const key of seen) {
      const ttl = await two.a.driver.send(["PTTL", key], { op: "test", class: "read" }, key);
      expect(ttl).toBeGreaterThan(key.includes(":load:") ? 0 : 0.4 * ttlMs);
      expect(ttl).toBeLessThanOrEqual(ttlMs);
    }
    answer(3);
    await loading;
  });

  it("unreadable entries are misses: foreign bytes, another encryption key", async () => {
    const name = randomName();
    const key = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);
    const first = two.a.cache<string>(name, { encrypt: { keys: { k1: key(1) }, current: "k1" } });
    const second = two.b.cache<string>(name, { encrypt: { keys: { k2: key(2) }, current: "k2" } });
    await first.set("x", "secret");
    expect(await second.get("x")).toBeUndefined();
    expect(await second.getOrSet("x", () => "again")).toBe("again");
    expect(await first.get("x")).toBeUndefined();
    expect(await second.get("x")).toBe("again");
  });

  it("refuses bad input at the door, by its field", async () => {
    expect(() => two.a.cache("x", { ttl: 0 })).toThrow(/^cache "x": ttl: /);
    expect(() => two.a.cache("x", { jitter: 2 })).toThrow(/^cache "x": jitter: /);
    expect(() => two.a.cache("x", { onOutage: "pray" as "load" })).toThrow(/^cache "x": onOutage: /);
    expect(() => two.a.cache("")).toThrow(/^cache: name: /);
    for (const bad of ["", "\ud800", Number.NaN, {}, undefined] as never[]) {
      const cache = two.a.cache<number>("x");
      const calls = [cache.get(bad), cache.getMany(["ok", bad]), cache.getOrSet(bad, () => 1), cache.set(bad, 1)];
      for (const call of [...calls, cache.delete(bad)]) await expect(call).rejects.toThrow(/^cache "x": id: /);
    }
  });

  it("refuses options that it does not understand, with the nearest name", async () => {
    const cache = two.a.cache<number>("x");
    const message = (error: unknown): string => (error as InvalidArgumentError).message;
    expect(() => two.a.cache("x", { tll: "1h" } as never)).toThrow(
      'cache "x": tll: expected another name (did you mean "ttl"?)',
    );
    expect(() => two.a.cache("x", "1h" as never)).toThrow(/^cache "x": options: /);
    const calls: [Promise<unknown>, string][] = [
      [cache.set("k", 1, 60 as never), 'cache "x": options: expected an object such as { ttl: ... }, got 60'],
      [cache.set("k", 1, { tll: 60 } as never), 'did you mean "ttl"?'],
      [cache.set("k", 1, { ttl: "soon" as "1s" }), 'cache "x": ttl: '],
      [cache.getOrSet("k", () => 1, 60 as never), 'cache "x": options: '],
      [cache.getOrSet("k", () => 1, { sginal: 1 } as never), 'did you mean "signal"?'],
      [cache.getOrSet("k", () => 1, { signal: {} as AbortSignal }), 'cache "x": signal: '],
      [cache.getOrSet("k", 1 as never), 'cache "x": load: '],
      [cache.getMany("abc" as never), "ids: "],
      [cache.getMany(5 as never), "ids: "],
    ];
    for (const [call, part] of calls) expect(message(await call.catch((error: unknown) => error))).toContain(part);
    expect(await cache.getOrSet("k", () => 1, { ttl: undefined, signal: undefined } as never)).toBe(1);
  });
});

describe("cache on one server [standalone]", () => {
  it("while the server is away: load goes on for each process, throw passes the error on", async () => {
    await using server = await startStandalone();
    await using hf = await connect(server.url, { prefix: randomName(), pingInterval: 50, pingTimeout: 200 });
    const loading = hf.cache<string>("a", { timeout: 200 });
    const throwing = hf.cache<string>("b", { timeout: 200, onOutage: "throw" });
    // A busy machine may need longer than this cache waits.
    await until("a value is stored", () => loading.set("before", "v"));
    await server.pause();
    await expect(loading.set("k", "v")).rejects.toMatchObject({ code: "OUTCOME_UNKNOWN" });
    let loads = 0;
    const load = (): string => `load ${(loads += 1)}`;
    const answers = await Promise.all(Array.from({ length: 20 }, () => loading.getOrSet("k", load)));
    expect(new Set(answers)).toEqual(new Set(["load 1"]));
    await expect(throwing.getOrSet("k", load)).rejects.toBeInstanceOf(HoldfastError);
    server.resume();
    await expect
      .poll(() => loading.getOrSet("j", () => "back").then(() => loading.get("j")), { timeout: 10_000 })
      .toBe("back");
  });

  it("a lost reply: set and delete are repeated until they are answered", async () => {
    await using server = await startStandalone();
    await using proxy = await startProxy(server);
    await using hf = await connect(`redis://127.0.0.1:${proxy.port}`, { prefix: randomName() });
    const cache = hf.cache<string>("a", { timeout: "5s" });
    await cache.set("k", "v1");
    proxy.dropReplies();
    const setting = cache.set("k", "v2");
    await proxy.sawReply("stored");
    proxy.cut();
    await proxy.heal();
    await setting;
    expect(await cache.get("k")).toBe("v2");
  });
});
