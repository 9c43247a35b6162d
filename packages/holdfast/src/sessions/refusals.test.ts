// A server that answers but takes no writes for the moment: what could go wrong, and the test for each:
// - a visitor is signed out, or gets an error, though the session is there ........... "a read answers ..."
// - nobody notices that sessions are no longer kept alive ............................. the same: stats().untouchedReads
// - a session in use expires although keeping it needs no memory ...................... "memory full: ... restarts the idle time"
// - a change looks as if it had been made .............................................. "... and refuses changes"
// - a refusal that is a mistake (wrong type, no permission) is swallowed ............... "what is no refusal is an error"
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { REFUSALS } from "../../test/support/refusals.ts";
import { type Standalone, startStandalone } from "../../test/support/servers.ts";
import { until } from "../../test/support/until.ts";
import { connect } from "../connect.ts";
import type { Holdfast } from "../holdfast.ts";
import type { Sessions } from "./sessions.ts";

type Data = Record<string, unknown>;

const config = (server: Standalone, name: string, value: string): Promise<unknown> =>
  server.command("CONFIG", "SET", name, value);

describe("sessions on a server that takes no writes [standalone]", () => {
  let server: Standalone;
  let hf: Holdfast;
  let sessions: Sessions<Data>;

  beforeAll(async () => {
    server = await startStandalone({ config: { "enable-protected-configs": "local" } });
    hf = await connect(server.url, { prefix: `test-${randomUUID()}`, timeout: "2s" });
  });
  afterAll(async () => {
    await hf?.close();
    await server?.stop();
  });

  async function created(user: string): Promise<string> {
    const answer = await sessions.create({ user, data: { a: 1 } });
    if (answer.status !== "ok") throw new Error(answer.status);
    return answer.id;
  }

  it.each(REFUSALS)("$name: a read answers, notes its use if it can, and refuses changes", async (refusal) => {
    sessions = hf.sessions<Data>({ touchAfter: 0 });
    const id = await created(refusal.name);
    const before = (await sessions.get(id))!;
    await refusal.begin(server);
    try {
      // The first millisecond after `before` in which a use is noted, or could be.
      const seen = await until("a use that is due", async () => {
        const session = (await sessions.get(id))!;
        return (
          (refusal.partly ? session.lastSeenAt > before.lastSeenAt : sessions.stats().untouchedReads > 0) && session
        );
      });
      expect(seen.data).toEqual({ a: 1 });
      expect(sessions.stats().untouchedReads > 0).toBe(!refusal.partly);
      expect(seen.lastSeenAt > before.lastSeenAt).toBe(refusal.partly);
      expect(await sessions.list(refusal.name)).toHaveLength(1);
      await expect(sessions.patch(id, { a: 2 })).rejects.toMatchObject({ code: refusal.code });
    } finally {
      await refusal.end(server);
    }
    expect((await sessions.get(id))?.data).toEqual({ a: 1 });
    expect(await sessions.patch(id, { a: 2 })).toEqual({ status: "ok", version: 2 });
  });

  it("memory full: a sign-out and the end of a sign-in that was decided get through", async () => {
    sessions = hf.sessions<Data>({ maxPerUser: 1 });
    const id = await created("ada");
    await config(server, "maxmemory", "1");
    try {
      expect(await sessions.destroy(id)).toBe(true);
      expect(await sessions.revokeAll("ada")).toBe(0);
    } finally {
      await config(server, "maxmemory", "0");
    }
  });

  it("what is no refusal is an error", async () => {
    sessions = hf.sessions<Data>({ touchAfter: 0 });
    const id = await created("eve");
    await until("a touch is due", async () => (await sessions.get(id))!.lastSeenAt > 0);
    await server.command("ACL", "SETUSER", "reader", "on", ">pw", "~*", "+@all", "-pexpireat");
    const reader = await connect(server.url.replace("redis://", "redis://reader:pw@"), {
      prefix: hf.key("g", "x").split(":")[0]!,
    });
    try {
      const reading = async (): Promise<unknown> => {
        for (;;) await reader.sessions<Data>({ touchAfter: 0 }).get(id);
      };
      await expect(reading()).rejects.toMatchObject({ code: "PERMISSION" });
      // Two in one tick share a script, in which each has its own error.
      const two = reader.sessions<Data>({ touchAfter: 0 });
      const outcomes = await Promise.allSettled([two.get(id), two.get(id)]);
      expect(outcomes).toMatchObject(outcomes.map(() => ({ status: "rejected", reason: { code: "PERMISSION" } })));
    } finally {
      await reader.close();
    }
  });
});
