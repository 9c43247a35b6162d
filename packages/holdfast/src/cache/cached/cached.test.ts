/**
 * What could go wrong, and the test for each:
 * - each process calls the function ........................ "one call for the fleet"
 * - different arguments share a result ..................... "others have another result"; key.test.ts
 * - a result from before an invalidation comes back ........ "invalidate during a call"
 * - a refresh takes the result away before it has another ... "refresh returns what the function returns now", "serves what there is"
 * - a tag ends other results than those that have it ......... "by tags that its arguments say"
 * - arguments, or results, are not what they were .......... "refuses what has no key", "returns what is stored"
 */
import { describe, expect, expectTypeOf, it } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { randomName, TwoHandles } from "../../../test/support/two-handles.ts";
import { InvalidArgumentError } from "../../base/errors.ts";

describe.each(backends())("a cached function [$name]", ({ url, options }) => {
  const two = new TwoHandles({ url, options });

  it("one call for the fleet, typed as the function is", async () => {
    const name = randomName();
    let calls = 0;
    let open!: () => void;
    const opened = new Promise<void>((resolve) => (open = resolve));
    const total = async (sku: string, { amount }: { amount: number }): Promise<{ sku: string; cents: number }> => {
      calls += 1;
      await opened;
      return { sku, cents: amount * 5 };
    };
    const here = two.a.cached(total, { name, ttl: "1m" });
    const there = two.b.cached(total, { name, ttl: "1m" });
    expectTypeOf(here).parameters.toEqualTypeOf<[sku: string, { amount: number }]>();
    expectTypeOf(here).returns.resolves.toEqualTypeOf<{ sku: string; cents: number }>();
    const callers = Array.from({ length: 20 }, (_, at) => (at % 2 === 0 ? here : there)("A", { amount: 3 }));
    await expect.poll(() => here.cache.stats().waited + there.cache.stats().waited).toBe(1);
    open();
    for (const result of await Promise.all(callers)) expect(result).toEqual({ sku: "A", cents: 15 });
    expect(calls).toBe(1);
    expect(await there("A", { amount: 4 })).toEqual({ sku: "A", cents: 20 });
    expect(calls).toBe(2);
  });

  it("others have another result: the order of fields and undefined at the end do not count, all else does", async () => {
    const seen: unknown[] = [];
    const fn = (...args: unknown[]): number => seen.push(args);
    const each = two.a.cached(fn, { name: randomName() });
    expect(await each({ a: 1, b: 2 })).toBe(1);
    expect(await each({ b: 2, a: 1 }, undefined)).toBe(1);
    expect(await each({ b: 2, a: "1" })).toBe(2);
    expect(await each()).toBe(3);
    expect(await each(undefined, 1)).toBe(4);
    const long = "x".repeat(5_000);
    expect(await each(long)).toBe(5);
    expect(await each(`${long}y`)).toBe(6);
    expect(await each(long)).toBe(5);
    expect(String(each.key(long))).toMatch(/^sha256:[\w-]{43}$/);
  });

  it("is ended by tags that its arguments say", async () => {
    let calls = 0;
    const fn = (team: number, user: string): string => `${team}${user}${(calls += 1)}`;
    const each = two.a.cached(fn, { name: randomName(), tags: (team) => [`team:${team}`] });
    expect([await each(1, "a"), await each(2, "b")]).toEqual(["1a1", "2b2"]);
    await each.cache.invalidate({ tags: ["team:1"] });
    expect([await each(1, "a"), await each(2, "b")]).toEqual(["1a3", "2b2"]);
    expect(() => two.a.cached(fn, { name: randomName(), tags: ["t"] as never })).toThrow(/tags: expected a function/);
  });

  it("invalidate during a call: what that call returns is not stored", async () => {
    const name = randomName();
    let begun!: () => void;
    let open!: () => void;
    const began = new Promise<void>((resolve) => (begun = resolve));
    const opened = new Promise<void>((resolve) => (open = resolve));
    let value = "old";
    const fn = async (id: number): Promise<string> => {
      const read = `${value} ${id}`;
      begun();
      await opened;
      return read;
    };
    const here = two.a.cached(fn, { name });
    const there = two.b.cached(fn, { name });
    const old = here(1);
    await began;
    value = "new";
    await there.invalidate(1);
    open();
    expect(await old).toBe("old 1");
    expect(await here(1)).toBe("new 1");
    expect(await there(1)).toBe("new 1");
    expect(await there.invalidate(1)).toBe(true);
    expect(await there.invalidate(1)).toBe(false);
  });

  it("refresh returns what the function returns now, and stores it", async () => {
    const name = randomName();
    let value = 1;
    const here = two.a.cached(() => value, { name });
    const there = two.b.cached(() => value, { name });
    expect(await here()).toBe(1);
    value = 2;
    expect(await there()).toBe(1);
    expect(await here.refresh()).toBe(2);
    expect(await there()).toBe(2);
  });

  it("a refresh that fails serves what there is, and takes nothing away", async () => {
    const name = randomName();
    let fails = false;
    let calls = 0;
    const fn = (): number => {
      calls += 1;
      if (fails) throw new Error("the source is away");
      return calls;
    };
    const [here, there] = [two.a, two.b].map((hf) => hf.cached(fn, { name, ttl: "1h" }));
    expect(await here!()).toBe(1);
    fails = true;
    expect(await there!.refresh()).toBe(1);
    expect(await here!()).toBe(1);
    expect(calls).toBe(2);
    fails = false;
    const refreshed = await Promise.all([here!.refresh(), here!.refresh(), here!.refresh()]);
    expect([refreshed, calls]).toEqual([[3, 3, 3], 3]);
  });

  it("returns what is stored, each caller an object of its own, and undefined where the function returns none", async () => {
    const find = two.a.cached((id: number) => (id === 1 ? { id } : undefined), { name: randomName() });
    const [one, again] = [await find(1), await find(1)];
    expect(one).toEqual({ id: 1 });
    expect(again).not.toBe(one);
    expect(await find(2)).toBeUndefined();
  });

  it("takes a key of one's own", async () => {
    const request = { url: "/a", socket: Symbol("no data") };
    const seen: string[] = [];
    const fn = (given: { url: string }): number => seen.push(given.url);
    const each = two.a.cached(fn, { name: randomName(), key: ({ url }) => url });
    expect([await each(request), await each({ url: "/a" }), await each({ url: "/b" })]).toEqual([1, 1, 2]);
    expect(each.key(request)).toBe("/a");
  });

  it("refuses what has no key, and options that it does not know, by name", async () => {
    const name = randomName();
    const each = two.a.cached((value: unknown) => typeof value, { name });
    await expect(each({ user: { load: () => 1 } })).rejects.toThrow(
      `cache "${name}": argument 1.user.load: expected a value that has a key`,
    );
    await expect(each.invalidate(Symbol("s"))).rejects.toThrow(InvalidArgumentError);
    expect(() => two.a.cached("fn" as never, { name })).toThrow(`cache "${name}": fn: expected a function`);
    expect(() => two.a.cached(() => 1, { name, kye: () => 1 } as never)).toThrow('did you mean "key"?');
    expect(() => two.a.cached(() => 1, { name, key: "a" as never })).toThrow("key: expected a function");
    expect(() => two.a.cached(() => 1, {} as never)).toThrow(InvalidArgumentError);
    expect(() => two.a.cached(() => 1, undefined as never)).toThrow(InvalidArgumentError);
  });
});
