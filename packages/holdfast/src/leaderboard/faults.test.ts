/**
 * What could go wrong, and the test for it:
 * - an increment is done twice, or its outcome is guessed ...................... "a lost reply"
 * - a removal, or a write with windows, is done twice ........................... "of a removal", "with windows"
 * - a closing whose answer was lost is made, or told of, twice .................. "of a closing"
 * - a call hangs while the server does .......................................... "while the server is away"
 */
import { describe, expect, it } from "vitest";
import { startProxy, startStandalone } from "../../test/support/servers.ts";
import { randomName } from "../../test/support/two-handles.ts";
import { losingAnswer } from "../../test/support/lost-answer.ts";
import { connect } from "../connect.ts";
import { close, increment, incrementOnce, removeBeyond, removePositions, removeScores } from "./scripts.gen.ts";

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

  it("a lost reply of a removal: of scores and of all from a position on it is repeated; of positions it is not, and says so", async () => {
    await using server = await startStandalone();
    await using proxy = await startProxy(server);
    await using hf = await connect(proxy.url, { prefix: randomName(), timeout: "20s" });
    const board = hf.leaderboard("b");
    await board.setMany(Array.from({ length: 20 }, (_, at) => [`m${at}`, at] as const));
    expect(await losingAnswer(proxy, removeScores, () => board.removeRange({ max: 4 }))).toBe(0);
    expect(await board.size()).toBe(15);
    expect(await losingAnswer(proxy, removeBeyond, () => board.removeRange({ from: 11 }))).toBe(0);
    expect(await board.size()).toBe(10);
    const positions = losingAnswer(proxy, removePositions, () => board.removeRange({ from: 1, to: 2 }));
    await expect(positions).rejects.toMatchObject({ code: "OUTCOME_UNKNOWN" });
    expect(await board.size()).toBe(8);
  });

  it("a lost reply with windows: an increment with a key is repeated, and is once in the board and in each period", async () => {
    await using server = await startStandalone();
    await using proxy = await startProxy(server);
    await using hf = await connect(proxy.url, { prefix: randomName(), timeout: "20s" });
    const board = hf.leaderboard("b", { windows: ["month"] });
    const once = { idempotencyKey: "k" };
    await board.set("n", 1);
    expect(await losingAnswer(proxy, incrementOnce, () => board.increment("m", 5, once))).toBe(5);
    const plain = losingAnswer(proxy, increment, () => board.increment("m", 2));
    await expect(plain).rejects.toMatchObject({ code: "OUTCOME_UNKNOWN" });
    for (const each of [board, board.window("month")]) expect(await each.scores(["m"])).toEqual(new Map([["m", 7]]));
  });

  it("a lost reply of a closing: it is made once, and told of once", async () => {
    await using server = await startStandalone();
    await using proxy = await startProxy(server);
    const prefix = randomName();
    await using hf = await connect(proxy.url, { prefix, timeout: "20s" });
    await using direct = await connect(server.url, { prefix });
    // A season that is over, and in which somebody was: as no clock is at hand, the period is filled past the board.
    const board = hf.leaderboard("b", { windows: [{ name: "s", starts: [0, 86_400_000, 2 ** 43], keep: 1 }] });
    const period = `${prefix}:leaderboard:{b}:window:s:0`;
    await direct.driver.send(["ZADD", period, "5", "m"], { op: "test", class: "unsafe" }, period);
    const archive = await losingAnswer(proxy, close, () => board.window("s", { ago: 1 }).archive());
    expect(archive).toMatchObject({ total: 1, entries: [{ member: "m", score: 5 }] });
    const told: string[] = [];
    await using _runner = board.onClosed(({ id }) => void told.push(id), { poll: 50 });
    await expect.poll(() => told, { timeout: 20_000 }).toEqual(["b:s:0:86400000"]);
    const due = `${prefix}:leaderboard:{b}:due`;
    const left = (): Promise<unknown> => direct.driver.send(["ZCARD", due], { op: "test", class: "read" }, due);
    await expect.poll(left, { timeout: 20_000 }).toBe(0);
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
