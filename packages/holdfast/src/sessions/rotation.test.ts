// What could go wrong, and the test that watches it:
// - a rotation logs out requests that are under way ............................ "the old id reads and patches the successor"
// - the old id works for ever, or leads on from rotation to rotation .............. "the grace ends", "one hop"
// - the old id outlives a sign-out ................................................ "the alias dies with the session"
// - whoever planted an id before sign-in is signed in too (session fixation) ...... "after a sign-in the old id opens nothing"
// - a sign-out that overlaps a sign-in ends only one of the two sessions ........... "a sign-out with the id before a sign-in"
// - both, or a session of nobody, live on after a race ............................. "a rotation racing a destroy", "a sign-in racing ..."
// - a patch that comes between the read and the write of a rotation is lost ........ "a patch between ...", "patches racing rotations"
// - rotating stretches the absolute time ........................................... "keeps its age"
// - a sign-in that loses to a parallel one has evicted the winner's session ......... "of parallel sign-ins ...", "a sign-in that lost"
import { beforeAll, describe, expect, it, vi } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { TwoHandles } from "../../test/support/two-handles.ts";
import { until } from "../../test/support/until.ts";
import { admit, retire, rotate } from "./scripts.gen.ts";
import type { SessionRotateResult } from "./rotation.ts";
import type { Session } from "./session.ts";
import type { SessionRotateOptions, Sessions } from "./sessions.ts";

type Data = Record<string, unknown>;

describe.each(backends())("session rotation [$name]", ({ url, options }) => {
  const two = new TwoHandles({ url, options });
  let sessions: Sessions<Data>;

  beforeAll(() => {
    sessions = two.a.sessions<Data>({ rotationGrace: "1h" });
  });

  async function created(user?: string, data: Data = {}, of = sessions): Promise<string> {
    const answer = await of.create({ data, ...(user === undefined ? {} : { user }) });
    if (answer.status !== "ok") throw new Error(answer.status);
    return answer.id;
  }

  async function rotated(
    id: string,
    options: SessionRotateOptions<Data> = {},
    of = sessions,
  ): Promise<{ id: string; session: Session<Data> }> {
    const answer = await of.rotate(id, options);
    if (answer.status !== "ok") throw new Error(answer.status);
    return answer;
  }

  it("the session goes on under the new id and keeps its age", async () => {
    const id = await created("ada", { cart: ["a"] });
    await sessions.patch(id, { step: 1 });
    const before = (await sessions.get(id))!;
    const next = await rotated(id);
    expect(next.id).not.toBe(id);
    const { createdAt, version } = before;
    expect(next.session).toMatchObject({ user: "ada", data: { cart: ["a"], step: 1 }, createdAt, version });
    expect(await sessions.get(next.id)).toEqual(next.session);
    expect((await sessions.list("ada")).map(({ handle }) => handle)).toEqual([next.session.handle]);
  });

  it("within the grace the old id reads and patches the successor", async () => {
    const id = await created(undefined, { step: 1 });
    const next = await rotated(id);
    expect(await two.b.sessions<Data>().get(id)).toEqual(next.session);
    expect(await sessions.patch(id, { step: 2 })).toEqual({ status: "ok", version: 2 });
    expect((await sessions.get(next.id))!.data).toEqual({ step: 2 });
  });

  it("the grace ends, and is not there at all when it is 0", async () => {
    const [id, strict] = [await created(), await created()];
    const next = await rotated(id, { grace: 50 });
    await until("the old id stops working", async () => (await sessions.get(id)) === undefined);
    expect(await sessions.get(next.id)).toBeDefined();
    const sure = await rotated(strict, { grace: 0 });
    expect(await sessions.get(strict)).toBeUndefined();
    expect(await sessions.destroy(strict)).toBe(false);
    expect(await sessions.get(sure.id)).toBeDefined();
  });

  it("an old id leads one hop, and cannot be rotated again", async () => {
    const first = await created();
    const second = await rotated(first);
    expect(await sessions.rotate(first)).toEqual({ status: "missing" });
    const third = await rotated(second.id);
    expect(await sessions.get(first)).toBeUndefined();
    expect(await sessions.patch(first, { step: 1 })).toEqual({ status: "revoked" });
    expect((await sessions.get(second.id))!.handle).toBe(third.session.handle);
  });

  it("the alias dies with the session, whatever ended it", async () => {
    const [byId, byUser] = [await created("bob"), await created("carl")];
    const [next] = [await rotated(byId), await rotated(byUser)];
    expect(await sessions.destroy(next.id)).toBe(true);
    expect(await sessions.revokeAll("carl")).toBe(1);
    for (const id of [byId, byUser]) {
      expect(await sessions.get(id)).toBeUndefined();
      expect(await sessions.patch(id, { step: 1 })).toEqual({ status: "revoked" });
    }
  });

  it("a sign-out reaches the session through any number of rotations", async () => {
    const first = await created("dan");
    const second = await rotated(first);
    const third = await rotated(second.id);
    expect(await sessions.destroy(first)).toBe(true);
    expect(await sessions.get(third.id)).toBeUndefined();
    expect(await sessions.list("dan")).toEqual([]);
  });

  it("sign-in takes the data along and begins a new life", async () => {
    const id = await created(undefined, { cart: ["a"] });
    const before = (await sessions.get(id))!;
    const next = await rotated(id, { user: "eve", data: greet });
    expect(next.session).toMatchObject({ user: "eve", data: { cart: ["a"], greeted: true }, version: 1 });
    expect(next.session.createdAt).toBeGreaterThanOrEqual(before.createdAt);
    expect((await sessions.list("eve")).map(({ handle }) => handle)).toEqual([next.session.handle]);
  });

  it("after a sign-in the old id opens nothing", async () => {
    const id = await created();
    const next = await rotated(id, { user: "fay" });
    expect(await sessions.get(id)).toBeUndefined();
    expect(await sessions.patch(id, { step: 1 })).toEqual({ status: "revoked" });
    expect(await sessions.rotate(id, { user: "mallory" })).toEqual({ status: "missing" });
    expect(await sessions.get(next.id)).toEqual(next.session);
  });

  it("a sign-out with the id before a sign-in ends the session after it", async () => {
    const id = await created();
    const next = await rotated(id, { user: "gus" });
    expect(await sessions.destroy(id)).toBe(true);
    expect(await sessions.get(next.id)).toBeUndefined();
  });

  it("sign-in obeys the limit of the user and leaves the visitor as he was", async () => {
    const strict = two.a.sessions<Data>("strict", { maxPerUser: 1, onLimit: "reject" });
    await created("hal", {}, strict);
    const id = await created(undefined, { cart: ["a"] }, strict);
    expect(await strict.rotate(id, { user: "hal" })).toEqual({ status: "limit", active: 1 });
    expect((await strict.get(id))!.data).toEqual({ cart: ["a"] });
    expect(await strict.list("hal")).toHaveLength(1);
  });

  it("a user's session can become another user's", async () => {
    const id = await created("ida");
    const next = await rotated(id, { user: "jim" });
    expect(next.session.user).toBe("jim");
    expect(await sessions.list("ida")).toEqual([]);
    expect(await sessions.list("jim")).toHaveLength(1);
  });

  it("patches racing rotations are not lost", async () => {
    const there = two.b.sessions<Data>({ rotationGrace: "1h" });
    const id = await created("kim");
    const names = Array.from({ length: 20 }, (_, at) => `field-${at}`);
    const rotation = sessions.rotate(id);
    const answers = await Promise.all(names.map((name) => there.patch(id, { [name]: true })));
    const next = await rotation;
    expect(answers.map(({ status }) => status)).toEqual(names.map(() => "ok"));
    if (next.status !== "ok") throw new Error(next.status);
    expect(Object.keys((await sessions.get(next.id))!.data).sort()).toEqual(names.toSorted());
  });

  it("of racing rotations of one id a single one succeeds", async () => {
    const id = await created("leo");
    const answers = await Promise.all(Array.from({ length: 10 }, () => sessions.rotate(id)));
    expect(answers.filter(({ status }) => status === "ok")).toHaveLength(1);
    expect(await sessions.list("leo")).toHaveLength(1);
  });

  /** Runs `body`, and `between` just before the first call of `script` in it. */
  async function interposed<T>(
    script: { sha1: string },
    between: () => Promise<unknown>,
    body: () => Promise<T>,
  ): Promise<T> {
    const { driver } = two.a;
    const call = driver.script.bind(driver);
    let met = false;
    const spy = vi.spyOn(driver, "script").mockImplementation(async (...args) => {
      if (!met && args[0].sha1 === script.sha1) {
        met = true;
        await between();
      }
      return call(...args);
    });
    try {
      return await body();
    } finally {
      spy.mockRestore();
      expect(met).toBe(true);
    }
  }

  it.each([
    { to: "the same user", script: rotate, options: {} },
    { to: "another user", script: retire, options: { user: "oda" } },
  ])("a patch between the read and the write of a rotation is in its result ($to)", async ({ script, options }) => {
    const id = await created();
    const patch = (): Promise<unknown> => two.b.sessions<Data>().patch(id, { step: 1 });
    const next = await interposed(script, patch, () => rotated(id, options));
    expect(next.session.data).toEqual({ step: 1 });
    expect(await sessions.get(next.id)).toEqual(next.session);
    expect(await sessions.list("oda")).toHaveLength(Object.keys(options).length);
  });

  it("a sign-out in the middle of a sign-in takes the new session with it", async () => {
    const id = await created();
    const signOut = (): Promise<unknown> => two.b.sessions<Data>().destroy(id);
    const answer = await interposed(retire, signOut, () => sessions.rotate(id, { user: "pia" }));
    expect(answer).toEqual({ status: "missing" });
    expect(await sessions.list("pia")).toEqual([]);
  });

  it("of parallel sign-ins of one visitor the one that won has a session that lives, though only one may", async () => {
    const [here, there] = [two.a, two.b].map((handle) => handle.sessions<Data>("single", { maxPerUser: 1 }));
    const rounds = Array.from({ length: 25 }, async (_, at) => {
      const user = `sue-${at}`;
      const id = await created(undefined, {}, here);
      const answers = await Promise.all([here!.rotate(id, { user }), there!.rotate(id, { user })]);
      const won = answers.flatMap((answer) => (answer.status === "ok" ? [answer.id] : []));
      const alive = await Promise.all(won.map((next) => here!.get(next)));
      return [won.length, alive.filter(Boolean).length, (await here!.list(user)).length];
    });
    expect(await Promise.all(rounds)).toEqual(Array.from({ length: 25 }, () => [1, 1, 1]));
  });

  it("three parallel sign-ins of one visitor cost the user one session", async () => {
    const of = two.a.sessions<Data>("pair", { maxPerUser: 2 });
    const before = [await created("tom", {}, of), await created("tom", {}, of)];
    const id = await created(undefined, {}, of);
    await Promise.all(Array.from({ length: 3 }, () => of.rotate(id, { user: "tom" })));
    const left = await Promise.all(before.map((each) => of.get(each)));
    expect(left.filter(Boolean)).toHaveLength(1);
    expect(await of.list("tom")).toHaveLength(2);
  });

  it("a sign-in that lost evicts nobody", async () => {
    const of = two.a.sessions<Data>("lost", { maxPerUser: 1 });
    const there = two.b.sessions<Data>("lost");
    const signedIn = await created("una", {}, of);
    const id = await created(undefined, {}, of);
    const answer = await interposed(
      retire,
      () => there.destroy(id),
      () => of.rotate(id, { user: "una" }),
    );
    expect(answer).toEqual({ status: "missing" });
    expect(await of.get(signedIn)).toBeDefined();
    expect(await of.list("una")).toHaveLength(1);
  });

  it("a sign-out between the decision of a sign-in and its admission ends the new session", async () => {
    const id = await created();
    const answer = await interposed(
      admit,
      () => two.b.sessions<Data>().destroy(id),
      () => sessions.rotate(id, { user: "vic" }),
    );
    expect(answer).toEqual({ status: "missing" });
    expect(await sessions.list("vic")).toEqual([]);
  });

  /** What still opens something after a rotation of `id` met a sign-out with it. */
  async function survivors(id: string, next: SessionRotateResult<Data>): Promise<Session<Data>[]> {
    const ids = next.status === "ok" ? [id, next.id] : [id];
    const found = await Promise.all(ids.map((each) => sessions.get(each)));
    return found.filter((session) => session !== undefined);
  }

  it.each(["nobody", "max"])("a rotation racing a destroy leaves no session (%s)", async (user) => {
    const there = two.b.sessions<Data>();
    const left = Array.from({ length: 25 }, async () => {
      const id = await created(user === "nobody" ? undefined : user);
      const [next] = await Promise.all([sessions.rotate(id), there.destroy(id)]);
      return survivors(id, next);
    });
    expect((await Promise.all(left)).flat()).toEqual([]);
    expect(await sessions.list(user)).toEqual([]);
  });

  it("a sign-in racing a sign-out leaves no session on either side", async () => {
    const there = two.b.sessions<Data>();
    const left = Array.from({ length: 25 }, async (_, at) => {
      const user = `ned-${at}`;
      const id = await created();
      const [next] = await Promise.all([sessions.rotate(id, { user }), there.destroy(id)]);
      return [await survivors(id, next), await sessions.list(user)];
    });
    expect((await Promise.all(left)).flat(2)).toEqual([]);
  });
});

function greet(data: Data): Data {
  return { ...data, greeted: true };
}
