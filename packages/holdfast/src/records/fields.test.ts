// What could go wrong, and the test for each:
// - a default hides a value, is shared, or is added to as if it were not there ..... "defaults"
// - a migration runs twice, is forgotten by some way of reading, or loses a write .. "migrations"
// - a record of tomorrow's format is taken for one of today's ...................... "a newer format"
// - a field outlives its time, or its time begins again by another field's write ... "fields that expire"
// - a merge patch does otherwise than RFC 7396 ..................................... "merge", "the examples of RFC 7396"
// - what has none of this costs more than before ................................... "costs what it did"
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { connect } from "../connect.ts";
import type { Holdfast } from "../holdfast.ts";
import { createTestServer } from "../testing/index.ts";
import { mergePatch } from "./merge-patch.ts";
import type { RecordsOptions } from "./options.ts";
import type { Records } from "./records.ts";

type Loose = Record<string, unknown>;

const random = (): string => `t${randomBytes(6).toString("hex")}`;
const bad = (field: string): unknown => expect.objectContaining({ name: "InvalidArgumentError", field });

describe.each(backends("standalone", "cluster", "embedded"))("fields of records [$name]", ({ url, options }) => {
  const prefix = random();
  let a: Holdfast;
  let b: Holdfast;

  beforeAll(async () => {
    const given = { ...options, prefix, timeout: "60s" } as const;
    [a, b] = await Promise.all([connect(url, given), connect(url, given)]);
  });
  afterAll(() => Promise.all([a?.close(), b?.close()]));

  function pair(settings: RecordsOptions<Loose> = {}, name = random()): [Records<Loose>, Records<Loose>] {
    return [a.records<Loose>(name, settings), b.records<Loose>(name, settings)];
  }

  it("defaults: stored by set, read where a record lacks them, and each reader's own", async () => {
    const name = random();
    const before = a.records<Loose>(name);
    await before.set("old", { name: "x" });
    const [here, there] = pair({ defaults: { theme: "dark", list: [1], visits: 10 } }, name);
    expect((await here.get("old"))?.value).toEqual({ name: "x", theme: "dark", list: [1], visits: 10 });
    expect((await here.get("old", ["theme", "name"]))?.value).toEqual({ theme: "dark", name: "x" });
    ((await here.get("old"))!.value["list"] as number[]).push(2);
    expect((await here.get("old"))?.value["list"]).toEqual([1]);
    expect(await here.increment("old", "visits" as never)).toMatchObject({ value: 11 });
    await there.set("new", { theme: null, list: undefined });
    expect((await before.get("new"))?.value).toEqual({ theme: null, list: [1], visits: 10 });
    expect(() => a.records<Loose>("x", { defaults: [] as never })).toThrow(bad("defaults"));
    expect(() => a.records<Loose>("x", { defaults: { f: () => 1 } })).toThrow(bad("defaults.f"));
    const list = [1];
    const other = a.records<Loose>(name, { defaults: { list } });
    list.push(2);
    expect((await other.get("old"))?.value["list"]).toEqual([1]);
  });

  it("migrations: at read, written back once, in order, by every way of writing", async () => {
    const name = random();
    const before = a.records<Loose>(name);
    for (const id of ["x", "y", "z", "w"]) await before.set(id, { full: "Ada Lovelace", n: 1 });
    const split = ({ full, ...rest }: Readonly<Loose>): Loose => {
      const [first, last] = String(full).split(" ");
      return { ...rest, first, last };
    };
    // A part is not looked at for its format.
    const stored = async (id: string): Promise<unknown> =>
      (await before.get(id, ["full", "first", "last", "n"]))?.value;
    const upper = (record: Readonly<Loose>): Loose => ({ ...record, last: String(record["last"]).toUpperCase() });
    const [here] = pair({ migrations: [split], index: ["n"] }, name);
    expect((await here.get("x"))?.value).toEqual({ first: "Ada", last: "Lovelace", n: 1 });
    await expect.poll(() => stored("x")).toEqual({ first: "Ada", last: "Lovelace", n: 1 });
    const [there] = pair({ migrations: [split, upper], index: ["n"] }, name);
    expect((await there.get("x", ["last"]))?.value).toEqual({ last: "LOVELACE" });
    expect(await there.patch("y", { first: "A." })).toMatchObject({ status: "ok" });
    expect(await stored("y")).toEqual({ first: "A.", last: "LOVELACE", n: 1 });
    expect(await there.increment("z", "n" as never)).toMatchObject({ value: 2 });
    expect((await there.find({ n: 2 } as never)).records[0]?.value).toEqual({ first: "Ada", last: "LOVELACE", n: 2 });
    let [cursor, migrated, records] = [undefined as string | undefined, 0, 0];
    do {
      const chunk = await there.migrateAll(cursor === undefined ? {} : { cursor });
      [cursor, migrated, records] = [chunk.cursor, migrated + chunk.migrated, records + chunk.records];
    } while (cursor !== undefined);
    expect([records >= 4, migrated >= 1]).toEqual([true, true]);
    expect(await stored("w")).toEqual({ first: "Ada", last: "LOVELACE", n: 1 });
    // A newer format than a process knows is no older one.
    for (const older of [here, before, a.records<Loose>(name, { index: ["n"] })]) {
      await expect(older.get("w")).rejects.toMatchObject({ code: "CODEC", reason: "version" });
      await expect(older.update("w", (value) => value)).rejects.toMatchObject({ code: "CODEC", reason: "version" });
    }
    expect(() => a.records<Loose>("x", { migrations: [1 as never] })).toThrow(bad("migrations"));
  });

  it("merge: in depth, arrays whole, null removes, over the version that was read", async () => {
    const [here, there] = pair();
    await here.set("x", { title: "a", author: { given: "b", family: "c" }, tags: ["d"], n: 1 });
    const patch = JSON.parse(
      '{"title":"A","author":{"family":null,"__proto__":{"p":1}},"tags":["e"],"n":null}',
    ) as Loose;
    const merged = await there.merge("x", patch as never);
    const found = await here.get("x");
    const author = JSON.parse('{"given":"b","__proto__":{"p":1}}') as Loose;
    expect(found).toEqual({
      value: { title: "A", author, tags: ["e"] },
      version: merged.status === "ok" && merged.version,
    });
    expect(await there.merge("x", { a: 1 }, { version: 1 })).toMatchObject({ status: "conflict" });
    expect(await there.merge("none", { a: 1 })).toEqual({ status: "missing" });
    await Promise.all(
      [...Array(10).keys()].map((at) => (at % 2 ? here : there).merge("x", { author: { [`f${at}`]: at } })),
    );
    expect(Object.keys((await here.get("x"))!.value["author"] as object)).toHaveLength(12);
    class Patch {
      readonly title = "B";
    }
    await here.set("y", { title: "a", n: 1 });
    await here.merge("y", new Patch() as never);
    expect((await here.get("y"))?.value).toEqual({ title: "B", n: 1 });
    await expect(here.merge("x", [] as never)).rejects.toEqual(bad("patch"));
  });
});

it.each<[unknown, unknown, unknown]>([
  [{ a: "b" }, { a: "c" }, { a: "c" }],
  [{ a: "b" }, { b: "c" }, { a: "b", b: "c" }],
  [{ a: "b" }, { a: null }, {}],
  [{ a: "b", b: "c" }, { a: null }, { b: "c" }],
  [{ a: ["b"] }, { a: "c" }, { a: "c" }],
  [{ a: "c" }, { a: ["b"] }, { a: ["b"] }],
  [{ a: { b: "c" } }, { a: { b: "d", c: null } }, { a: { b: "d" } }],
  [{ a: [{ b: "c" }] }, { a: [1] }, { a: [1] }],
  [
    ["a", "b"],
    ["c", "d"],
    ["c", "d"],
  ],
  [{ a: "b" }, ["c"], ["c"]],
  [{ a: "foo" }, null, null],
  [{ a: "foo" }, "bar", "bar"],
  [{ e: null }, { a: 1 }, { e: null, a: 1 }],
  [[1, 2], { a: "b", c: null }, { a: "b" }],
  [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
])("the examples of RFC 7396: %j and %j make %j", (target, patch, result) => {
  expect(mergePatch(target, patch)).toEqual(result);
});

it("a merge patch has a bound", () => {
  let deep: unknown = {};
  for (let at = 0; at < 5_000; at += 1) deep = { deep };
  expect(() => mergePatch({}, deep)).toThrow(bad("patch"));
});

it("fields that expire: each in its time, whatever else is written", async () => {
  await using server = await createTestServer({ clock: "virtual" });
  await using hf = await server.connect();
  const users = hf.records<Loose>("users", { fieldTtl: { code: "10m", hint: "1h" } });
  await users.set("x", { name: "ada", code: "123", hint: "h" });
  const names = async (): Promise<string[]> => Object.keys((await users.get("x"))!.value).toSorted();
  await server.clock.advance("9m");
  await users.patch("x", { name: "b" });
  await users.update("x", (user) => ({ ...user, name: "c" }));
  await users.merge("x", { other: 1 });
  expect(await names()).toEqual(["code", "hint", "name", "other"]);
  await server.clock.advance("2m");
  expect(await names()).toEqual(["hint", "name", "other"]);
  expect((await users.get("x", ["code", "name"]))?.value).toEqual({ name: "c" });
  await users.patch("x", { code: "456" });
  await server.clock.advance("9m");
  expect(await names()).toEqual(["code", "hint", "name", "other"]);
  await users.patch("x", { code: undefined });
  expect(await names()).toEqual(["hint", "name", "other"]);
  await server.clock.advance("1h");
  expect(await names()).toEqual(["name", "other"]);
  // What has expired goes with the next whole write.
  await users.update("x", (user) => user);
  expect(await hf.command("HEXISTS", "hf:record:users:{x}", "d:hint")).toBe(0);
  expect(() => hf.records<Loose>("x", { index: ["code"], fieldTtl: { code: "1m" } })).toThrow(bad("fieldTtl"));
  expect(() => hf.records<Loose>("x", { fieldTtl: { code: 0 } })).toThrow(bad("fieldTtl.code"));
});

it("records without any of this cost what they did", async () => {
  await using server = await createTestServer();
  await using hf = await server.connect();
  const users = hf.records<Loose>("users");
  await users.set("x", { a: 1 });
  const calls = async (): Promise<Map<string, number>> => {
    const text = String(await hf.command("INFO", "commandstats"));
    return new Map([...text.matchAll(/cmdstat_(\S+?):calls=(\d+)/g)].map(([, name, count]) => [name!, Number(count)]));
  };
  await hf.command("CONFIG", "RESETSTAT");
  await users.set("x", { a: 1 });
  await users.patch("x", { b: 1 });
  await users.increment("x", "a" as never);
  await users.get("x");
  await users.delete("x");
  const counted = await calls();
  const scripts = (counted.get("evalsha") ?? 0) + (counted.get("eval") ?? 0);
  expect([scripts, counted.get("hgetall"), counted.get("unlink")]).toEqual([3, 1, 1]);
});
