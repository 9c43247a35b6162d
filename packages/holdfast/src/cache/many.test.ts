/**
 * What could go wrong, and the test for it:
 * - hits, or what others load, are loaded again ................................ "only the misses", "what another process is loading"
 * - a value loaded in bulk before a delete is stored after it .................. "no stale value"
 * - one failure loses the values of the others, or goes unheard ................ "partial failure", "one cause"
 * - one value that cannot be stored leaves half of a batch behind .............. "nothing is stored"
 * - an id whose load is another's holds up, or is held up by, the bulk .......... "what another process is loading"
 * - the bulk's process dies: the others load what was its .................... "what another process is loading" (its lease is given back)
 * - a write of the same tick is overtaken by a read ............................ "in the order of the calls"
 * - single misses of one tick are loaded one by one ............................ "misses of the same tick"
 *  */
import { describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { randomName, TwoHandles } from "../../test/support/two-handles.ts";
import { CodecError, InvalidArgumentError, PartialFailureError } from "../base/errors.ts";
import { Deferred } from "../base/deferred.ts";
import type { Id } from "../core/keyspace/keyspace.ts";

const IDS = Array.from({ length: 30 }, (_, at) => `id-${at}`);
/** None of a busy machine's. */
const PATIENT = { timeout: "1m", loadLease: "10m" } as const;
const square = (ids: readonly Id[]): Map<Id, string> => new Map(ids.map((id) => [id, `loaded ${id}`]));

describe.each(backends())("many entries of a cache [$name]", ({ url, options }) => {
  const two = new TwoHandles({ url, options });

  it("loads only the misses, in one call, and returns all in the order of the ids", async () => {
    const cache = two.a.cache<string>(randomName(), PATIENT);
    await cache.setMany(IDS.slice(0, 10).map((id) => [id, `set ${id}`]));
    const asked: (readonly Id[])[] = [];
    const found = await cache.getOrSetMany(IDS.toReversed(), (ids) => {
      asked.push(ids);
      return square(ids);
    });
    expect(asked).toHaveLength(1);
    expect(new Set(asked[0])).toEqual(new Set(IDS.slice(10)));
    expect([...found.keys()]).toEqual(IDS.toReversed());
    expect(found.get("id-3")).toBe("set id-3");
    expect(found.get("id-20")).toBe("loaded id-20");
    expect(await two.b.cache<string>(cache.name).getMany(IDS)).toEqual(new Map(IDS.map((id) => [id, found.get(id)])));
    expect(await cache.getOrSetMany(IDS, () => Promise.reject(new Error("not asked")))).toHaveLength(IDS.length);
  });

  it("leaves out what has no value, and remembers that for negativeTtl; 7 and '7' are one entry", async () => {
    const cache = two.a.cache<string>(randomName(), { ...PATIENT, negativeTtl: "1m" });
    const asked: Id[] = [];
    const load = (ids: readonly Id[]): Map<Id, string> => {
      asked.push(...ids);
      return new Map([["7", "seven"]]);
    };
    expect(await cache.getOrSetMany([7, "none"], load)).toEqual(new Map([[7, "seven"]]));
    expect(await cache.getOrSetMany([7, "7", "none"], load)).toEqual(
      new Map<Id, string>([
        [7, "seven"],
        ["7", "seven"],
      ]),
    );
    expect(new Set(asked)).toEqual(new Set([7, "none"]));
    expect(asked).toHaveLength(2);
    expect(await cache.getOrSetMany([], load)).toEqual(new Map());
  });

  it("waits for what another process is loading, and loads the others meanwhile", async () => {
    const [here, there] = [two.a.cache<string>(randomName(), PATIENT), two.b];
    const [begun, held, gone] = [new Deferred<void>(), new Deferred<string>(), new Deferred<void>()];
    const elsewhere = there.cache<string>(here.name, PATIENT).getOrSet("a", () => {
      begun.resolve();
      return held.promise;
    });
    await begun.promise;
    const asked: (readonly Id[])[] = [];
    const all = here.getOrSetMany(["a", "b"], (ids) => {
      asked.push(ids);
      gone.resolve();
      return square(ids);
    });
    // It did not wait for the other process.
    await gone.promise;
    expect(asked).toEqual([["b"]]);
    held.reject(new Error("the other one fails"));
    await expect(elsewhere).rejects.toThrow("the other one fails");
    // The lease was given back, and what is left is loaded by a further call.
    expect(await all).toEqual(square(["a", "b"]));
    expect(asked).toEqual([["b"], ["a"]]);
  });

  it("no stale value: a delete while a bulk load runs", async () => {
    const cache = two.a.cache<string>(randomName(), PATIENT);
    const [begun, hold] = [new Deferred<void>(), new Deferred<void>()];
    const old = cache.getOrSetMany(["a", "b"], async (ids) => {
      begun.resolve();
      await hold.promise;
      return square(ids);
    });
    await begun.promise;
    expect(await two.b.cache<string>(cache.name).deleteMany(["a"])).toEqual(new Map([["a", false]]));
    const fresh = await cache.getOrSetMany(["a"], () => new Map([["a", "new"]]));
    expect(fresh.get("a")).toBe("new");
    hold.resolve();
    expect((await old).get("a")).toBe("loaded a");
    expect(await cache.getMany(["a", "b"])).toEqual(
      new Map([
        ["a", "new"],
        ["b", "loaded b"],
      ]),
    );
  });

  it("a partial failure is told per id, with the values of the others, and stores those", async () => {
    const cache = two.a.cache<unknown>(randomName(), PATIENT);
    await cache.set("hit", 1);
    const given = new Map<Id, unknown>([
      ["good", 2],
      ["bad", new Error("no row")],
      ["odd", () => "a function"],
    ]);
    const failure: unknown = await cache
      .getOrSetMany(["hit", "good", "bad", "odd"], () => given)
      .catch((e: unknown) => e);
    expect(failure).toBeInstanceOf(PartialFailureError);
    const { results, errors, code, retryable } = failure as PartialFailureError;
    expect({ code, retryable }).toEqual({ code: "PARTIAL", retryable: false });
    expect([...results]).toEqual([
      ["hit", 1],
      ["good", 2],
    ]);
    expect([...errors.keys()]).toEqual(["bad", "odd"]);
    expect(errors.get("bad")).toBe(given.get("bad"));
    expect(errors.get("odd")).toBeInstanceOf(CodecError);
    expect(await cache.getMany(["good", "bad", "odd"])).toEqual(new Map([["good", 2]]));
    // Nothing holds the right to load what has failed.
    expect(await cache.getOrSet("bad", () => 3)).toBe(3);
  });

  it("a loader that fails as a whole rejects with its own error where there was nothing else: one cause", async () => {
    const cache = two.a.cache<string>(randomName(), PATIENT);
    const own = new Error("the database is away");
    await expect(cache.getOrSetMany(IDS, () => Promise.reject(own))).rejects.toBe(own);
    await expect(cache.getOrSetMany(IDS, () => [] as never)).rejects.toThrow(InvalidArgumentError);
    await cache.set("id-0", "stored");
    const failure: unknown = await cache.getOrSetMany(IDS, () => Promise.reject(own)).catch((e: unknown) => e);
    expect(failure).toMatchObject({ code: "PARTIAL", cause: own, results: new Map([["id-0", "stored"]]) });
  });

  it("nothing is stored if one of the values cannot be", async () => {
    const cache = two.a.cache<unknown>(randomName(), PATIENT);
    await expect(
      cache.setMany([
        ["a", 1],
        ["b", () => 2],
      ]),
    ).rejects.toThrow(CodecError);
    expect(await cache.getMany(["a", "b"])).toEqual(new Map());
  });

  it("reads and writes of the same tick take effect in the order of the calls", async () => {
    const cache = two.a.cache<number>(randomName(), PATIENT);
    // A lone read before, after which reads are sent at once.
    expect(await cache.get("k")).toBeUndefined();
    const done = [
      cache.set("k", 1),
      cache.get("k"),
      cache.deleteMany(["k"]),
      cache.get("k"),
      cache.setMany([["k", 2]]),
      cache.get("k"),
    ];
    const [, first, , second, , third] = await Promise.all(done);
    expect([first, second, third]).toEqual([1, undefined, 2]);
  });

  it("misses of the same tick are one call of the cache's own loadMany", async () => {
    const calls: (readonly Id[])[] = [];
    const cache = two.a.cache<string>(randomName(), {
      ...PATIENT,
      loadMany: (ids) => {
        calls.push(ids);
        return square(ids);
      },
    });
    const ids = ["1", "2", "3"];
    expect(await Promise.all(ids.map((id) => cache.getOrSet(id)))).toEqual(ids.map((id) => `loaded ${id}`));
    expect(new Set(calls.flat())).toEqual(new Set(ids));
    // One for each node that has answered.
    expect(calls.length).toBeLessThanOrEqual(two.a.driver.caps.cluster ? 3 : 1);
    expect(await cache.getOrSetMany([...ids, "more"])).toHaveLength(4);
    expect(calls.at(-1)).toEqual(["more"]);
    await expect(two.a.cache<string>(randomName(), PATIENT).getOrSet("k")).rejects.toThrow(InvalidArgumentError);
    await expect(two.a.cache<string>(randomName(), PATIENT).getOrSetMany(["k"])).rejects.toThrow(/loadMany/);
  });

  it("gives loadMany 1,000 ids at most", async () => {
    const sizes: number[] = [];
    const cache = two.a.cache<number>(randomName(), PATIENT);
    const ids = Array.from({ length: 2_500 }, (_, at) => at);
    const found = await cache.getOrSetMany(ids, (some) => {
      sizes.push(some.length);
      return new Map(some.map((id) => [id, Number(id)]));
    });
    expect(sizes.toSorted((a, b) => a - b)).toEqual([500, 1_000, 1_000]);
    expect([...found.values()]).toEqual(ids);
    const loadMany = (some: readonly Id[]): Map<Id, number> => (sizes.push(some.length), new Map());
    const single = two.a.cache<number>(randomName(), { ...PATIENT, loadMany });
    sizes.length = 0;
    await Promise.all(ids.map((id) => single.getOrSet(id)));
    expect(Math.max(...sizes)).toBeLessThanOrEqual(1_000);
    expect(sizes.reduce((sum, size) => sum + size)).toBe(2_500);
  });

  it("a single miss of the cache's own loadMany fails by itself, and is loaded once for the fleet", async () => {
    const name = randomName();
    let loaded = 0;
    const loadMany = (ids: readonly Id[]): Map<Id, string | Error> => {
      loaded += ids.length;
      return new Map(ids.map((id) => [id, id === "bad" ? new Error("no such row") : `loaded ${id}`]));
    };
    const [here, there] = [two.a, two.b].map((hf) => hf.cache<string>(name, { ...PATIENT, loadMany }));
    const [good, bad, none] = await Promise.allSettled([
      here!.getOrSet("good"),
      here!.getOrSet("bad"),
      here!.getOrSet("own", () => "of the call"),
    ]);
    expect(good).toMatchObject({ value: "loaded good" });
    expect(bad).toMatchObject({ reason: { message: "no such row" } });
    expect(none).toMatchObject({ value: "of the call" });
    expect([await there!.getOrSet("good"), loaded]).toEqual(["loaded good", 2]);
    // After a delete nobody gets what was read before it.
    const [begun, source] = [new Deferred<void>(), new Deferred<Map<Id, string>>()];
    const slow = two.a.cache<string>(name, { ...PATIENT, loadMany: () => (begun.resolve(), source.promise) });
    const before = slow.getOrSet("x");
    await begun.promise;
    await there!.delete("x");
    source.resolve(new Map([["x", "old"]]));
    expect(await before).toBe("old");
    expect(await there!.getOrSet("x")).toBe("loaded x");
  });

  it("a signal ends the waiting of its caller, and a second caller gets the values", async () => {
    const cache = two.a.cache<string>(randomName(), PATIENT);
    const [begun, hold, stop] = [new Deferred<void>(), new Deferred<void>(), new AbortController()];
    const load = async (ids: readonly Id[]): Promise<Map<Id, string>> => {
      begun.resolve();
      await hold.promise;
      return square(ids);
    };
    const first = cache.getOrSetMany(["a", "b"], load, { signal: stop.signal });
    await begun.promise;
    const second = cache.getOrSetMany(["a", "b"], () => Promise.reject(new Error("not asked")));
    stop.abort();
    await expect(first).rejects.toMatchObject({ code: "ABORTED" });
    hold.resolve();
    expect(await second).toEqual(square(["a", "b"]));
  });
});
