// What could go wrong, and the test for each:
// - a number is readable although the record is encrypted .... "encryption seals numbers too"
// - an encrypted value is moved to another field or record ... "encryption seals numbers too"
// - a schema sees parts only, so that wholes break it ........ "a schema sees the whole"
// - what is stored is read as something else ................. "what JSON would change is refused"
// - an unreadable record is taken for a missing one .......... "what cannot be read is an error"
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

/** Standard Schema by hand: `low` is at most `high`, which no single field can tell; `high` has a default. */
const ordered = {
  "~standard": {
    version: 1 as const,
    vendor: "test",
    validate: (value: unknown) => {
      const { low, high = 10 } = value as { low: number; high?: number };
      return low <= high ? { value: { low, high } } : { issues: [{ message: "low must be at most high" }] };
    },
  },
};

const keyring = (id: string) => ({ keys: { [id]: "22".repeat(32) }, current: id });

describe.each(backends())("values of records [$name]", ({ url, options }) => {
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

  it("a schema sees the whole at set, patch, increment, update and get", async () => {
    const name = random();
    const records = a.records<{ low: number; high?: number }>(name, { schema: ordered, attempts: 50 });
    await expect(records.set("x", { low: 11 })).rejects.toMatchObject({ code: "CODEC", reason: "validation" });
    const { version } = await records.set("x", { low: 1 });
    expect(await records.get("x")).toEqual({ value: { low: 1, high: 10 }, version });
    await expect(records.patch("x", { low: 11 })).rejects.toMatchObject({ reason: "validation" });
    await expect(records.increment("x", "low", 10)).rejects.toMatchObject({ reason: "validation" });
    await expect(records.update("x", () => ({ low: 3, high: 2 }))).rejects.toMatchObject({ reason: "validation" });
    expect(await records.patch("x", { high: 3 })).toEqual({ status: "ok", version: version + 1 });
    expect(await records.increment("x", "low")).toEqual({ status: "ok", value: 2, version: version + 2 });
    expect(await records.patch("x", { low: 0 }, { version })).toEqual({ status: "conflict", version: version + 2 });
    const racing = await Promise.all([records.patch("x", { low: 3 }), records.increment("x", "high", 4)]);
    expect(racing.map(({ status }) => status)).toEqual(["ok", "ok"]);
    expect((await records.get("x"))?.value).toEqual({ low: 3, high: 7 });
    await b.records<Loose>(name).patch("x", { low: 8 });
    await expect(records.get("x")).rejects.toMatchObject({ reason: "validation" });
    expect((await records.get("x", ["low"]))?.value).toEqual({ low: 8 });
  });

  it("encryption seals numbers too, each value in its own field of its own record", async () => {
    const [here] = pair<Loose>({ encrypt: keyring("k1") });
    await here.set("mine", { role: "guest", level: 1 });
    await here.set("theirs", { role: "admin", level: 9 });
    const keyOf = (id: string): string => `${prefix}:record:${here.name}:{${id}}`;
    const call = { op: "test", class: "idempotent" } as const;
    const level = (await a.driver.send(["HGET", keyOf("theirs"), "d:level"], call, keyOf("theirs"))) as Buffer;
    expect(level[0]).toBe(0xf9);
    await a.driver.send(["HSET", keyOf("mine"), "d:level", level], call, keyOf("mine"));
    await expect(here.get("mine")).rejects.toMatchObject({ code: "CODEC" });
    await raw(keyOf("mine"), "HSET", keyOf("mine"), "d:level", "9");
    await expect(here.get("mine")).rejects.toMatchObject({ code: "CODEC", reason: "key" });
    const migrating = b.records<Loose>(here.name, { encrypt: { ...keyring("k1"), allowPlaintext: true } });
    expect((await migrating.get("mine"))?.value).toEqual({ role: "guest", level: 9 });
  });

  it("what cannot be read is an error, not a missing record", async () => {
    const [here] = pair<Loose>({ encrypt: keyring("old") });
    await here.set("x", { name: "a" });
    const after = a.records<Loose>(here.name, { encrypt: keyring("new") });
    await expect(after.get("x")).rejects.toMatchObject({ code: "CODEC", reason: "key" });
    const plain = a.records<Loose>(here.name);
    await raw(`${prefix}:record:${here.name}:{x}`, "HSET", `${prefix}:record:${here.name}:{x}`, "d:name", "1e");
    await expect(plain.get("x")).rejects.toMatchObject({ code: "CODEC", reason: "foreign" });
  });

  it("what JSON would change is refused with the field's path, unless the serializer keeps it", async () => {
    const [here] = pair<Loose>();
    const value = { ok: 1, log: [{ at: new Date(0) }] };
    const refused = {
      code: "CODEC",
      reason: "unserializable",
      message: expect.stringMatching(/field "log".*\[0\]\.at/),
    };
    await expect(here.set("x", value)).rejects.toMatchObject(refused);
    await expect(here.patch("x", value)).rejects.toMatchObject(refused);
    await expect(here.set("x", { share: Number.NaN })).rejects.toMatchObject({
      message: expect.stringContaining('"share"'),
    });
    const [kept, there] = pair<Loose>({ serializer: "structured" });
    await kept.set("x", value);
    expect((await there.get("x"))?.value).toEqual(value);
  });
});
