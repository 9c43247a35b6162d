// A server that is out of memory may evict any one key (`allkeys-lru`). Each key that sessions use is deleted in turn:
// - the session's hash ............... the session is over, its place is free again, also for a sign-in that would be refused
// - the user's index ................. all sessions of the user are over, and none comes back with the next sign-in
// - an alias ......................... the id from before the rotation opens nothing; the session goes on
// - a trace of a sign-in ............. a sign-out with the id before it finds nothing; the session goes on
// - a reserved session ............... the sign-in answers `missing`, and evicts nobody
import { hash, randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { connect } from "../connect.ts";
import type { Holdfast } from "../holdfast.ts";
import { admit } from "./scripts.gen.ts";
import type { Sessions } from "./sessions.ts";

type Data = Record<string, unknown>;

describe.each(backends())("sessions of which the server has lost a key [$name]", ({ url, options }) => {
  const prefix = `test-${randomUUID()}`;
  let hf: Holdfast;
  let sessions: Sessions<Data>;
  let strict: Sessions<Data>;

  beforeAll(async () => {
    hf = await connect(url, { ...options, prefix });
    sessions = hf.sessions<Data>({ rotationGrace: "1h" });
    strict = hf.sessions<Data>("strict", { maxPerUser: 1, onLimit: "reject" });
  });
  afterAll(() => hf?.close());

  async function created(of: Sessions<Data>, user?: string): Promise<string> {
    const answer = await of.create({ data: {}, user });
    if (answer.status !== "ok") throw new Error(answer.status);
    return answer.id;
  }

  async function rotated(id: string, user?: string): Promise<string> {
    const answer = await sessions.rotate(id, { user });
    if (answer.status !== "ok") throw new Error(answer.status);
    return answer.id;
  }

  function part(of: Sessions<Data>, id: string, name: string): string {
    return `${prefix}:session:${of.name}:{${id.slice(0, 16)}}:${name}`;
  }

  const hashOf = (of: Sessions<Data>, id: string): string => part(of, id, hash("sha256", id, "base64url"));

  async function evict(key: string): Promise<void> {
    expect(await hf.driver.send(["DEL", key], { op: "test", class: "idempotent" }, key)).toBe(1);
  }

  it("its hash: the session is over for every operation", async () => {
    const [id, stays] = [await created(sessions, "ada"), await created(sessions, "ada")];
    await evict(hashOf(sessions, id));
    expect((await sessions.list("ada")).map(({ handle }) => handle)).toEqual([hash("sha256", stays, "base64url")]);
    expect(await sessions.get(id)).toBeUndefined();
    expect(await sessions.patch(id, { a: 1 })).toEqual({ status: "revoked" });
    expect(await sessions.update(id, (data) => data)).toEqual({ status: "revoked" });
    expect(await sessions.rotate(id)).toEqual({ status: "missing" });
    expect(await sessions.destroy(id)).toBe(false);
    expect(await sessions.revokeAll("ada")).toBe(1);
  });

  it.each(["a sign-in", "a read"])("its hash: the place is free again (%s)", async (what) => {
    const user = `bob ${what}`;
    const id = await created(strict, user);
    await evict(hashOf(strict, id));
    if (what === "a read") await strict.get(id);
    const next = await created(strict, user);
    expect(await strict.list(user)).toHaveLength(1);
    expect(await strict.create({ user, data: {} })).toEqual({ status: "limit", active: 1 });
    expect(await strict.get(next)).toBeDefined();
  });

  it("the index: all sessions of the user are over, and stay over", async () => {
    const ids = [await created(sessions, "cat"), await created(sessions, "cat")];
    const handle = hash("sha256", ids[0]!, "base64url");
    await evict(part(sessions, ids[0]!, "index"));
    const next = await created(sessions, "cat");
    expect(await Promise.all(ids.map((id) => sessions.get(id)))).toEqual([undefined, undefined]);
    expect(await sessions.revoke("cat", handle)).toBe(false);
    expect(await sessions.patch(ids[1]!, { a: 1 })).toEqual({ status: "revoked" });
    expect((await sessions.list("cat")).map((info) => info.handle)).toEqual([hash("sha256", next, "base64url")]);
  });

  it("an alias: the old id opens nothing, and the session goes on", async () => {
    const id = await created(sessions, "dan");
    const next = await rotated(id);
    await evict(hashOf(sessions, id));
    expect(await sessions.get(id)).toBeUndefined();
    expect(await sessions.destroy(id)).toBe(false);
    expect(await sessions.get(next)).toBeDefined();
  });

  it("the trace of a sign-in: a sign-out with the old id finds nothing, and the session goes on", async () => {
    const id = await created(sessions);
    const next = await rotated(id, "eve");
    await evict(hashOf(sessions, id));
    expect(await sessions.destroy(id)).toBe(false);
    expect(await sessions.get(next)).toBeDefined();
  });

  it("a reserved session: the sign-in answers `missing` and evicts nobody", async () => {
    const single = hf.sessions<Data>("single", { maxPerUser: 1 });
    const signedIn = await created(single, "fay");
    const { driver } = hf;
    const script = driver.script.bind(driver);
    const spy = vi.spyOn(driver, "script").mockImplementation(async (...args) => {
      if (args[0].sha1 === admit.sha1) await evict(String(args[1][0]));
      return script(...args);
    });
    try {
      expect(await single.rotate(await created(single), { user: "fay" })).toEqual({ status: "missing" });
    } finally {
      spy.mockRestore();
    }
    expect(await single.get(signedIn)).toBeDefined();
    expect(await single.list("fay")).toHaveLength(1);
  });
});
