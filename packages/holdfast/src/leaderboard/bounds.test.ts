/**
 * What could go wrong, and the test for it:
 * - the board grows for ever, or is never gone ........ "a full board", "time to live"
 * - a cap that was lowered makes one long script ...... "shrinks in steps"
 * - the index of dense ranks differs from the board ... "dense ranks", model.test.ts
 * - one of its keys is evicted ........................ "a board that lost one of its keys"
 */
import { describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { randomName, TwoHandles } from "../../test/support/two-handles.ts";
import type { Leaderboard } from "./leaderboard.ts";
import type { LeaderboardOptions } from "./options.ts";

describe.each(backends())("how large a leaderboard becomes [$name]", (backend) => {
  const both = new TwoHandles(backend);
  const { prefix, send } = both;

  /** The same board as two processes see it. */
  const pair = (settings: LeaderboardOptions = {}): [Leaderboard, Leaderboard] => {
    const name = randomName();
    return [both.a.leaderboard(name, settings), both.b.leaderboard(name, settings)];
  };

  const keyOf = (board: Leaderboard): string => `${prefix}:leaderboard:{${board.name}}`;
  const keys = (board: Leaderboard): Promise<string[]> => both.keys(`leaderboard:{${board.name}}`);

  it("a full board: the worst fall off, and who did not make it is known", async () => {
    const [here] = pair({ maxSize: 3, ties: "dense" });
    expect(
      await here.setMany([
        ["a", 1],
        ["b", 2],
        ["c", 3],
        ["d", 4],
      ]),
    ).toBe(3);
    expect(await here.set("e", 0)).toBe(false);
    expect(await here.increment("f", 1)).toBe(1);
    expect(await here.top()).toEqual([
      { member: "d", score: 4, rank: 1 },
      { member: "c", score: 3, rank: 2 },
      { member: "b", score: 2, rank: 3 },
    ]);
    expect(await send("ZCARD", `${keyOf(here)}:distinct`)).toBe(3);
  });

  it("a cap that was lowered: the board shrinks in steps of 1000", async () => {
    const [wide] = pair();
    await wide.setMany(Array.from({ length: 2_500 }, (_, at) => [`m${at}`, at] as const));
    const narrow = both.b.leaderboard(wide.name, { maxSize: 100 });
    expect(await narrow.set("top", 9_999)).toBe(true);
    expect(await narrow.size()).toBe(1_501);
    await narrow.set("top", 9_999);
    await narrow.set("top", 9_999);
    expect(await narrow.size()).toBe(100);
    expect((await narrow.rank("m2499"))?.rank).toBe(2);
  });

  it("dense ranks: a board that was begun without them gets them by a write; every writer then keeps them", async () => {
    const [plain] = pair();
    await plain.setMany([
      ["a", 5],
      ["b", 5],
      ["c", 3],
    ]);
    const dense = both.b.leaderboard(plain.name, { ties: "dense" });
    await expect(dense.rank("c")).rejects.toMatchObject({ code: "SERVER", message: expect.stringContaining("dense") });
    await dense.set("d", 1);
    expect((await dense.rank("d"))?.rank).toBe(3);
    await plain.increment("b", 1);
    await plain.remove("c");
    expect((await dense.rank("d"))?.rank).toBe(3);
    await send("DEL", keyOf(plain)); // as an eviction would
    await plain.set("e", 8);
    expect(await keys(plain)).toEqual([keyOf(plain)]);
  });

  it("a board that lost one of its keys: ranks are right again after the next write, and nothing is left behind", async () => {
    const [dense] = pair({ ties: "dense", ttl: "1h" });
    const scores: [string, number][] = [
      ["a", 5],
      ["b", 5],
      ["c", 3],
    ];
    await dense.setMany(scores);
    await send("DEL", `${keyOf(dense)}:distinct`);
    await expect(dense.rank("c")).rejects.toMatchObject({ code: "SERVER", message: expect.stringContaining("dense") });
    expect(await dense.scores(["c"])).toEqual(new Map([["c", 3]]));
    await dense.set("d", 1);
    expect((await dense.rank("d"))?.rank).toBe(3);

    await send("DEL", keyOf(dense));
    expect(await dense.page()).toEqual({ entries: [], total: 0 });
    expect(await dense.rank("c")).toBeUndefined();
    await dense.set("e", 2);
    expect(await dense.top()).toEqual([{ member: "e", score: 2, rank: 1 }]);
    expect(await send("ZCARD", `${keyOf(dense)}:distinct`)).toBe(1);
    for (const key of await keys(dense)) expect(await send("PTTL", key)).toBeGreaterThan(0);
  });

  it("dense ranks are not added to a board that is too large for one step", async () => {
    const [plain] = pair();
    await plain.setMany(Array.from({ length: 10_001 }, (_, at) => [`m${at}`, at] as const));
    const dense = both.b.leaderboard(plain.name, { ties: "dense" });
    await expect(dense.set("x", 1)).rejects.toMatchObject({
      code: "SERVER",
      message: expect.stringContaining("too large"),
    });
    expect(await plain.size()).toBe(10_001);
  });

  it("time to live: none, from the first entry, or from the last write", async () => {
    const ttl = async (board: Leaderboard): Promise<unknown[]> =>
      Promise.all((await keys(board)).map((key) => send("PTTL", key)));
    const [capped] = pair({ ties: "dense" });
    await capped.set("m", 1);
    expect(await ttl(capped)).toEqual([-1, -1]);

    const [fixed] = pair({ ttl: "1h", ties: "dense" });
    await fixed.set("m", 1);
    await send("PEXPIRE", keyOf(fixed), "50000");
    await fixed.increment("m");
    await fixed.best("n", 1);
    for (const left of await ttl(fixed)) expect(left).toBeLessThanOrEqual(50_000);

    const [idle] = pair({ idleTtl: "1h", ties: "dense" });
    await idle.set("m", 1);
    await send("PEXPIRE", keyOf(idle), "50000");
    await idle.increment("m", 1, { idempotencyKey: "k" });
    const [board, distinct] = await ttl(idle);
    expect(board).toBeGreaterThan(3_500_000);
    expect(distinct).toBeGreaterThan(3_500_000);
  });
});
