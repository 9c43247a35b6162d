/**
 * What a store for others asks of a cache.
 *
 * What could go wrong, and the test for each:
 * - two callers take one value, or one that is invalid ....................... "take"
 * - a load under way stores after it ......................................... the same
 * - `only` counts what is late or invalid as there, or stores beside another .... "only"
 * - `touch` revives what is over, or leaves the key to its old time ............. "touch"
 * - `explain` says otherwise than what a reader gets ............................ "explain"
 */
import { describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { randomName, TwoHandles } from "../../test/support/two-handles.ts";
import { Deferred } from "../base/deferred.ts";

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
  });

  it("explain says how an entry stands", async () => {
    const [here, there] = pair();
    expect(await here!.explain("a")).toEqual({ status: "missing", isInMemory: false, isLoading: false });
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
