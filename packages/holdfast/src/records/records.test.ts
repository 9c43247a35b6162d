// What could go wrong, and the test that watches it:
// - a version is met again after a deletion (ABA) ........................ "a version never comes again after a deletion"
// - a field is named like one of ours, or like a property of every object . "field names of all kinds"
// - numbers are stored so that they cannot be added to, or come back changed "numbers of all kinds", "increment"
// - a record without a time to live ....................................... "each write restarts the time to live"
// - merged calls are reordered, or one item's failure is that of all ....... "calls that are not awaited", "one item's failure"
// - an answer is lost, and the repeated write undoes another's .............. faults.test.ts
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { connect } from "../connect.ts";
import type { Holdfast } from "../holdfast.ts";
import type { RecordsOptions } from "./options.ts";
import type { Records } from "./records.ts";

const random = (): string => `t${randomBytes(6).toString("hex")}`;

interface Airport {
  name: string;
  visits?: number;
  runways?: string[];
  elevation?: number;
}

type Loose = Record<string, unknown>;

const bad = (field: string): unknown => expect.objectContaining({ name: "InvalidArgumentError", field });

const keyring = (id: string) => ({ keys: { [id]: "22".repeat(32) }, current: id });

describe.each(backends())("record [$name]", ({ url, options }) => {
  const prefix = random();
  let a: Holdfast;
  let b: Holdfast;

  beforeAll(async () => {
    [a, b] = await Promise.all([connect(url, { ...options, prefix }), connect(url, { ...options, prefix })]);
  });
  afterAll(() => Promise.all([a?.close(), b?.close()]));

  /** The same records as two processes see them. */
  function pair<T extends object = Airport>(settings: RecordsOptions<T> = {}): [Records<T>, Records<T>] {
    const name = random();
    return [a.records<T>(name, settings), b.records<T>(name, settings)];
  }

  const raw = (key: string, ...args: string[]): Promise<unknown> =>
    a.driver.send(args, { op: "test", class: "idempotent" }, key);

  it("set, get, patch and delete", async () => {
    const [here, there] = pair();
    expect(await here.get("SFO")).toBeUndefined();
    expect(await here.has("SFO")).toBe(false);
    const created = await here.set("SFO", { name: "San Francisco", visits: 1, runways: ["10L", "10R"] });
    if (created.status !== "ok") throw new Error(created.status);
    const { version } = created;
    expect(await there.get("SFO")).toEqual({
      value: { name: "San Francisco", visits: 1, runways: ["10L", "10R"] },
      version,
    });
    expect(await there.patch("SFO", { visits: 2, runways: undefined })).toEqual({ status: "ok", version: version + 1 });
    expect(await here.get("SFO")).toEqual({ value: { name: "San Francisco", visits: 2 }, version: version + 1 });
    expect(await here.set("SFO", { name: "SF" })).toEqual({ status: "ok", version: version + 2 });
    expect((await there.get("SFO"))?.value).toEqual({ name: "SF" });
    expect(await here.has("SFO")).toBe(true);
    expect(await there.delete("SFO")).toBe(true);
    expect(await here.delete("SFO")).toBe(false);
    expect(await here.get("SFO")).toBeUndefined();
  });

  it("what is missing is not brought into being by a part", async () => {
    const [here] = pair();
    expect(await here.patch("x", { visits: 1 })).toEqual({ status: "missing" });
    expect(await here.increment("x", "visits")).toEqual({ status: "missing" });
    expect(await here.update("x", (value) => value)).toEqual({ status: "missing" });
    expect(await here.get("x")).toBeUndefined();
  });

  it("some fields: those that there are, with the version", async () => {
    const [here] = pair();
    const { version } = await here.set("SFO", { name: "San Francisco", visits: 3 });
    expect(await here.get("SFO", ["visits", "elevation"])).toEqual({ value: { visits: 3 }, version });
    expect(await here.get("SFO", ["elevation"])).toEqual({ value: {}, version });
    expect(await here.get("LAX", ["name"])).toBeUndefined();
  });

  it.each([undefined, null, 5, "abc", {}])("getMany refuses %j, which is no list of ids", async (ids) => {
    await expect(pair()[0].getMany(ids as [])).rejects.toMatchObject({ code: "INVALID_ARGUMENT", field: "ids" });
  });

  it("getMany returns what there is, whole or in part, over all slots", async () => {
    const [here, there] = pair();
    const ids = Array.from({ length: 300 }, (_, at) => `airport-${at}`);
    const written = ids.filter((_, at) => at % 2 === 0);
    await Promise.all(written.map((id, at) => here.set(id, { name: id, visits: at })));
    const whole = await there.getMany([...ids, ...ids]);
    expect([...whole.keys()]).toEqual(written);
    expect(whole.get("airport-20")?.value).toEqual({ name: "airport-20", visits: 10 });
    const part = await there.getMany(ids, ["visits"]);
    expect(part.size).toBe(150);
    expect(part.get("airport-20")?.value).toEqual({ visits: 10 });
  });

  it("a write over a version happens over that version only", async () => {
    const [here, there] = pair();
    const first = await here.set("x", { name: "a" }, { version: 0 });
    expect(first.status).toBe("ok");
    const { version } = first;
    expect(await there.set("x", { name: "b" }, { version: 0 })).toEqual({ status: "conflict", version });
    expect(await there.patch("x", { name: "c" }, { version })).toEqual({ status: "ok", version: version + 1 });
    expect(await here.patch("x", { name: "d" }, { version })).toEqual({ status: "conflict", version: version + 1 });
    expect(await here.set("x", { name: "e" }, { version })).toEqual({ status: "conflict", version: version + 1 });
    expect(await here.set("none", { name: "e" }, { version })).toEqual({ status: "conflict", version: 0 });
    expect((await here.get("x"))?.value).toEqual({ name: "c" });
  });

  it("a version never comes again after a deletion", async () => {
    const [here] = pair();
    const before = await here.set("x", { name: "old" });
    const patched = await here.patch("x", { visits: 1 });
    await here.delete("x");
    const after = await here.set("x", { name: "new" });
    expect(after.version).toBeGreaterThan(before.version + 1);
    expect(patched).toEqual({ status: "ok", version: before.version + 1 });
    expect(await here.patch("x", { visits: 2 }, { version: before.version })).toMatchObject({ status: "conflict" });
    expect((await here.get("x"))?.value).toEqual({ name: "new" });
  });

  it.each<[string, RecordsOptions<Loose>]>([
    ["json", {}],
    ["structured", { serializer: "structured" }],
    ["encrypted", { encrypt: keyring("k") }],
    ["compressed", { compress: { threshold: 1 } }],
  ])("numbers of all kinds and values beside them: %s", async (_name, settings) => {
    const [here, there] = pair<Loose>(settings);
    const value: Loose = { big: 1e21, small: 5e-324, fraction: 0.1, negative: -12.5, zero: 0, text: "12", no: null };
    await here.set("x", { ...value, list: [1, "a", { b: true }], flag: false });
    expect((await there.get("x"))?.value).toEqual({ ...value, list: [1, "a", { b: true }], flag: false });
    expect(await there.increment("x", "small" as never, 1e-7)).toMatchObject({ status: "ok", value: 1e-7 });
    expect(await there.increment("x", "big" as never, 1e5)).toMatchObject({ status: "ok", value: 1e21 + 1e5 });
    expect(await here.increment("x", "constructor" as never)).toMatchObject({ status: "ok", value: 1 });
    await expect(here.increment("x", "no" as never)).rejects.toMatchObject({ code: "WRONG_TYPE" });
    expect((await here.get("x", ["small", "big"]))?.value).toEqual({ small: 1e-7, big: 1e21 + 1e5 });
  });

  it("field names of all kinds", async () => {
    const [here, there] = pair<Loose>();
    const names = ["version", "ops", "d:version", "", "__proto__", "constructor", "ключ", 'a"b\\c', "1", "\0", "😀"];
    const value = Object.fromEntries(names.map((name, at) => [name, at % 2 === 0 ? at : `v${at}`]));
    await here.set("x", value);
    expect((await there.get("x"))?.value).toEqual(value);
    expect((await there.get("x", names))?.value).toEqual(value);
    expect(await there.patch("x", Object.fromEntries(names.map((name) => [name, undefined])))).toMatchObject({
      status: "ok",
    });
    expect((await here.get("x"))?.value).toEqual({});
  });

  it.each(["{a}b", "a:b", "%7B", "ключ", "x y", 42])("the id %j", async (id) => {
    const [here, there] = pair();
    await here.set(id, { name: String(id) });
    expect((await there.get(id))?.value).toEqual({ name: String(id) });
    expect(await there.delete(id)).toBe(true);
  });

  it("calls that are not awaited are executed in their order", async () => {
    const [here] = pair<{ n: number; m?: number }>();
    const answers: unknown[] = [];
    const pending: Promise<unknown>[] = [];
    for (let round = 0; round < 40; round += 1) {
      pending.push(here.set("x", { n: round }), here.increment("x", "n"), here.patch("x", { m: round }));
      pending.push(here.get("x").then((found) => answers.push(found?.value)));
    }
    pending.push(here.delete("x"));
    pending.push(here.get("x").then((found) => answers.push(found)));
    await Promise.all(pending);
    expect(answers).toEqual([...Array.from({ length: 40 }, (_, round) => ({ n: round + 1, m: round })), undefined]);
  });

  it("one item's failure is its own: the others of its turn succeed", async () => {
    const [here] = pair();
    const foreign = a.key("any", "x");
    await here.set("good", { name: "g" });
    await raw(`${prefix}:record:${here.name}:{bad}`, "SET", `${prefix}:record:${here.name}:{bad}`, foreign);
    const settled = await Promise.allSettled([
      here.get("good"),
      here.get("bad"),
      here.patch("good", { visits: 1 }),
      here.patch("bad", { visits: 1 }),
      here.increment("good", "visits"),
      here.increment("bad", "visits"),
      here.set("bad", { name: "b" }),
    ]);
    const codes = settled.map((each) => (each.status === "fulfilled" ? "ok" : each.reason.code));
    expect(codes).toEqual(["ok", "WRONG_TYPE", "ok", "WRONG_TYPE", "ok", "WRONG_TYPE", "WRONG_TYPE"]);
    expect((await here.get("good"))?.value).toEqual({ name: "g", visits: 2 });
  });

  it("large values go alone and in order", async () => {
    const [here] = pair();
    const large = "x".repeat(100_000);
    const written = [here.set("a", { name: "small" }), here.set("a", { name: large }), here.patch("a", { visits: 1 })];
    expect((await Promise.all(written)).map(({ status }) => status)).toEqual(["ok", "ok", "ok"]);
    expect((await here.get("a"))?.value).toEqual({ name: large, visits: 1 });
  });

  it("each write restarts the time to live", async () => {
    const [here] = pair({ ttl: "1h" });
    const key = `${prefix}:record:${here.name}:{x}`;
    const writes: [string, () => Promise<unknown>][] = [
      ["set", () => here.set("x", { name: "a", visits: 1 })],
      ["patch", () => here.patch("x", { visits: 2 })],
      ["increment", () => here.increment("x", "visits")],
      ["update", () => here.update("x", (value) => value)],
    ];
    for (const [, write] of writes) {
      await raw(key, "PEXPIRE", key, "60000");
      await write();
      const ttl = await raw(key, "PTTL", key);
      expect(ttl).toBeGreaterThan(60_000);
      expect(ttl).toBeLessThanOrEqual(3_600_000);
    }
    await Promise.all(Array.from({ length: 20 }, (_, at) => here.set(at, { name: "b" })));
    const seen: string[] = [];
    for await (const keys of a.scan(`record:${here.name}:`)) seen.push(...keys);
    expect(seen).toHaveLength(21);
    for (const found of seen) expect(await raw(found, "PTTL", found)).toBeGreaterThan(60_000);
  });

  it("the ids of past writes stay few", async () => {
    const [here] = pair();
    await here.set("x", { name: "a" });
    for (let round = 0; round < 40; round += 1) await here.patch("x", { visits: round });
    const key = `${prefix}:record:${here.name}:{x}`;
    expect(await raw(key, "HSTRLEN", key, "ops")).toBe(16 * 9);
  });

  it("bad input is refused by its name", async () => {
    const [here] = pair();
    expect(() => a.records("")).toThrow(bad("name"));
    expect(() => a.records("x", { ttl: 0 })).toThrow(bad("ttl"));
    expect(() => a.records("x", { attempts: 0 })).toThrow(bad("attempts"));
    expect(() => a.records("x", { tll: "1h" } as never)).toThrow(
      'records "x": tll: expected another name (did you mean "ttl"?)',
    );
    expect(() => a.records("x", 60 as never)).toThrow(bad("options"));
    expect(() => a.records("x", { ttl: undefined, encrypt: undefined } as never)).not.toThrow();
    await expect(here.set("x", { name: "a" }, 1 as never)).rejects.toEqual(bad("options"));
    await expect(here.update("x", (value) => value, { inital: {} } as never)).rejects.toEqual(bad("inital"));
    await expect(here.update("x", () => undefined as never, { initial: { name: "a" } })).rejects.toEqual(bad("change"));
    await expect(here.get("")).rejects.toEqual(bad("id"));
    await expect(here.get("x", [])).rejects.toEqual(bad("fields"));
    await expect(here.get("x", [1] as never)).rejects.toEqual(bad("fields"));
    await expect(here.set("x", [] as never)).rejects.toEqual(bad("value"));
    await expect(here.set("x", null as never)).rejects.toEqual(bad("value"));
    await expect(here.set("x", { ["\ud800"]: 1 } as never)).rejects.toEqual(bad("value"));
    await expect(here.set("x", { name: "a" }, { version: -1 })).rejects.toEqual(bad("version"));
    await expect(here.patch("x", "y" as never)).rejects.toEqual(bad("patch"));
    await expect(here.patch("x", {}, { version: 0 })).rejects.toEqual(bad("version"));
    const many = Object.fromEntries(Array.from({ length: 1_001 }, (_, at) => [`f${at}`, at]));
    await expect(here.set("x", many as never)).rejects.toEqual(bad("value"));
    await expect(here.set("x", { name: (() => 1) as never })).rejects.toMatchObject({ reason: "unserializable" });
  });

  it("a record of the most fields", async () => {
    const [here] = pair<Loose>();
    const value = Object.fromEntries(Array.from({ length: 1_000 }, (_, at) => [`f${at}`, at]));
    await here.set("x", value);
    expect((await here.get("x", Object.keys(value)))?.value).toEqual(value);
  });
});
