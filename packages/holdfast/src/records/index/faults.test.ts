// What could go wrong, and the test for each:
// - an answer is lost, and what was done is done twice, or undone ............ "each step's answer is lost"
// - a creation is repeated after a deletion, without what points to it ....... "a creation that was deleted before its repeat"
// - an outage looks like nothing found ....................................... "while the server is away"
import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { losingAnswer, losingRequest, type SentScript } from "../../../test/support/lost-answer.ts";
import { type Proxy, type Standalone, startProxy, startStandalone } from "../../../test/support/servers.ts";
import { connect } from "../../connect.ts";
import type { Holdfast } from "../../holdfast.ts";
import type { Records } from "../records.ts";
import { claim, commit, enter, take, unclaim } from "../scripts.gen.ts";

interface User {
  email?: string;
  country?: string;
}

describe("indexes under faults [standalone]", () => {
  const prefix = `test-${randomUUID()}`;
  const settings = { unique: ["email"], index: ["country"] } as const;
  let server: Standalone;
  let proxy: Proxy;
  let hf: Holdfast;
  let direct: Holdfast;
  /** Through the proxy, and around it. */
  let users: Records<User>;
  let witness: Records<User>;

  beforeAll(async () => {
    server = await startStandalone();
    proxy = await startProxy(server);
    [hf, direct] = await Promise.all([connect(proxy.url, { prefix, timeout: "20s" }), connect(server.url, { prefix })]);
    [users, witness] = [hf.records<User>("users", settings), direct.records<User>("users", settings)];
    for (const { lua } of [claim, commit, enter, take, unclaim]) await server.command("SCRIPT", "LOAD", lua);
  });
  afterEach(() => proxy.heal());
  afterAll(async () => {
    await Promise.all([hf?.close(), direct?.close()]);
    await proxy?.stop();
    await server?.stop();
  });

  const found = async (country: string): Promise<string[]> =>
    (await witness.find({ country })).records.map(({ id }) => id);

  it.each<[string, SentScript]>([
    ["claim", claim],
    ["enter", enter],
    ["commit", commit],
  ])("each step's answer is lost, and it is done once: %s", async (name, script) => {
    const { version } = await witness.set(name, { email: `${name}-1`, country: name });
    const change = { email: `${name}-2`, country: `${name}!` };
    expect(await losingAnswer(proxy, script, () => users.set(name, change))).toEqual({
      status: "ok",
      version: version + 1,
    });
    expect([await found(name), await found(`${name}!`)]).toEqual([[], [name]]);
    expect((await witness.getBy("email", `${name}-2`))?.id).toBe(name);
    expect(await witness.set("other", { email: `${name}-1` })).toMatchObject({ status: "ok" });
    const again = { email: `${name}-3`, country: name };
    expect(await losingRequest(proxy, script, () => users.set(name, again))).toMatchObject({ status: "ok" });
    expect([await found(name), await found(`${name}!`)]).toEqual([[name], []]);
  });

  it("a creation that was deleted before its repeat is made again, with what points to it", async () => {
    const user = { email: "new", country: "NEW" };
    const lost = losingAnswer(
      proxy,
      commit,
      () => users.set("new", user),
      () => witness.delete("new"),
    );
    expect(await lost).toMatchObject({ status: "ok" });
    expect([await found("NEW"), (await witness.getBy("email", "new"))?.id]).toEqual([["new"], "new"]);
  });

  it("a deletion whose answer was lost leaves nothing that is found or that blocks for long", async () => {
    await witness.set("old", { email: "old", country: "OLD" });
    await losingAnswer(proxy, take, () => users.delete("old"));
    expect([await found("OLD"), await witness.getBy("email", "old")]).toEqual([[], undefined]);
    expect((await witness.find({ country: "OLD" })).complete).toBe(true);
  });

  it("while the server is away each call rejects by its deadline: never as nothing found", async () => {
    await witness.set("away", { email: "away", country: "AWAY" });
    const hasty = hf.records<User>("users", { ...settings, timeout: 200 });
    proxy.refuse();
    proxy.cut();
    const outage = { name: expect.stringMatching(/UnavailableError|TimeoutError/), retryable: true };
    await expect(hasty.find({ country: "AWAY" })).rejects.toMatchObject({ ...outage, op: "records.find" });
    await expect(hasty.getBy("email", "away")).rejects.toMatchObject({ ...outage, op: "records.getBy" });
    await expect(hasty.count({ country: "AWAY" })).rejects.toMatchObject(outage);
    await expect(hasty.set("away", { email: "b" })).rejects.toMatchObject(outage);
    await expect(hasty.delete("away")).rejects.toMatchObject(outage);
    await proxy.heal();
    expect(await found("AWAY")).toEqual(["away"]);
  });
});
