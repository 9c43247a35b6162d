/**
 * What could go wrong, and the test for it:
 * - a rank, a page or neighbours differ from those of one board ... "as one board", "after concurrent writes"
 * - a deep page misses entries of a shard that has most of them ... "as one board" (uneven), "a page whose members"
 * - members of one slot, or of another shard in another process ... "is spread over slots"
 * - what does not go with shards is done by halves ................. "refuses"
 */
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { randomName, TwoHandles } from "../../test/support/two-handles.ts";
import { murmurHashOf } from "../core/hash/murmur.ts";
import { slotOf } from "../driver/slot.ts";
import type { Leaderboard } from "./leaderboard.ts";
import type { LeaderboardOptions } from "./options.ts";

const member = fc.constantFrom("a", "b", "é", "z", "𝒳", "a b", "a\0", "zz", "B", "~");
const step = fc.oneof(
  fc.record({
    do: fc.constantFrom("set" as const, "increment" as const, "best" as const),
    member,
    by: fc.integer({ min: -2, max: 3 }),
  }),
  fc.record({ do: fc.constant("remove" as const), member, by: fc.constant(0) }),
);

describe.each(backends("standalone", "cluster", "embedded"))("shards of a leaderboard [$name]", (backend) => {
  const both = new TwoHandles(backend);

  /** Whatever can be asked. */
  async function everything(board: Leaderboard): Promise<unknown> {
    const members = ["a", "b", "é", "z", "𝒳", "a b", "a\0", "zz", "B", "~", "nobody"];
    const around = members.flatMap((each) => [0, 1, 3].map((distance) => board.around(each, distance)));
    const pages = [0, 1, 3, 8].flatMap((offset) => [1, 3, 50].map((limit) => board.page({ offset, limit })));
    const ranges = [{ min: 0 }, { max: 1 }, { min: -1, max: 2 }, { min: 50 }].flatMap((range) => [
      board.page({ ...range, offset: 1, limit: 3 }),
      board.count(range),
    ]);
    const rest = [
      board.ranks(members),
      board.scores(members),
      board.among(members.slice(2, 8)),
      board.size(),
      board.top(4),
    ];
    return Promise.all([...around, ...pages, ...ranges, ...rest]);
  }

  it("answers as one board does, for random writes", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { maxLength: 30 }),
        fc.constantFrom("desc" as const, "asc" as const),
        fc.constantFrom("competition" as const, "ordinal" as const),
        async (steps, order, ties) => {
          const one = both.a.leaderboard(randomName(), { order, ties, meta: true });
          const spread = both.b.leaderboard(randomName(), { order, ties, meta: true, shards: 3 });
          for (const each of steps) {
            const done = (board: Leaderboard): Promise<unknown> =>
              each.do === "remove"
                ? board.remove(each.member)
                : board[each.do](each.member, each.by, { meta: each.by });
            const [a, b] = await Promise.all([done(one), done(spread)]);
            expect(b).toEqual(a);
          }
          expect(await everything(spread)).toEqual(await everything(one));
          expect(await spread.removeRange({ min: 1 })).toBe(await one.removeRange({ min: 1 }));
          expect(await everything(spread)).toEqual(await everything(one));
        },
      ),
      { numRuns: 12 },
    );
  });

  it("after concurrent writes of two processes exact ranks are those of one board", async () => {
    const name = randomName();
    const [here, there] = [both.a, both.b].map((hf) => hf.leaderboard(name, { shards: 8, ties: "ordinal" }));
    const one = both.a.leaderboard(randomName(), { ties: "ordinal" });
    const sums = new Map<string, number>();
    const calls: Promise<unknown>[] = [];
    for (let at = 0; at < 4_000; at += 1) {
      const [each, by] = [`m${(at * 7_919) % 600}`, ((at * 31) % 13) - 3];
      sums.set(each, (sums.get(each) ?? 0) + by);
      calls.push((at % 2 === 0 ? here! : there!).increment(each, by));
      // Meanwhile answers are nearly right, and whole.
      if (at % 500 === 0) calls.push(here!.top(10), here!.rank("m5"), there!.around("m7", 3), there!.page({ min: 0 }));
    }
    await Promise.all(calls);
    await one.setMany(sums);
    const members = [...sums.keys()];
    expect(await there!.ranks(members)).toEqual(await one.ranks(members));
    expect(await here!.page({ offset: 250, limit: 100 })).toEqual(await one.page({ offset: 250, limit: 100 }));
    expect(await here!.top(1_000)).toEqual(await one.top(1_000));
    expect(await here!.around("m7", 40)).toEqual(await one.around("m7", 40));
  });

  it("a page whose members are all on one shard is read to its end", async () => {
    const shards = 4;
    const board = both.a.leaderboard(randomName(), { shards });
    const names = Array.from({ length: 3_000 }, (_, at) => `m${at}`);
    const shardOf = (each: string): number => murmurHashOf(each, 0x686f6c64).low % shards;
    const best = names.filter((each) => shardOf(each) === 1);
    await board.setMany(names.map((each, at) => [each, shardOf(each) === 1 ? 10_000 - at : -at] as const));
    const { entries, total } = await board.page({ offset: 300, limit: 200 });
    expect(entries.map((entry) => entry.member)).toEqual(best.slice(300, 500));
    expect(entries.map(({ rank }) => rank)).toEqual(best.slice(300, 500).map((_, at) => 301 + at));
    expect(total).toBe(3_000);
  });

  it("is spread over slots, and has its share of members in each", async () => {
    const name = randomName();
    const board = both.a.leaderboard(name, { shards: 4, maxSize: 8 });
    await board.setMany(Array.from({ length: 400 }, (_, at) => [`m${at}`, at] as const));
    const keys = await both.keys(`leaderboard:{${name}`);
    expect(new Set(keys.map((key) => slotOf(key))).size).toBe(4);
    expect(await board.size()).toBe(8);
    await board.increment("x", 1_000, { idempotencyKey: "k" });
    expect(await board.increment("x", 1_000, { idempotencyKey: "k" })).toBe(1_000);
    await board.clear();
    expect(await board.size()).toBe(0);
  });

  it("refuses what does not go with shards, and says so", async () => {
    const make = (options: unknown): Leaderboard => both.a.leaderboard("x", options as LeaderboardOptions);
    expect(() => make({ shards: 1 })).toThrow(/\bshards: /);
    expect(() => make({ shards: 4, windows: ["day"] })).toThrow(/\bwindows: .*shards/);
    expect(() => make({ shards: 4, ttl: "1h" })).toThrow(/\bttl: .*shards/);
    expect(() => make({ shards: 4, idleTtl: "1h" })).toThrow(/\bidleTtl: .*shards/);
    expect(() => make({ shards: 4, ties: "dense" })).toThrow(/\bties: .*shards/);
    const board = make({ shards: 4 });
    await expect(board.removeRange({ from: 5 })).rejects.toThrow(/\bfrom: .*shards/);
    await expect(board.removeRange({ from: 5, to: 6 })).rejects.toThrow(/\bfrom: .*shards/);
    await expect(board.scoreAt(50)).rejects.toMatchObject({ code: "UNSUPPORTED" });
    await expect(board.page({ offset: 9_999, limit: 5 })).rejects.toThrow(/\boffset: .*10000/);
  });
});
