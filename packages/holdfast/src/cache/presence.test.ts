/**
 * Whether there is a value: every verb that says so, over every way in which there is none.
 *
 * What could go wrong, and the test for each:
 * - a verb says that there was a value which no reader is given .......... "says no"
 * - it says that there was none where a reader was given one ............. "says yes"
 * - what there is that is no value is changed, or not removed ............ "leaves nothing"
 */
import { describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { randomName, TwoHandles } from "../../test/support/two-handles.ts";
import type { Cache } from "./cache.ts";

const ID = "eu:1";
const OPTIONS = { timeout: "1m", grace: "1h", negativeTtl: "1h", jitter: 0 } as const;

type Verb = (cache: Cache<string>) => Promise<boolean>;

const VERBS: Record<string, Verb> = {
  get: async (cache) => (await cache.get(ID)) !== undefined,
  getMany: async (cache) => (await cache.getMany([ID])).size === 1,
  getEntry: async (cache) => (await cache.getEntry(ID)) !== undefined,
  has: (cache) => cache.has(ID),
  hasMany: async (cache) => (await cache.hasMany([ID])).get(ID)!,
  touch: (cache) => cache.touch(ID),
  "set only where present": (cache) => cache.set(ID, "new", { only: "present" }),
  "set only where absent": async (cache) => !(await cache.set(ID, "new", { only: "absent" })),
  size: async (cache) => (await cache.size()) === 1,
  take: async (cache) => (await cache.take(ID)) !== undefined,
  expire: (cache) => cache.expire(ID),
  delete: (cache) => cache.delete(ID),
  deleteMany: async (cache) => (await cache.deleteMany([ID])).get(ID)!,
};

describe.each(backends())("whether there is a value [$name]", ({ name: backend, url, options }) => {
  const two = new TwoHandles({ url, options });
  const raw = (cache: Cache<string>, ...args: [string, ...string[]]): Promise<unknown> =>
    two.send(args[0], `${two.prefix}:cache:${cache.name}:{${ID}}`, ...args.slice(1));
  const pair = (more = {}): [Cache<string>, Cache<string>] => {
    const name = randomName();
    return [two.a, two.b].map((hf) => hf.cache<string>(name, { ...OPTIONS, index: true, ...more })) as [
      Cache<string>,
      Cache<string>,
    ];
  };

  // In a cluster it asks every slot, half a second of computing each time: for that ids.test.ts is there.
  const verbs = Object.keys(VERBS).filter((verb) => verb !== "size" || backend !== "cluster");

  /** What there is, made by one process for the other one to look at. */
  const NONE: Record<string, (by: Cache<string>, cache: Cache<string>) => Promise<unknown>> = {
    nothing: async () => undefined,
    "one whose tag was invalidated": async (by) => {
      await by.set(ID, "old", { tags: ["t", "u".repeat(256)] });
      await by.invalidate({ tags: ["t"] });
    },
    "one of a cache that was cleared": async (by) => {
      await by.set(ID, "old");
      await by.clear();
    },
    "one whose prefix was cleared": async (by) => {
      await by.set(ID, "old");
      await by.clear({ prefix: "eu:" });
    },
    "one in its grace": async (by) => {
      await by.set(ID, "old");
      await by.expire(ID);
    },
    'the remembered "there is none"': (by) => by.getOrSet(ID, () => undefined),
    "a text of somebody else's": (by) => raw(by, "SET", "a text of somebody else's"),
    "a key of another type": (by) => raw(by, "RPUSH", "x"),
  };

  for (const [what, make] of Object.entries(NONE))
    it.each(verbs)(`%s says no of ${what}, and leaves nothing that is served`, async (verb) => {
      const [by, cache] = pair();
      await cache.get("other");
      await make(by, cache);
      expect(await VERBS[verb]!(cache)).toBe(false);
      expect(await cache.get(ID)).toBe(verb === "set only where absent" ? "new" : undefined);
    });

  for (const tags of [[], ["t"]])
    it.each(verbs)(`%s says yes of a value with ${tags.length} tags`, async (verb) => {
      const [by, cache] = pair({ grace: tags.length === 0 ? 0 : "1h" });
      await by.invalidate({ tags: ["t"] });
      await by.set(ID, "value", { tags });
      expect(await VERBS[verb]!(cache)).toBe(true);
      const removes = ["take", "expire", "delete", "deleteMany"].includes(verb);
      expect(await by.has(ID)).toBe(!removes);
    });

  it("what no verb calls a value is removed by delete, and left as it is by touch", async () => {
    const [, cache] = pair();
    await raw(cache, "SET", "a text of somebody else's");
    await cache.touch(ID);
    expect(String(await raw(cache, "GET"))).toBe("a text of somebody else's");
    await cache.getOrSet("none", () => undefined);
    const before = await cache.explain("none");
    expect(await cache.touch("none", { ttl: "30d" })).toBe(false);
    expect((await cache.explain("none")).ttlMs).toBeLessThanOrEqual(before.ttlMs!);
    await cache.delete(ID);
    expect(await raw(cache, "EXISTS")).toBe(0);
  });
});
