// What could go wrong, and the test that watches it:
// - an answer is lost and the repeated call makes a second session, beyond the limit ...... "a create whose answer was lost"
// - a repeated patch overwrites what another request wrote meanwhile ..................... "a patch whose answer was lost"
// - a change is applied twice when its repeat meets a conflict .......................... "... finds itself forgotten ..."
// - a repeat that did nothing before is refused for no reason ........................... "a patch that never arrived"
// - a repeated rotation says `missing`, or leaves two sessions ........................... "a rotation ...", "a sign-in ..."
// - a sign-in that dies half-way leaves both sessions usable ............................. "a sign-in that is cut off"
// - an outage looks like a signed-out user ............................................... "an outage is an error"
import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { calls, losingAnswer, losingRequest } from "../../test/support/lost-answer.ts";
import { type Proxy, type Standalone, startProxy, startStandalone } from "../../test/support/servers.ts";
import { connect } from "../connect.ts";
import type { Holdfast } from "../holdfast.ts";
import { create, destroy, get, patch, retire, rotate } from "./scripts.gen.ts";
import type { Sessions } from "./sessions.ts";

type Data = Record<string, unknown>;

describe("sessions under faults", () => {
  let server: Standalone;
  let proxy: Proxy;
  let hf: Holdfast;
  let direct: Holdfast;
  /** Through the proxy, and around it. */
  let sessions: Sessions<Data>;
  let witness: Sessions<Data>;

  beforeAll(async () => {
    server = await startStandalone();
    proxy = await startProxy(server);
    const prefix = `test-${randomUUID()}`;
    [hf, direct] = await Promise.all([connect(proxy.url, { prefix, timeout: "20s" }), connect(server.url, { prefix })]);
    const strict = { maxPerUser: 1, onLimit: "reject" } as const;
    [sessions, witness] = [hf.sessions<Data>(strict), direct.sessions<Data>(strict)];
    for (const { lua } of [create, destroy, get, patch, retire, rotate]) await server.command("SCRIPT", "LOAD", lua);
  });

  afterEach(() => proxy.heal());

  afterAll(async () => {
    await Promise.all([hf?.close(), direct?.close()]);
    await proxy?.stop();
    await server?.stop();
  });

  async function created(user?: string, of = witness): Promise<string> {
    const answer = await of.create({ data: {}, ...(user === undefined ? {} : { user }) });
    if (answer.status !== "ok") throw new Error(answer.status);
    return answer.id;
  }

  it("a create whose answer was lost made one session, within the limit", async () => {
    const answer = await losingAnswer(proxy, create, () => sessions.create({ user: "ada", data: { n: 1 } }));
    if (answer.status !== "ok") throw new Error(answer.status);
    expect(await witness.list("ada")).toHaveLength(1);
    expect(await witness.get(answer.id)).toEqual(answer.session);
    expect(await sessions.create({ user: "ada", data: {} })).toEqual({ status: "limit", active: 1 });
  });

  it("a patch whose answer was lost is applied once, and not over what came after it", async () => {
    const id = await created();
    const answer = await losingAnswer(
      proxy,
      patch,
      () => sessions.patch(id, { theme: "first" }),
      () => witness.patch(id, { theme: "second" }),
    );
    expect(answer).toEqual({ status: "ok", version: 2 });
    expect(await witness.get(id)).toMatchObject({ version: 3, data: { theme: "second" } });
  });

  it.each<[string, (of: Sessions<Data>, id: string) => Promise<unknown>]>([
    ["update", (of, id) => of.update(id, ({ n = 0, ...rest }) => ({ ...rest, n: Number(n) + 1 }))],
    ["patch of a checked session", (of, id) => of.patch(id, { n: 1 })],
    ["patch over any state", (of, id) => of.patch(id, { n: 1 })],
    ["patch over a version", (of, id) => of.patch(id, { n: 1 }, { version: 1 })],
  ])("%s: a change whose repeat finds itself forgotten is unknown, and done once", async (name, change) => {
    const id = await created();
    // A schema that accepts everything makes a patch read the whole first.
    const of = name.includes("checked") ? hf.sessions<Data>({ schema: anything }) : sessions;
    const lost = losingAnswer(
      proxy,
      patch,
      () => change(of, id),
      async () => {
        for (let round = 0; round < 15; round += 1) await witness.patch(id, { round });
      },
    );
    await expect(lost).rejects.toMatchObject({ code: "OUTCOME_UNKNOWN", retryable: false });
    expect(await witness.get(id)).toMatchObject({ version: 17, data: { n: 1, round: 14 } });
  });

  it("a patch that never arrived is done where each patch since is remembered, or what was forgotten is old", async () => {
    const id = await created();
    const patched = (n: number): Promise<unknown> => losingRequest(proxy, patch, () => sessions.patch(id, { n }));
    expect(await patched(1)).toEqual({ status: "ok", version: 2 });
    for (let round = 0; round < 15; round += 1) await witness.patch(id, { round });
    await expect(patched(2)).rejects.toMatchObject({ code: "OUTCOME_UNKNOWN" });
    const [, [key]] = (await server.command("SCAN", "0", "MATCH", `*${(await witness.get(id))!.handle}*`)) as [
      0,
      [string],
    ];
    await server.command("HSET", key, "times", "1,2");
    expect(await patched(3)).toEqual({ status: "ok", version: 18 });
    // What it remembers follows it to its next id.
    await witness.rotate(id, { grace: "1m" });
    expect(await patched(4)).toEqual({ status: "ok", version: 19 });
  });

  it("a patch whose answer was lost before a rotation is known under the new id", async () => {
    const id = await created();
    const answer = await losingAnswer(
      proxy,
      patch,
      () => sessions.patch(id, { theme: "first" }),
      () => witness.rotate(id),
    );
    expect(answer).toEqual({ status: "ok", version: 2 });
    expect(await witness.get(id)).toMatchObject({ version: 2, data: { theme: "first" } });
  });

  it("a rotation whose answer was lost returns the session that it made", async () => {
    const id = await created("bob");
    const answer = await losingAnswer(proxy, rotate, () => sessions.rotate(id, { grace: 0 }));
    if (answer.status !== "ok") throw new Error(answer.status);
    expect(await witness.get(answer.id)).toEqual(answer.session);
    expect(await witness.list("bob")).toHaveLength(1);
  });

  it.each([
    ["creation", create],
    ["retirement", retire],
  ])("a sign-in that lost the answer to its %s ends in one session", async (step, script) => {
    const id = await created();
    const answer = await losingAnswer(proxy, script, () => sessions.rotate(id, { user: `carl-${step}` }));
    if (answer.status !== "ok") throw new Error(answer.status);
    expect(await witness.get(answer.id)).toEqual(answer.session);
    expect(await witness.get(id)).toBeUndefined();
    expect(await witness.list(`carl-${step}`)).toHaveLength(1);
  });

  it("a sign-in that is cut off before the old session ended leaves only that one usable", async () => {
    const id = await created();
    const hasty = hf.sessions<Data>({ timeout: "2s" });
    const stuck = proxy.sawRequest((bytes) => {
      const reached = calls(bytes, create);
      if (reached) proxy.dropReplies();
      return reached;
    });
    const signIn = hasty.rotate(id, { user: "dan" });
    await Promise.all([
      stuck,
      expect(signIn).rejects.toMatchObject({ code: "OUTCOME_UNKNOWN", op: "sessions.rotate" }),
    ]);
    expect(await witness.get(id)).toBeDefined();
  });

  it("a destroy whose answer was lost has ended the session", async () => {
    const id = await created();
    await losingAnswer(proxy, destroy, () => sessions.destroy(id));
    expect(await witness.get(id)).toBeUndefined();
  });

  it("a read whose answer was lost is read again", async () => {
    const id = await created();
    expect(await losingAnswer(proxy, get, () => sessions.get(id))).toBeDefined();
  });

  it("an outage is an error, neither a session nor none", async () => {
    const id = await created();
    const hasty = hf.sessions<Data>({ timeout: 200 });
    proxy.refuse();
    proxy.cut();
    const outage = { name: expect.stringMatching(/UnavailableError|TimeoutError/), retryable: true };
    await expect(hasty.get(id)).rejects.toMatchObject({ ...outage, op: "sessions.get" });
    await expect(hasty.create({ data: {} })).rejects.toMatchObject({ ...outage, op: "sessions.create" });
    await expect(hasty.destroy(id)).rejects.toMatchObject({ ...outage, op: "sessions.destroy" });
    await proxy.heal();
    expect(await sessions.get(id)).toBeDefined();
  });
});

const anything = {
  "~standard": { version: 1 as const, vendor: "test", validate: (value: unknown) => ({ value: value as Data }) },
};
