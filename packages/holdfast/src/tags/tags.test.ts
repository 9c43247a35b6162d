/**
 * What could go wrong, and the test for it:
 * - the two directions, or the counts, differ after racing changes ............. "racing changes", model.test.ts
 * - stale entries: a tag or the index outlives its items ....................... "leaves nothing behind", "expired items"
 * - a walk misses or repeats an item while others change ....................... "a walk while items change"
 * - a query over large tags holds the server ................................... "a page is a bounded step"
 * - a tag or an item is taken for another one .................................. "the name", model.test.ts
 * - the index, or an item, grows without limit ................................. "full"
 * - indexes of a cluster meet in one slot, or their keys do not ................ "many indexes"
 * (faults.test.ts: lost replies and outages)
 */
import { describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { randomName, TwoHandles } from "../../test/support/two-handles.ts";
import type { TagsOptions } from "./options.ts";
import type { TagsQuery } from "./query.ts";
import type { Tags } from "./tags.ts";

const names = (count: number, head = "i"): string[] =>
  Array.from({ length: count }, (_, at) => `${head}${String(at).padStart(6, "0")}`);

async function listOf(index: Tags, query: TagsQuery): Promise<string[]> {
  const found: string[] = [];
  for await (const item of index.items(query)) found.push(item);
  return found;
}

describe.each(backends())("tags [$name]", (backend) => {
  const both = new TwoHandles(backend);
  const { prefix, send } = both;

  /** The same index as two processes see it. */
  const pair = (settings: TagsOptions = {}): [Tags, Tags] => {
    const name = randomName();
    return [both.a.tags(name, settings), both.b.tags(name, settings)];
  };

  const part = (index: Tags, name: string): string => `${prefix}:tags:{${index.name}}:${name}`;
  const keys = (index: Tags): Promise<string[]> => both.keys(`tags:{${index.name}}`);
  /** Lets these items expire now, as if their time had passed: the server's clock cannot be moved. */
  const end = (index: Tags, ...items: string[]): Promise<unknown> =>
    send("ZADD", part(index, "expiry"), ...items.flatMap((item) => ["1", item]));

  it("add, set, remove, of, count and counts", async () => {
    const [here, there] = pair();
    expect(await here.add("sfo", ["us", "hub", "us"])).toEqual({ status: "ok", tags: ["hub", "us"] });
    expect(await there.add("sfo", ["west"])).toEqual({ status: "ok", tags: ["hub", "us", "west"] });
    expect(await there.set(1, ["us"])).toEqual({ status: "ok", tags: ["us"] });
    expect(await here.of("sfo")).toEqual(["hub", "us", "west"]);
    expect(await here.of("nowhere")).toEqual([]);
    expect(await here.count("us")).toBe(2);
    expect(await here.counts()).toEqual(
      new Map([
        ["us", 2],
        ["hub", 1],
        ["west", 1],
      ]),
    );
    expect(await here.remove("sfo", ["hub", "east"])).toEqual(["us", "west"]);
    expect(await here.set("sfo", ["east"])).toEqual({ status: "ok", tags: ["east"] });
    expect(await here.counts()).toEqual(
      new Map([
        ["us", 1],
        ["east", 1],
      ]),
    );
    expect(await there.remove("sfo")).toEqual([]);
    expect(await there.remove("sfo")).toEqual([]);
    expect(await here.of("sfo")).toEqual([]);
    expect(await here.count("east")).toBe(0);
  });

  it("find by any, all and not", async () => {
    const [here, there] = pair();
    await Promise.all([
      here.set("atl", ["us", "east", "hub"]),
      here.set("bos", ["us", "east"]),
      here.set("lax", ["us", "west", "hub"]),
      here.set("lhr", ["uk", "hub"]),
    ]);
    expect(await listOf(there, { all: ["us"] })).toEqual(["atl", "bos", "lax"]);
    expect(await listOf(there, { all: ["us", "hub"] })).toEqual(["atl", "lax"]);
    expect(await listOf(there, { any: ["uk", "east"] })).toEqual(["atl", "bos", "lhr"]);
    expect(await listOf(there, { any: ["east", "west"], all: ["hub"] })).toEqual(["atl", "lax"]);
    expect(await listOf(there, { all: ["hub"], not: ["us", "fr"] })).toEqual(["lhr"]);
    expect(await listOf(there, { any: ["uk", "west"], not: ["uk"] })).toEqual(["lax"]);
    expect(await listOf(there, { all: ["us", "fr"] })).toEqual([]);
    expect(await there.find({ all: ["us"], limit: 2 })).toEqual({ items: ["atl", "bos"], cursor: "bos" });
    expect(await there.find({ all: ["us"], limit: 2, cursor: "bos" })).toEqual({ items: ["lax"], cursor: undefined });
  });

  it("an item that is removed leaves nothing behind, nor does an index without items", async () => {
    const [here] = pair();
    await here.add("a", ["x", "y"], { ttl: "1h" });
    await here.add("b", ["y"]);
    await here.remove("a");
    expect(await send("ZRANGE", part(here, "links"), "0", "-1")).toEqual([Buffer.from("y\0b")]);
    expect(await send("EXISTS", part(here, "expiry"))).toBe(0);
    await here.remove("b", ["y"]);
    expect(await keys(here)).toEqual([]);
    await here.add("a", ["x"]);
    await here.clear();
    expect(await keys(here)).toEqual([]);
  });

  it("racing changes of the same items by two processes: both directions and the counts agree", async () => {
    const [here, there] = pair();
    const items = names(8);
    const some = ["p", "q", "r", "s"];
    await Promise.all(
      Array.from({ length: 600 }, (_, at) => {
        const index = at % 2 === 0 ? here : there;
        const item = items[(at * 7) % items.length]!;
        const tags = [some[at % 4]!, some[(at * 3) % 4]!];
        if (at % 11 === 0) return index.remove(item);
        if (at % 5 === 0) return index.remove(item, tags);
        return at % 3 === 0 ? index.set(item, tags) : index.add(item, tags);
      }),
    );
    const of = new Map(await Promise.all(items.map(async (item) => [item, await here.of(item)] as const)));
    for (const tag of some) {
      const expected = items.filter((item) => of.get(item)!.includes(tag));
      expect(await listOf(there, { all: [tag] })).toEqual(expected);
      expect(await there.count(tag)).toBe(expected.length);
    }
  });

  it("calls that are not awaited are executed in their order", async () => {
    const [here] = pair();
    const calls: (() => Promise<unknown>)[] = [
      () => here.add("i", ["x"]),
      () => here.add("i", ["y"]),
      () => here.of("i"),
      () => here.remove("i", ["x"]),
      () => here.count("x"),
      () => here.set("i", ["z"]),
      () => here.find({ any: ["x", "y", "z"] }),
      () => here.clear(),
      () => here.of("i"),
    ];
    expect(await Promise.all(calls.map((call) => call()))).toEqual([
      { status: "ok", tags: ["x"] },
      { status: "ok", tags: ["x", "y"] },
      ["x", "y"],
      ["y"],
      0,
      { status: "ok", tags: ["z"] },
      { items: ["i"], cursor: undefined },
      undefined,
      [],
    ]);
  });

  it("full: a new item beyond maxItems, a tag beyond 128 of one item; nothing is changed", async () => {
    const [here] = pair({ maxItems: 2 });
    await here.add("a", ["x"]);
    await here.add("b", names(128, "t"));
    expect(await here.add("c", ["x"])).toEqual({ status: "limit", limit: "items" });
    expect(await here.add("b", ["one more"])).toEqual({ status: "limit", limit: "tags" });
    expect(await here.add("a", ["y"])).toMatchObject({ status: "ok" });
    expect(await here.set("b", names(128, "u"))).toMatchObject({ status: "ok" });
    expect(await here.of("c")).toEqual([]);
    await here.remove("a");
    expect(await here.add("c", ["x"])).toMatchObject({ status: "ok" });
    await end(here, "b");
    expect(await here.add("d", ["x"])).toMatchObject({ status: "ok" });
  });

  it("a walk while items change: who fits all the time is met exactly once", async () => {
    const [here, there] = pair();
    const items = names(900);
    await Promise.all(items.map((item, at) => here.set(item, at % 3 === 0 ? ["x", "y"] : ["x"])));
    const changing = items.filter((_, at) => at % 3 === 1);
    for (const query of [{ all: ["x"] }, { any: ["x", "y"] }, { all: ["x"], any: ["x", "y"] }]) {
      const found: string[] = [];
      let cursor: string | undefined;
      let round = 0;
      do {
        const page = await here.find({ ...query, limit: 50, ...(cursor === undefined ? {} : { cursor }) });
        found.push(...page.items);
        cursor = page.cursor;
        round += 1;
        await Promise.all(
          changing.map((item, at) => ((at + round) % 2 === 0 ? there.set(item, ["y"]) : there.set(item, ["other"]))),
        );
      } while (cursor !== undefined);
      expect(new Set(found).size).toBe(found.length);
      expect(found).toEqual(expect.arrayContaining(items.filter((_, at) => at % 3 !== 1)));
      await Promise.all(changing.map((item) => there.set(item, ["x"])));
    }
  });

  it("a page is a bounded step: large tags without a common item take several", async () => {
    const [here] = pair();
    await Promise.all(names(3_000).map((item, at) => here.add(item, [at % 2 === 0 ? "even" : "odd"])));
    await here.add("zz", ["even", "odd"]);
    const first = await here.find({ all: ["even", "odd"] });
    expect(first.items).toEqual([]);
    expect(first.cursor).toBeDefined();
    expect(await listOf(here, { all: ["even", "odd"] })).toEqual(["zz"]);
    expect(await listOf(here, { any: ["even", "odd"] })).toEqual([...names(3_000), "zz"]);
  });

  it("many indexes, over all slots", async () => {
    const indexes = Array.from({ length: 100 }, () => pair({ ttl: "1h" })[0]);
    await Promise.all(indexes.map((index, at) => index.add(at, ["x", "y"])));
    const found = await Promise.all(indexes.map((index) => listOf(index, { all: ["x", "y"] })));
    expect(found).toEqual(indexes.map((_, at) => [String(at)]));
  });

  it.each(["{a}b", "a:b", "%7B", "ключ", "x y", "\u0001", "𝒳", "__proto__"])(
    "the name %j, of an item and of a tag",
    async (name) => {
      const [here, there] = pair();
      await here.add(name, [name, `${name}2`]);
      expect(await there.of(name)).toEqual([name, `${name}2`].sort());
      expect(await listOf(there, { all: [name] })).toEqual([name]);
      expect(await there.counts()).toEqual(
        new Map([
          [name, 1],
          [`${name}2`, 1],
        ]),
      );
    },
  );

  it("refuses bad input at the door, by its field", async () => {
    expect(() => both.a.tags("")).toThrow(/\bname: /);
    expect(() => both.a.tags("x", { ttl: 0 })).toThrow(/\bttl: /);
    expect(() => both.a.tags("x", { maxItems: 0 })).toThrow(/\bmaxItems: /);
    const [here] = pair();
    await expect(here.add("", ["x"])).rejects.toThrow(/\bitem: /);
    await expect(here.add("\uDC00", ["x"])).rejects.toThrow(/\bitem: /);
    await expect(here.add("i", [""])).rejects.toThrow(/\btags: /);
    await expect(here.add("i", ["a\0b"])).rejects.toThrow(/\btags: /);
    await expect(here.add("i", "word")).rejects.toThrow(/\btags: /);
    await expect(here.add("i", names(129))).rejects.toThrow(/\btags: /);
    await expect(here.add("i", ["x"], { ttl: "soon" as "1s" })).rejects.toThrow(/\bttl: /);
    await expect(here.find({ not: ["x"] })).rejects.toThrow(/\ball: /);
    await expect(here.find({ all: names(20), any: names(13) })).rejects.toThrow(/\ball: /);
    await expect(here.find({ any: ["x"], limit: 0 })).rejects.toThrow(/\blimit: /);
    await expect(here.find({ any: ["x"], cursor: "" })).rejects.toThrow(/\bcursor: /);
    await expect(here.count("")).rejects.toThrow(/\btag: /);
    expect(() => both.a.tags("x", { tll: 5 } as never)).toThrow(/^tags "x": tll: .*"ttl"/);
    await expect(here.add("i", undefined as never)).rejects.toThrow(/\btags: /);
    await expect(here.add("i", ["x"], 60 as never)).rejects.toThrow(/\boptions: /);
    await expect(here.find(undefined as never)).rejects.toThrow(/\ball: /);
    await expect(here.find({ al: ["x"] } as never)).rejects.toThrow(/\bal: /);
    await expect(listOf(here, { any: ["x"], limit: 5 } as never)).rejects.toThrow(/\blimit: /);
    expect(await here.find({ all: ["x"], any: undefined, cursor: undefined } as never)).toMatchObject({ items: [] });
    expect(await keys(here)).toEqual([]);
  });

  it("a key of another type is reported", async () => {
    const [here] = pair();
    await send("SET", part(here, "items"), "text");
    await expect(here.add("a", ["x"])).rejects.toMatchObject({ code: "WRONG_TYPE" });
    await expect(here.of("a")).rejects.toMatchObject({ code: "WRONG_TYPE" });
  });
});
