/**
 * A server that is stopped (SIGSTOP: its connections stand, and answer nothing), or gone, and a cache in front of it.
 *
 * What could go wrong, and the test for each:
 * - each call pays a time-out, for as long as the server is silent .............. "only the first calls"
 * - what a delete, `expire`, `invalidate` or `clear` that failed would have removed is served after the outage ... "could not be sent"
 * - it is sent as another cache object of the name would send it .................. "another object"
 * - an operation waits as long as another object of the name does ................. "its own time"
 * - it is not sent unless somebody reads ......................................... "is sent as soon as"
 * - it removes what was stored after it .......................................... "what is stored after it"
 * - a server that answers reads and takes no writes serves what was deleted ....... "takes no writes"
 * - more of them than memory for them ............................................ "too many"
 * - a value that is in memory, past its time, is lost where neither server nor source answers ... "from memory"
 * - each caller then waits for the source again .................................. the same
 * - what was deleted is served so, or what a lost connection may have hidden ......... "was deleted", "is heard again"
 * - close takes them with it, and nobody knows ................................... "close"
 */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Standalone, startStandalone } from "../../test/support/servers.ts";
import { randomName } from "../../test/support/two-handles.ts";
import { Deferred } from "../base/deferred.ts";
import { HoldfastError } from "../base/errors.ts";
import { connect } from "../connect.ts";
import type { Holdfast } from "../holdfast.ts";
import type { Cache } from "./cache.ts";
import type { CacheOptions } from "./options.ts";

/** For what is to be answered, however busy the machine is. */
const PATIENT = { timeout: "1m" } as const;
const SOON = { timeout: 30_000, interval: 5 };
const down = (): never => {
  throw new Error("the source is down");
};

describe("a cache on a server that is stopped [standalone]", () => {
  let server: Standalone;
  let hf: Holdfast;
  beforeEach(async () => {
    server = await startStandalone();
    // No probe within the test: what recovers does so because the server answers.
    hf = await connect(server.url, { prefix: randomName(), breakerCoolDown: "1h" });
  });
  afterEach(async () => {
    server.resume();
    await hf.close();
    await server.stop();
  });

  it("only the first calls pay a time-out: then all go on at once, until the server answers again", async () => {
    const cache = hf.cache<number>(randomName(), { timeout: 100 });
    const sure = hf.cache<number>(cache.name, PATIENT);
    await sure.set("a", 1);
    await server.command("CONFIG", "RESETSTAT");
    await server.pause();
    for (let at = 0; at < 200; at += 1) expect(await cache.getOrSet("b", () => at)).toBe(at);
    // What has no other way to go on waits as ever.
    const asking = hf.command("STRLEN", "x");
    server.resume();
    expect(await asking).toBe(0);
    // What was sent into the silence has arrived by now.
    expect(String(await server.command("INFO", "commandstats"))).toContain("cmdstat_get:calls=3,");
    expect(await sure.getOrSet("a", () => 2)).toBe(1);
  });

  const KINDS: Record<string, (cache: Cache<string>) => Promise<unknown>> = {
    delete: (cache) => cache.delete("a"),
    deleteMany: (cache) => cache.deleteMany(["a", "b"]),
    expire: (cache) => cache.expire("a"),
    invalidate: (cache) => cache.invalidate({ tags: ["t", "u"] }),
    clear: (cache) => cache.clear(),
    "clear of a prefix": (cache) => cache.clear({ prefix: "a" }),
  };

  it.each(Object.keys(KINDS))(
    "a %s that could not be sent rejects, and is sent before what it is about is served",
    async (kind) => {
      const cache = hf.cache<string>(randomName(), { timeout: 100, l1: true });
      const [same, sure] = [hf.cache<string>(cache.name, { timeout: 100 }), hf.cache<string>(cache.name, PATIENT)];
      await sure.set("a", "old", { tags: ["t"] });
      await expect.poll(() => cache.getOrSet("a", () => "no").then(() => cache.peek("a")), SOON).toBe("old");
      await server.pause();
      await expect(KINDS[kind]!(cache)).rejects.toMatchObject({
        code: expect.stringMatching(/TIMEOUT|UNKNOWN|PARTIAL/),
      });
      expect(cache.stats().unsent).toBeGreaterThan(0);
      expect([cache.peek("a"), await cache.getOrSet("a", () => "loaded")]).toEqual([undefined, "loaded"]);
      await expect(same.get("a")).rejects.toBeInstanceOf(HoldfastError);
      server.resume();
      await expect.poll(() => same.get("a").catch(() => "not yet"), SOON).toBeUndefined();
      expect(await sure.get("a")).toBeUndefined();
      expect(cache.stats().unsent).toBe(0);
    },
  );

  it.each(["delete", "expire"] as const)(
    "a %s that could not be sent is sent as it was to be, though another object of the name takes no such ids",
    async (kind) => {
      const first = hf.cache<string>(randomName(), { timeout: 100 });
      const more = { longIds: "hash", index: true } as const;
      const cache = hf.cache<string>(first.name, { timeout: 100, ...more });
      const sure = hf.cache<string>(first.name, { ...PATIENT, ...more });
      const id = "long".repeat(500);
      await sure.set(id, "old");
      await server.pause();
      await expect(cache[kind](id)).rejects.toMatchObject({ code: expect.stringMatching(/TIMEOUT|UNKNOWN/) });
      expect(first.stats().unsent).toBe(1);
      server.resume();
      await expect.poll(() => first.stats().unsent, SOON).toBe(0);
      expect([await sure.get(id), await sure.size()]).toEqual([undefined, 0]);
    },
  );

  it("each object of a name waits its own time for what is invalid", async () => {
    const patient = hf.cache<string>(randomName(), { timeout: "1h" });
    const cache = hf.cache<string>(patient.name, { timeout: 100 });
    await server.pause();
    const waits = patient.get("a");
    await expect(cache.get("a")).rejects.toBeInstanceOf(HoldfastError);
    expect(await cache.getOrSet("a", () => "loaded")).toBe("loaded");
    await expect(cache.clear()).rejects.toBeInstanceOf(HoldfastError);
    server.resume();
    expect(await waits).toBeUndefined();
  });

  it("what was kept is sent as soon as the server is back, also when nobody reads", async () => {
    await using other = await connect(server.url, { prefix: hf.key("x", "x").split(":")[0]! });
    const cache = hf.cache<string>(randomName(), { timeout: 100 });
    const there = other.cache<string>(cache.name);
    await there.set("a", "old");
    await server.pause();
    await expect(cache.delete("a")).rejects.toBeInstanceOf(HoldfastError);
    server.resume();
    await expect.poll(() => there.get("a"), SOON).toBeUndefined();
    await expect.poll(() => cache.stats().unsent, SOON).toBe(0);
  });

  it("what is stored after it stays, in the order of the calls", async () => {
    const cache = hf.cache<string>(randomName(), { timeout: 100 });
    const sure = hf.cache<string>(cache.name, PATIENT);
    await sure.set("a", "old");
    await server.pause();
    for (const kind of ["delete", "clear"]) await expect(KINDS[kind]!(cache)).rejects.toBeInstanceOf(HoldfastError);
    server.resume();
    await expect.poll(() => cache.set("a", "new").catch(() => false), SOON).toBe(true);
    expect([await sure.get("a"), cache.stats().unsent]).toEqual(["new", 0]);
  });

  it("what was to be removed is not put into its grace instead", async () => {
    const cache = hf.cache<string>(randomName(), { timeout: 100, grace: "1h" });
    const sure = hf.cache<string>(cache.name, { ...PATIENT, grace: "1h" });
    await sure.set("a", "old");
    await server.pause();
    for (const kind of ["delete", "expire"]) await expect(KINDS[kind]!(cache)).rejects.toBeInstanceOf(HoldfastError);
    server.resume();
    await expect.poll(() => cache.stats().unsent, SOON).toBe(0);
    await expect(sure.getOrSet("a", down)).rejects.toThrow("the source is down");
  });

  it("is not kept with autoRecovery: false", async () => {
    const cache = hf.cache<string>(randomName(), { timeout: 100, autoRecovery: false });
    await server.pause();
    await expect(cache.delete("a")).rejects.toBeInstanceOf(HoldfastError);
    expect(cache.stats().unsent).toBe(0);
  });

  it("while the server takes no writes, nothing is served that was deleted", async () => {
    const cache = hf.cache<string>(randomName(), { timeout: 500 });
    const sure = hf.cache<string>(cache.name, PATIENT);
    await sure.set("a", "old");
    await server.command("CONFIG", "SET", "min-replicas-to-write", "1");
    await expect(cache.delete("a")).rejects.toMatchObject({ retryable: true });
    expect(await cache.getOrSet("a", () => "loaded")).toBe("loaded");
    await expect(cache.get("a")).rejects.toMatchObject({ retryable: true });
    await server.command("CONFIG", "SET", "min-replicas-to-write", "0");
    await expect.poll(() => sure.get("a").catch(() => "not yet"), SOON).toBeUndefined();
  });

  it("too many are all entries", async () => {
    const cache = hf.cache<string>(randomName(), { timeout: 100 });
    await hf.cache<string>(cache.name, PATIENT).set("other", "old");
    await server.pause();
    await expect(cache.deleteMany(Array.from({ length: 10_001 }, (_, at) => at))).rejects.toBeInstanceOf(HoldfastError);
    expect(cache.stats().unsent).toBe(1);
    server.resume();
    await expect.poll(() => cache.get("other").catch(() => "not yet"), SOON).toBeUndefined();
  });

  it("close sends them where it can, and says what it could not", async () => {
    const warnings: string[] = [];
    const hear = (warning: Error): void => void warnings.push(warning.message);
    process.on("warning", hear);
    const dying = await connect(server.url, { closeTimeout: 100 });
    const cache = dying.cache<string>(randomName(), { timeout: 100 });
    await dying.cache<string>(cache.name, PATIENT).get("a");
    await server.pause();
    await expect(cache.delete("a")).rejects.toBeInstanceOf(HoldfastError);
    await dying.close();
    await expect
      .poll(() => warnings, SOON)
      .toContainEqual(expect.stringContaining("closed before 1 invalidation could be sent"));
    process.off("warning", hear);
  });

  /** A value in memory, past its time there. */
  async function late(more: CacheOptions<string> = {}): Promise<Cache<string>> {
    const cache = hf.cache<string>(randomName(), { timeout: 100, grace: "1h", l1: { ttl: 1 }, ...more });
    await hf.cache<string>(cache.name, { ...PATIENT, grace: "1h" }).set("a", "old");
    const kept = () => cache.getOrSet("a", () => "no").then(() => cache.stats().l1!.entries);
    await expect.poll(kept, SOON).toBe(1);
    await expect.poll(() => cache.peek("a"), SOON).toBeUndefined();
    await server.pause();
    return cache;
  }
  it("a value past its time is served from memory where neither the server nor the load answers, and the source rests", async () => {
    const cache = await late({ graceBackoff: "1h" });
    expect(await cache.getOrSet("a", () => "loaded")).toBe("loaded");
    expect(await cache.getOrSet("a", down)).toBe("old");
    expect(await cache.getOrSet("a", () => "loaded")).toBe("old");
    expect(cache.stats()).toMatchObject({ stale: 2, loadErrors: 1 });
    await expect(cache.getOrSet("b", down)).rejects.toThrow("the source is down");
    // The connection is lost too, and the process with all that it had.
    await server.kill();
    await expect.poll(() => cache.stats().l1!.isCoherent, SOON).toBe(false);
    expect(await cache.getOrSet("a", down)).toBe("old");
    await server.restart();
  });

  it("what is in memory is served after softTimeout", async () => {
    const cache = await late({ softTimeout: 0 });
    expect(await cache.getOrSet("a", () => new Promise<string>(() => undefined))).toBe("old");
    expect(cache.stats()).toMatchObject({ stale: 1, softTimeouts: 1 });
  });

  it("the server is waited for no longer than serverSoftTimeout, where memory has the value", async () => {
    const cache = await late({ timeout: "1h", serverSoftTimeout: 20 });
    expect(await cache.getOrSet("a", down)).toBe("old");
  });

  it("what was deleted is not served so, nor anything where l1.grace is off", async () => {
    const cache = await late();
    await expect(cache.delete("a")).rejects.toBeInstanceOf(HoldfastError);
    await expect(cache.getOrSet("a", down)).rejects.toThrow("the source is down");
    server.resume();
    const off = await late({ l1: { ttl: 1, grace: false } });
    await expect(off.getOrSet("a", down)).rejects.toThrow("the source is down");
  });

  it("nothing from before a lost connection is served so once the server is heard again", async () => {
    const cache = await late();
    await server.kill();
    await expect.poll(() => cache.stats().l1!.isCoherent, SOON).toBe(false);
    expect(cache.stats().l1!.entries).toBe(1);
    await server.restart();
    await expect.poll(() => cache.stats().l1!.entries, SOON).toBe(0);
  });

  it("a refresh in the background survives the caller who has begun it", async () => {
    const cache = hf.cache<string>(randomName(), { ...PATIENT, refreshAhead: 0.000_001, ttl: "1h", jitter: 0 });
    await cache.getOrSet("a", () => "first");
    const [begun, source, caller] = [new Deferred<void>(), new Deferred<string>(), new AbortController()];
    const load = () => (begun.resolve(), source.promise);
    await expect
      .poll(() => cache.getOrSet("a", load, { signal: caller.signal }).then(() => cache.stats().refreshes), SOON)
      .toBe(1);
    await begun.promise;
    caller.abort();
    source.resolve("second");
    await expect.poll(() => cache.get("a"), SOON).toBe("second");
  });
});
