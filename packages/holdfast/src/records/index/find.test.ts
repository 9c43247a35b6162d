// What could go wrong, and the test for each:
// - what is stored is not found, or not in order ............... "equality, ranges, prefixes and members", "in order, page by page"
// - several fields: some are forgotten ......................... "several fields", "a rare value in the order of a common field"
// - a stale entry is served, or stays for ever ................. "what has changed is found by what it is", "entries of a crash"
// - a text is found twice where entries have only its beginning  "texts that are alike as far as an entry has them"
// - a record is missed that is written again meanwhile ......... "a record that is written again while it is looked for"
// - one script enters the entries of many records ............. "very many entries"
// - what crashes and expiries leave behind grows for ever ...... "an index stays about as large"
// - a cursor loses its place while others write ................ "a cursor goes on where it was"
// - an index that was evicted looks whole ...................... "an evicted index"
// - values of all kinds fall out of order ...................... entry.test.ts; the model: index-model.test.ts
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { connect } from "../../connect.ts";
import type { Holdfast } from "../../holdfast.ts";
import type { RecordsOptions } from "../options.ts";
import type { Records } from "../records.ts";
import { createTestServer } from "../../testing/index.ts";
import { entryOf, valueKey } from "./entry.ts";
import { IndexStore } from "./store.ts";

interface User {
  country: string;
  age?: number;
  email?: string;
  tags?: string[];
  active?: boolean;
}

const random = (): string => `t${randomBytes(6).toString("hex")}`;
const bad = (field: string): unknown => expect.objectContaining({ name: "InvalidArgumentError", field });

describe.each(backends())("finding records [$name]", ({ url, options }) => {
  const prefix = random();
  let a: Holdfast;
  let b: Holdfast;

  beforeAll(async () => {
    const given = { ...options, prefix, timeout: "60s" } as const;
    [a, b] = await Promise.all([connect(url, given), connect(url, given)]);
  });
  afterAll(() => Promise.all([a?.close(), b?.close()]));

  function pair(settings: RecordsOptions<User> = {}): [Records<User>, Records<User>, string] {
    const name = random();
    const given = { index: ["country", "age", "tags", "active"], ...settings } as RecordsOptions<User>;
    return [a.records<User>(name, given), b.records<User>(name, given), name];
  }

  const raw = (key: string, ...args: (string | Buffer)[]): Promise<unknown> =>
    a.driver.send(args, { op: "test", class: "idempotent" }, key);
  const indexOf = (name: string, partition = 0): string =>
    `${prefix}:record:{${name}${partition === 0 ? "" : `%p${partition}`}}:index`;

  const ids = async (found: Promise<{ records: readonly { id: string }[] }>): Promise<string[]> =>
    (await found).records.map(({ id }) => id);

  it("equality, ranges, prefixes and members of arrays", async () => {
    const [here, there] = pair();
    const { version } = await here.set("ada", { country: "DE", age: 36, tags: ["a", "b"], active: true });
    await here.set("bob", { country: "DK", age: 18, tags: ["b"], active: false });
    await here.set("eve", { country: "FR", age: -1 });
    expect(await there.find({ country: "DE" })).toEqual({
      records: [{ id: "ada", value: { country: "DE", age: 36, tags: ["a", "b"], active: true }, version }],
      cursor: undefined,
      complete: true,
    });
    expect(await ids(there.find({ country: { prefix: "D" } }))).toEqual(["ada", "bob"]);
    expect(await ids(there.find({ country: { in: ["FR", "DE", "FR"] } }))).toEqual(["ada", "eve"]);
    expect(await ids(there.find({ country: { gt: "DE", lte: "FR" } }))).toEqual(["bob", "eve"]);
    expect(await ids(there.find({ age: { gte: 18 } }))).toEqual(["bob", "ada"]);
    expect(await ids(there.find({ age: { lt: 36 } }, { order: "desc" }))).toEqual(["bob", "eve"]);
    expect(await ids(there.find({ tags: "b" }))).toEqual(["ada", "bob"]);
    expect(await ids(there.find({ tags: { gte: "a" } }))).toEqual(["ada", "bob"]);
    expect(await ids(there.find({ active: false }))).toEqual(["bob"]);
    expect(await ids(there.find({ country: { in: [] } }))).toEqual([]);
    expect(await ids(there.find({ country: { gt: "X", lt: "A" } }))).toEqual([]);
    expect(await there.find({ country: "DE" }, { fields: ["age"] })).toMatchObject({
      records: [{ value: { age: 36 } }],
    });
  });

  it("in order, page by page, each once", async () => {
    const [here, there] = pair({ partitions: 3 });
    const all = Array.from({ length: 60 }, (_, at) => at);
    await Promise.all(
      all.map((at) => here.set(at, { country: at % 3 === 0 ? "DE" : "FR", age: (at * 7) % 60, tags: ["x", `t${at}`] })),
    );
    const walk = async (order: "asc" | "desc", where: object): Promise<number[]> => {
      const ages: number[] = [];
      let cursor: string | undefined;
      do {
        const page = await there.find(where, { sort: "age", order, limit: 7, ...(cursor && { cursor }) });
        ages.push(...page.records.map(({ value }) => value.age!));
        cursor = page.cursor;
      } while (cursor !== undefined);
      return ages;
    };
    expect(await walk("asc", {})).toEqual(all);
    expect(await walk("desc", { age: { gte: 10 } })).toEqual(all.slice(10).toReversed());
    const german = all
      .filter((at) => at % 3 === 0)
      .map((at) => (at * 7) % 60)
      .toSorted((x, y) => x - y);
    expect(await walk("asc", { country: "DE" })).toEqual(german);
    // Several members of each fit.
    expect(new Set(await walk("desc", { tags: { gte: "t" } })).size).toBe(60);
    expect((await there.min("age"))?.value.age).toBe(0);
    expect((await there.max("age", { country: "DE" }))?.value.age).toBe(german.at(-1));
    expect(await there.min("age", { country: "XX" })).toBeUndefined();
  });

  it("several fields, counted by entries and exactly", async () => {
    const [here] = pair();
    const all = Array.from({ length: 80 }, (_, at) => at);
    await Promise.all(
      all.map((at) => here.set(at, { country: at % 2 ? "DE" : "FR", age: at % 10, tags: at % 5 ? ["x"] : ["x", "y"] })),
    );
    const where = { country: "DE", age: { gte: 5 }, tags: "y" } as const;
    const fits = all.filter((at) => at % 2 === 1 && at % 10 >= 5 && at % 5 === 0);
    expect((await ids(here.find(where, { limit: 100 }))).map(Number).toSorted((x, y) => x - y)).toEqual(fits);
    expect(await here.count(where)).toBe(fits.length);
    expect(await here.count(where, { exact: true })).toBe(fits.length);
    expect(await here.count({ country: "DE" })).toBe(40);
    expect(await here.count({ age: { in: [1, 2] } }, { exact: true })).toBe(16);
    expect(await here.count({ country: "XX", age: 1 })).toBe(0);
  });

  it("what has changed is found by what it is, whoever changed it and how", async () => {
    const [here, there] = pair();
    await here.set("x", { country: "DE", age: 1, tags: ["a", "b"] });
    await there.patch("x", { country: "FR" });
    expect(await ids(here.find({ country: "DE" }))).toEqual([]);
    await there.increment("x", "age", 4);
    expect(await ids(here.find({ age: 5 }))).toEqual(["x"]);
    await there.update("x", (user) => ({ ...user, tags: ["b", "c"] }));
    expect(await ids(here.find({ tags: "a" }))).toEqual([]);
    expect(await ids(here.find({ tags: "c", country: "FR", age: { gt: 4 } }))).toEqual(["x"]);
    await there.patch("x", { age: undefined, email: "e" });
    expect(await ids(here.find({ age: { gte: -1e9 } }))).toEqual([]);
    await there.merge("x", { age: 7, tags: null });
    expect(await ids(here.find({ age: 7 }))).toEqual(["x"]);
    await there.set("x", { country: "IT" });
    expect(await ids(here.find({ country: { gte: "A" } }))).toEqual(["x"]);
    await there.delete("x");
    expect(await ids(here.find({ country: { gte: "A" } }))).toEqual([]);
  });

  it("texts that are alike as far as an entry has them, each once", async () => {
    const [here] = pair({ partitions: 1 });
    const countries = ["1", "2", "3"].map((end) => "x".repeat(300) + end);
    await Promise.all(countries.map((country, at) => here.set(at, { country, age: at })));
    const where = { country: { in: countries.slice(0, 2) } };
    expect(await ids(here.find(where))).toEqual(["0", "1"]);
    expect(await ids(here.find(where, { order: "desc" }))).toEqual(["1", "0"]);
    expect(await here.count({ country: { in: countries } })).toBe(3);
  });

  it("a record that is written again while it is looked for is on its page, once", async () => {
    const [here, there] = pair({ partitions: 1 });
    for (const id of ["x", "y"]) await here.set(id, { country: "DE", tags: ["a"] });
    const whole = vi.spyOn(IndexStore.prototype, "whole");
    whole.mockImplementationOnce(async function (this: IndexStore, ...args) {
      whole.mockRestore();
      await there.patch("x", { tags: ["a", "b"] });
      return this.whole(...args);
    });
    expect(await ids(here.find({ tags: "a" }))).toEqual(["x", "y"]);
    expect((await here.get("x"))?.value.tags).toEqual(["a", "b"]);
    expect(await ids(here.find({ tags: "a" }, { limit: 1 }))).toEqual(["x"]);
  });

  it("a cursor goes on where it was, whatever came before it", async () => {
    const [here] = pair();
    for (const at of [1, 2, 3, 4]) await here.set(`u${at}`, { country: "DE", age: at * 10 });
    const first = await here.find({ country: "DE" }, { sort: "age", limit: 2 });
    await here.set("u0", { country: "DE", age: 5 });
    await here.set("u25", { country: "DE", age: 25 });
    await here.delete("u2");
    const second = await here.find({ country: "DE" }, { sort: "age", limit: 9, cursor: first.cursor! });
    expect(second.records.map(({ id }) => id)).toEqual(["u25", "u3", "u4"]);
    await expect(here.find({ country: "DE" }, { sort: "tags", cursor: first.cursor! })).rejects.toEqual(bad("cursor"));
    await expect(here.find({ country: "DE" }, { cursor: "x" })).rejects.toEqual(bad("cursor"));
  });

  it("entries that a crash left are not served, and removed once they are nobody's", async () => {
    const [here, , name] = pair({ partitions: 1 });
    await here.set("x", { country: "DE" });
    const old = "abcdefgh" + (Date.now() - Date.UTC(2020, 0) - 700_000).toString(36).padStart(8, "0");
    const young = "abcdefgh" + (Date.now() - Date.UTC(2020, 0)).toString(36).padStart(8, "0");
    const entry = (id: string, token: string): Buffer => entryOf("country", valueKey("DE")!, id, token);
    const key = indexOf(name);
    for (const each of [entry("gone", old), entry("x", old), entry("gone", young)])
      await raw(key, "ZADD", key, "0", each);
    expect(await ids(here.find({ country: "DE" }))).toEqual(["x"]);
    expect(await here.count({ country: "DE" }, { exact: true })).toBe(1);
    await expect.poll(() => raw(key, "ZCARD", key)).toBe(3); // the mark, x, and the young one
  });

  it("an evicted index says so until it has been made again", async () => {
    const [here, there, name] = pair({ partitions: 2, unique: ["email"] });
    const all = Array.from({ length: 20 }, (_, at) => at);
    await Promise.all(all.map((at) => here.set(at, { country: "DE", email: `e${at}`, age: at })));
    expect((await there.find({ country: "DE" })).complete).toBe(true);
    for (const partition of [0, 1]) await raw(indexOf(name, partition), "UNLINK", indexOf(name, partition));
    expect(await there.find({ country: "DE" })).toEqual({ records: [], cursor: undefined, complete: false });
    await here.set(0, { country: "DE", email: "e0", age: 100 });
    expect((await there.find({ country: "DE" })).complete).toBe(false);
    let cursor: string | undefined;
    let repaired = 0;
    do {
      const chunk = await there.reindex({ limit: 7, ...(cursor && { cursor }) });
      expect(chunk.conflicts).toEqual([]);
      repaired += chunk.repaired;
      cursor = chunk.cursor;
    } while (cursor !== undefined);
    expect(repaired).toBeGreaterThanOrEqual(19);
    const found = await there.find({ country: "DE" }, { limit: 100 });
    expect([found.records.length, found.complete]).toEqual([20, true]);
  });

  it("bad input is refused by its name", async () => {
    const [here] = pair();
    await expect(here.find({ email: "x" })).rejects.toEqual(bad("where.email"));
    await expect(here.find({})).rejects.toEqual(bad("where"));
    await expect(here.find([] as never)).rejects.toEqual(bad("where"));
    await expect(here.find({ country: {} })).rejects.toEqual(bad("where.country"));
    await expect(here.find({ age: { gte: Number.NaN } })).rejects.toEqual(bad("where.age.gte"));
    await expect(here.find({ country: "\ud800" })).rejects.toEqual(bad("where.country"));
    await expect(here.find({ country: { prefix: 1 as never } })).rejects.toEqual(bad("where.country.prefix"));
    await expect(here.find({ country: "DE" }, { sort: "email" })).rejects.toEqual(bad("sort"));
    await expect(here.find({ country: "DE" }, { limit: 0 })).rejects.toEqual(bad("limit"));
    await expect(here.find({ country: "DE" }, { order: "up" as never })).rejects.toEqual(bad("order"));
    await expect(here.getBy("email", "x")).rejects.toEqual(bad("field"));
    await expect(a.records<User>("x").find({ country: "DE" })).rejects.toEqual(bad("index"));
    const encrypt = { keys: { k: "22".repeat(32) }, current: "k" };
    expect(() => a.records<User>("x", { index: ["country"], encrypt })).toThrow(bad("index"));
    expect(() => a.records<User>("x", { index: ["a:b" as never] })).toThrow(bad("index"));
    expect(() => a.records<User>("x", { partitions: 0 })).toThrow(bad("partitions"));
    const many = Array.from({ length: 257 }, (_, at) => `t${at}`);
    await expect(here.set("x", { country: "DE", tags: many })).rejects.toEqual(bad("tags"));
  });
});

it("an index stays about as large as its records are, however many have expired, and however many entries each had", async () => {
  await using server = await createTestServer({ clock: "virtual" });
  await using hf = await server.connect();
  const users = hf.records<User>("users", { index: ["tags"], partitions: 1, ttl: "15m" });
  const tags = Array.from({ length: 8 }, (_, at) => `t${at}`);
  const living = 60 * tags.length;
  for (let round = 0; round < 12; round += 1) {
    const ids = Array.from({ length: 60 }, (_, at) => `${round}.${at}`);
    await Promise.all(ids.map((id) => users.set(id, { country: "DE", tags })));
    await server.clock.advance("15m");
  }
  // Of 5,760 entries that were added; half of what is there may be of expired records.
  expect(await hf.command("ZCARD", "hf:record:{users}:index")).toBeLessThan(6 * living);
});

it("very many entries go in scripts that are short", async () => {
  await using server = await createTestServer();
  await using hf = await server.connect();
  const users = hf.records<User>("users", { index: ["tags"], partitions: 1 });
  const tags = Array.from({ length: 250 }, (_, at) => `t${at}`);
  await users.set("first", { country: "DE", tags });
  await hf.command("CONFIG", "RESETSTAT");
  await Promise.all(Array.from({ length: 8 }, (_, at) => users.set(at, { country: "DE", tags })));
  const text = String(await hf.command("INFO", "commandstats"));
  const zadd = /cmdstat_zadd:calls=(\d+)/.exec(text)?.[1];
  const evalsha = /cmdstat_evalsha:calls=(\d+)/.exec(text)?.[1];
  expect(Number(zadd)).toBe(8);
  expect(Number(evalsha)).toBeGreaterThanOrEqual(8);
  expect(await users.count({ tags: "t7" })).toBe(9);
});
