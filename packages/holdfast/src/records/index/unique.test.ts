// What could go wrong, and the test for each:
// - two records get the same value, or one that is free is refused ... "one record has a value", "racing for one value"
// - a value is lost, or kept, by a change or a deletion .............. "a value that is given up"
// - a crash between the steps blocks a value for ever ................ "a claim that a crash left"
// - the claim ends before the record ................................. "what points to a record lives on with it"
// - a claim is evicted ............................................... "an evicted claim"
// - null is claimed where it is in an index too ...................... "null is nobody's"
// - what was stored before stops whoever looks at it ................. "what was stored before and can be neither"
// - a write puts the record between reindex and its write ............ "reindex of a record that is written meanwhile"
// - a claim becomes older, and is taken from its writer .............. "a claim is never older than before"
// - what the caller changes after its call is written ................ "is written as it was when it was called"
// - records from before there was a constraint ....................... "reindex of records that were there before"
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { backends } from "../../../test/support/backends.ts";
import { connect } from "../../connect.ts";
import type { Holdfast } from "../../holdfast.ts";
import type { RecordsOptions } from "../options.ts";
import type { Records } from "../records.ts";
import { tokenOf } from "./entry.ts";
import { IndexStore } from "./store.ts";

interface User {
  email?: string | null;
  nick?: string;
  age?: number;
}

const random = (): string => `t${randomBytes(6).toString("hex")}`;
const bad = (field: string): unknown => expect.objectContaining({ name: "InvalidArgumentError", field });

describe.each(backends())("unique values of records [$name]", ({ url, options }) => {
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
    const given: RecordsOptions<User> = { unique: ["email", "nick"], index: ["age"], ...settings };
    return [a.records<User>(name, given), b.records<User>(name, given), name];
  }

  const raw = (key: string, ...args: string[]): Promise<unknown> =>
    a.driver.send(args, { op: "test", class: "idempotent" }, key);
  const claimKey = (name: string, email: string): string => `${prefix}:claim:${name}:{email:s${email}}`;

  it("one record has a value, and is found by it", async () => {
    const [here, there] = pair();
    const { version } = await here.set("x", { email: "a@b", nick: "ada" });
    expect(await there.set("y", { email: "a@b" })).toEqual({ status: "conflict", version: 0, field: "email" });
    expect(await there.get("y")).toBeUndefined();
    expect(await there.getBy("email", "a@b")).toEqual({ id: "x", value: { email: "a@b", nick: "ada" }, version });
    await there.set("y", { email: "c@d" });
    const before = (await there.get("y"))!.version;
    expect(await there.patch("y", { nick: "ada" })).toEqual({ status: "conflict", version: before, field: "nick" });
    expect(await there.update("y", (user) => ({ ...user, nick: "ada" }))).toMatchObject({ field: "nick" });
    expect(await there.merge("y", { nick: "ada" })).toMatchObject({ status: "conflict", field: "nick" });
    expect((await there.get("y"))?.value).toEqual({ email: "c@d" });
    // Of its own it is none.
    expect(await here.set("x", { email: "a@b", nick: "ada", age: 1 })).toMatchObject({ status: "ok" });
    // Nobody has what is null or not there.
    expect(await there.set("z", { email: null })).toMatchObject({ status: "ok" });
    expect(await there.set("w", { email: null })).toMatchObject({ status: "ok" });
  });

  it.each(["", "a:b", "{x}", "ключ\0", "a%b", "long", "s"])("the value %j", async (given) => {
    const email = given === "long" ? given.repeat(1_000) : given;
    const [here, there] = pair();
    await here.set("x", { email });
    expect(await there.set("y", { email })).toMatchObject({ field: "email" });
    expect((await there.getBy("email", email))?.id).toBe("x");
    expect(await there.getBy("email", `${email}!`)).toBeUndefined();
  });

  it("a value that is given up is free at once: by a change, a patch, a deletion", async () => {
    const [here, there] = pair();
    await here.set("x", { email: "1", nick: "n" });
    await here.set("x", { email: "2" });
    await there.set("y", { email: "1", nick: "n" });
    await here.patch("x", { email: undefined });
    expect(await there.patch("y", { email: "2" })).toMatchObject({ status: "ok" });
    expect(await there.delete("y")).toBe(true);
    expect(await here.set("z", { email: "2", nick: "n" })).toMatchObject({ status: "ok" });
    expect((await there.getBy("nick", "n"))?.id).toBe("z");
    expect(await there.getBy("email", "1")).toBeUndefined();
  });

  it("racing for one value: one has it, and two records that change theirs end with different ones", async () => {
    const [here, there] = pair();
    const writers = Array.from({ length: 12 }, (_, at) => (at % 2 ? here : there).set(at, { email: "same" }));
    const answers = await Promise.all(writers);
    expect(answers.filter(({ status }) => status === "ok")).toHaveLength(1);
    expect(answers.filter((each) => each.status === "conflict" && each.field === "email")).toHaveLength(11);
    const winner = answers.findIndex(({ status }) => status === "ok");
    expect((await here.getBy("email", "same"))?.id).toBe(String(winner));
  });

  it("a claim that a crash left blocks for a minute, and no longer", async () => {
    const [here, , name] = pair();
    const key = claimKey(name, "dead");
    const now = Date.now();
    await raw(key, "SET", key, `${tokenOf(a.driver.runtime, now)}gone`, "PX", "600000");
    expect(await here.set("x", { email: "dead" })).toEqual({ status: "conflict", version: 0, field: "email" });
    expect(await here.getBy("email", "dead")).toBeUndefined();
    await raw(key, "SET", key, `${tokenOf(a.driver.runtime, now - 65_000)}gone`, "PX", "600000");
    expect(await here.set("x", { email: "dead" })).toMatchObject({ status: "ok" });
    expect((await here.getBy("email", "dead"))?.id).toBe("x");
    // A reader gives back what it finds.
    const other = claimKey(name, "left");
    await raw(other, "SET", other, `${tokenOf(a.driver.runtime, now - 65_000)}gone`, "PX", "600000");
    expect(await here.getBy("email", "left")).toBeUndefined();
    await expect.poll(() => raw(other, "EXISTS", other)).toBe(0);
  });

  it("what points to a record lives on with it, whatever is written", async () => {
    const [here, , name] = pair({ ttl: "10m" });
    await here.set("x", { email: "e", age: 3 });
    const record = `${prefix}:record:${name}:{x}`;
    const old = "abcdefgh" + (Date.now() - Date.UTC(2020, 0) - 400_000).toString(36).padStart(8, "0");
    for (const write of [
      () => here.patch("x", { other: 1 } as never),
      () => here.increment("x", "other" as never),
      () => here.update("x", (user) => ({ ...user })),
    ]) {
      const key = claimKey(name, "e");
      await raw(record, "HSET", record, "x:email", old, "x:age", old);
      await raw(key, "PEXPIRE", key, "1000");
      expect(await write()).toMatchObject({ status: "ok" });
      expect(await raw(key, "PTTL", key)).toBeGreaterThan(900_000);
      expect(((await raw(record, "HGET", record, "x:email")) as Buffer).toString()).not.toBe(old);
    }
    expect((await here.find({ age: 3 })).records).toHaveLength(1);
  });

  it("an evicted claim: reindex makes it again, and names the records that have the same value by then", async () => {
    const [here, there, name] = pair();
    await here.set("x", { email: "e" });
    const key = claimKey(name, "e");
    await raw(key, "UNLINK", key);
    expect(await here.getBy("email", "e")).toBeUndefined();
    await all(here);
    expect((await here.getBy("email", "e"))?.id).toBe("x");
    await raw(key, "UNLINK", key);
    expect(await there.set("y", { email: "e" })).toMatchObject({ status: "ok" });
    expect(await all(here)).toEqual([{ id: "x", field: "email" }]);
  });

  it("reindex of records that were there before the constraint and the index", async () => {
    const name = random();
    const before = a.records<User>(name);
    for (const [id, email] of [
      ["x", "1"],
      ["y", "2"],
      ["z", "1"],
    ] as const)
      await before.set(id, { email, age: 7 });
    const here = b.records<User>(name, { unique: ["email"], index: ["age"] });
    const conflicts = await all(here);
    expect(conflicts).toHaveLength(1);
    expect((await here.getBy("email", "2"))?.id).toBe("y");
    const page = await here.find({ age: 7 });
    expect([page.records.length, page.complete]).toEqual([3, true]);
    expect(await here.set("w", { email: "1" })).toMatchObject({ field: "email" });
  });

  it("null is nobody's, also where the field is in an index", async () => {
    const [here, there] = pair({ index: ["email"] });
    expect(await here.set("x", { email: null })).toMatchObject({ status: "ok" });
    expect(await there.set("y", { email: null })).toMatchObject({ status: "ok" });
    expect((await here.find({ email: null })).records.map(({ id }) => id).toSorted()).toEqual(["x", "y"]);
    expect(await all(here)).toEqual([]);
    expect(await there.patch("y", { email: "e" })).toMatchObject({ status: "ok" });
  });

  it("what was stored before and can be neither unique nor in an index is left alone, and can be replaced", async () => {
    const name = random();
    const before = a.records<Record<string, unknown>>(name);
    const many = Array.from({ length: 300 }, (_, at) => at);
    for (const id of ["x", "y", "z"]) await before.set(id, { email: [id], age: many, nick: id });
    const here = b.records<User>(name, { unique: ["email", "nick"], index: ["age", "nick"] });
    expect(await all(here)).toEqual([]);
    expect((await here.getBy("nick", "x"))?.id).toBe("x");
    expect((await here.find({ nick: "x", age: { gte: 0 } })).records).toEqual([]);
    expect(await here.set("x", { email: "e" })).toMatchObject({ status: "ok" });
    expect(await here.patch("y", { email: "f" })).toMatchObject({ status: "ok" });
    expect(await here.delete("z")).toBe(true);
    expect(await here.set("w", { nick: "z" })).toMatchObject({ status: "ok" });
  });

  it("what cannot be read can be deleted", async () => {
    const [here, , name] = pair();
    await here.set("x", { email: "e", age: 1 });
    const record = `${prefix}:record:${name}:{x}`;
    await raw(record, "HSET", record, "d:age", "\x01");
    await expect(here.get("x")).rejects.toMatchObject({ code: "CODEC" });
    expect(await here.delete("x")).toBe(true);
    expect(await here.delete("x")).toBe(false);
  });

  it("reindex of a record that is written meanwhile", async () => {
    const name = random();
    const before = a.records<User>(name);
    await before.set("x", { email: "e", age: 1 });
    const here = b.records<User>(name, { unique: ["email"], index: ["age"] });
    const commit = vi.spyOn(IndexStore.prototype, "commit");
    commit.mockImplementationOnce(async function (this: IndexStore, ...args) {
      commit.mockRestore();
      await before.patch("x", { nick: "n" });
      return this.commit(...args);
    });
    expect(await all(here)).toEqual([]);
    expect((await here.get("x"))?.value.nick).toBe("n");
    expect([(await here.getBy("email", "e"))?.id, (await here.find({ age: 1 })).records.length]).toEqual(["x", 1]);
  });

  it("a claim is never older than before: another writer of its record may be on its way", async () => {
    const [here, , name] = pair();
    await here.set("x", { email: "e" });
    const key = claimKey(name, "e");
    const young = tokenOf(a.driver.runtime, Date.now() + 60_000);
    await raw(key, "SET", key, `${young}x`, "PX", "600000");
    expect(await all(here)).toEqual([]);
    expect(String(await raw(key, "GET", key)).slice(8)).toBe(`${young.slice(8)}x`);
  });

  it("is written as it was when it was called", async () => {
    const [here] = pair();
    const user: User = { email: "e", age: 1 };
    const written = here.set("x", user);
    user.age = 2;
    await written;
    expect((await here.get("x"))?.value).toEqual({ email: "e", age: 1 });
    const patch: User = { age: 3 };
    const patched = here.patch("x", patch);
    patch.age = 4;
    await patched;
    expect((await here.get("x"))?.value).toEqual({ email: "e", age: 3 });
  });

  async function all(records: Records<User>): Promise<{ id: string; field: string }[]> {
    const conflicts: { id: string; field: string }[] = [];
    let cursor: string | undefined;
    do {
      const chunk = await records.reindex(cursor === undefined ? {} : { cursor });
      conflicts.push(...chunk.conflicts);
      cursor = chunk.cursor;
    } while (cursor !== undefined);
    return conflicts;
  }

  it("bad input is refused by its name", async () => {
    const [here] = pair();
    await expect(here.set("x", { email: ["a"] as never })).rejects.toEqual(bad("email"));
    await expect(here.set("x", { email: "\ud800" })).rejects.toEqual(bad("email"));
    await expect(here.getBy("email", null)).rejects.toEqual(bad("value"));
    await expect(here.getBy("age", 1)).rejects.toEqual(bad("field"));
    await expect(here.reindex({ cursor: "x" })).rejects.toEqual(bad("cursor"));
    await expect(here.reindex({ limit: 0 })).rejects.toEqual(bad("limit"));
    await expect(here.reindex({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "ABORTED" });
  });
});
