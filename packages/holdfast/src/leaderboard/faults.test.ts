/**
 * What could go wrong, and the test for it:
 * - an increment is done twice, or its outcome is guessed ...................... "a lost reply"
 * - a call hangs while the server does .......................................... "while the server is away"
 */
import { describe, expect, it } from "vitest";
import { startProxy, startStandalone } from "../../test/support/servers.ts";
import { randomName } from "../../test/support/two-handles.ts";
import { connect } from "../connect.ts";

describe("leaderboard on one server [standalone]", () => {
  it("a lost reply: set is repeated; increment and best are not, and say so; a key makes the increment repeatable", async () => {
    await using server = await startStandalone();
    await using proxy = await startProxy(server);
    await using hf = await connect(proxy.url, { prefix: randomName() });
    const board = hf.leaderboard("b", { timeout: "5s" });
    await Promise.all([board.set("m", 1), board.increment("n"), board.best("o", 1)]);
    await board.increment("p", 1, { idempotencyKey: "first" });

    const losing = async <T>(call: () => Promise<T>): Promise<PromiseSettledResult<T>> => {
      await hf.ping(); // reconnected: the next reply is the call's own
      proxy.dropReplies();
      const answered = proxy.sawReply("\r\n");
      const outcome = Promise.allSettled([call()]);
      await answered;
      proxy.cut();
      await proxy.heal();
      return (await outcome)[0];
    };
    expect(await losing(() => board.set("m", 2))).toEqual({ status: "fulfilled", value: true });
    expect(await losing(() => board.increment("n"))).toMatchObject({ reason: { code: "OUTCOME_UNKNOWN" } });
    expect(await losing(() => board.best("o", 2))).toMatchObject({ reason: { code: "OUTCOME_UNKNOWN" } });
    const once = await losing(() => board.increment("p", 1, { idempotencyKey: "second" }));
    expect(once).toEqual({ status: "fulfilled", value: 2 });
    expect(await board.scores(["m", "n", "o", "p"])).toEqual(
      new Map([
        ["m", 2],
        ["n", 2],
        ["o", 2],
        ["p", 2],
      ]),
    );
  });

  it("while the server is away calls reject by their deadline, and go on when it is back", async () => {
    await using server = await startStandalone();
    await using hf = await connect(server.url, { prefix: randomName(), pingInterval: 50, pingTimeout: 200 });
    const board = hf.leaderboard("b", { timeout: 200 });
    await hf.leaderboard("b").set("m", 1);
    await server.pause();
    await expect(board.increment("m")).rejects.toMatchObject({ code: "OUTCOME_UNKNOWN" });
    await expect(board.rank("m")).rejects.toMatchObject({ code: expect.stringMatching(/TIMEOUT|UNAVAILABLE/) });
    server.resume();
    await expect
      .poll(
        () =>
          board.rank("m").then(
            (standing) => standing?.rank,
            () => 0,
          ),
        { timeout: 10_000 },
      )
      .toBe(1);
  });
});
