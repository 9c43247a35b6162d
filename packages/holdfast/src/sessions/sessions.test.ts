// What could go wrong, and the test that watches it:
// - an id, or something that opens a session, can be read on the server ............ "the server holds no id"
// - a session lives on past its idle or absolute time ................................ "ends when it is idle", "ends by its absolute time"
// - each read writes ................................................................. "restarts the idle time only past touchAfter"
// - a key without a TTL stays for ever, or outlives its session ....................... "every key has a TTL", "its keys end ..."
// - names or fields with special characters meet or match others ...................... "names and fields with special characters"
// (changes.test.ts: patches and updates; values.test.ts: what is stored; rotation.test.ts: ids; users.test.ts: limits, lists, revocation; faults.test.ts: lost answers, outages)
import { beforeAll, describe, expect, it, vi } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { TwoHandles } from "../../test/support/two-handles.ts";
import { until } from "../../test/support/until.ts";
import type { Holdfast } from "../holdfast.ts";
import type { Sessions } from "./sessions.ts";

interface Data {
  cart?: string[];
  theme?: string;
  visits?: number | undefined;
  [field: string]: unknown;
}

describe.each(backends())("sessions [$name]", ({ url, options }) => {
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

  async function send(...args: string[]): Promise<unknown> {
    return two.a.driver.send(args, { op: "test", class: "idempotent" }, args[1]);
  }

  async function created(of: Sessions<Data>, data: Data = {}, user?: string): Promise<string> {
    const answer = await of.create({ data, ...(user === undefined ? {} : { user }) });
    if (answer.status !== "ok") throw new Error(answer.status);
    return answer.id;
  }

  it("create and get give the same session, on every handle", async () => {
    const answer = await sessions.create({
      user: "ada",
      data: { theme: "dark", cart: ["a"] },
      device: { agent: "Firefox" },
    });
    if (answer.status !== "ok") throw new Error(answer.status);
    const { id, session } = answer;
    expect(session).toMatchObject({
      user: "ada",
      data: { theme: "dark", cart: ["a"] },
      device: { agent: "Firefox" },
      version: 1,
    });
    expect(session.createdAt).toBe(session.lastSeenAt);
    expect(session.expiresAt).toBe(session.createdAt + 30 * 60_000);
    expect(await sessions.get(id)).toEqual(session);
    expect(await two.b.sessions<Data>().get(id)).toEqual(session);
  });

  it("an anonymous session has no user, and unset fields are not there", async () => {
    const session = await sessions.get(await created(sessions, { theme: "light", visits: undefined }));
    expect(session).toMatchObject({ user: undefined, device: undefined });
    expect(session!.data).toStrictEqual({ theme: "light" });
  });

  it("unknown, malformed and foreign ids find nothing", async () => {
    const id = await created(sessions, {}, "ada");
    const unknown = `${id.slice(0, 17)}${"A".repeat(43)}`;
    for (const wrong of ["", "x", unknown, `${id}x`, id.slice(1), `${id}\n`, "__proto__", `{${id}}`]) {
      expect(await sessions.get(wrong)).toBeUndefined();
      expect(await sessions.patch(wrong, { theme: "x" })).toEqual({ status: "revoked" });
      expect(await sessions.rotate(wrong)).toEqual({ status: "missing" });
      expect(await sessions.destroy(wrong)).toBe(false);
    }
    expect(await two.a.sessions<Data>("others").get(id)).toBeUndefined();
  });

  it("the server holds no id, and what it holds is none", async () => {
    const of = two.a.sessions<Data>("secrecy");
    const id = await created(of, { theme: "dark" }, "ada");
    const [tag, secret] = id.split(".") as [string, string];
    const { handle } = (await of.get(id))!;
    const stored = await keys("secrecy");
    expect(stored.filter((key) => key.includes(secret))).toEqual([]);
    const fields = await send(
      "HGETALL",
      stored.find((key) => key.endsWith(handle))!,
    );
    expect((fields as Buffer[]).map(String).join(" ")).not.toContain(secret);
    expect(await of.get(handle)).toBeUndefined();
    expect(await of.get(`${tag}.${handle}`)).toBeUndefined();
  });

  it("ends when it is idle", async () => {
    const of = two.a.sessions<Data>("idle", { idleTimeout: 300 });
    const ids = [await created(of), await created(of, {}, "ada")];
    await until("the server has dropped both sessions and the index", async () => (await keys("idle")).length === 0);
    expect(await Promise.all(ids.map((id) => of.get(id)))).toEqual([undefined, undefined]);
    expect(await of.list("ada")).toEqual([]);
  });

  it("ends by its absolute time however much it is used", async () => {
    const of = two.a.sessions<Data>("absolute", { idleTimeout: 2_000, absoluteTimeout: 2_000, touchAfter: 0 });
    const id = await created(of, {}, "ada");
    const first = (await of.get(id))!;
    let last = first;
    await until("the session ends in spite of being used", async () => {
      const session = await of.get(id);
      if (session !== undefined) last = session;
      return session === undefined;
    });
    // Each use would have kept it for two seconds more; that it never did is true however slow this process is.
    expect(last.expiresAt).toBe(first.createdAt + 2_000);
  });

  it("a shorter idleTimeout holds for sessions that are there already", async () => {
    const id = await created(sessions);
    const brisk = two.a.sessions<Data>({ idleTimeout: 100, touchAfter: 99 });
    // The server is asked for its clock and not `brisk` for the session: in the last millisecond that would be a use of it.
    const { lastSeenAt } = (await sessions.get(id))!;
    await until("the session is idle for the stricter handle", async () => (await serverMs(two.a)) >= lastSeenAt + 100);
    expect(await brisk.get(id)).toBeUndefined();
    expect(await brisk.patch(id, { visits: 1 })).toEqual({ status: "revoked" });
    expect(await sessions.get(id)).toMatchObject({ version: 1 });
  });

  it("restarts the idle time only past touchAfter", async () => {
    const id = await created(sessions, {}, "ada");
    const before = (await sessions.get(id))!;
    const eager = two.a.sessions<Data>({ touchAfter: 0 });
    const lazy = two.a.sessions<Data>({ touchAfter: "29m" });
    const seen = await until("a read that touches", async () => {
      const session = (await eager.get(id))!;
      return session.lastSeenAt > before.lastSeenAt && session;
    });
    expect(seen.expiresAt - seen.lastSeenAt).toBe(30 * 60_000);
    expect((await lazy.get(id))!.lastSeenAt).toBe(seen.lastSeenAt);
    expect((await lazy.get(id))!.lastSeenAt).toBe(seen.lastSeenAt);
  });

  it("reads of one turn share a script, and see what was written before them", async () => {
    const id = await created(sessions, { visits: 1 });
    const scripts = vi.spyOn(two.a.driver, "script");
    try {
      const reads = await Promise.all(Array.from({ length: 90 }, () => sessions.get(id)));
      expect(reads.every((session) => session?.data.visits === 1)).toBe(true);
      expect(scripts).toHaveBeenCalledTimes(1);
    } finally {
      scripts.mockRestore();
    }
    const [before, , after] = await Promise.all([
      sessions.get(id),
      sessions.patch(id, { visits: 2 }),
      sessions.get(id),
    ]);
    expect([before!.data.visits, after!.data.visits]).toEqual([1, 2]);
  });

  it("every key has a TTL", async () => {
    const of = two.a.sessions<Data>("ttl", { touchAfter: 0 });
    const [first, second] = [await created(of, {}, "ada"), await created(of, {}, "ada")];
    const anonymous = await created(of);
    await of.patch(anonymous, { visits: 1 });
    await of.get(first);
    await of.rotate(first);
    await of.rotate(anonymous, { user: "bob" });
    await of.revokeAll("ada", { except: second });
    const all = await keys("ttl");
    expect(all.length).toBeGreaterThanOrEqual(5);
    const ttls = await Promise.all(all.map((key) => send("PTTL", key)));
    expect(all.filter((_, at) => Number(ttls[at]) <= 0)).toEqual([]);
  });

  it("its keys end when the session does, absolute time included", async () => {
    const of = two.a.sessions<Data>("end", { idleTimeout: "30m", absoluteTimeout: "20m", touchAfter: 0 });
    const id = await created(of, {}, "ada");
    const session = await until("a read that touches", async () => {
      const seen = (await of.get(id))!;
      return seen.lastSeenAt > seen.createdAt && seen;
    });
    expect(session.expiresAt).toBe(session.createdAt + 20 * 60_000);
    const ends = await Promise.all((await keys("end")).map((key) => send("PEXPIRETIME", key)));
    expect(ends).toEqual([session.expiresAt, session.expiresAt]);
  });

  it("names and fields with special characters are only themselves", async () => {
    const name = "s*[a]?{x}%:";
    const of = two.a.sessions<Data>(name);
    const data = { "*": 1, "d:x": 2, "": 3, "a b\0c": 4, ["__proto__"]: 5, user: 6, ends: 7, ünï: 8 } as Data;
    const id = await created(of, data, "ada*{b}");
    const session = (await of.get(id))!;
    expect(new Map(Object.entries(session.data))).toEqual(new Map(Object.entries(data)));
    expect(session.user).toBe("ada*{b}");
    expect(await of.patch(id, { "*": undefined, ["__proto__"]: 9 })).toEqual({ status: "ok", version: 2 });
    expect(Object.keys((await of.get(id))!.data)).toHaveLength(7);
    expect(await two.a.sessions<Data>("s*").list("ada*{b}")).toEqual([]);
    expect(await of.list("ada")).toEqual([]);
    expect(await of.list("ada*{b}")).toHaveLength(1);
  });

  it("bad input is refused by its name", async () => {
    expect(() => two.a.sessions({ idleTimeout: 0 })).toThrow(bad("idleTimeout"));
    expect(() => two.a.sessions({ maxPerUser: 0 })).toThrow(bad("maxPerUser"));
    expect(() => two.a.sessions({ idleTimeout: 100, touchAfter: 100 })).toThrow(bad("touchAfter"));
    expect(() => two.a.sessions({ onLimit: "drop" as never })).toThrow(bad("onLimit"));
    expect(() => two.a.sessions("shop", { tll: "1h" } as never)).toThrow(bad("tll"));
    expect(() => two.a.sessions(60 as never)).toThrow(bad("options"));
    expect(two.a.sessions("shop").name).toBe("shop");
    expect(two.a.sessions({ timeout: undefined, encrypt: undefined } as never).name).toBe("sessions");
    await expect(sessions.create({ data: {}, usr: "ada" } as never)).rejects.toEqual(bad("usr"));
    await expect(sessions.create(undefined as never)).rejects.toEqual(bad("data"));
    const known = await created(sessions);
    await expect(sessions.patch(known, {}, 1 as never)).rejects.toEqual(bad("options"));
    await expect(sessions.rotate(known, { grce: 0 } as never)).rejects.toEqual(bad("grce"));
    await expect(sessions.revokeAll("ada", { except: 7 as never })).rejects.toEqual(bad("except"));
    await expect(sessions.update(known, undefined as never)).rejects.toEqual(bad("change"));
    await expect(sessions.update(known, () => undefined as never)).rejects.toEqual(bad("change"));
    await expect(sessions.create({ user: "", data: {} })).rejects.toEqual(bad("user"));
    // As UTF-8 all half characters are the same bytes, and so the same index.
    await expect(sessions.create({ user: "a\ud800", data: {} })).rejects.toEqual(bad("user"));
    await expect(sessions.revoke("ada", 7 as never)).rejects.toEqual(bad("handle"));
    await expect(sessions.create({ data: [] as never })).rejects.toEqual(bad("data"));
    await expect(sessions.get(7 as never)).rejects.toEqual(bad("id"));
    await expect(sessions.patch(await created(sessions), {}, { version: 0 })).rejects.toEqual(bad("version"));
    await expect(sessions.patch(await created(sessions), null as never)).rejects.toEqual(bad("patch"));
    await expect(sessions.list(undefined as never)).rejects.toEqual(bad("user"));
  });
});

async function serverMs(hf: Holdfast): Promise<number> {
  const [seconds, micros] = (await hf.driver.send(["TIME"], { op: "test", class: "read" })) as Buffer[];
  return Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);
}

function bad(field: string): unknown {
  return expect.objectContaining({ name: "InvalidArgumentError", field });
}
