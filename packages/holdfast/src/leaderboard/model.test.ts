/** Random histories of a board against a plain list that is sorted again for each question. */
import { randomBytes } from "node:crypto";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { connect } from "../connect.ts";
import type { Holdfast } from "../holdfast.ts";
import type { LeaderboardEntry } from "./entries.ts";
import type { Leaderboard } from "./leaderboard.ts";
import type { LeaderboardTies } from "./options.ts";
import type { LeaderboardOrder } from "./scores.ts";

interface Rules {
  readonly order: LeaderboardOrder;
  readonly ties: LeaderboardTies;
  readonly maxSize: number;
}

type Step =
  | {
      readonly do: "set" | "increment" | "best";
      readonly member: string;
      readonly score: number;
      readonly meta: string | undefined;
    }
  | { readonly do: "remove" | "rank"; readonly member: string }
  | { readonly do: "around"; readonly member: string; readonly distance: number }
  | {
      readonly do: "page";
      readonly offset: number;
      readonly limit: number;
      readonly min?: number;
      readonly max?: number;
    }
  | { readonly do: "count"; readonly min: number; readonly max: number }
  | { readonly do: "scoreAt"; readonly percentile: number }
  | { readonly do: "among"; readonly members: readonly string[] }
  | { readonly do: "removeScores"; readonly min?: number; readonly max: number }
  | { readonly do: "removePositions"; readonly from: number; readonly to?: number };

type Change = Extract<Step, { readonly score: number }>;

class Model {
  readonly scores = new Map<string, number>();
  readonly metas = new Map<string, string>();
  readonly rules: Rules;

  constructor(rules: Rules) {
    this.rules = rules;
  }

  run(step: Step): unknown {
    switch (step.do) {
      case "set":
        return this.#put(step, step.score);
      case "increment": {
        const sum = (this.scores.get(step.member) ?? 0) + step.score;
        this.#put(step, sum);
        return sum;
      }
      case "best":
        return this.#best(step);
      case "remove":
        return this.#drop(step.member);
      case "rank":
        return this.#standing(step.member);
      case "page": {
        const fitting = this.#between(step);
        return { entries: fitting.slice(step.offset, step.offset + step.limit), total: fitting.length };
      }
      case "count":
        return this.#between(step).length;
      case "scoreAt": {
        const { length } = this.entries();
        const least = this.entries().findLast((_, at) => length - at >= (step.percentile * length) / 100);
        return (least ?? this.entries()[0])?.score;
      }
      case "among": {
        const friends = new Model(this.rules);
        for (const [member, score] of this.scores) if (step.members.includes(member)) friends.scores.set(member, score);
        for (const [member, meta] of this.metas) friends.metas.set(member, meta);
        return friends.entries();
      }
      case "removeScores":
        return this.#between(step).filter(({ member }) => this.#drop(member)).length;
      case "removePositions":
        return this.entries()
          .slice(step.from - 1, step.to)
          .filter(({ member }) => this.#drop(member)).length;
      default: {
        const at = this.entries().findIndex(({ member }) => member === step.member);
        return at < 0 ? [] : this.entries().slice(Math.max(0, at - step.distance), at + step.distance + 1);
      }
    }
  }

  entries(): LeaderboardEntry[] {
    const { order, ties } = this.rules;
    const sign = order === "desc" ? -1 : 1;
    const sorted = [...this.scores].sort(
      ([a, x], [b, y]) => sign * (x - y || Buffer.compare(Buffer.from(a), Buffer.from(b))),
    );
    const better = (score: number): number[] =>
      sorted.map(([, other]) => other).filter((other) => sign * (other - score) < 0);
    return sorted.map(([member, score], at) => {
      const count = ties === "dense" ? new Set(better(score)).size : better(score).length;
      const meta = this.metas.get(member);
      return { member, score, rank: 1 + (ties === "ordinal" ? at : count), ...(meta !== undefined && { meta }) };
    });
  }

  #between({ min = -Infinity, max = Infinity }: { readonly min?: number; readonly max?: number }): LeaderboardEntry[] {
    return this.entries().filter(({ score }) => score >= min && score <= max);
  }

  #drop(member: string): boolean {
    this.metas.delete(member);
    return this.scores.delete(member);
  }

  /** Whether the member stayed on the board. */
  #put({ member, meta }: Change, score: number): boolean {
    this.scores.set(member, score);
    if (meta !== undefined) this.metas.set(member, meta);
    for (const { member: worst } of this.entries().slice(this.rules.maxSize)) this.#drop(worst);
    return this.scores.has(member);
  }

  #best(step: Change): unknown {
    const { member, score } = step;
    const previous = this.scores.get(member);
    const isBetter = previous === undefined || (this.rules.order === "desc" ? score > previous : score < previous);
    const improved = isBetter && this.#put(step, score);
    return { improved, score: isBetter ? score : previous, previous };
  }

  #standing(member: string): unknown {
    const entry = this.entries().find((each) => each.member === member);
    if (entry === undefined) return undefined;
    const others = this.entries().filter((each) => each.member !== member);
    const sign = this.rules.order === "desc" ? 1 : -1;
    const points = others.map(({ score }) => (Math.sign(sign * (entry.score - score)) + 1) / 2);
    const total = this.scores.size;
    const percentile = total === 1 ? 100 : (100 * points.reduce((sum, point) => sum + point, 0)) / (total - 1);
    const { score, rank, meta } = entry;
    return { score, rank, total, percentile, ...(meta !== undefined && { meta }) };
  }
}

function ask(board: Leaderboard, step: Step): Promise<unknown> {
  switch (step.do) {
    case "set":
    case "increment":
    case "best":
      return board[step.do](step.member, step.score, step.meta === undefined ? {} : { meta: step.meta });
    case "remove":
      return board.remove(step.member);
    case "rank":
      return board.rank(step.member);
    case "page": {
      const { do: _, ...options } = step;
      return board.page(options);
    }
    case "count":
      return board.count({ min: step.min, max: step.max });
    case "scoreAt":
      return board.scoreAt(step.percentile);
    case "among":
      return board.among(step.members);
    case "removeScores":
    case "removePositions": {
      const { do: _, ...range } = step;
      return board.removeRange(range);
    }
    default:
      return board.around(step.member, step.distance);
  }
}

const member = fc.constantFrom("a", "b", "é", "z", "𝒳", "a b");
const score = fc.constantFrom(-2, -1, 0, 0.1, 0.2, 1, 2, 1e15);
const paging = { do: fc.constant("page" as const), offset: fc.nat(4), limit: fc.integer({ min: 1, max: 4 }) };
const meta = fc.option(fc.constantFrom("x", "y"), { nil: undefined });
const percentile = fc.constantFrom(0, 1, 33, 50, 66.7, 100);
const position = fc.integer({ min: 1, max: 4 });
const low = fc.constantFrom(-2, -1, 0, 0.1);
const high = fc.constantFrom(0.1, 1, 1e15);
const reads: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant("rank" as const), member }),
  fc.record({ do: fc.constant("around" as const), member, distance: fc.nat(2) }),
  fc.record(paging),
  fc.record({ ...paging, min: low, max: high }),
  fc.record({ do: fc.constant("count" as const), min: low, max: high }),
  fc.record({ do: fc.constant("scoreAt" as const), percentile }),
  fc.record({ do: fc.constant("among" as const), members: fc.uniqueArray(member) }),
);
const removals: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant("remove" as const), member }),
  fc.record({ do: fc.constant("removeScores" as const), min: low, max: high }),
  fc.record({ do: fc.constant("removeScores" as const), max: low }),
  fc.record({ do: fc.constant("removePositions" as const), from: position }),
  position.chain((from) =>
    fc.record({ do: fc.constant("removePositions" as const), from: fc.constant(from), to: fc.constant(from + 1) }),
  ),
);
const changes: fc.Arbitrary<Step> = fc.record({
  do: fc.constantFrom("set" as const, "increment" as const, "best" as const),
  member,
  score,
  meta,
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: changes },
  { weight: 4, arbitrary: reads },
  { weight: 1, arbitrary: removals },
);
const rules = (maxSize: fc.Arbitrary<number>): fc.Arbitrary<Rules> =>
  fc.record({
    order: fc.constantFrom("desc" as const, "asc" as const),
    ties: fc.constantFrom("competition" as const, "dense" as const, "ordinal" as const),
    maxSize,
  });

describe.each(backends("standalone", "cluster", "embedded"))("leaderboard model [$name]", ({ url, options }) => {
  const prefix = `t${randomBytes(6).toString("hex")}`;
  let hf: Holdfast;
  beforeAll(async () => {
    hf = await connect(url, { ...options, prefix });
  });
  afterAll(() => hf.close());

  const fresh = (each: Rules): [Leaderboard, Model] => [
    hf.leaderboard(randomBytes(6).toString("hex"), { ...each, meta: true }),
    new Model(each),
  ];

  it("one call after the other, on a board with a cap", async () => {
    await fc.assert(
      fc.asyncProperty(
        rules(fc.integer({ min: 1, max: 5 })),
        fc.array(step, { maxLength: 40 }),
        async (each, steps) => {
          const [board, model] = fresh(each);
          for (const one of steps) expect(await ask(board, one)).toEqual(model.run(one));
          await isWhole(board, model);
        },
      ),
      { numRuns: 40 },
    );
  });

  it("calls made in the same tick, merged, in their order", async () => {
    await fc.assert(
      fc.asyncProperty(rules(fc.constant(100)), fc.array(step, { maxLength: 60 }), async (each, steps) => {
        const [board, model] = fresh(each);
        const answers = await Promise.all(steps.map((one) => ask(board, one)));
        expect(answers).toEqual(steps.map((one) => model.run(one)));
        await isWhole(board, model);
      }),
      { numRuns: 40 },
    );
  });

  /** The board, what is stored with members, and the index of distinct scores where there is one are what the model says. */
  async function isWhole(board: Leaderboard, model: Model): Promise<void> {
    expect(await board.top(100)).toEqual(model.entries());
    const key = `${prefix}:leaderboard:{${board.name}}`;
    const distinct = `${key}:distinct`;
    const call = { op: "test", class: "read" } as const;
    expect(await hf.driver.send(["HLEN", `${key}:meta`], call, key)).toBe(model.metas.size);
    const stored = (await hf.driver.send(["ZRANGE", distinct, "0", "-1"], call, distinct)) as Buffer[];
    const expected = model.rules.ties === "dense" ? new Set(model.scores.values()) : new Set();
    expect(new Set(stored.map(Number))).toEqual(expected);
  }
});
