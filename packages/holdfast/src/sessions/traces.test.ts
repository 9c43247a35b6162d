// What could go wrong, and the test for each:
// - whoever reads traces can sign in as somebody ......... "traces hold no id"
// - traces hold what a visitor stored .................... "traces hold no data"
// - an error holds an id ................................. "errors name the handle"
import { randomUUID } from "node:crypto";
import { tracingChannel } from "node:diagnostics_channel";
import { inspect } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { connect } from "../connect.ts";
import { type Operation, OPERATION_CHANNEL } from "../core/observe/observe.ts";
import type { Holdfast } from "../holdfast.ts";

const SECRET = "planted-secret";

interface Data {
  token: string;
}

describe.each(backends("standalone", "embedded"))("traces of sessions [$name]", ({ url, options }) => {
  let hf: Holdfast;

  beforeAll(async () => {
    hf = await connect(url, { ...options, prefix: `test-${randomUUID()}` });
  });
  afterAll(() => hf?.close());

  async function traced(body: () => Promise<void>): Promise<string> {
    const seen: Operation[] = [];
    const note = (operation: Operation): void => void seen.push({ ...operation });
    const handlers = { start: note, end: note, asyncStart: note, asyncEnd: note, error: note };
    const channel = tracingChannel<string, Operation>(OPERATION_CHANNEL);
    channel.subscribe(handlers);
    try {
      await body();
    } finally {
      channel.unsubscribe(handlers);
    }
    return inspect(seen, { depth: 20, maxStringLength: Infinity, maxArrayLength: Infinity, showHidden: true });
  }

  it("traces hold no id and no data, but the handle of the session", async () => {
    const sessions = hf.sessions<Data>();
    const ids: string[] = [];
    let handle = "";
    const text = await traced(async () => {
      const created = await sessions.create({ data: { token: SECRET } });
      if (created.status !== "ok") throw new Error(created.status);
      const rotated = await sessions.rotate(created.id);
      if (rotated.status !== "ok") throw new Error(rotated.status);
      const signedIn = await sessions.rotate(rotated.id, { user: "ada" });
      if (signedIn.status !== "ok") throw new Error(signedIn.status);
      ids.push(created.id, rotated.id, signedIn.id);
      handle = signedIn.session.handle;
      await sessions.get(signedIn.id);
      await sessions.patch(signedIn.id, { token: `${SECRET}-2` });
      await sessions.update(signedIn.id, () => ({ token: `${SECRET}-3` }));
      await sessions.list("ada");
      await sessions.revokeAll("ada", { except: signedIn.id });
      await sessions.destroy(signedIn.id);
    });
    expect(text).toContain("sessions.create");
    expect(text).toContain(handle);
    for (const id of ids) for (const piece of [id, id.slice(17)]) expect(text).not.toContain(piece);
    expect(text).not.toContain(SECRET);
  });

  it("errors name the handle, and never the id nor the data", async () => {
    const closed = await connect(url, { ...options, prefix: `test-${randomUUID()}` });
    const sessions = closed.sessions<Data>();
    const created = await sessions.create({ data: { token: SECRET } });
    if (created.status !== "ok") throw new Error(created.status);
    await closed.close();
    const { id, session } = created;
    const calls = [
      sessions.get(id),
      sessions.patch(id, { token: SECRET }),
      sessions.update(id, (data) => data),
      sessions.rotate(id),
      sessions.destroy(id),
      sessions.create({ data: { token: SECRET } }),
      sessions.get([id] as never),
      sessions.revokeAll("ada", { except: [id] as never }),
      sessions.revoke("ada", [id] as never),
    ];
    const settled = await Promise.allSettled(calls);
    expect(settled.map(({ status }) => status)).toEqual(calls.map(() => "rejected"));
    const text = inspect(settled, { depth: 20, maxStringLength: Infinity, showHidden: true });
    expect(text).toContain(session.handle);
    expect(text).not.toContain(id.slice(17));
    expect(text).not.toContain(SECRET);
  });
});
