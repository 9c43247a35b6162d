/**
 * Memory eviction takes whole keys. What could go wrong when it takes one of the four, and the test for it:
 * - items are found that cannot be removed, or that never expire .... "without its key %s an index ends whole"
 * - what is written afterwards inherits wrong counts or links ....... same
 * - an index that is whole is taken for one that is not ............. "an index stays whole through every change"
 */
import { describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { randomName, TwoHandles } from "../../test/support/two-handles.ts";
import type { Tags } from "./tags.ts";

describe.each(backends())("tags that lost a key [$name]", (backend) => {
  const both = new TwoHandles(backend);
  const { prefix, send } = both;

  async function filled(): Promise<Tags> {
    const index = both.a.tags(randomName(), { ttl: "1h" });
    await index.set("sfo", ["us", "hub"]);
    await index.set("bos", ["us"]);
    await both.b.tags(index.name).set("lhr", ["uk", "hub"]);
    return index;
  }

  async function itemsOf(index: Tags): Promise<string[]> {
    const found: string[] = [];
    for await (const item of index.items({ any: ["us", "uk", "hub"] })) found.push(item);
    return found;
  }

  it.each(["items", "links", "counts", "expiry"])("without its key %s an index ends whole", async (part) => {
    const index = await filled();
    const key = (name: string): string => `${prefix}:tags:{${index.name}}:${name}`;
    await send("DEL", key(part));
    expect(await itemsOf(index)).toEqual([]);
    expect(await index.of("sfo")).toEqual([]);
    expect(await index.count("hub")).toBe(0);
    expect(await index.counts()).toEqual(new Map());

    expect(await index.set("bos", ["us"])).toEqual({ status: "ok", tags: ["us"] });
    expect(await itemsOf(index)).toEqual(["bos"]);
    expect(await index.counts()).toEqual(new Map([["us", 1]]));
    expect(await send("ZCARD", key("links"))).toBe(1);
    for (const name of await both.keys(`tags:{${index.name}}`)) expect(await send("PTTL", name)).toBeGreaterThan(0);
    await index.remove("bos");
    expect(await both.keys(`tags:{${index.name}}`)).toEqual([]);
  });

  it("an index stays whole through every change", async () => {
    const index = await filled();
    const forGood = both.b.tags(index.name);
    await index.add("sfo", ["west"]);
    await forGood.add("sfo", ["again"]);
    await index.remove("sfo", ["west"]);
    await forGood.set("bos", ["us"]);
    await index.set("bos", ["us"], { ttl: "2h" });
    await index.remove("lhr");
    expect(await itemsOf(index)).toEqual(["bos", "sfo"]);
    expect(await index.of("sfo")).toEqual(["again", "hub", "us"]);
    expect(await index.counts()).toEqual(
      new Map([
        ["us", 2],
        ["hub", 1],
        ["again", 1],
      ]),
    );
    await Promise.all([index.remove("bos"), index.remove("sfo")]);
    expect(await both.keys(`tags:{${index.name}}`)).toEqual([]);
  });
});
