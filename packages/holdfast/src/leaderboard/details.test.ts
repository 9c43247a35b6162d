/**
 * What could go wrong, and the test for it:
 * - two scores with their subscores become one number, or are ordered otherwise .. "subscores", "exact to the last"
 * - the ends of a range are off by a subscore, or by a tie ........................ "ranges with subscores", model.test.ts
 * - a removal holds the server, or leaves something behind ........................ "in steps"
 * - what is stored with a member outlives it, or is another's ..................... "goes with the member", "evicted", model.test.ts
 * - a page deep in a range walks there ............................................ "is found by position" (cost: bench)
 */
import { describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { randomName, TwoHandles } from "../../test/support/two-handles.ts";
import type { Leaderboard } from "./leaderboard.ts";
import type { LeaderboardOptions } from "./options.ts";

describe.each(backends("standalone", "cluster", "embedded"))("leaderboard, in detail [$name]", (backend) => {
  const both = new TwoHandles(backend);
  const { prefix, send } = both;

  const pair = <Meta = unknown>(settings: LeaderboardOptions<Meta> = {}): [Leaderboard<Meta>, Leaderboard<Meta>] => {
    const name = randomName();
    return [both.a.leaderboard<Meta>(name, settings), both.b.leaderboard<Meta>(name, settings)];
  };
  const keyOf = ({ name }: { readonly name: string }): string => `${prefix}:leaderboard:{${name}}`;
  const names = (entries: readonly { readonly member: string }[]): string =>
    entries.map(({ member }) => member).join("");

  it.each([
    ["desc", "desc", "dcba"],
    ["desc", "asc", "dbca"],
    ["asc", "asc", "abcd"],
    ["asc", "desc", "acbd"],
  ] as const)("subscores decide between equal scores: board %s, subscore %s", async (order, second, sorted) => {
    const [here, there] = pair({ order, subscore: { max: 99, order: second } });
    await here.setMany([
      ["a", -1, { subscore: 99 }],
      ["b", 5, { subscore: 3 }],
      ["c", 5, { subscore: 4 }],
      ["d", 6, { subscore: 0 }],
    ]);
    const top = await there.top();
    expect(names(top)).toBe(sorted);
    expect(top.map(({ rank }) => rank)).toEqual([1, 2, 3, 4]);
    expect(top.find(({ member }) => member === "a")).toMatchObject({ score: -1, subscore: 99 });
    expect(await there.rank("c")).toMatchObject({ score: 5, subscore: 4 });
    expect(names(await there.among(["a", "c", "b"]))).toBe(sorted.replace("d", ""));
    expect(await there.increment("b", 1)).toBe(6);
    expect(await there.increment("a", 2, { subscore: 7 })).toBe(1);
    expect(await there.increment("a", -3, { subscore: 8, idempotencyKey: "k" })).toBe(-2);
    expect(await there.rank("b")).toMatchObject({ score: 6, subscore: 3 });
    expect(await there.rank("a")).toMatchObject({ score: -2, subscore: 8 });
  });

  it("best takes an equal score whose subscore is better", async () => {
    const [here] = pair({ subscore: { max: 1_000, order: "asc" } });
    await here.best("m", 5, { subscore: 400 });
    expect(await here.best("m", 5, { subscore: 401 })).toMatchObject({ improved: false });
    expect(await here.best("m", 5, { subscore: 399 })).toEqual({ improved: true, score: 5, previous: 5 });
    expect(await here.rank("m")).toMatchObject({ score: 5, subscore: 399 });
  });

  it.each([1, 2, 99, 2 ** 20 - 1, 2 ** 40 - 1])("subscores up to %i are exact to the last score", async (max) => {
    const [here] = pair({ subscore: { max } });
    const most = Math.floor(2 ** 53 / (max + 1)) - 1;
    const all = [most, most - 1, 0, -1, -most].flatMap((score) => [
      [`${score}:${max}`, score, { subscore: max }] as const,
      [`${score}:0`, score, { subscore: 0 }] as const,
    ]);
    await here.setMany(all);
    const sorted = all.map(([, score, { subscore }], at) => ({ score, subscore, rank: at + 1 }));
    expect((await here.top(20)).map(({ score, subscore, rank }) => ({ score, subscore, rank }))).toEqual(sorted);
    expect(await here.increment(`${most - 1}:${max}`, 1, { subscore: 1 })).toBe(most);
    expect(await here.rank(`${most - 1}:${max}`)).toMatchObject({ score: most, subscore: 1 });
    await expect(here.set("x", most + 1, { subscore: 0 })).rejects.toThrow(/\bscore: /);
  });

  it("ranges with subscores have whole scores, in either direction", async () => {
    const [here] = pair({ subscore: { max: 9, order: "asc" } });
    for (const score of [-2, -1, 0, 1])
      for (const subscore of [0, 9]) await here.set(`${score}/${subscore}`, score, { subscore });
    const { entries, total } = await here.page({ min: -1, max: 0 });
    expect(entries.map(({ member }) => member)).toEqual(["0/0", "0/9", "-1/0", "-1/9"]);
    expect(total).toBe(4);
    expect(await here.count({ max: -1 })).toBe(4);
    expect(await here.removeRange({ min: 0 })).toBe(4);
    expect(await here.scoreAt(100)).toBe(-1);
  });

  it("a page of a range is found by position, with the ranks of the whole board", async () => {
    const [here, there] = pair({ ties: "dense" });
    await here.setMany(Array.from({ length: 1_200 }, (_, at) => [`m${at}`, Math.floor(at / 2)] as const));
    const page = await there.page({ min: 100, max: 300, offset: 398, limit: 10 });
    expect(page).toEqual({
      entries: [
        { member: "m203", score: 101, rank: 499 },
        { member: "m202", score: 101, rank: 499 },
        { member: "m201", score: 100, rank: 500 },
        { member: "m200", score: 100, rank: 500 },
      ],
      total: 402,
    });
    expect(await there.page({ min: 700 })).toEqual({ entries: [], total: 0 });
    expect(await there.page({ min: 5, max: 5, offset: 9 })).toEqual({ entries: [], total: 2 });
    expect(await there.count({ min: 100, max: 300 })).toBe(402);
    expect(await there.count({})).toBe(1_200);
    expect(await Promise.all([0, 50, 99.9, 100].map((each) => there.scoreAt(each)))).toEqual([0, 299, 599, 599]);
    expect(await pair()[0].scoreAt(50)).toBeUndefined();
    const [thousand] = pair();
    await thousand.setMany(Array.from({ length: 1_000 }, (_, at) => [`m${at}`, at + 1] as const));
    // By the arithmetic of doubles this is a little more than the 161st.
    expect(await thousand.scoreAt(16.1)).toBe(161);
  });

  it("a removal is done in steps, and leaves nothing behind", async () => {
    const [here, there] = pair<number>({ ties: "dense", meta: true });
    await here.setMany(Array.from({ length: 2_200 }, (_, at) => [`m${at}`, Math.floor(at / 2), { meta: at }] as const));
    expect(await there.removeRange({ min: 10, max: 700 })).toBe(1_382);
    expect(await there.removeRange({ from: 101, to: 700 })).toBe(600);
    expect((await there.page({ offset: 98, limit: 4 })).entries.map(({ member }) => member)).toEqual([
      "m2101",
      "m2100",
      "m1499",
      "m1498",
    ]);
    expect(await there.removeRange({ from: 110 })).toBe(109);
    expect(await there.size()).toBe(109);
    expect(await send("HLEN", `${keyOf(here)}:meta`)).toBe(109);
    expect(await send("ZCARD", `${keyOf(here)}:distinct`)).toBe(55);
    expect(await there.removeRange({ from: 500, to: 600 })).toBe(0);
    expect(await there.removeRange({ min: -5, max: -1 })).toBe(0);
    expect(await there.removeRange({ from: 1 })).toBe(109);
    expect(await both.keys(`leaderboard:{${here.name}}`)).toEqual([]);
  });

  it("what is stored goes with the member: a new value replaces it, a write without one leaves it, a removal or a full board takes it", async () => {
    const [here, there] = pair<{ readonly name: string }>({ meta: true, maxSize: 2, idleTtl: "1h" });
    await here.set("a", 1, { meta: { name: "Ada" } });
    await here.increment("a", 2);
    await here.best("b", 5, { meta: { name: "Bob" } });
    await here.best("b", 4, { meta: { name: "never" } });
    expect(await there.top()).toEqual([
      { member: "b", score: 5, rank: 1, meta: { name: "Bob" } },
      { member: "a", score: 3, rank: 2, meta: { name: "Ada" } },
    ]);
    expect(await there.rank("a")).toMatchObject({ rank: 2, meta: { name: "Ada" } });
    expect((await there.ranks(["b", "x"])).get("b")).toMatchObject({ meta: { name: "Bob" } });
    expect((await there.around("b", 1))[1]).toMatchObject({ meta: { name: "Ada" } });
    expect(await there.among(["x", "a"])).toEqual([{ member: "a", score: 3, rank: 1, meta: { name: "Ada" } }]);
    expect(await send("PTTL", `${keyOf(here)}:meta`)).toBeGreaterThan(0);
    // A handle that knows nothing of it keeps it right, too.
    const plain = both.b.leaderboard(here.name, { maxSize: 2 });
    expect(await plain.set("c", 9)).toBe(true);
    expect(await plain.remove("b")).toBe(true);
    expect(await here.set("d", 0, { meta: { name: "Dee" } })).toBe(true);
    expect(await here.set("e", -1, { meta: { name: "Eve" } })).toBe(false);
    expect(await send("HKEYS", `${keyOf(here)}:meta`)).toEqual([Buffer.from("d")]);
    await here.increment("c", 1, { idempotencyKey: "k", meta: { name: "Cyd" } });
    expect((await there.top(1))[0]).toEqual({ member: "c", score: 10, rank: 1, meta: { name: "Cyd" } });
  });

  it("an evicted key: without the board what was stored is gone too, without what was stored the board is as it was", async () => {
    const [here] = pair<string>({ meta: true });
    await here.set("a", 1, { meta: "x" });
    await send("DEL", `${keyOf(here)}:meta`);
    expect(await here.top()).toEqual([{ member: "a", score: 1, rank: 1 }]);
    await here.set("a", 1, { meta: "x" });
    await send("DEL", keyOf(here));
    await here.set("a", 2);
    expect(await here.top()).toEqual([{ member: "a", score: 2, rank: 1 }]);
    expect(await both.keys(`leaderboard:{${here.name}}`)).toEqual([keyOf(here)]);
  });

  it("refuses what does not fit the board, by its field", async () => {
    const make = (options: unknown): Leaderboard => both.a.leaderboard("x", options as LeaderboardOptions);
    expect(() => make({ subscore: { max: 0 } })).toThrow(/\bsubscore.max: /);
    expect(() => make({ subscore: { max: 2 ** 40 } })).toThrow(/\bsubscore.max: /);
    expect(() => make({ subscore: { max: 5, order: "up" } })).toThrow(/\bsubscore.order: /);
    expect(() => make({ subscore: 5 })).toThrow(/\bsubscore: /);
    expect(() => make({ meta: "yes" })).toThrow(/\bmeta: /);
    expect(() => make({ maxMetaBytes: 5 })).toThrow(/\bmaxMetaBytes: /);
    const [plain] = pair();
    await expect(plain.set("m", 1, { subscore: 1 })).rejects.toThrow(/\bsubscore: /);
    await expect(plain.set("m", 1, { meta: 1 })).rejects.toThrow(/\bmeta: /);
    await expect(plain.increment("m", 1, { subscore: 1 })).rejects.toThrow(/\bsubscore: /);
    await expect(plain.page({ min: 2, max: 1 })).rejects.toThrow(/\bmax: /);
    await expect(plain.page({ min: Number.NaN })).rejects.toThrow(/\bmin: /);
    await expect(plain.count({ min: "1" } as never)).rejects.toThrow(/\bmin: /);
    for (const percentile of [-1, 101, Number.NaN, "5"])
      await expect(plain.scoreAt(percentile as number)).rejects.toThrow(/\bpercentile: /);
    for (const range of [{}, undefined, { to: 5 }, { min: 1, from: 2 }])
      await expect(plain.removeRange(range as never)).rejects.toThrow(/\brange: /);
    await expect(plain.removeRange({ min: 1, to: 2 })).rejects.toThrow(/\bto: /);
    await expect(plain.removeRange({ from: 0 })).rejects.toThrow(/\bfrom: /);
    await expect(plain.removeRange({ from: 3, to: 2 })).rejects.toThrow(/\bto: /);
    await expect(plain.among("ab")).rejects.toThrow(/\bmembers: /);
    expect(await plain.among([])).toEqual([]);
    const [two] = pair<string>({ subscore: { max: 9 }, meta: true, maxMetaBytes: 20 });
    await expect(two.set("m", 1)).rejects.toThrow(/\bsubscore: /);
    await expect(two.set("m", 0.5, { subscore: 1 })).rejects.toThrow(/\bscore: /);
    await expect(two.set("m", 1, { subscore: 10 })).rejects.toThrow(/\bsubscore: /);
    await expect(two.increment("m", 0.5)).rejects.toThrow(/\bby: /);
    await expect(two.set("m", 1, { subscore: 1, meta: "x".repeat(50) })).rejects.toThrow(/\bmeta: /);
    expect(await two.size()).toBe(0);
  });
});
