// What could go wrong, and the test for each:
// - parallel requests lose each other's fields ............... "parallel patches"
// - parallel requests lose items of one field ................ "parallel updates lose nothing"
// - a request under way brings a session back ................ "patch after destroy", "patches racing a destroy"
// - a creation that the network held back does so ............ "a creation that may arrive late"
import { beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { TwoHandles } from "../../test/support/two-handles.ts";
import { runScript } from "../core/script/run.ts";
import { create, type CreateResult, destroy } from "./scripts.gen.ts";
import type { Sessions } from "./sessions.ts";

interface Data {
  cart?: string[];
  theme?: string;
  visits?: number | undefined;
  [field: string]: unknown;
}

describe.each(backends())("changes of sessions [$name]", ({ url, options }) => {
  const two = new TwoHandles({ url, options });
  let sessions: Sessions<Data>;

  beforeAll(() => {
    sessions = two.a.sessions<Data>();
  });

  /** What the sessions of this name have left. */
  async function keys(name: string): Promise<string[]> {
    const found = new Set<string>();
    for await (const page of two.a.scan(`session:${name}`)) for (const key of page) found.add(key);
    return [...found];
  }

  async function created(of: Sessions<Data>, data: Data = {}, user?: string): Promise<string> {
    const answer = await of.create({ data, ...(user === undefined ? {} : { user }) });
    if (answer.status !== "ok") throw new Error(answer.status);
    return answer.id;
  }

  it("patch changes and removes the given fields only", async () => {
    const id = await created(sessions, { theme: "dark", visits: 1, cart: ["a"] });
    expect(await sessions.patch(id, { visits: 2, cart: undefined })).toEqual({ status: "ok", version: 2 });
    expect(await sessions.get(id)).toMatchObject({ version: 2, data: { theme: "dark", visits: 2 } });
    expect(Object.keys((await sessions.get(id))!.data).sort()).toEqual(["theme", "visits"]);
  });

  it("patch with a version meets only that state", async () => {
    const id = await created(sessions, { visits: 1 });
    expect(await sessions.patch(id, { visits: 2 }, { version: 1 })).toEqual({ status: "ok", version: 2 });
    expect(await sessions.patch(id, { visits: 9 }, { version: 1 })).toEqual({ status: "conflict", version: 2 });
    expect((await sessions.get(id))!.data.visits).toBe(2);
  });

  it("parallel patches of different fields from two handles all survive", async () => {
    const id = await created(sessions);
    const handles = [sessions, two.b.sessions<Data>()];
    const names = Array.from({ length: 100 }, (_, at) => `field-${at}`);
    const answers = await Promise.all(names.map((name, at) => handles[at % 2]!.patch(id, { [name]: at })));
    expect(new Set(answers.map((answer) => answer.status === "ok" && answer.version)).size).toBe(100);
    const session = (await sessions.get(id))!;
    expect(session.data).toEqual(Object.fromEntries(names.map((name, at) => [name, at])));
    expect(session.version).toBe(101);
  });

  it("parallel updates lose nothing, of a field that is not there yet either", async () => {
    const id = await created(sessions, { theme: "dark" });
    const handles = [sessions, two.b.sessions<Data>()];
    const items = Array.from({ length: 20 }, (_, at) => `item-${at}`);
    const answers = await Promise.all(
      items.map((item, at) =>
        handles[at % 2]!.update(id, ({ cart = [], ...rest }) => ({ ...rest, cart: [...cart, item] }), {
          initial: { cart: [] },
        }),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual(items.map(() => "ok"));
    const { data, version } = (await sessions.get(id))!;
    expect(data).toEqual({ theme: "dark", cart: expect.arrayContaining(items) as unknown });
    expect(version).toBe(21);
  });

  it("update writes the whole of what it returns, under an id from before a rotation too", async () => {
    const id = await created(sessions, { theme: "dark", visits: 1 });
    await sessions.rotate(id);
    const answer = await sessions.update(id, ({ visits }) => ({ visits: visits! + 1 }));
    expect(answer).toEqual({ status: "ok", data: { visits: 2 }, version: 2 });
    expect((await sessions.get(id))!.data).toStrictEqual({ visits: 2 });
    const failing = sessions.update(id, () => {
      throw new Error("no");
    });
    await expect(failing).rejects.toThrow("no");
    await sessions.destroy(id);
    expect(await sessions.update(id, (data) => data)).toEqual({ status: "revoked" });
  });

  it("of parallel patches with one version a single one succeeds", async () => {
    const id = await created(sessions);
    const tries = Array.from({ length: 20 }, (_, visits) => sessions.patch(id, { visits }, { version: 1 }));
    const answers = await Promise.all(tries);
    expect(answers.filter(({ status }) => status === "ok")).toHaveLength(1);
    expect(answers.filter(({ status }) => status === "conflict")).toHaveLength(19);
  });

  it("patch after destroy changes nothing and brings nothing back", async () => {
    const of = two.a.sessions<Data>("buried");
    const id = await created(of, { visits: 1 }, "ada");
    expect(await of.destroy(id)).toBe(true);
    expect(await of.destroy(id)).toBe(false);
    expect(await of.patch(id, { visits: 2 })).toEqual({ status: "revoked" });
    expect(await of.get(id)).toBeUndefined();
    expect(await keys("buried")).toEqual([]);
  });

  it("a creation that may arrive late brings nothing back", async () => {
    const key = two.a.key("late", "session");
    const keys = { session: key, index: `${key}:index` };
    const args = { handle: "h", hasUser: false, limit: 1, evict: true, pending: false, idleMs: 60_000 };
    const call = { op: "test", key };
    const arrive = (): Promise<CreateResult> =>
      runScript(two.a.driver, create, keys, { ...args, lateCopies: true, absoluteMs: 60_000, fields: [] }, call);
    expect(await arrive()).toMatchObject({ status: "ok" });
    expect(await runScript(two.a.driver, destroy, keys, args, call)).toEqual({ status: "destroyed" });
    expect(await arrive()).toEqual({ status: "ended" });
  });

  it("patches racing a destroy never outlive it", async () => {
    const of = two.a.sessions<Data>("race", { touchAfter: 0 });
    const there = two.b.sessions<Data>("race", { touchAfter: 0 });
    await Promise.all(
      Array.from({ length: 30 }, async (_, user) => {
        const id = await created(of, {}, `user-${user}`);
        await Promise.all([
          there.patch(id, { visits: 1 }),
          of.get(id),
          of.destroy(id),
          there.get(id),
          of.patch(id, { visits: 2 }),
        ]);
        expect(await there.get(id)).toBeUndefined();
      }),
    );
    expect(await keys("race")).toEqual([]);
  });
});
