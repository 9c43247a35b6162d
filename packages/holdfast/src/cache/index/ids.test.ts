/**
 * The ids of a cache.
 *
 * What could go wrong, and the test for each:
 * - what is there is not listed, however it was stored .......................... "lists what is there"
 * - what is not there is listed: removed, expired, late, invalid, "there is none" ... "lists nothing that is not there"
 * - a prefix takes others, or none; a page ends the list ........................ "by prefix"
 * - it grows with each id that was ever stored .................................. "is no longer than"
 * - it is evicted, or ends before its entries ................................... "is lost", "outlives"
 * - what is invalid takes its memory for ever ................................... "frees"
 * - a cache without an index searches the server ................................ "refuses"
 */
import { describe, expect, it } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { randomName, TwoHandles } from "../../../test/support/two-handles.ts";
import type { Cache } from "../cache.ts";

const SOON = { timeout: 20_000, interval: 5 };

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

const listed = async (cache: Cache<string>, prefix?: string): Promise<string[]> =>
  (await all(cache.keys(prefix === undefined ? {} : { prefix }))).toSorted();

describe.each(backends())("the ids of a cache [$name]", ({ url, options }) => {
  const two = new TwoHandles({ url, options });
  const pair = (more = {}): Cache<string>[] => {
    const name = randomName();
    return [two.a, two.b].map((hf) => hf.cache<string>(name, { timeout: "1m", jitter: 0, index: true, ...more }));
  };
  const indexKeys = async (cache: Cache<string>): Promise<string[]> => {
    const found: string[] = [];
    for await (const keys of two.a.scan(`ids:${cache.name}:`)) found.push(...keys);
    return found;
  };

  it("lists what is there, however it was stored, with its value and how many there are", async () => {
    const [here, there] = pair({ negativeTtl: "1m", grace: "1h" });
    await here!.set("set", "1");
    await there!.setMany([
      ["many:{1}", "2"],
      [7, "3"],
    ]);
    await there!.getOrSet("loaded", () => "4");
    await here!.getOrSetMany(["bulk"], () => new Map([["bulk", "5"]]));
    await here!.set("only", "6", { only: "absent", tags: ["t", "u".repeat(200)] });
    expect(await here!.touch("set", { ttl: "2h" })).toBe(true);
    const ids = ["7", "bulk", "loaded", "many:{1}", "only", "set"];
    for (const cache of [here!, there!]) {
      expect(await listed(cache)).toEqual(ids);
      expect(new Map(await all(cache.entries()))).toEqual(new Map((await cache.getMany(ids)) as Map<string, string>));
      expect(await cache.size()).toBe(6);
    }
  });

  it("lists nothing that is not there: removed, taken, past its time, invalid, and what there is none of", async () => {
    const [here, there] = pair({ negativeTtl: "1m", grace: "1h" });
    const store = (): Promise<void> =>
      here!.setMany(["deleted", "taken", "late", "cleared:1", "cleared:2", "kept"].map((id) => [id, "value"]));
    await store();
    await here!.set("tagged", "value", { tags: ["t"] });
    await here!.getOrSet("none", () => undefined as never);
    await there!.delete("deleted");
    await there!.take("taken");
    await there!.expire("late");
    await there!.clear({ prefix: "cleared:" });
    await there!.invalidate({ tags: ["t"] });
    for (const cache of [here!, there!]) {
      expect(await listed(cache)).toEqual(["kept"]);
      expect(await all(cache.entries())).toEqual([["kept", "value"]]);
      expect(await cache.size()).toBe(1);
    }
    await here!.clear();
    expect(await there!.size()).toBe(0);
    await store();
    expect(await there!.size()).toBe(6);
  });

  it("by prefix, over many pages", async () => {
    const [here, there] = pair();
    const ids = Array.from({ length: 700 }, (_, at) => `a:${at}`);
    await here!.setMany([...ids, "a", "b:1", "b:\u{10ffff}", "b:\u00ff", "c"].map((id) => [id, "value"]));
    expect(await listed(there!, "a:")).toEqual(ids.toSorted());
    expect(await there!.size({ prefix: "a:6" })).toBe(111);
    expect(await all(there!.entries({ prefix: "b:" }))).toHaveLength(3);
    expect(await listed(there!, "nothing")).toEqual([]);
    expect(await there!.size()).toBe(705);
    for await (const id of here!.keys({ prefix: "a:" })) await here!.delete(id);
    expect(await there!.size()).toBe(5);
    expect(() => here!.keys({ prefix: "" })).toThrow(/prefix: expected a non-empty/);
  });

  it("is no longer than what there is, for those that have expired, and outlives its entries by nothing", async () => {
    const [here] = pair();
    await here!.set("short", "value", { ttl: "1ms" });
    for (const key of await indexKeys(here!)) expect(await two.send("PTTL", key)).toBeLessThanOrEqual(1);
    await here!.set("last", "value", { ttl: "1h" });
    await here!.set("first", "value", { ttl: "1m" });
    for (let at = 0; at < 300; at += 1) await here!.set(`short ${at}`, "value", { ttl: "1ms" });
    const [ids] = (await indexKeys(here!)).filter((key) => !key.endsWith(":ends"));
    expect(await two.send("ZCARD", ids!)).toBeLessThan(100);
    const keys = await indexKeys(here!);
    const longest = Math.max(...(await Promise.all(keys.map(async (key) => Number(await two.send("PTTL", key))))));
    expect(longest).toBeGreaterThan(3_500_000);
    expect(await listed(here!)).toEqual(["first", "last"]);
    await here!.set("endless", "value", { ttl: "none" });
    await here!.set("first", "value", { ttl: "1m" });
    const endless = await Promise.all((await indexKeys(here!)).map((key) => two.send("PTTL", key)));
    expect(endless.filter((pttl) => pttl === -1)).toHaveLength(2);
  });

  it("where it is lost, what was stored before is served and not listed until it is stored again", async () => {
    const [here, there] = pair();
    await here!.setMany(["a", "b"].map((id) => [id, "value"]));
    for (const key of await indexKeys(here!)) await two.send("DEL", key);
    expect(await there!.size()).toBe(0);
    expect(await there!.get("a")).toBe("value");
    await there!.touch("a");
    expect(await listed(here!)).toEqual(["a"]);
    await here!.clear({ prefix: "b" });
    expect(await there!.get("b")).toBeUndefined();
  });

  it("listing frees what is invalid and has no end", async () => {
    const [here] = pair({ ttl: "none" });
    await here!.set("a", "value", { tags: ["t"] });
    await here!.invalidate({ tags: ["t"] });
    const key = `${two.prefix}:cache:${here!.name}:{a}`;
    expect(await two.send("EXISTS", key)).toBe(1);
    expect(await here!.size()).toBe(0);
    await expect.poll(() => two.send("EXISTS", key), SOON).toBe(0);
    await expect.poll(() => indexKeys(here!), SOON).toEqual([]);
  });

  it("refuses to search the server where there is no index", async () => {
    const [here] = pair({ index: false });
    const refused = { code: "UNSUPPORTED", message: expect.stringContaining("index: true") as string };
    expect(() => here!.keys()).toThrow(/has no index of its ids.*index: true/);
    expect(() => here!.entries()).toThrow(/index: true/);
    await expect(here!.size()).rejects.toMatchObject(refused);
    expect(() => two.a.cache(randomName(), { index: 1 as never })).toThrow(/index: expected a boolean/);
  });

  it("lists what is written behind", async () => {
    const [here, there] = pair({ writer: { mode: "behind", write: () => undefined } });
    await here!.write("a", "value");
    expect(await listed(there!)).toEqual(["a"]);
    await here!.write("a", undefined);
    expect(await there!.size()).toBe(0);
  });
});
