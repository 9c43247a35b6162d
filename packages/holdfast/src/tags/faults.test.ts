/**
 * What could go wrong, and the test for it:
 * - a change whose answer is lost is done half, or never repeated ............... "a lost reply"
 * - a call hangs while the server does .......................................... "while the server is away"
 */
import { describe, expect, it } from "vitest";
import { startProxy, startStandalone } from "../../test/support/servers.ts";
import { randomName } from "../../test/support/two-handles.ts";
import { connect } from "../connect.ts";

describe("tags on one server [standalone]", () => {
  it("a lost reply: each change is repeated until it is answered", async () => {
    await using server = await startStandalone();
    await using proxy = await startProxy(server);
    await using hf = await connect(proxy.url, { prefix: randomName() });
    const index = hf.tags("b", { timeout: "5s" });
    await index.set("i", ["x"]);
    const changes: [() => Promise<unknown>, unknown][] = [
      [() => index.add("i", ["y", "z"]), { status: "ok", tags: ["x", "y", "z"] }],
      [() => index.remove("i", ["x"]), ["y", "z"]],
      [() => index.set("i", ["w"]), { status: "ok", tags: ["w"] }],
    ];
    for (const [change, expected] of changes) {
      await hf.ping(); // reconnected: the next reply is the change's own
      proxy.dropReplies();
      const executed = proxy.sawReply("$2\r\nok");
      const answer = change();
      await executed;
      proxy.cut();
      await proxy.heal();
      expect(await answer).toEqual(expected);
    }
    expect(await index.counts()).toEqual(new Map([["w", 1]]));
  });

  it("while the server is away calls reject by their deadline, and go on when it is back", async () => {
    await using server = await startStandalone();
    await using hf = await connect(server.url, { prefix: randomName(), pingInterval: 50, pingTimeout: 200 });
    const index = hf.tags("b", { timeout: 200 });
    await hf.tags("b").add("i", ["x"]);
    await server.pause();
    await expect(index.add("i", ["y"])).rejects.toMatchObject({ code: "OUTCOME_UNKNOWN" });
    await expect(index.find({ all: ["x"] })).rejects.toMatchObject({
      code: expect.stringMatching(/TIMEOUT|UNAVAILABLE/),
    });
    server.resume();
    await expect.poll(() => index.of("i").catch(() => []), { timeout: 10_000 }).toContain("x");
  });
});
