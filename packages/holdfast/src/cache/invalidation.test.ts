/**
 * Invalidation by tag, and of a whole cache.
 *
 * What could go wrong, and the test for each:
 * - an entry outlives the invalidation of one of its tags ...................... "every entry that has one of the tags"
 * - one without the tag goes with it ........................................... the same
 * - a load that began before it stores, or is joined, after it .................. "is not stored, and not joined"
 * - tags that the loader sets are not those that were captured .................. "tags that the loader sets"
 * - `clear` leaves an entry of another process, or one without tags .............. "clears"
 * - `clear` of a prefix leaves an entry of it, or takes one with it that is not ...... "clears a prefix"
 * - the prefixes are evicted, or too many ......................................... "the prefixes are gone", "no more prefixes than"
 * - an invalidation of one's own hides that of another process ................... "where the user may not track"
 * - what is stored right after it is lost ....................................... "what is stored after it stays"
 * - memory serves what was invalidated elsewhere ................................ "from memory"
 * - the state is evicted, and what was invalidated comes back ................... "the state is gone"
 * - memory is full, and an invalidation cannot be noted ......................... "memory is full"
 * - it grows with the tags that were ever invalidated ............................ "keeps no more tags than"
 * - the server may not be asked to track ........................................ "where the user may not track"
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { type Standalone, startStandalone } from "../../test/support/servers.ts";
import { randomName, TwoHandles } from "../../test/support/two-handles.ts";
import { Deferred } from "../base/deferred.ts";
import { connect } from "../connect.ts";
import type { Holdfast } from "../holdfast.ts";

const PATIENT = { timeout: "1m", loadLease: "10m" } as const;
const SOON = { timeout: 30_000, interval: 5 };

describe.each(backends())("invalidation of a cache [$name]", ({ url, options }) => {
  const two = new TwoHandles({ url, options });
  const pair = (more = {}) => {
    const name = randomName();
    return [two.a, two.b].map((hf) => hf.cache<string>(name, { ...PATIENT, ...more }));
  };

  it("by tag ends every entry that has one of the tags, in every process, and no other", async () => {
    const [here, there] = pair();
    await here!.set("a", "old", { tags: ["team:1", "all"] });
    await here!.set("b", "old", { tags: ["team:2"] });
    await there!.getOrSet("c", () => "old", { tags: ["team:1"] });
    await there!.set("d", "old");
    await there!.setMany([["e", "old"]], { tags: ["team:3"] });
    expect([...(await there!.getMany(["a", "b", "c", "d", "e"])).keys()]).toEqual(["a", "b", "c", "d", "e"]);
    await here!.invalidate({ tags: ["team:1", "team:3"] });
    for (const cache of [here!, there!]) {
      expect([...(await cache.getMany(["a", "b", "c", "d", "e"])).keys()]).toEqual(["b", "d"]);
      expect(await cache.get("a")).toBeUndefined();
    }
    expect(await there!.getOrSet("a", () => "new", { tags: ["team:1"] })).toBe("new");
    expect(await here!.get("a")).toBe("new");
    expect(here!.stats()).toMatchObject({ hits: 3, misses: 4 });
  });

  it("clears all entries of this cache, with tags or without, and what is stored after it stays", async () => {
    const [here, there] = pair();
    const other = two.a.cache<string>(randomName(), PATIENT);
    await other.set("a", "other");
    await here!.set("a", "old");
    await there!.set("b", "old", { tags: ["t"] });
    await here!.clear();
    await there!.set("c", "new");
    await there!.set("d", "new", { tags: ["t"] });
    expect([...(await here!.getMany(["a", "b", "c", "d"])).keys()]).toEqual(["c", "d"]);
    expect([...(await there!.getMany(["a", "b", "c", "d"])).keys()]).toEqual(["c", "d"]);
    expect(await there!.getOrSet("a", () => "new")).toBe("new");
    expect(await other.get("a")).toBe("other");
    await there!.invalidate({ tags: ["t"] });
    expect([...(await here!.getMany(["a", "c", "d"])).keys()]).toEqual(["a", "c"]);
  });

  it("clears a prefix: all entries whose ids begin with it, and no other", async () => {
    const [here, there] = pair({ l1: true });
    const ids = ["user:1:a", "user:1:{b}", "user:10:a", "user:2", "user:1", "us%65r:1:c"];
    await here!.setMany(ids.map((id) => [id, "old"]));
    await there!.set("user:1:tagged", "old", { tags: ["t"] });
    await expect
      .poll(async () => [await there!.get("user:1:a"), there!.peek("user:1:a")], SOON)
      .toEqual(["old", "old"]);
    await there!.get("user:2");
    await here!.clear({ prefix: "user:1:" });
    const left = ["user:10:a", "user:2", "user:1", "us%65r:1:c"];
    await expect.poll(() => there!.peek("user:1:a"), SOON).toBeUndefined();
    for (const cache of [here!, there!])
      expect([...(await cache.getMany([...ids, "user:1:tagged"])).keys()]).toEqual(left);
    await there!.set("user:1:a", "new");
    expect(await here!.get("user:1:a")).toBe("new");
    await there!.clear({ prefix: "user:1:{" });
    expect(await here!.get("user:1:a")).toBe("new");
    const [later] = [two.b.cache<string>(here!.name)];
    expect(await later.get("user:1:{b}")).toBeUndefined();
    await expect(here!.clear({ prefix: "" })).rejects.toThrow(/prefix: expected a non-empty/);
    await expect(here!.clear({ perfix: "a" } as never)).rejects.toThrow(/did you mean "prefix"/);
  });

  it("calls that are not awaited go in their order", async () => {
    const [here] = pair();
    const calls = [here!.set("a", "1"), here!.clear(), here!.set("b", "2", { tags: ["t"] })];
    calls.push(here!.invalidate({ tags: ["t"] }), here!.set("c", "3", { tags: ["t"] }));
    await Promise.all(calls);
    expect([...(await here!.getMany(["a", "b", "c"])).values()]).toEqual(["3"]);
  });

  it.each(["tag", "clear", "prefix"])(
    "what a load under way has read before it (%s) is not stored, and not joined",
    async (how) => {
      const [here, there] = pair();
      const [begun, source] = [new Deferred<undefined>(), new Deferred<string>()];
      const load = (): Promise<string> => (begun.resolve(undefined), source.promise);
      const first = here!.getOrSet("a", load, { tags: ["t"] });
      await begun.promise;
      if (how === "tag") await there!.invalidate({ tags: ["t"] });
      else await there!.clear(how === "prefix" ? { prefix: "a" } : {});
      const [joins, waits] = [here!, there!].map((cache) => cache.getOrSet("a", () => "new", { tags: ["t"] }));
      source.resolve("old");
      expect(await first).toBe("old");
      expect(await Promise.all([joins, waits])).toEqual(["new", "new"]);
      expect(await there!.get("a")).toBe("new");
    },
  );

  it("ends entries by tags that the loader sets, also if it was called while the load ran", async () => {
    const [here, there] = pair();
    await here!.getOrSet("a", (context) => ((context.tags = [...context.tags, "late"]), "old"), { tags: ["t"] });
    const found = await here!.getOrSet("b", async (context) => {
      await there!.invalidate({ tags: ["during"] });
      context.tags = ["during"];
      return "old";
    });
    expect(found).toBe("old");
    expect(await there!.get("b")).toBeUndefined();
    expect(await there!.get("a")).toBe("old");
    await there!.invalidate({ tags: ["late"] });
    expect(await here!.get("a")).toBeUndefined();
  });

  it("reaches what others have in memory", async () => {
    const [here, there] = pair({ l1: true });
    const kept = async (id: string): Promise<void> => {
      await expect.poll(async () => [await there!.get(id), there!.peek(id)], SOON).toEqual(["old", "old"]);
    };
    await here!.set("a", "old", { tags: ["t"] });
    await here!.set("b", "old");
    await kept("a");
    await kept("b");
    await here!.invalidate({ tags: ["t"] });
    await expect.poll(() => there!.peek("a"), SOON).toBeUndefined();
    expect(await there!.getOrSet("a", () => "new", { tags: ["t"] })).toBe("new");
    await expect.poll(() => there!.peek("b"), SOON).toBe("old");
    await here!.clear();
    await expect.poll(() => there!.peek("b"), SOON).toBeUndefined();
    expect(await there!.get("b")).toBeUndefined();
    // And at once in the process that says it.
    await expect
      .poll(async () => [await there!.getOrSet("c", () => "old"), there!.peek("c")], SOON)
      .toEqual(["old", "old"]);
    await there!.clear();
    expect(there!.peek("c")).toBeUndefined();
  });

  it("is never undone: where the state is gone, nothing that was stored before is served", async () => {
    const [here, there] = pair();
    await here!.set("a", "old", { tags: ["t"] });
    await here!.set("b", "old");
    await here!.invalidate({ tags: ["t"] });
    const key = `${two.prefix}:versions:${here!.name}:{${here!.name}}`;
    expect(await two.a.driver.send(["DEL", key], { op: "test", class: "idempotent" }, key)).toBe(1);
    await expect.poll(async () => [...(await there!.getMany(["a", "b"])).keys()], SOON).toEqual([]);
    await here!.set("b", "new");
    expect(await there!.get("b")).toBe("new");
  });

  it("refuses what is no tag", async () => {
    const [here] = pair();
    await expect(here!.set("a", "x", { tags: "team" as never })).rejects.toThrow(/tags: expected a list of tags/);
    await expect(here!.set("a", "x", { tags: [""] })).rejects.toThrow(/tags: expected a non-empty/);
    await expect(here!.invalidate({} as never)).rejects.toThrow(/tags: expected a list of tags/);
    const many = Array.from({ length: 101 }, (_, at) => `t${at}`);
    await expect(here!.getOrSet("a", () => "x", { tags: many })).rejects.toThrow(/at most 100 tags/);
  });
});

describe("invalidation of a cache at its edges [standalone]", () => {
  let server: Standalone;
  let hf: Holdfast;
  beforeAll(async () => {
    server = await startStandalone();
    hf = await connect(server.url, { timeout: "60s" });
  });
  afterAll(async () => {
    await hf.close();
    await server.stop();
  });

  it("holds where memory is full: then everything is invalid", async () => {
    const cache = hf.cache<string>(randomName(), PATIENT);
    await cache.set("a", "old", { tags: ["t"] });
    await server.command("CONFIG", "SET", "maxmemory", "1");
    await cache.invalidate({ tags: ["t"] }).catch(() => undefined);
    await server.command("CONFIG", "SET", "maxmemory", "0");
    expect(await cache.get("a")).toBeUndefined();
  });

  it("keeps no more tags than 10,000, and what it forgets is invalid", async () => {
    const cache = hf.cache<string>(randomName(), PATIENT);
    await cache.set("forgotten", "old", { tags: ["first"] });
    await cache.set("untouched", "old");
    const name = `hf:versions:${cache.name}:{${cache.name}}`;
    for (let at = 0; at < 14; at += 1) {
      await cache.set(`${at}`, "old", { tags: [`${at}:5`] });
      await cache.invalidate({ tags: Array.from({ length: 1_000 }, (_, number) => `${at}:${number}`) });
    }
    expect(Number(await server.command("ZCARD", name))).toBeLessThanOrEqual(10_004);
    await using other = await connect(server.url);
    const there = other.cache<string>(cache.name);
    expect([...(await there.getMany(["forgotten", "untouched", "0", "13"])).keys()]).toEqual(["untouched"]);
    await cache.set("13", "new", { tags: ["13:5"] });
    expect(await there.get("13")).toBe("new");
  });

  it("keeps no more prefixes than 1,000, and what is older than those that it forgets is invalid", async () => {
    const cache = hf.cache<string>(randomName(), PATIENT);
    await cache.set("forgotten:1", "old");
    await cache.set("untouched", "old");
    await cache.clear({ prefix: "forgotten:" });
    await cache.set("kept", "old");
    await Promise.all(Array.from({ length: 1_050 }, (_, at) => cache.clear({ prefix: `${at}:` })));
    await cache.set("new", "new");
    const name = `hf:versions:${cache.name}:{${cache.name}}:prefixes`;
    expect(Number(await server.command("ZCARD", name))).toBeLessThanOrEqual(1_000);
    await using other = await connect(server.url);
    const there = other.cache<string>(cache.name);
    for (const each of [cache, there])
      expect([...(await each.getMany(["forgotten:1", "untouched", "kept", "new"])).keys()]).toEqual(["new"]);
  });

  it("where the prefixes are gone, what was stored before the last of them was cleared is not served", async () => {
    const cache = hf.cache<string>(randomName(), PATIENT);
    await cache.setMany(["a:1", "b:1"].map((id) => [id, "old"]));
    await cache.clear({ prefix: "a:" });
    await cache.set("c:1", "new");
    expect(await server.command("DEL", `hf:versions:${cache.name}:{${cache.name}}:prefixes`)).toBe(1);
    await using other = await connect(server.url);
    const there = other.cache<string>(cache.name);
    expect([...(await there.getMany(["a:1", "b:1", "c:1"])).keys()]).toEqual(["c:1"]);
  });

  it("holds where the user may not track", async () => {
    await server.command("ACL", "SETUSER", "limited", "on", ">pw", "~*", "&*", "+@all", "-client|tracking");
    await using limited = await connect(server.url, { username: "limited", password: "pw" });
    const there = limited.cache<string>(randomName(), PATIENT);
    const here = hf.cache<string>(there.name, PATIENT);
    await there.set("a", "old", { tags: ["t"] });
    for (let round = 0; round < 20; round += 1) {
      await here.set("a", "old", { tags: ["t"] });
      await here.set("b", "old");
      expect(await there.get("a")).toBe("old");
      await here.invalidate({ tags: ["t"] });
      // One of its own hides no other's.
      await there.invalidate({ tags: ["other"] });
      expect(await there.get("a")).toBeUndefined();
      await here.clear(round % 2 === 0 ? {} : { prefix: "b" });
      expect(await there.get("b")).toBeUndefined();
      // What it stores next it stores behind what it has not heard of yet.
      await there.set("b", "new", { tags: ["t"] });
      expect(await here.get("b")).toBe("new");
    }
  });
});
