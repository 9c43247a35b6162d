/**
 * What a cache counts and publishes.
 *
 * What could go wrong, and the test for each:
 * - a call counts twice, or not at all ........................................ "each call that reads"
 * - the counts and the events differ .......................................... the same
 * - a level, a stale answer, a negative one goes by another name ............... "by its level"
 * - a write that waits for the database counts as a miss ....................... "a write that waits"
 * - a call that fails while the server is away is no call ...................... "unanswered"
 * - loads: those that fail, or are too slow, are not seen; an error shows what it says ... "loads"
 * - nobody sees that memory may be out of date ................................. "coherence"
 * - how late an invalidation was is not known ................................. "how late"
 */
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { startProxy, startStandalone } from "../../test/support/servers.ts";
import { randomName, TwoHandles } from "../../test/support/two-handles.ts";
import { connect } from "../connect.ts";
import type { Cache } from "./cache.ts";
import type { CacheCoherenceEvent } from "./l1/coherence.ts";
import type { CacheLoadEvent, CacheReadEvent } from "./outcomes.ts";

const PATIENT = { timeout: "1m", loadLease: "10m", loadTimeout: "10m", jitter: 0 } as const;
const SOON = { timeout: 30_000, interval: 5 };

const ends: (() => void)[] = [];
afterEach(() => ends.splice(0).forEach((end) => end()));

/** The events of one cache on a channel, from now on. */
function heard<E extends { readonly cache: string }>(channel: string, { name }: { readonly name: string }): E[] {
  const events: E[] = [];
  const listener = (event: unknown): void => void ((event as E).cache === name && events.push(event as E));
  subscribe(channel, listener);
  ends.push(() => unsubscribe(channel, listener));
  return events;
}

const readsOf = (cache: { readonly name: string }): CacheReadEvent[] => heard("holdfast:cache:read", cache);
const down = (): never => {
  throw new Error("ada@example.com cannot be read");
};

/** A call, and how many reads it is. */
type Verb = readonly [call: (cache: Cache<unknown>, id: string) => Promise<unknown>, reads: number];

const VERBS: Record<string, Verb> = {
  get: [(cache, id) => cache.get(id), 1],
  has: [(cache, id) => cache.has(id), 1],
  take: [(cache, id) => cache.take(id), 1],
  getMany: [(cache, id) => cache.getMany([id, "x", "y"]), 3],
  getOrSet: [(cache, id) => cache.getOrSet(id, () => "loaded"), 1],
  none: [(cache, id) => cache.getOrSet(id, () => undefined), 1],
  fails: [(cache, id) => cache.getOrSet(id, down), 1],
  refresh: [(cache, id) => cache.getOrSet(id, () => "again", { refresh: true }), 1],
  getOrSetMany: [(cache, id) => cache.getOrSetMany([id, "x", "y"], () => new Map([[id, "many"]])), 3],
  gone: [(cache, id) => cache.getOrSet(id, () => "x", { signal: AbortSignal.abort() }), 0],
  refused: [(cache) => cache.get(""), 0],
  peek: [async (cache, id) => cache.peek(id), 0],
  explain: [(cache, id) => cache.explain(id), 0],
  set: [(cache, id) => cache.set(id, "set"), 0],
  add: [(cache, id) => cache.set(id, "added", { only: "absent" }), 0],
  touch: [(cache, id) => cache.touch(id), 0],
  expire: [(cache, id) => cache.expire(id), 0],
  delete: [(cache, id) => cache.delete(id), 0],
  clear: [(cache) => cache.clear(), 0],
};

describe.each(backends())("what is counted [$name]", ({ url, options }) => {
  const two = new TwoHandles({ url, options });

  it("of each call that reads is one hit, one miss or one unanswered, whatever calls there are at a time", async () => {
    const steps = fc.array(fc.tuple(fc.constantFrom(...Object.keys(VERBS)), fc.constantFrom("a", "b", "d")), {
      minLength: 10,
      maxLength: 60,
    });
    const settings = fc.record({
      l1: fc.boolean(),
      grace: fc.constantFrom(0, "1h" as const),
      softTimeout: fc.constantFrom(0, "1m" as const),
      negativeTtl: fc.constantFrom(0, "1m" as const),
      behind: fc.boolean(),
      together: fc.boolean(),
    });
    await fc.assert(
      fc.asyncProperty(steps, settings, async (calls, { behind, together, ...given }) => {
        const writer = behind ? { writer: { mode: "behind" as const, write: () => undefined } } : {};
        const cache = two.a.cache<unknown>(randomName(), { ...PATIENT, ...given, ...writer, graceBackoff: 1 });
        const events = readsOf(cache);
        const begun: Promise<unknown>[] = [];
        let reads = 0;
        for (const [verb, id] of calls) {
          const [call, each] = VERBS[verb]!;
          reads += each;
          const ended = call(cache, id).catch(() => undefined);
          if (together) begun.push(ended);
          else await ended;
        }
        await Promise.all(begun);
        const { hits, misses, unanswered, stale, l1Hits, pendingHits, negativeHits } = cache.stats();
        const by = (status: string, level?: string): number =>
          events.filter((event) => event.status === status && (level === undefined || event.level === level)).length;
        expect({ sum: hits + misses + unanswered, events: events.length }).toEqual({ sum: reads, events: reads });
        expect([by("hit"), by("stale"), by("miss"), by("hit", "memory"), by("hit", "pending")]).toEqual([
          hits,
          stale,
          misses - stale,
          l1Hits,
          pendingHits,
        ]);
        expect(events.filter(({ isNegative }) => isNegative === true)).toHaveLength(negativeHits);
      }),
      { numRuns: 40 },
    );
  });

  it("a hit by its level, a stale answer and a negative one go by their names", async () => {
    const name = randomName();
    const cache = two.a.cache<string>(name, { ...PATIENT, l1: true, grace: "1h", negativeTtl: "1m" });
    const events = readsOf(cache);
    const last = (): CacheReadEvent => events.at(-1)!;
    const about = { cache: name, id: "a" };
    await cache.get("a");
    expect(last()).toEqual({ ...about, status: "miss" });
    await cache.set("a", "v");
    await cache.get("a");
    expect(last()).toEqual({ ...about, status: "hit", level: "server", isNegative: false });
    await expect.poll(() => cache.get("a").then(() => cache.peek("a")), SOON).toBe("v");
    await cache.get("a");
    expect(last()).toEqual({ ...about, status: "hit", level: "memory", isNegative: false });
    await cache.expire("a");
    expect(await cache.getOrSet("a", down)).toBe("v");
    expect(last()).toEqual({ ...about, status: "stale" });
    await cache.getOrSet("none", () => undefined);
    await cache.get("none");
    expect(last()).toEqual({ cache: name, id: "none", status: "hit", level: "server", isNegative: true });
    expect(cache.stats()).toMatchObject({ negativeHits: 1, stale: 1, unanswered: 0 });
  });

  it("a write that waits for the database is a hit of its own level, where nothing else has it", async () => {
    const cache = two.a.cache<string>(randomName(), {
      ...PATIENT,
      writer: { mode: "behind", write: () => undefined, linger: "10m", drainTimeout: 0 },
    });
    await cache.write("a", "waits");
    await cache.clear();
    const events = readsOf(cache);
    expect([await cache.get("a"), await cache.getOrSet("a", down), (await cache.getMany(["a"])).get("a")]).toEqual(
      Array(3).fill("waits"),
    );
    expect(events[0]).toMatchObject({ status: "hit", level: "pending" });
    expect(events[1]).toMatchObject({ status: "hit", level: "pending" });
    const { hits, misses, loadTime } = cache.stats();
    expect([hits, misses, loadTime.count]).toEqual([3, 0, 0]);
    await cache.writer.drain();
  });

  it("loads are seen with their time, also those that fail; an error by its name alone", async () => {
    const cache = two.a.cache<string>(randomName(), PATIENT);
    const events = heard<CacheLoadEvent>("holdfast:cache:load", cache);
    await cache.getOrSet("a", () => "v");
    await expect(cache.getOrSet("b", down)).rejects.toThrow("cannot be read");
    const slow = two.a.cache<string>(cache.name, { ...PATIENT, loadTimeout: 20 });
    await expect(slow.getOrSet("c", () => new Promise<string>(() => undefined))).rejects.toMatchObject({
      code: "TIMEOUT",
    });
    expect(events).toMatchObject([
      { id: "a", status: "loaded", ms: expect.any(Number) },
      { id: "b", status: "failed", error: "Error" },
      { id: "c", status: "failed", error: "TimeoutError TIMEOUT" },
    ]);
    expect(cache.stats()).toMatchObject({ loads: 2, loadErrors: 1, loadTime: { count: 2 } });
    expect(slow.stats().loadTime.buckets.at(-1)!.upTo).toBeGreaterThanOrEqual(20);
  });

  it("how late an invalidation by another process was heard of is known, where the server reports it", async () => {
    const name = randomName();
    const [here, there] = [two.a, two.b].map((hf) => hf.cache<string>(name, { ...PATIENT, l1: true }));
    await here!.set("a", "v", { tags: ["t"] });
    await expect.poll(() => here!.get("a").then(() => here!.peek("a")), SOON).toBe("v");
    await there!.invalidate({ tags: ["t"] });
    await expect.poll(() => here!.stats().invalidationLag.count, SOON).toBeGreaterThan(0);
    expect(here!.stats().invalidationLag.mean).toBeLessThan(60_000);
    expect(there!.stats().invalidationLag.count).toBe(0);
  });
});

describe("what is counted, when the server is away [standalone]", () => {
  it("reads without a loader are unanswered, and the loss of coherence is said once, and its end", async () => {
    await using server = await startStandalone();
    await using proxy = await startProxy(server);
    await using hf = await connect(proxy.url);
    const cache = hf.cache<string>(randomName(), { timeout: 200, l1: true });
    const strict = hf.cache<string>(cache.name, { timeout: 200, onOutage: "throw" });
    await hf.cache<string>(cache.name).set("a", "v");
    await expect.poll(() => cache.get("a").then(() => cache.peek("a")), SOON).toBe("v");
    const coherence = heard<CacheCoherenceEvent>("holdfast:cache:coherence", cache);
    const before = cache.stats();
    proxy.refuse();
    proxy.cut();
    await expect.poll(() => cache.stats().l1!.isCoherent, SOON).toBe(false);
    const calls = [cache.get("a"), cache.has("a"), cache.take("a"), strict.getOrSet("a", () => "x")];
    for (const call of calls) await expect(call).rejects.toMatchObject({ retryable: expect.any(Boolean) });
    expect(await cache.getOrSet("a", () => "loaded")).toBe("loaded");
    const after = cache.stats();
    expect([after.unanswered - before.unanswered, after.misses - before.misses]).toEqual([3, 1]);
    expect(strict.stats()).toMatchObject({ unanswered: 1, misses: 0, hits: 0 });
    expect(after.l1!.incoherentMs).toBeGreaterThan(0);
    await proxy.heal();
    await expect.poll(() => cache.stats().l1!.incoherentMs, SOON).toBe(0);
    expect(coherence.map(({ isCoherent }) => isCoherent)).toEqual([false, true]);
  });
});
