// What could go wrong, and the test that watches it:
// - parallel sign-ins pass the limit ............................................... "parallel sign-ins never pass the limit"
// - sessions that have ended count against the limit ............................... "an expired session makes room"
// - revokeAll misses a session, or one lives on at another process .................. "revokeAll ends all of them on every handle"
// - revokeAll ends the session it should spare, or spares what somebody else holds .. "revokeAll spares ... before a rotation"
// - users meet each other's sessions, or all land in one slot ....................... "a thousand users"
import { hash } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { TwoHandles } from "../../test/support/two-handles.ts";
import { until } from "../../test/support/until.ts";
import type { Sessions } from "./sessions.ts";

interface Data {
  n?: number;
}

describe.each(backends())("sessions of users [$name]", ({ name: backend, url, options }) => {
  const two = new TwoHandles({ url, options });
  let sessions: Sessions<Data>;

  beforeAll(() => {
    sessions = two.a.sessions<Data>();
  });

  async function created(user: string, of: Sessions<Data> = sessions): Promise<string> {
    const answer = await of.create({ user, data: {} });
    if (answer.status !== "ok") throw new Error(answer.status);
    return answer.id;
  }

  async function alive(of: Sessions<Data>, ids: readonly string[]): Promise<boolean[]> {
    const found = await Promise.all(ids.map((id) => of.get(id)));
    return found.map((session) => session !== undefined);
  }

  it("lists a user's sessions with their devices, the one seen last first", async () => {
    const typed = two.a.sessions<Data, { agent: string }>();
    const first = await typed.create({ user: "ada", data: {}, device: { agent: "phone" } });
    const second = await typed.create({ user: "ada", data: {} });
    if (first.status !== "ok" || second.status !== "ok") throw new Error("limit");
    const eager = two.a.sessions<Data>({ touchAfter: 0 });
    const seen = await until("the phone is seen last", async () => {
      const session = (await eager.get(first.id))!;
      return session.lastSeenAt > second.session.lastSeenAt && session;
    });
    const { handle, createdAt, lastSeenAt, expiresAt } = seen;
    expect(await typed.list("ada")).toEqual([
      { handle, device: { agent: "phone" }, createdAt, lastSeenAt, expiresAt },
      expect.objectContaining({ handle: second.session.handle, device: undefined }),
    ]);
    expect(await sessions.list("nobody")).toEqual([]);
  });

  it("revoke ends the one session that a list named", async () => {
    const ids = [await created("bob"), await created("bob")];
    const { handle } = (await sessions.get(ids[0]!))!;
    expect(await sessions.revoke("carl", handle)).toBe(false);
    expect(await sessions.revoke("bob", "no handle")).toBe(false);
    expect(await sessions.revoke("bob", handle)).toBe(true);
    expect(await sessions.revoke("bob", handle)).toBe(false);
    expect(await alive(two.b.sessions<Data>(), ids)).toEqual([false, true]);
  });

  it("revokeAll ends all of them on every handle, and nobody else's", async () => {
    const ids = await Promise.all(Array.from({ length: 10 }, () => created("dan")));
    const stranger = await created("danny");
    expect(await sessions.revokeAll("dan")).toBe(10);
    expect(await alive(two.b.sessions<Data>(), ids)).toEqual(ids.map(() => false));
    expect(await sessions.patch(ids[0]!, { n: 1 })).toEqual({ status: "revoked" });
    expect(await sessions.rotate(ids[1]!)).toEqual({ status: "missing" });
    expect(await sessions.revokeAll("dan")).toBe(0);
    expect(await alive(sessions, [stranger, await created("dan")])).toEqual([true, true]);
  });

  it("revokeAll spares the session it is told to, by id or by handle", async () => {
    const ids = [await created("eve"), await created("eve"), await created("eve")] as const;
    expect(await sessions.revokeAll("eve", { except: ids[1] })).toBe(2);
    expect(await alive(sessions, ids)).toEqual([false, true, false]);
    const { handle } = (await sessions.get(ids[1]))!;
    await created("eve");
    expect(await sessions.revokeAll("eve", { except: handle })).toBe(1);
    expect((await sessions.list("eve")).map((info) => info.handle)).toEqual([handle]);
  });

  it("revokeAll spares the session by the id from before a rotation, which goes on working for its grace", async () => {
    const of = two.a.sessions<Data>({ rotationGrace: "1h" });
    const [id, elsewhere] = [await created("gil", of), await created("gil", of)];
    const next = await of.rotate(id);
    if (next.status !== "ok") throw new Error(next.status);
    expect(await of.revokeAll("gil", { except: id })).toBe(1);
    expect(await alive(of, [next.id, id, elsewhere])).toEqual([true, true, false]);
    // By the old handle it is spared as well: an alias is its session.
    const [, handle] = [await created("gil", of), hash("sha256", id, "base64url")];
    expect(await of.revokeAll("gil", { except: handle })).toBe(1);
    expect(await alive(of, [next.id])).toEqual([true]);
  });

  it("revokeAll spares the session by its own id, and ends the id from before its rotation", async () => {
    const of = two.a.sessions<Data>({ rotationGrace: "1h" });
    const id = await created("hil", of);
    const next = await of.rotate(id);
    if (next.status !== "ok") throw new Error(next.status);
    expect(await alive(of, [id])).toEqual([true]);
    expect(await of.revokeAll("hil", { except: next.id })).toBe(0);
    expect(await alive(two.b.sessions<Data>(), [id, next.id])).toEqual([false, true]);
    expect(await of.patch(id, { n: 1 })).toEqual({ status: "revoked" });
    expect(await of.update(id, (data) => data)).toEqual({ status: "revoked" });
    // To end it by the old id is harmless.
    expect(await of.destroy(id)).toBe(true);
    expect(await alive(of, [next.id])).toEqual([false]);
  });

  it("sign-ins racing a revokeAll are before it or after it, never half", async () => {
    const there = two.b.sessions<Data>();
    await Promise.all([created("fay"), created("fay"), there.revokeAll("fay"), created("fay")]);
    const listed = await sessions.list("fay");
    expect(await there.revokeAll("fay")).toBe(listed.length);
    expect(await sessions.list("fay")).toEqual([]);
  });

  it("reject: a sign-in beyond the limit is refused", async () => {
    const of = two.a.sessions<Data>("reject", { maxPerUser: 2, onLimit: "reject" });
    const ids = [await created("gus", of), await created("gus", of)];
    expect(await of.create({ user: "gus", data: {} })).toEqual({ status: "limit", active: 2 });
    expect(await alive(of, ids)).toEqual([true, true]);
    await of.destroy(ids[0]!);
    expect(await of.create({ user: "gus", data: {} })).toMatchObject({ status: "ok" });
    expect(await of.create({ data: {} })).toMatchObject({ status: "ok" });
  });

  it("evict-oldest: a sign-in beyond the limit ends the one that would expire first", async () => {
    const of = two.a.sessions<Data>("evict", { maxPerUser: 2, touchAfter: 0 });
    const [first, second] = [await created("hal", of), await created("hal", of)];
    const { expiresAt } = (await of.get(second))!;
    await until("the first is the one used last", async () => (await of.get(first))!.expiresAt > expiresAt);
    const third = await created("hal", of);
    expect(await alive(two.b.sessions<Data>("evict"), [first, second, third])).toEqual([true, false, true]);
    expect(await of.patch(second, { n: 1 })).toEqual({ status: "revoked" });
  });

  it("a limit that was lowered is reached at the next sign-in", async () => {
    const ids = await Promise.all(Array.from({ length: 5 }, () => created("ida")));
    const id = await created("ida", two.a.sessions<Data>({ maxPerUser: 2 }));
    const left = await alive(sessions, [...ids, id]);
    expect(left.filter(Boolean)).toHaveLength(2);
    expect(left.at(-1)).toBe(true);
  });

  it.each(["reject", "evict-oldest"] as const)("parallel sign-ins never pass the limit (%s)", async (onLimit) => {
    const [here, there] = [two.a, two.b].map((handle) => handle.sessions<Data>("crowd", { maxPerUser: 5, onLimit }));
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, at) => (at % 2 === 0 ? here! : there!).create({ user: onLimit, data: {} })),
    );
    const ids = answers.flatMap((answer) => (answer.status === "ok" ? [answer.id] : []));
    expect(ids).toHaveLength(onLimit === "reject" ? 5 : 40);
    expect((await alive(here!, ids)).filter(Boolean)).toHaveLength(5);
    expect(await there!.list(onLimit)).toHaveLength(5);
  });

  it("an expired session makes room, though others keep the index alive", async () => {
    const strict = { maxPerUser: 2, onLimit: "reject" } as const;
    const of = two.a.sessions<Data>("room", strict);
    const stays = await created("jim", of);
    await created("jim", two.a.sessions<Data>("room", { ...strict, idleTimeout: 200 }));
    const again = await until("the place is free", async () => {
      const answer = await of.create({ user: "jim", data: {} });
      return answer.status === "ok" && answer;
    });
    expect(await alive(of, [stays, again.id])).toEqual([true, true]);
    expect(await of.list("jim")).toHaveLength(2);
  });

  it("a thousand users spread over the slots, each with a session of their own", async () => {
    // All at once, which takes its time on a busy machine.
    const patient = two.a.sessions<Data>({ timeout: "30s" });
    const users = Array.from({ length: 1_000 }, (_, at) => `user-${at}`);
    const ids = await Promise.all(users.map((user) => created(user, patient)));
    const found = await Promise.all(ids.map((id) => patient.get(id)));
    expect(found.map((session) => session!.user)).toEqual(users);
    const slots = new Set(ids.map((id) => two.a.driver.slotOf(`{${id.slice(0, 16)}}`)));
    expect(slots.size).toBeGreaterThan(backend === "cluster" ? 900 : 0);
    expect(await Promise.all(users.slice(0, 100).map((user) => patient.revokeAll(user)))).toEqual(Array(100).fill(1));
    expect((await alive(patient, ids)).filter(Boolean)).toHaveLength(900);
  });
});
