/**
 * What could go wrong, and the test for it:
 * - a caller gets one thing from a load and another from a hit ......... "the same value on every path"
 * - what a schema strips comes back on a miss .......................... "the same value on every path"
 * - callers of one load change each other's value ...................... "each caller's own"
 * - a value is stored as something else ................................ "is refused with its path"
 * - a key of another type, or a reply that is no bytes ................. "a key of another type", "a reply that is no bytes"
 * - an error shows a value or a key of an encryption ................... "no error shows"
 */
import { inspect } from "node:util";
import { beforeEach, describe, expect, expectTypeOf, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { ScriptedTransport } from "../../test/support/scripted-transport.ts";
import { startStandalone } from "../../test/support/servers.ts";
import { randomName, TwoHandles } from "../../test/support/two-handles.ts";
import { CodecError, HoldfastError } from "../base/errors.ts";
import { connect } from "../connect.ts";
import { Core } from "../core/core.ts";
import { Keyspace } from "../core/keyspace/keyspace.ts";
import { createDriver } from "../driver/resilience/driver.ts";
import { Cache } from "./cache.ts";
import type { CacheOptions } from "./options.ts";

interface User {
  readonly name: string;
  readonly seen?: Date;
}

/** As a validating library does it: what it does not know is stripped. */
const schema: NonNullable<CacheOptions<User>["schema"]> = {
  "~standard": {
    version: 1,
    vendor: "test",
    validate(value) {
      const { name } = value as Partial<User>;
      return typeof name === "string"
        ? { value: { name } }
        : { issues: [{ message: `not ${String(name)}`, path: ["name"] }] };
    },
  },
};
const fromDatabase = (): User => ({ name: "Ada", passwordHash: "hunter2" }) as User;

describe.each(backends())("values of a cache [$name]", (backend) => {
  const handles = new TwoHandles(backend);
  let name: string;
  beforeEach(() => void (name = randomName()));

  it("are the same value on every path: loaded, joined, waited for, hit", async () => {
    const [here, there] = [handles.a, handles.b].map((hf) => hf.cache<User>(name, { schema }));
    const callers = await Promise.all(
      [here!, here!, there!, there!].map((cache) => cache.getOrSet("ada", fromDatabase)),
    );
    const hit = await there!.getOrSet("ada", fromDatabase);
    expect([...callers, hit, await here!.get("ada")]).toEqual(Array.from({ length: 6 }, () => ({ name: "Ada" })));
  });

  it("are each caller's own, also where they shared a load", async () => {
    const cache = handles.a.cache<{ roles: string[] }>(name);
    const [first, second] = await Promise.all([1, 2].map(() => cache.getOrSet("x", () => ({ roles: [] }))));
    first!.roles.push("admin");
    expect(second).toEqual({ roles: [] });
    expect(cache.stats().joined).toBe(1);
  });

  it("keep a Date on every path where the serializer does", async () => {
    const cache = handles.a.cache<User>(name, { serializer: "structured" });
    const seen = new Date(0);
    expect(await cache.getOrSet("x", () => ({ name: "Ada", seen }))).toEqual({ name: "Ada", seen });
    expect(await cache.get("x")).toEqual({ name: "Ada", seen });
  });

  it("a value that JSON would change is refused with its path, and the right to load given back", async () => {
    const cache = handles.a.cache<User>(name, { loadLease: "1h" });
    const seen = new Date(0);
    const refused = expect.stringContaining("JSON would change a Date at seen");
    await expect(cache.set("x", { name: "Ada", seen })).rejects.toMatchObject({ code: "CODEC", message: refused });
    await expect(cache.getOrSet("x", () => ({ name: "Ada", seen }))).rejects.toMatchObject({ message: refused });
    expect(await handles.b.cache<User>(name).getOrSet("x", () => ({ name: "Bob" }))).toEqual({ name: "Bob" });
  });

  it("a key of another type is a miss, alone and merged, and what is loaded takes its place", async () => {
    const cache = handles.a.cache<string>(name);
    await cache.set("other", "there");
    const key = `${handles.prefix}:cache:${name}:{x}`;
    await handles.send("RPUSH", key, "not ours");
    expect(await cache.get("x")).toBeUndefined();
    expect(await cache.getMany(["x", "other"])).toEqual(new Map([["other", "there"]]));
    expect(await cache.getOrSet("x", () => "loaded")).toBe("loaded");
    expect(await handles.b.cache<string>(name).get("x")).toBe("loaded");
  });

  it("no error shows a value, or a key of an encryption", async () => {
    const plain = handles.a.cache<unknown>(name);
    const checked = handles.a.cache<User>(name, { schema });
    const secret = "hunter2-4111";
    const failures: (() => unknown)[] = [
      () => handles.a.cache(name, { encrypt: { keys: { k: secret }, current: "k" } }),
      () => handles.a.cache(name, { encrypt: secret as never }),
      () => plain.set("x", { card: secret, at: new Date(0) }),
      () => plain.getOrSet("x", () => ({ card: secret, n: Number.NaN })),
      () => checked.set("x", { name: 5, card: secret } as never),
      () => checked.getOrSet("x", () => ({ name: { secret } }) as never),
      () => plain.set("x", 1, secret as never),
      () => plain.getOrSet("x", secret as never),
    ];
    for (const failing of failures) {
      const error = await Promise.resolve()
        .then(failing)
        .catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(HoldfastError);
      expect(inspect(error, { depth: Infinity, showHidden: true })).not.toMatch(/hunter2|4111/);
    }
  });
});

describe("values of a cache without the server [standalone]", () => {
  it("are what would have been stored: checked, stripped, each caller's own", async () => {
    await using server = await startStandalone();
    await using hf = await connect(server.url, { prefix: randomName() });
    const cache = hf.cache<User>("users", { schema, timeout: 100 });
    const dated = hf.cache<User>("dated", { timeout: 100 });
    await server.pause();
    const [first, second] = await Promise.all([1, 2].map(() => cache.getOrSet("ada", fromDatabase)));
    expect([first, second]).toEqual([{ name: "Ada" }, { name: "Ada" }]);
    expect(first).not.toBe(second);
    await expect(dated.getOrSet("x", () => ({ name: "Ada", seen: new Date(0) }))).rejects.toThrow(CodecError);
    server.resume();
  });
});

/** Of the cache's invalidations, which it asks for first. */
const STATE = { reply: [Buffer.from("1"), Buffer.from("1"), null, null] };

describe("a reply that is no bytes", () => {
  it.each([5, "text", ["a"]])("is a typed error of get, and an outage for getOrSet: %j", async (reply) => {
    const transport = new ScriptedTransport(STATE);
    transport.rest = { reply };
    const core = new Core(createDriver(transport), { keys: new Keyspace("t"), codec: {} });
    const cache = new Cache<string>(core, "users");
    await expect(cache.get("ada")).rejects.toMatchObject({ code: "WRONG_TYPE", op: "cache.get", key: "ada" });
    expect(await cache.getOrSet("ada", () => "loaded")).toBe("loaded");
    expect(cache.stats()).toMatchObject({ misses: 1, outages: 1 });
  });

  it("is one as well where it is about the invalidations", async () => {
    const transport = new ScriptedTransport();
    transport.rest = { reply: 5 };
    const cache = new Cache<string>(new Core(createDriver(transport), { keys: new Keyspace("t"), codec: {} }), "users");
    await expect(cache.get("ada")).rejects.toMatchObject({ code: "WRONG_TYPE" });
    expect(await cache.getOrSet("ada", () => "loaded")).toBe("loaded");
  });

  it("rejects each of a merged read by itself", async () => {
    const transport = new ScriptedTransport(STATE, { reply: 1 });
    transport.rest = { reply: ["text", null] };
    const core = new Core(createDriver(transport), { keys: new Keyspace("t"), codec: {} });
    const cache = new Cache<string>(core, "users");
    const [, text, none] = await Promise.allSettled(["first", "ada", "bob"].map((id) => cache.get(id)));
    expect(text).toMatchObject({ reason: { code: "WRONG_TYPE", key: "ada" } });
    expect(none).toEqual({ status: "fulfilled", value: undefined });
  });
});

describe("types of a cache", () => {
  const core = new Core(createDriver(new ScriptedTransport()), { keys: new Keyspace("t"), codec: {} });

  // oxlint-disable-next-line vitest/expect-expect -- the compiler asserts
  it("follow the loader where the cache was given none, and the cache's own where it was", () => {
    const untyped = new Cache<unknown>(core, "a");
    const typed = new Cache<User>(core, "b");
    const one = (): Promise<User> => Promise.resolve({ name: "Ada" });
    const maybe = (): User | undefined => undefined;
    expectTypeOf(() => untyped.getOrSet("x", one)).returns.resolves.toEqualTypeOf<User>();
    expectTypeOf(() => untyped.getOrSet("x", () => 5)).returns.resolves.toEqualTypeOf<number>();
    expectTypeOf(() => typed.getOrSet("x", one)).returns.resolves.toEqualTypeOf<User>();
    expectTypeOf(() => typed.getOrSet("x", maybe)).returns.resolves.toEqualTypeOf<User | undefined>();
    // @ts-expect-error a loader of something else
    expectTypeOf(() => typed.getOrSet("x", () => 5)).returns.resolves.toEqualTypeOf<User>();
  });

  // oxlint-disable-next-line vitest/expect-expect -- the compiler asserts
  it("follow the schema", () => {
    const make = <V>(options: CacheOptions<V>): Cache<V> => new Cache<V>(core, "c", options);
    expectTypeOf(make({ schema })).toEqualTypeOf<Cache<User>>();
  });
});
