/**
 * What could go wrong, and the test for it:
 * - ranks of equal scores, in either direction, on pages and around a member .... "ranks of equal scores", model.test.ts
 * - an increment is lost between two processes ................................. "no increment is lost"
 * - merged calls are done in another order, or one's failure is all's .......... "calls that are not awaited", "a sum beyond"
 * - a sum leaves the whole numbers that a double holds ......................... "a sum beyond"
 * - two members become one: bytes, surrogates, numbers ......................... "the member", "refuses bad input"
 * - boards of a cluster meet in one slot, or their keys do not ................. "many boards"
 * (faults.test.ts: lost replies and outages)
 */
import { describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { randomName, TwoHandles } from "../../test/support/two-handles.ts";
import type { Leaderboard } from "./leaderboard.ts";
import type { LeaderboardOptions } from "./options.ts";

describe.each(backends())("leaderboard [$name]", (backend) => {
  const both = new TwoHandles(backend);
  const { prefix, send } = both;

  /** The same board as two processes see it. */
  const pair = (settings: LeaderboardOptions = {}): [Leaderboard, Leaderboard] => {
    const name = randomName();
    return [both.a.leaderboard(name, settings), both.b.leaderboard(name, settings)];
  };

  const keyOf = (board: Leaderboard): string => `${prefix}:leaderboard:{${board.name}}`;

  it("set, scores, size, remove and clear", async () => {
    const [here, there] = pair();
    expect(await here.set("ada", 3)).toBe(true);
    expect(
      await here.setMany([
        ["bob", 1.5],
        ["cyd", -2],
        [7, 9],
        ["bob", 2],
      ]),
    ).toBe(3);
    expect(await there.size()).toBe(4);
    expect(await there.scores(["ada", "bob", "nobody", 7])).toEqual(
      new Map<unknown, unknown>([
        ["ada", 3],
        ["bob", 2],
        [7, 9],
      ]),
    );
    expect(await there.remove("bob")).toBe(true);
    expect(await here.remove("bob")).toBe(false);
    await there.clear();
    expect(await here.size()).toBe(0);
    expect(await here.top()).toEqual([]);
  });

  it.each([
    ["desc", "competition", [1, 2, 2, 4]],
    ["desc", "dense", [1, 2, 2, 3]],
    ["desc", "ordinal", [1, 2, 3, 4]],
    ["asc", "competition", [1, 2, 2, 4]],
    ["asc", "dense", [1, 2, 2, 3]],
    ["asc", "ordinal", [1, 2, 3, 4]],
  ] as const)("ranks of equal scores: %s, %s", async (order, ties, ranks) => {
    const [here, there] = pair({ order, ties });
    const scores = order === "desc" ? [9, 5, 5, 1] : [1, 5, 5, 9];
    const names = order === "desc" ? ["w", "y", "x", "z"] : ["w", "x", "y", "z"];
    await here.setMany(names.map((name, at) => [name, scores[at]!]));
    const entries = names.map((member, at) => ({ member, score: scores[at]!, rank: ranks[at]! }));
    expect(await there.top()).toEqual(entries);
    expect(await there.page({ offset: 2, limit: 5 })).toEqual({ entries: entries.slice(2), total: 4 });
    expect(await there.page({ offset: 4 })).toEqual({ entries: [], total: 4 });
    expect(await there.around(names[2]!, 1)).toEqual(entries.slice(1));
    expect(await there.around("w", 0)).toEqual(entries.slice(0, 1));
    expect(await there.around("nobody")).toEqual([]);
    const percentiles = [100, 50, 50, 0];
    for (const [at, { member, score, rank }] of entries.entries()) {
      expect(await there.rank(member)).toEqual({ score, rank, total: 4, percentile: percentiles[at] });
    }
    expect((await there.ranks([...names, "nobody"])).size).toBe(4);
    expect(await there.rank("nobody")).toBeUndefined();
  });

  it("best stores only what is better, and says what was", async () => {
    const [high] = pair();
    expect(await high.best("m", 5)).toEqual({ improved: true, score: 5, previous: undefined });
    expect(await high.best("m", 5)).toEqual({ improved: false, score: 5, previous: 5 });
    expect(await high.best("m", 4)).toEqual({ improved: false, score: 5, previous: 5 });
    expect(await high.best("m", 7)).toEqual({ improved: true, score: 7, previous: 5 });
    const [low] = pair({ order: "asc", maxSize: 1 });
    await low.set("m", 5);
    expect(await low.best("m", 4.5)).toEqual({ improved: true, score: 4.5, previous: 5 });
    expect(await low.best("n", 6)).toEqual({ improved: false, score: 6, previous: undefined });
    expect(await low.rank("n")).toBeUndefined();
  });

  it("no increment is lost: two processes, merged and alone, with fractions", async () => {
    const [here, there] = pair({ ties: "dense" });
    await Promise.all(
      Array.from({ length: 1_500 }, (_, at) => (at % 2 === 0 ? here : there).increment(`m${at % 3}`, 0.5)),
    );
    for (let round = 0; round < 20; round += 1) await Promise.all([here.increment("m0"), there.increment("m0", -1)]);
    expect(await here.scores(["m0", "m1", "m2"])).toEqual(
      new Map([
        ["m0", 250],
        ["m1", 250],
        ["m2", 250],
      ]),
    );
    expect((await here.rank("m1"))?.rank).toBe(1);
  });

  it("calls that are not awaited are executed in their order", async () => {
    const [here] = pair();
    const calls: (() => Promise<unknown>)[] = [
      () => here.set("m", 1),
      () => here.increment("m", 2),
      () => here.rank("m"),
      () => here.best("m", 9),
      () => here.scores(["m"]),
      () => here.increment("m", 1, { idempotencyKey: randomName() }),
      () => here.top(1),
      () => here.remove("m"),
      () => here.size(),
      () => here.set("m", 4),
      () => here.clear(),
      () => here.rank("m"),
    ];
    const answers = await Promise.all(calls.map((call) => call()));
    expect(answers).toEqual([
      true,
      3,
      { score: 3, rank: 1, total: 1, percentile: 100 },
      { improved: true, score: 9, previous: 3 },
      new Map([["m", 9]]),
      10,
      [{ member: "m", score: 10, rank: 1 }],
      true,
      0,
      true,
      undefined,
      undefined,
    ]);
  });

  it("an idempotencyKey: done once, answered as the first time, and not for ever", async () => {
    const [here, there] = pair({ idempotencyTtl: "10s", ties: "dense" });
    expect(await here.increment("m", 2.5, { idempotencyKey: "order:1" })).toBe(2.5);
    expect(await here.increment("m", 1)).toBe(3.5);
    expect(await there.increment("m", 2.5, { idempotencyKey: "order:1" })).toBe(2.5);
    expect(await there.increment("m", 2.5, { idempotencyKey: "order:2" })).toBe(6);
    expect(await send("PTTL", `${keyOf(here)}:once:order:1`)).toBeGreaterThan(0);
  });

  it("a sum beyond the whole numbers of a double is refused, and it alone", async () => {
    const [here] = pair();
    await here.set("rich", Number.MAX_SAFE_INTEGER);
    const [over, fine] = await Promise.allSettled([here.increment("rich"), here.increment("poor")]);
    expect(over).toMatchObject({ status: "rejected", reason: { code: "UNSUPPORTED" } });
    expect(fine).toEqual({ status: "fulfilled", value: 1 });
    const once = { idempotencyKey: "k" };
    await expect(here.increment("rich", 1, once)).rejects.toMatchObject({ code: "UNSUPPORTED" });
    expect(await here.increment("rich", -1, once)).toBe(Number.MAX_SAFE_INTEGER - 1);
  });

  it("many boards, over all slots", async () => {
    const boards = Array.from({ length: 100 }, () => pair({ ties: "dense" })[0]);
    await Promise.all(boards.map((board, at) => board.set("m", at)));
    const scores = await Promise.all(boards.map(async (board) => (await board.rank("m"))?.score));
    expect(scores).toEqual(boards.map((_, at) => at));
  });

  it.each(["{a}b", "a:b", "%7B", "ключ", "x y", "\0", "𝒳", 42, "-0"])("the member %j", async (member) => {
    const [here, there] = pair();
    await here.set(member, 1);
    expect(await there.top()).toEqual([{ member: String(member), score: 1, rank: 1 }]);
    expect(await there.ranks([member])).toHaveProperty("size", 1);
    expect(await there.remove(member)).toBe(true);
  });

  it.each([0.1, 1 / 3, -1e-300, 2 ** 53 - 1, -(2 ** 53 - 1), 1e15 + 0.5])(
    "the score %s comes back as it was",
    async (score) => {
      const [here] = pair({ ties: "dense" });
      await here.set("m", score);
      expect(await here.scores(["m"])).toEqual(new Map([["m", score]]));
      expect((await here.rank("m"))?.rank).toBe(1);
    },
  );

  it("refuses bad input at the door, by its field", async () => {
    expect(() => both.a.leaderboard("")).toThrow(/\bname: /);
    expect(() => both.a.leaderboard("x", { order: "up" as "asc" })).toThrow(/\border: /);
    expect(() => both.a.leaderboard("x", { ties: "any" as "dense" })).toThrow(/\bties: /);
    expect(() => both.a.leaderboard("x", { maxSize: 0 })).toThrow(/\bmaxSize: /);
    expect(() => both.a.leaderboard("x", { ttl: "1h", idleTtl: "1h" })).toThrow(/\bidleTtl: /);
    expect(() => both.a.leaderboard("x", { idleTtl: 0 })).toThrow(/\bidleTtl: /);
    const [here] = pair();
    await expect(here.set("", 1)).rejects.toThrow(/\bmember: /);
    await expect(here.set("\uD800", 1)).rejects.toThrow(/\bmember: /);
    await expect(here.set("m", Number.NaN)).rejects.toThrow(/\bscore: /);
    await expect(here.best("m", 2 ** 53)).rejects.toThrow(/\bscore: /);
    await expect(here.increment("m", Infinity)).rejects.toThrow(/\bby: /);
    await expect(here.increment("m", 1, { idempotencyKey: "" })).rejects.toThrow(/\bidempotencyKey: /);
    await expect(
      here.setMany([
        ["m", 1],
        ["n", "2" as unknown as number],
      ]),
    ).rejects.toThrow(/\bscore: /);
    await expect(here.top(0)).rejects.toThrow(/\bcount: /);
    await expect(here.page({ limit: 1_001 })).rejects.toThrow(/\blimit: /);
    await expect(here.page({ offset: -1 })).rejects.toThrow(/\boffset: /);
    await expect(here.around("m", 501)).rejects.toThrow(/\bdistance: /);
    expect(() => both.a.leaderboard("x", { maxsize: 5 } as never)).toThrow(/^leaderboard "x": maxsize: .*"maxSize"/);
    expect(() => both.a.leaderboard("x", 5 as never)).toThrow(/\boptions: /);
    await expect(here.increment("m", 1, "key" as never)).rejects.toThrow(/\boptions: /);
    await expect(here.page({ count: 5 } as never)).rejects.toThrow(/\bcount: /);
    await expect(here.setMany([5] as never)).rejects.toThrow(/\bentries: /);
    await expect(here.setMany(undefined as never)).rejects.toThrow(/\bentries: /);
    await expect(here.ranks("abc")).rejects.toThrow(/\bmembers: /);
    expect(await here.page({ limit: undefined } as never)).toEqual({ entries: [], total: 0 });
    expect(await here.size()).toBe(0);
  });

  it("a key of another type is reported, to each call that shared the command", async () => {
    const [here] = pair();
    await send("SET", keyOf(here), "text");
    const outcomes = await Promise.allSettled([here.set("a", 1), here.set("b", 1)]);
    for (const outcome of outcomes) expect(outcome).toMatchObject({ reason: { code: "WRONG_TYPE" } });
  });
});
