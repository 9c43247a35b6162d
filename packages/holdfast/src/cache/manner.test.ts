/**
 * Calls that skip a level.
 *
 * What could go wrong, and the test for each:
 * - a call reads from memory though it is not to, or keeps there what it reads ...... "past memory"
 * - what is loaded without the server is stored there all the same ................. "without the server"
 * - an entry is loaded by each process though the server was only not to store it ... "does not store"
 * - a level that is none is taken for one ....................................... "refuses"
 */
import { describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { randomName, TwoHandles } from "../../test/support/two-handles.ts";
import type { Cache } from "./cache.ts";

const SOON = { timeout: 20_000 };

describe.each(backends())("calls of a cache that skip a level [$name]", ({ url, options }) => {
  const two = new TwoHandles({ url, options });
  const caches = (): Cache<string>[] => {
    const name = randomName();
    return [two.a, two.b].map((hf) => hf.cache<string>(name, { timeout: "1m", jitter: 0, l1: true }));
  };
  const kept = async (cache: Cache<string>, id: string): Promise<void> => {
    await expect.poll(async () => (await cache.get(id), cache.peek(id)), SOON).toBeDefined();
  };
  const none = (): never => expect.unreachable("loaded although it is there");

  it("past memory: reads from the server, or keeps nothing, or neither reads nor keeps", async () => {
    const [here] = caches();
    await here!.set("known", "value");
    await kept(here!, "known");
    const { l1Hits } = here!.stats();
    expect(await here!.get("known", { l1: "write" })).toBe("value");
    expect(await here!.getOrSet("known", none, { l1: false })).toBe("value");
    expect(await here!.getOrSetMany(["known"], none, { l1: "write" })).toHaveLength(1);
    expect(here!.stats().l1Hits).toBe(l1Hits);
    expect(await here!.get("known", { l1: "read" })).toBe("value");
    expect(here!.stats().l1Hits).toBe(l1Hits + 1);
    await here!.set("other", "value");
    for (const l1 of [false, "read"] as const) {
      expect(await here!.get("other", { l1 })).toBe("value");
      expect(await here!.getMany(["other"], { l1 })).toHaveLength(1);
      expect(here!.peek("other")).toBeUndefined();
    }
    await here!.get("other", { l1: "write" });
    expect(here!.peek("other")).toBe("value");
  });

  it("without the server: from memory, else loaded for this process alone, and stored nowhere", async () => {
    const [here, there] = caches();
    await here!.set("a", "stored");
    expect(await there!.getOrSet("a", () => "own", { server: false })).toBe("own");
    expect(await here!.get("a")).toBe("stored");
    await kept(there!, "a");
    expect(await there!.getOrSet("a", none, { server: false })).toBe("stored");
    const own = await there!.getOrSetMany(["b", "c"], (ids) => new Map(ids.map((id) => [id, "own"])), {
      server: false,
    });
    expect(own).toHaveLength(2);
    expect(await here!.hasMany(["b", "c"])).toEqual(new Map(["b", "c"].map((id) => [id, false])));
    expect(there!.stats().outages).toBe(0);
  });

  it("does not store what is loaded where it only reads from the server", async () => {
    const [here, there] = caches();
    await here!.set("a", "stored");
    expect(await there!.getOrSet("a", none, { server: "read" })).toBe("stored");
    expect(await there!.getOrSet("b", () => "loaded", { server: "read" })).toBe("loaded");
    expect(await here!.get("b")).toBeUndefined();
    expect(await here!.getOrSet("b", () => "kept")).toBe("kept");
  });

  it("refuses what is no level's use", async () => {
    const [here] = caches();
    await expect(here!.get("a", { l1: "no" as never })).rejects.toThrow(/l1: expected a boolean, "read" or "write"/);
    await expect(here!.getOrSet("a", none, { server: "write" as never })).rejects.toThrow(/server: .* refresh: true/);
    await expect(here!.get("a", { server: false } as never)).rejects.toThrow(/server: expected one of l1/);
  });
});
