/**
 * What a store for others asks of a cache.
 *
 * What could go wrong, and the test for each:
 * - two callers take one value, or one that is invalid ....................... "take"
 * - a load under way stores after it ......................................... the same
 * - `only` counts what is late or invalid as there, or stores beside another .... "only"
 * - a long id is refused where it is to be hashed, or is taken for another ......... "a long id"
 * - `touch` revives what is over, or leaves the key to its old time ............. "touch"
 * - an entry without an end gets one, or what it needs ends before it ........... "an entry without a ttl"
 * - a ttl of the call's own is shortened ........................................ "is exact"
 * - what is read with an entry is not the entry's .............................. "getEntry"
 * - `explain` says otherwise than what a reader gets ............................ "explain"
 */
import { describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { randomName, TwoHandles } from "../../test/support/two-handles.ts";
import { Deferred } from "../base/deferred.ts";
import type { Id } from "../core/keyspace/keyspace.ts";

const PATIENT = { timeout: "1m", loadLease: "10m", loadTimeout: "10m", grace: "1h", jitter: 0 } as const;

describe.each(backends())("verbs of a cache [$name]", ({ url, options }) => {
  const two = new TwoHandles({ url, options });
  const pair = (more = {}) => {
    const name = randomName();
    return [two.a, two.b].map((hf) => hf.cache<string>(name, { ...PATIENT, ...more }));
  };

  it("take gives a value to one caller only, and supersedes a load under way", async () => {
    const [here, there] = pair();
    await here!.set("a", "value");
    const taken = await Promise.all(Array.from({ length: 10 }, (_, at) => (at % 2 === 0 ? here! : there!).take("a")));
    expect(taken.filter((value) => value !== undefined)).toEqual(["value"]);
    expect(await here!.take("a")).toBeUndefined();
    await here!.set("tagged", "value", { tags: ["t"] });
    await there!.invalidate({ tags: ["t"] });
    expect(await here!.take("tagged")).toBeUndefined();
    const [begun, source] = [new Deferred<undefined>(), new Deferred<string>()];
    const load = here!.getOrSet("b", () => (begun.resolve(undefined), source.promise));
    await begun.promise;
    expect(await there!.take("b")).toBeUndefined();
    source.resolve("read before");
    await load;
    expect(await there!.get("b")).toBeUndefined();
  });

  it("only decides whether a value is stored, where late and invalid ones count as none", async () => {
    const [here, there] = pair();
    expect(await here!.set("a", "1", { only: "present" })).toBe(false);
    const set = await Promise.all([here!, there!].map((cache, at) => cache.set("a", `by ${at}`, { only: "absent" })));
    expect(set.filter(Boolean)).toHaveLength(1);
    expect(await here!.get("a")).toBe(set[0] ? "by 0" : "by 1");
    expect(await there!.set("a", "2", { only: "present", tags: ["t"] })).toBe(true);
    await here!.invalidate({ tags: ["t"] });
    expect(await there!.set("a", "3", { only: "present" })).toBe(false);
    expect(await here!.set("a", "4", { only: "absent" })).toBe(true);
    await here!.expire("a");
    expect(await there!.set("a", "5", { only: "present" })).toBe(false);
    expect(await there!.set("a", "6", { only: "absent" })).toBe(true);
    expect(await here!.get("a")).toBe("6");
    await expect(here!.set("a", "x", { only: "sometimes" as never })).rejects.toThrow(
      /only: expected "absent" or "present"/,
    );
  });

  it("touch begins the time of what is there again, and revives nothing", async () => {
    const [here, there] = pair({ grace: 0 });
    expect(await here!.touch("a")).toBe(false);
    await here!.set("a", "value", { ttl: "1h" });
    expect(await there!.touch("a", { ttl: "10h" })).toBe(true);
    const { ttlMs } = await here!.explain("a");
    expect(ttlMs).toBeGreaterThan(9 * 3_600_000);
    const [late] = pair();
    await late!.set("a", "value");
    await late!.expire("a");
    expect([await late!.touch("a"), await late!.has("a")]).toEqual([false, false]);
    for (const tags of [["t"], ["t", "u".repeat(256)]]) {
      await here!.set("tagged", "value", { tags });
      expect(await there!.touch("tagged")).toBe(true);
      await there!.invalidate({ tags: ["t"] });
      expect(await here!.touch("tagged")).toBe(false);
    }
    await there!.set("plain", "value");
    await here!.clear();
    expect([await there!.touch("plain"), await there!.has("plain")]).toEqual([false, false]);
  });

  it("a long id is refused, or hashed, and is an id as any other then", async () => {
    const id = `${"long".repeat(64)}${"x".repeat(2_000)}`;
    const other = `${id.slice(0, -1)}y`;
    const [refusing] = pair();
    await expect(refusing!.get(id)).rejects.toThrow(/id: expected .* at most 1024 characters/);
    const [here, there] = pair({ longIds: "hash", index: true, l1: true });
    await here!.setMany([
      [id, "value"],
      [other, "another"],
      ["short", "third"],
    ]);
    expect([...(await there!.getMany([other, id, "short"])).values()]).toEqual(["another", "value", "third"]);
    expect(await there!.getOrSet(`${id}z`, () => "loaded", { tags: ["t"] })).toBe("loaded");
    const { key } = await here!.explain(id);
    expect(key).toContain("long");
    expect(key.length).toBeLessThan(600);
    const listed = [];
    for await (const each of here!.keys({ prefix: "long" })) listed.push(each);
    expect(listed.toSorted()).toEqual([id, other, `${id}z`].toSorted());
    await expect.poll(() => (here!.get(id), here!.peek(id)), { timeout: 20_000 }).toBe("value");
    await there!.set(id, "newer");
    await expect.poll(() => here!.get(id), { timeout: 20_000 }).toBe("newer");
    expect(await here!.delete(other)).toBe(true);
    expect((await there!.hasMany([id, other])).get(other)).toBe(false);
    await here!.clear({ prefix: "longlong" });
    expect([...(await there!.getMany([id, `${id}z`, "short"], { l1: false })).keys()]).toEqual(["short"]);
    await expect(here!.get(`${id}\ud800`)).rejects.toThrow(/id: expected/);
  });

  it("an entry without a ttl is there until it is removed or invalidated, and so is what says so", async () => {
    const [here, there] = pair({ ttl: "none", grace: 0 });
    const [timed] = pair({ ttl: "1h" });
    const pttl = async (key: string): Promise<unknown> => two.send("PTTL", `${two.prefix}:${key}`);
    const lifeOf = (cache: typeof here, id: string): Promise<unknown> => pttl(`cache:${cache!.name}:{${id}}`);
    await here!.set("a", "value");
    await there!.getOrSet("b", () => "value");
    await here!.set("c", "value", { ttl: "1h" });
    await here!.touch("c");
    await timed!.set("a", "value", { ttl: "none" });
    await timed!.getOrSet("b", (context) => ((context.ttl = "none"), "value"));
    await timed!.set("c", "value", { ttl: "none" });
    await timed!.touch("c", { ttl: "1h" });
    for (const id of ["a", "b", "c"]) expect(await lifeOf(here, id)).toBe(-1);
    expect([await lifeOf(timed, "a"), await lifeOf(timed, "b")]).toEqual([-1, -1]);
    expect(await lifeOf(timed, "c")).toBeGreaterThan(0);
    expect(await here!.explain("a")).toMatchObject({ status: "fresh", graceMs: 0 });
    expect(await here!.explain("a")).not.toHaveProperty("ttlMs");
    for (const { name } of [here!, timed!])
      await expect.poll(() => pttl(`versions:${name}:{${name}}`), { timeout: 30_000 }).toBe(-1);
    await there!.invalidate({ tags: ["t"] });
    expect(await pttl(`versions:${here!.name}:{${here!.name}}`)).toBe(-1);
    // One that is expired is kept for its grace, and no longer.
    expect(await timed!.expire("a")).toBe(true);
    expect(await lifeOf(timed, "a")).toBeLessThanOrEqual(3_600_000);
    expect(await timed!.getOrSet("a", () => Promise.reject(new Error("away")))).toBe("value");
    expect(await here!.expire("b")).toBe(true);
    await there!.clear({ prefix: "a" });
    expect([...(await here!.getMany(["a", "b", "c"])).keys()]).toEqual(["c"]);
    await expect(here!.set("a", "x", { ttl: "never" as never })).rejects.toThrow(/ttl: expected a duration/);
  });

  it("a ttl of the call's own is exact, whatever the jitter", async () => {
    const [here] = pair({ jitter: 1, grace: 0, negativeTtl: "1h" });
    await here!.set("a", "value", { ttl: "1h" });
    await here!.setMany([["b", "value"]], { ttl: "1h" });
    await here!.getOrSet("c", () => "value", { ttl: "1h" });
    await here!.getOrSet("d", (context) => ((context.ttl = "1h"), "value"));
    await here!.set("e", "value", { ttl: "2h" });
    await here!.touch("e", { ttl: "1h" });
    for (const id of ["a", "b", "c", "d", "e"]) expect((await here!.explain(id)).ttlMs).toBeGreaterThan(3_540_000);
  });

  it("getEntry returns a value with its end, tags and etag, and hasMany which of them there are", async () => {
    const [here, there] = pair();
    await here!.getOrSet("a", (context) => ((context.tags = ["t"]), (context.etag = "v1"), "value"), { ttl: "1h" });
    await here!.set("b", "value", { ttl: "none" });
    const entry = (await there!.getEntry("a"))!;
    expect(entry).toMatchObject({ value: "value", tags: ["t"], etag: "v1" });
    expect(entry.ttlMs).toBeGreaterThan(3_540_000);
    expect(entry.ttlMs).toBeLessThanOrEqual(3_600_000);
    expect(entry.expiresAt).toBe((await here!.explain("a")).freshUntil);
    const endless = { value: "value", tags: [], etag: undefined, expiresAt: undefined, ttlMs: undefined };
    expect(await there!.getEntry("b")).toEqual(endless);
    expect(await there!.hasMany(["b", "c", "a", 7])).toEqual(
      new Map<Id, boolean>([
        ["b", true],
        ["c", false],
        ["a", true],
        [7, false],
      ]),
    );
    await here!.expire("a");
    expect(await Promise.all([there!.getEntry("a"), there!.getEntry("c")])).toEqual([undefined, undefined]);
    expect(there!.stats()).toMatchObject({ hits: 4, misses: 4 });
    await expect(here!.hasMany("ab" as never)).rejects.toThrow(/ids: expected a list of ids/);
  });

  it("explain says how an entry stands", async () => {
    const [here, there] = pair();
    const { key: stands, ...missing } = await here!.explain("a");
    expect(stands).toMatch(/:\{a\}$/);
    expect(missing).toEqual({ status: "missing", isInMemory: false, isLoading: false });
    await here!.getOrSet("a", (context) => ((context.tags = ["t", "u"]), (context.etag = "v1"), "value"), {
      ttl: "1h",
    });
    const fresh = await there!.explain("a");
    expect(fresh).toMatchObject({ status: "fresh", tags: ["t", "u"], invalidTags: [], etag: "v1", isLoading: false });
    expect(fresh.ttlMs).toBeGreaterThan(3_500_000);
    expect(fresh.graceMs).toBeGreaterThan(3_500_000);
    await there!.expire("a");
    expect(await here!.explain("a")).toMatchObject({ status: "late", ttlMs: 0 });
    await there!.invalidate({ tags: ["u"] });
    expect(await here!.explain("a")).toMatchObject({ status: "invalid", invalidTags: ["u"] });
    const source = new Deferred<string>();
    const loading = here!.getOrSet("b", () => source.promise);
    await expect.poll(async () => (await there!.explain("b")).isLoading).toBe(true);
    source.resolve("x");
    await loading;
    const key = `${two.prefix}:cache:${here!.name}:{c}`;
    await two.send("SET", key, "foreign");
    expect(await here!.explain("c")).toMatchObject({ status: "unreadable" });
    expect(await here!.has("c")).toBe(false);
  });
});
