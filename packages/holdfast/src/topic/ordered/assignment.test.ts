// What could go wrong, and the test for each:
// - two members own one partition, or nobody does ......... "each partition has one owner"
// - one has many, another none ............................ "shares differ by one at most"
// - all moves when one comes or goes ...................... "moves little more than a share"
// - members that know them in another order disagree ...... "whatever the order"
import { describe, expect, it } from "vitest";
import { assign, partitionsOf } from "./assignment.ts";

const members = (count: number): string[] => Array.from({ length: count }, (_, at) => `member-${at}`);
const SIZES = [1, 2, 3, 5, 8, 16, 33].flatMap((count) =>
  [1, 4, 8, 64].map((partitions) => [count, partitions] as const),
);

describe("who owns which partition", () => {
  it.each(SIZES)(
    "each partition has one owner, and shares differ by one at most (%i members, %i partitions)",
    (count, partitions) => {
      const all = members(count);
      const owned = all.map((member) => [...partitionsOf(member, all, partitions)]);
      expect(owned.flat().toSorted((a, b) => a - b)).toEqual(Array.from({ length: partitions }, (_, at) => at));
      const sizes = owned.map(({ length }) => length);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
    },
  );

  it("is the same whatever the order of the members", () => {
    expect(assign(members(7), 64)).toEqual(assign(members(7).toReversed(), 64));
  });

  it("owns nothing where it is not among the members", () => {
    expect(partitionsOf("gone", members(3), 8).size).toBe(0);
  });

  it("a member that comes or goes moves little more than a share, on average less than two", () => {
    const moves = Array.from({ length: 19 }, (_, at) => {
      const [before, after] = [assign(members(at + 1), 64), assign(members(at + 2), 64)];
      return before.filter((owner, partition) => owner !== after[partition]).length / (64 / (at + 2));
    });
    // By a hash of the partition alone nearly all would move: ten shares.
    expect(moves.reduce((sum, each) => sum + each) / moves.length).toBeLessThan(2);
  });
});
