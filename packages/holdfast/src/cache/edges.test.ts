/**
 * What callers do at the edges of a cache, and the test for it:
 * - bad input after good: the good part fails later, unhandled ................ "unheard"
 * - a caller who has gone makes others wait, or makes a load begin ............ "a signal"
 * - a loaded value that cannot be stored keeps the right to load .............. "cannot be stored"
 * - a question that was repeated is executed late, after a delete .............. "executed late"
 * - a loader asks for its own entry, and waits for itself until loadTimeout ... "asks for its own entry"
 * - reads of the same tick are sent one by one, or a lone one waits for more .... "share a command"
 * - options of JavaScript users: wrong types, bounds of timers ................. "refuses"
 */
import { randomBytes } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Proxy, type Standalone, startProxy, startStandalone } from "../../test/support/servers.ts";
import { connect } from "../connect.ts";
import { AbortedError, CodecError, InvalidArgumentError } from "../base/errors.ts";
import type { Holdfast } from "../holdfast.ts";
import { runScript } from "../core/script/run.ts";
import { fill, lookup, remove } from "./scripts.gen.ts";

const name = (): string => `t${randomBytes(6).toString("hex")}`;

describe("a cache at its edges [standalone]", () => {
  let server: Standalone;
  let proxy: Proxy;
  let hf: Holdfast;
  beforeAll(async () => {
    server = await startStandalone();
    proxy = await startProxy({ port: server.port });
    hf = await connect(proxy.url);
  });
  afterEach(() => proxy.heal());
  afterAll(async () => {
    await hf.close();
    await proxy.stop();
    await server.stop();
  });

  it.each(["cache", "counter"] as const)(
    "no failure of %s.getMany goes unheard when an id is refused",
    async (kind) => {
      const unheard: unknown[] = [];
      const hear = (error: unknown): void => void unheard.push(error);
      process.on("unhandledRejection", hear);
      const many = kind === "cache" ? hf.cache(name(), { timeout: 50 }) : hf.counter(name(), { timeout: 50 });
      proxy.freeze();
      await expect(many.getMany(["good", ""])).rejects.toThrow(InvalidArgumentError);
      // A read of the same deadline that began later: by its end the first would have failed.
      await expect(many.get("good")).rejects.toMatchObject({ code: "TIMEOUT" });
      await new Promise((resolve) => setImmediate(resolve));
      process.off("unhandledRejection", hear);
      expect(unheard).toEqual([]);
    },
  );

  it("a loader that asks for its own entry is refused at once, and others load as ever", async () => {
    const cache = hf.cache<number>(name(), { loadTimeout: "10m" });
    const own = cache.getOrSet("a", () => cache.getOrSet("a", () => 1));
    await expect(own).rejects.toMatchObject({ code: "CONFLICT", op: "cache.getOrSet", key: "a" });
    // Through another, and by another instance of the same cache.
    const same = hf.cache<number>(cache.name);
    const around = cache.getOrSet("a", () => cache.getOrSet("b", () => same.getOrSet("b", () => 1)));
    await expect(around).rejects.toMatchObject({ code: "CONFLICT", key: "b" });
    // However late it asks.
    const late = cache.getOrSet("d", async () => {
      await cache.get("b");
      return cache.getOrSet("d", () => 1);
    });
    await expect(late).rejects.toMatchObject({ code: "CONFLICT", key: "d" });
    const many = cache.getOrSetMany(["e", "f"], async () => {
      await cache.get("b");
      return cache.getOrSetMany(["f"], () => new Map([["f", 1]]));
    });
    await expect(many).rejects.toMatchObject({ code: "CONFLICT", key: "f" });
    expect(await cache.getOrSet("a", () => cache.getOrSet("b", () => 7))).toBe(7);
    // What a loader leaves behind may ask once the load is over.
    let later: (() => Promise<number>) | undefined;
    await cache.getOrSet("c", () => ((later = () => cache.getOrSet("c", () => 2)), 1));
    expect(await later!()).toBe(1);
  });

  it("a question for the right to load that is executed late earns the flight no right", async () => {
    const value = `{${name()}}`;
    const keys = { value, lease: `{${name()}}`, ids: value, ends: value };
    const asked = { flight: "f", leaseMs: 10_000, known: "", reload: false };
    const ask = (attempt: number): Promise<unknown> =>
      runScript(hf.driver, lookup, keys, { ...asked, attempt }, { op: "test" });
    const wakeChannel = name();
    expect(await ask(2)).toEqual({ status: "leased" });
    expect(await ask(1)).toMatchObject({ status: "wait" });
    await runScript(hf.driver, remove, keys, { wakeChannel, id: "" }, { op: "test" });
    expect(await ask(1)).toEqual({ status: "leased" });
    const stale = { token: "f.2", freshMs: 10_000, keepMs: 10_000, wakeChannel, id: "", head: "old", payload: "old" };
    expect(await runScript(hf.driver, fill, keys, stale, { op: "test" })).toEqual({ status: "superseded" });
    expect(await ask(3)).toEqual({ status: "leased" });
  });

  it("a signal stops the waiting for the server, and no load begins for it", async () => {
    const cache = hf.cache<string>(name());
    const controller = new AbortController();
    let loads = 0;
    proxy.freeze();
    const load = (): string => {
      loads += 1;
      return "loaded";
    };
    const waiting = cache.getOrSet("x", load, { signal: controller.signal });
    controller.abort("gone");
    await expect(waiting).rejects.toMatchObject({ name: "AbortedError", cause: "gone" });
    await expect(cache.getOrSet("x", load, { signal: controller.signal })).rejects.toThrow(AbortedError);
    await proxy.heal();
    expect(await cache.get("x")).toBeUndefined();
    expect(loads).toBe(0);
  });

  it("a value that cannot be stored rejects its callers, and the right to load given back", async () => {
    const cache = hf.cache<unknown>(name(), { loadLease: "1h" });
    await expect(cache.getOrSet("x", () => 1n)).rejects.toThrow(CodecError);
    // With the lease still there this would wait for an hour.
    await using other = await connect(server.url);
    expect(await other.cache<unknown>(cache.name).getOrSet("x", () => "fine")).toBe("fine");
  });

  it("while the server is silent, a caller waits for one deadline and not for a second", async () => {
    const cache = hf.cache<string>(name(), { timeout: 50 });
    await hf.cache<string>(cache.name).set("y", "stored");
    await server.command("CONFIG", "RESETSTAT");
    proxy.freeze();
    expect(await cache.getOrSet("x", () => "loaded")).toBe("loaded");
    expect(cache.stats()).toMatchObject({ misses: 1, loads: 1, outages: 1 });
    // What was sent into the silence arrives now, and before the ping.
    await proxy.heal();
    await hf.ping();
    const seen = String(await server.command("INFO", "commandstats"));
    expect(seen).toContain("cmdstat_get:calls=1");
    expect(seen).not.toContain("cmdstat_eval");
  });

  it("reads of the same tick share a command, and a read that is alone waits for none to share it with", async () => {
    const cache = hf.cache<number>(name());
    const commands = async (): Promise<Record<string, number>> => {
      const stats = String(await server.command("INFO", "commandstats"));
      const count = (command: string): number =>
        Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
      return { get: count("get"), mget: count("mget") };
    };
    const ids = Array.from({ length: 100 }, (_, at) => at);
    await server.command("CONFIG", "RESETSTAT");
    for (let at = 0; at < 3; at += 1) await cache.get(at);
    expect(await commands()).toEqual({ get: 3, mget: 0 });
    await cache.getMany(ids);
    expect(await commands()).toEqual({ get: 3, mget: 1 });
    for (let tick = 0; tick < 3; tick += 1) await Promise.all(ids.map((id) => cache.get(id)));
    expect(await commands()).toEqual({ get: 3, mget: 4 });
    await cache.get(1);
    await cache.get(1);
    expect(await commands()).toEqual({ get: 5, mget: 4 });
    await Promise.all(ids.map((id) => cache.get(id)));
    expect(await commands()).toEqual({ get: 6, mget: 5 });
  });

  it.each<[string, object]>([
    ["ttl", { ttl: 0 }],
    ["ttl", { ttl: "1 hour" }],
    ["ttl", { ttl: {} }],
    ["jitter", { jitter: 2 }],
    ["jitter", { jitter: Number.NaN }],
    ["jitter", { jitter: "0.5" }],
    ["negativeTtl", { negativeTtl: -1 }],
    ["loadTimeout", { loadTimeout: "30d" }],
    ["loadLease", { loadLease: 1 }],
    ["loadLease", { loadLease: "90d" }],
    ["timeout", { timeout: "30d" }],
    ["onOutage", { onOutage: "wait" }],
  ])("refuses a bad %s: %j", (field, options) => {
    const make = (): unknown => hf.cache(name(), options);
    expect(make).toThrow(InvalidArgumentError);
    expect(make).toThrow(new RegExp(`^cache "[^"]*": ${field}: `));
  });

  it("refuses what is no loader and no ttl before it asks the server", async () => {
    const cache = hf.cache<unknown>(name());
    const noLoader = undefined as unknown as () => unknown;
    await expect(cache.getOrSet("x", noLoader)).rejects.toThrow(InvalidArgumentError);
    await expect(cache.getOrSet("x", () => 1, { ttl: Number.NaN })).rejects.toThrow(InvalidArgumentError);
    await expect(cache.set("x", 1, { ttl: -1 })).rejects.toThrow(InvalidArgumentError);
  });

  it("stores with a long ttl as it is", async () => {
    const cache = hf.cache<number>(name(), { ttl: "90d", jitter: 0 });
    await cache.set("x", 1);
    const leftMs = Number(await server.command("PTTL", `hf:cache:${cache.name}:{x}`));
    expect(leftMs).toBeGreaterThan(89 * 86_400_000);
  });
});
