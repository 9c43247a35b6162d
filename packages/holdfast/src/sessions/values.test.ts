// What could go wrong, and the test for each:
// - an encrypted value is moved to where it grants more ....... "an encrypted value opens only where it was stored"
// - what is stored is read as something else .................. "what JSON would change is refused"
// - an unreadable session is taken for no session ............. "a session that cannot be read"
// - a schema sees parts only, so that wholes break it ......... "a schema sees the whole"
import { beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { TwoHandles } from "../../test/support/two-handles.ts";
import type { EncryptOptions } from "../core/codec/codec.ts";
import { CodecError } from "../base/errors.ts";
import type { Sessions } from "./sessions.ts";

interface Data {
  cart?: string[];
  theme?: string;
  visits?: number | undefined;
  [field: string]: unknown;
}

describe.each(backends())("values of sessions [$name]", ({ url, options }) => {
  const two = new TwoHandles({ url, options });
  let sessions: Sessions<Data>;

  beforeAll(() => {
    sessions = two.a.sessions<Data>();
  });

  async function keys(name = ""): Promise<string[]> {
    const found = new Set<string>();
    for await (const page of two.a.scan(`session:${name}`)) for (const key of page) found.add(key);
    return [...found];
  }

  async function created(of: Sessions<Data>, data: Data = {}, user?: string): Promise<string> {
    const answer = await of.create({ data, ...(user === undefined ? {} : { user }) });
    if (answer.status !== "ok") throw new Error(answer.status);
    return answer.id;
  }

  it("an encrypted value opens only where it was stored", async () => {
    const encrypt = { keys: { k1: "11".repeat(32) }, current: "k1" };
    const of = two.a.sessions<Data>("sealed", { encrypt });
    const [mine, theirs] = [await created(of, { role: "guest" }, "eve"), await created(of, { role: "admin" }, "ada")];
    const [{ handle: to }, { handle: from }] = [(await of.get(mine))!, (await of.get(theirs))!];
    const stored = await keys("sealed");
    const keyOf = (handle: string): string => stored.find((key) => key.endsWith(handle))!;
    const role = (await two.a.driver.send(
      ["HGET", keyOf(from), "d:role"],
      { op: "test", class: "read" },
      keyOf(from),
    )) as Buffer;
    expect(role.includes("admin")).toBe(false);
    await two.a.driver.send(["HSET", keyOf(to), "d:role", role], { op: "test", class: "idempotent" }, keyOf(to));
    await expect(of.get(mine)).rejects.toBeInstanceOf(CodecError);
    const rotated = await of.rotate(theirs);
    expect(rotated).toMatchObject({ status: "ok", session: { data: { role: "admin" }, user: "ada" } });
  });

  it("what JSON would change is refused with the field's path, unless the serializer keeps it", async () => {
    const data = { log: [{ at: new Date(0) }] };
    const refused = {
      code: "CODEC",
      reason: "unserializable",
      message: expect.stringMatching(/field "log".*\[0\]\.at/),
    };
    await expect(sessions.create({ data })).rejects.toMatchObject(refused);
    await expect(sessions.patch(await created(sessions), data)).rejects.toMatchObject(refused);
    const of = two.a.sessions<Data>("structured", { serializer: "structured" });
    expect((await of.get(await created(of, data)))!.data).toEqual(data);
  });

  it("a session that cannot be read is an error, not a missing session", async () => {
    const id = await created(two.a.sessions<Data>("keys", { encrypt: keyring("old") }), { visits: 1 });
    const after = two.a.sessions<Data>("keys", { encrypt: keyring("new") });
    await expect(after.get(id)).rejects.toMatchObject({ code: "CODEC", reason: "key" });
    expect(await after.destroy(id)).toBe(true);
  });

  it("a schema sees the whole of the data at create, patch and get", async () => {
    const of = two.a.sessions<{ low: number; high: number }>("schema", { schema: ordered });
    await expect(of.create({ data: { low: 3, high: 1 } })).rejects.toMatchObject({ reason: "validation" });
    const answer = await of.create({ data: { low: 1, high: 3 } });
    if (answer.status !== "ok") throw new Error(answer.status);
    await expect(of.patch(answer.id, { low: 4 })).rejects.toMatchObject({ reason: "validation" });
    expect(await of.patch(answer.id, { high: 5 })).toEqual({ status: "ok", version: 2 });
    const racing = await Promise.all([of.patch(answer.id, { low: 2 }), of.patch(answer.id, { high: 4 })]);
    expect(racing.map(({ status }) => status)).toEqual(["ok", "ok"]);
    expect((await of.get(answer.id))!.data).toEqual({ low: 2, high: 4 });
    expect(await of.patch(answer.id, { low: 3 }, { version: 1 })).toEqual({ status: "conflict", version: 4 });
  });
});

function keyring(id: string): EncryptOptions {
  return { keys: { [id]: "22".repeat(32) }, current: id };
}

/** Standard Schema by hand: `low` is at most `high`, which no single field can tell. */
const ordered = {
  "~standard": {
    version: 1 as const,
    vendor: "test",
    validate: (value: unknown) => {
      const { low, high } = value as { low: number; high: number };
      return low <= high ? { value: { low, high } } : { issues: [{ message: "low must be at most high" }] };
    },
  },
};
