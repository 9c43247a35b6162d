/**
 * What could go wrong, and the test for it:
 * - a value loaded before a delete or set is stored or served after it ........ "no stale value"
 * - every process loads the same key at once ................................... "one load for the fleet"
 * - the process that loads dies, and the others wait for ever ................... "takes over from a dead loader"
 * - a wake-up is lost .......................................................... core/wait/wakeups.test.ts
 * - a caller joins a load that is older than its question ...................... loads.test.ts, simulation.test.ts
 * - the same call returns other things on another path ......................... values.test.ts
 * - the server is away: requests hang, or fail although the database is there ... "while the server is away"
 * - the answer to a write is lost .............................................. "a lost reply"
 * - an entry cannot be read (another schema, key, format) ....................... "unreadable entries"
 * - options that are not understood are ignored .............................. "refuses options"
 * - an entry or a lease without a time to live ................................. "every key has a time to live"
 */
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { startProxy, startStandalone } from "../../test/support/servers.ts";
import { connect } from "../connect.ts";
import { HoldfastError, type InvalidArgumentError, TimeoutError } from "../base/errors.ts";
import type { Holdfast } from "../holdfast.ts";
import type { Cache } from "./cache.ts";

const prefix = (): string => `t${randomBytes(6).toString("hex")}`;

interface Gate {
  readonly opened: Promise<void>;
  open(): void;
}

function gate(): Gate {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

describe.each(backends())("cache [$name]", ({ url, options }) => {
  const shared = prefix();
  let a: Holdfast;
  let b: Holdfast;

  beforeAll(async () => {
    a = await connect(url, { ...options, prefix: shared });
    b = await connect(url, { ...options, prefix: shared });
  });
  afterAll(() => Promise.all([a.close(), b.close()]));

  /** The same cache as two processes see it. */
  const pair = (settings: Parameters<Holdfast["cache"]>[1] = {}): [Cache<unknown>, Cache<unknown>] => {
    const name = prefix();
    return [a.cache(name, settings), b.cache(name, settings)];
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
    const results: unknown[] = [];
    const last: Promise<unknown>[] = [];
    for (let round = 1; round <= 50; round += 1) {
      last.push(here.set("x", round));
      last.push(here.get("x").then((value) => results.push(value)));
    }
    last.push(here.delete("x"));
    last.push(here.get("x").then((value) => results.push(value)));
    await Promise.all(last);
    expect(results).toEqual([...Array.from({ length: 50 }, (_, at) => at + 1), undefined]);
  });

  it("one load for the fleet: a hundred callers in two processes, one loader call", async () => {
    const [here, there] = pair();
    let loads = 0;
    const hold = gate();
    const load = async (): Promise<string> => {
      loads += 1;
      await hold.opened;
      return "loaded";
    };
    const callers = Array.from({ length: 100 }, (_, at) => (at % 2 === 0 ? here : there).getOrSet("k", load));
    await expect.poll(() => here.stats().waited + there.stats().waited).toBe(1);
    hold.open();
    expect(new Set(await Promise.all(callers))).toEqual(new Set(["loaded"]));
    expect(loads).toBe(1);
    expect(here.stats().joined + there.stats().joined).toBe(98);
  });

  it("no stale value: a delete while a load runs", async () => {
    const [here, there] = pair();
    const reading = gate();
    const hold = gate();
    const old = here.getOrSet("k", async () => {
      reading.open();
      await hold.opened;
      return "old";
    });
    await reading.opened;
    await there.delete("k");
    // A caller of the very process whose load is stale begins after the delete: it must not join.
    const fresh = await here.getOrSet("k", () => "new");
    expect(fresh).toBe("new");
    hold.open();
    expect(await old).toBe("old");
    expect(await there.get("k")).toBe("new");
    expect(here.stats().superseded).toBe(1);
  });

  it("no stale value: a set while a load runs", async () => {
    const [here, there] = pair();
    const reading = gate();
    const hold = gate();
    const old = here.getOrSet("k", async () => {
      reading.open();
      await hold.opened;
      return "old";
    });
    await reading.opened;
    await there.set("k", "written");
    hold.open();
    await old;
    expect(await here.get("k")).toBe("written");
  });

  it("no stale value: racing loads, sets and deletes against a versioned source", async () => {
    const [here, there] = pair();
    let version = 0;
    const load = async (): Promise<number> => {
      const read = version;
      await new Promise((resolve) => setImmediate(resolve));
      return read;
    };
    for (let round = 0; round < 60; round += 1) {
      const reads = [here, there, here, there].map((cache) => cache.getOrSet("k", load));
      version += 1;
      const written = version;
      await (round % 3 === 0 ? there.set("k", written) : here.delete("k"));
      // Whatever the loads in flight had read, no caller from now on may see less than what was written.
      expect(await there.getOrSet("k", load)).toBeGreaterThanOrEqual(written);
      expect(await here.getOrSet("k", load)).toBeGreaterThanOrEqual(written);
      await Promise.all(reads);
      expect(await here.getOrSet("k", load)).toBeGreaterThanOrEqual(written);
    }
  });

  it("a loader that fails rejects all its callers, stores nothing, and lets the next one try", async () => {
    const [here, there] = pair();
    const failing = (): Promise<never> => Promise.reject(new Error("database down"));
    const callers = await Promise.allSettled([here.getOrSet("k", failing), here.getOrSet("k", failing)]);
    expect(callers.map((caller) => (caller as PromiseRejectedResult).reason.message)).toEqual([
      "database down",
      "database down",
    ]);
    expect(await there.getOrSet("k", () => "second")).toBe("second");
  });

  it("a waiter is woken when the loader of another process fails, and loads itself", async () => {
    const [here, there] = pair({ loadLease: "30s", loadTimeout: "20s" });
    const hold = gate();
    const first = here.getOrSet("k", async () => {
      await hold.opened;
      throw new Error("database down");
    });
    await expect.poll(() => here.stats().loads).toBe(1);
    const second = there.getOrSet("k", () => "mine");
    await expect.poll(() => there.stats().waited).toBe(1);
    hold.open();
    await expect(first).rejects.toThrow("database down");
    expect(await second).toBe("mine");
  });

  it("takes over from a dead loader once its short lease has ended", async () => {
    const [, there] = pair({ loadLease: 300 });
    const dead = await connect(url, { ...options, prefix: shared });
    const dying = dead.cache(there.name, { loadLease: 300 });
    const began = gate();
    const lost = dying.getOrSet("k", (): Promise<string> => {
      began.open();
      return new Promise(() => undefined);
    });
    lost.catch(() => undefined);
    await began.opened;
    await dead.close(); // its renewals end with it, as if the process had died
    expect(await there.getOrSet("k", () => "taken over")).toBe("taken over");
  });

  it("undefined is remembered only with negativeTtl, null is a value", async () => {
    const [plain] = pair();
    const [negative] = pair({ negativeTtl: "1m" });
    let loads = 0;
    const none = (): undefined => void (loads += 1);
    await plain.getOrSet("k", none);
    await plain.getOrSet("k", none);
    expect(loads).toBe(2);
    await negative.getOrSet("k", none);
    await negative.getOrSet("k", none);
    expect(loads).toBe(3);
    expect(await plain.getOrSet("n", () => null)).toBeNull();
    expect(await plain.get("n")).toBeNull();
  });

  it("a load beyond loadTimeout: its callers get a TimeoutError and its signal fires", async () => {
    const [here] = pair({ loadTimeout: 50 });
    let reason: unknown;
    const slow = here.getOrSet(
      "k",
      ({ signal }) => new Promise<string>(() => signal.addEventListener("abort", () => (reason = signal.reason))),
    );
    await expect(slow).rejects.toBeInstanceOf(TimeoutError);
    expect(reason).toBeInstanceOf(TimeoutError);
  });

  it("a caller may stop waiting; the load goes on for the others", async () => {
    const [here] = pair();
    const hold = gate();
    const controller = new AbortController();
    const load = async (): Promise<string> => {
      await hold.opened;
      return "v";
    };
    const impatient = here.getOrSet("k", load, { signal: controller.signal });
    const patient = here.getOrSet("k", load);
    controller.abort(new Error("client went away"));
    await expect(impatient).rejects.toMatchObject({ code: "ABORTED" });
    hold.open();
    expect(await patient).toBe("v");
  });

  it("every key has a time to live, within the jitter", async () => {
    const [here] = pair({ ttl: "10s", jitter: 0.5 });
    await here.set("a", 1);
    await here.getOrSet("b", () => 2);
    const hold = gate();
    const loading = here.getOrSet("c", async () => {
      await hold.opened;
      return 3;
    });
    await expect.poll(() => here.stats().loads).toBe(2);
    const seen: string[] = [];
    for await (const keys of a.scan(`cache:${here.name}:`)) seen.push(...keys);
    expect(seen).toHaveLength(3);
    for (const key of seen) {
      const ttl = await a.driver.send(["PTTL", key], { op: "test", class: "read" }, key);
      expect(ttl).toBeGreaterThan(key.endsWith(":lease") ? 0 : 4_900);
      expect(ttl).toBeLessThanOrEqual(10_000);
    }
    hold.open();
    await loading;
  });

  it("unreadable entries are misses: foreign bytes, another encryption key", async () => {
    const name = prefix();
    const key = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);
    const first = a.cache<string>(name, { encrypt: { keys: { k1: key(1) }, current: "k1" } });
    const second = b.cache<string>(name, { encrypt: { keys: { k2: key(2) }, current: "k2" } });
    await first.set("x", "secret");
    expect(await second.get("x")).toBeUndefined();
    expect(await second.getOrSet("x", () => "again")).toBe("again");
    expect(await first.get("x")).toBeUndefined();
    expect(await second.get("x")).toBe("again");
  });

  it("refuses bad input at the door, by its field", async () => {
    expect(() => a.cache("x", { ttl: 0 })).toThrow(/^cache "x": ttl: /);
    expect(() => a.cache("x", { jitter: 2 })).toThrow(/^cache "x": jitter: /);
    expect(() => a.cache("x", { onOutage: "pray" as "load" })).toThrow(/^cache "x": onOutage: /);
    expect(() => a.cache("")).toThrow(/^cache: name: /);
    for (const bad of ["", "\ud800", Number.NaN, {}, undefined] as never[]) {
      const cache = a.cache<number>("x");
      const calls = [cache.get(bad), cache.getMany(["ok", bad]), cache.getOrSet(bad, () => 1), cache.set(bad, 1)];
      for (const call of [...calls, cache.delete(bad)]) await expect(call).rejects.toThrow(/^id: /);
    }
  });

  it("refuses options that it does not understand, with the nearest name", async () => {
    const cache = a.cache<number>("x");
    const message = (error: unknown): string => (error as InvalidArgumentError).message;
    expect(() => a.cache("x", { tll: "1h" } as never)).toThrow(
      'cache "x": tll: expected another name (did you mean "ttl"?)',
    );
    expect(() => a.cache("x", "1h" as never)).toThrow(/^cache "x": options: /);
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
    await using hf = await connect(server.url, { prefix: prefix(), pingInterval: 50, pingTimeout: 200 });
    const loading = hf.cache<string>("a", { timeout: 200 });
    const throwing = hf.cache<string>("b", { timeout: 200, onOutage: "throw" });
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
    await using hf = await connect(`redis://127.0.0.1:${proxy.port}`, { prefix: prefix() });
    const cache = hf.cache<string>("a", { timeout: "5s" });
    await cache.set("k", "v1");
    proxy.dropReplies();
    const setting = cache.set("k", "v2");
    await proxy.sawReply(":1");
    proxy.cut();
    await proxy.heal();
    await setting;
    expect(await cache.get("k")).toBe("v2");
  });
});
