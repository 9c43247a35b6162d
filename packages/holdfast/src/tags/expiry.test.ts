/**
 * What could go wrong, and the test for it:
 * - an item that has expired is found or counted ............ "expired items"
 * - one call takes out a backlog of expired items at once ... "in steps"
 * - a permanent item is lost when the others end ............ "the keys expire with the last item"
 * - a tag or the index outlives its items ................... "an index in which everything expired"
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

describe.each(backends())("tags of items that expire [$name]", (backend) => {
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

  it("expired items are not seen, and the next change takes them out", async () => {
    const [here, there] = pair({ ttl: "1h" });
    await Promise.all(names(10).map((item, at) => here.add(item, ["x", at % 2 === 0 ? "even" : "odd"])));
    await here.add("stays", ["x"], { ttl: "2h" });
    await end(here, ...names(9));
    expect(await there.of("i000000")).toEqual([]);
    expect(await listOf(there, { all: ["x"] })).toEqual(["i000009", "stays"]);
    expect(await listOf(there, { any: ["even", "odd"] })).toEqual(["i000009"]);
    expect(await there.count("x")).toBe(2);
    expect(await there.counts()).toEqual(
      new Map([
        ["x", 2],
        ["odd", 1],
      ]),
    );
    expect(await there.add("i000000", ["again"])).toEqual({ status: "ok", tags: ["again"] });
    expect(await send("HLEN", part(here, "items"))).toBe(3);
    expect(await send("ZCARD", part(here, "links"))).toBe(4);
    expect(await here.counts()).toEqual(
      new Map([
        ["x", 2],
        ["odd", 1],
        ["again", 1],
      ]),
    );
  });

  it("a backlog of expired items is taken out in steps; reads are right all the while", async () => {
    const [here] = pair({ ttl: "1h" });
    const items = names(1_500);
    await Promise.all(items.map((item) => here.add(item, ["x"])));
    await end(here, ...items);
    expect(await here.add("late", ["x"])).toMatchObject({ status: "ok" });
    expect(await send("HLEN", part(here, "items"))).toBe(1_001);
    await here.add("late", ["x"]);
    expect(await send("HLEN", part(here, "items"))).toBe(501);
    expect(await listOf(here, { all: ["x"] })).toEqual(["late"]);
    expect(await here.count("x")).toBe(1);
    await here.add("late", ["x"]);
    expect(await send("HLEN", part(here, "items"))).toBe(1);
  });

  it("while every item has an expiry, the keys expire with the last item; not when one stays", async () => {
    const ttls = async (index: Tags): Promise<number[]> =>
      Promise.all((await keys(index)).map(async (key) => Number(await send("PTTL", key))));
    const [here] = pair({ ttl: "1h" });
    await here.add("a", ["x"]);
    await here.add("b", ["x"], { ttl: "2h" });
    for (const ttl of await ttls(here)) expect(ttl).toBeGreaterThan(7_000_000);
    const forGood = both.b.tags(here.name);
    await forGood.add("c", ["x"]);
    expect(await ttls(here)).toEqual([-1, -1, -1, -1]);
    await here.remove("c");
    for (const ttl of await ttls(here)) expect(ttl).toBeGreaterThan(0);
    await forGood.set("a", ["x"]);
    await here.remove("b");
    expect(await ttls(here)).toEqual([-1, -1, -1]);
  });

  it("an index in which everything expired is gone without a further call", async () => {
    const [here] = pair({ ttl: 60 });
    await here.add("a", ["x"]);
    await expect.poll(() => keys(here)).toEqual([]);
    expect(await here.find({ all: ["x"] })).toEqual({ items: [], cursor: undefined });
  });
});
