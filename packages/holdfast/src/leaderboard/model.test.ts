/** Random histories of a board against a plain list that is sorted again for each question. */
import { randomBytes } from "node:crypto";
import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { connect } from "../connect.ts";
import type { Holdfast } from "../holdfast.ts";
import type { LeaderboardEntry } from "./entries.ts";
import type { Leaderboard } from "./leaderboard.ts";
import type { LeaderboardOrder, LeaderboardTies } from "./options.ts";

interface Rules {
  readonly order: LeaderboardOrder;
  readonly ties: LeaderboardTies;
  readonly maxSize: number;
}

type Step =
  | { readonly do: "set" | "increment" | "best"; readonly member: string; readonly score: number }
  | { readonly do: "remove" | "rank"; readonly member: string }
  | { readonly do: "around"; readonly member: string; readonly distance: number }
  | { readonly do: "page"; readonly offset: number; readonly limit: number };

class Model {
  readonly scores = new Map<string, number>();
  readonly rules: Rules;

  constructor(rules: Rules) {
    this.rules = rules;
  }

  run(step: Step): unknown {
    switch (step.do) {
      case "set":
        return this.#put(step.member, step.score);
      case "increment": {
        const sum = (this.scores.get(step.member) ?? 0) + step.score;
        this.#put(step.member, sum);
        return sum;
      }
      case "best":
        return this.#best(step.member, step.score);
      case "remove":
        return this.scores.delete(step.member);
      case "rank":
        return this.#standing(step.member);
      case "page":
        return {
          entries: this.entries().slice(step.offset, step.offset + step.limit),
          total: this.scores.size,
        };
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
      return { member, score, rank: 1 + (ties === "ordinal" ? at : count) };
    });
  }

  /** Whether the member stayed on the board. */
  #put(member: string, score: number): boolean {
    this.scores.set(member, score);
    for (const { member: worst } of this.entries().slice(this.rules.maxSize)) this.scores.delete(worst);
    return this.scores.has(member);
  }

  #best(member: string, score: number): unknown {
    const previous = this.scores.get(member);
    const isBetter = previous === undefined || (this.rules.order === "desc" ? score > previous : score < previous);
    const improved = isBetter && this.#put(member, score);
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
    return { score: entry.score, rank: entry.rank, total, percentile };
  }
}

function ask(board: Leaderboard, step: Step): Promise<unknown> {
  switch (step.do) {
    case "set":
      return board.set(step.member, step.score);
    case "increment":
      return board.increment(step.member, step.score);
    case "best":
      return board.best(step.member, step.score);
    case "remove":
      return board.remove(step.member);
    case "rank":
      return board.rank(step.member);
    case "page":
      return board.page({ offset: step.offset, limit: step.limit });
    default:
      return board.around(step.member, step.distance);
  }
}

const member = fc.constantFrom("a", "b", "é", "z", "𝒳", "a b");
const score = fc.constantFrom(-2, -1, 0, 0.1, 0.2, 1, 2, 1e15);
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constantFrom("set" as const, "increment" as const, "best" as const), member, score }),
  fc.record({ do: fc.constantFrom("remove" as const, "rank" as const), member }),
  fc.record({ do: fc.constant("around" as const), member, distance: fc.nat(2) }),
  fc.record({ do: fc.constant("page" as const), offset: fc.nat(4), limit: fc.integer({ min: 1, max: 4 }) }),
);
const rules = (maxSize: fc.Arbitrary<number>): fc.Arbitrary<Rules> =>
  fc.record({
    order: fc.constantFrom("desc" as const, "asc" as const),
    ties: fc.constantFrom("competition" as const, "dense" as const, "ordinal" as const),
    maxSize,
  });

describe.each(backends("standalone", "embedded"))("leaderboard model [$name]", ({ url, options }) => {
  const prefix = `t${randomBytes(6).toString("hex")}`;
  let hf: Holdfast;
  beforeAll(async () => {
    hf = await connect(url, { ...options, prefix });
  });
  afterAll(() => hf.close());

  const fresh = (each: Rules): [Leaderboard, Model] => [
    hf.leaderboard(randomBytes(6).toString("hex"), each),
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

  /** The board, and its index of distinct scores where there is one, are what the model says. */
  async function isWhole(board: Leaderboard, model: Model): Promise<void> {
    expect(await board.top(100)).toEqual(model.entries());
    const distinct = `${prefix}:leaderboard:{${board.name}}:distinct`;
    const call = { op: "test", class: "read" } as const;
    const stored = (await hf.driver.send(["ZRANGE", distinct, "0", "-1"], call, distinct)) as Buffer[];
    const expected = model.rules.ties === "dense" ? new Set(model.scores.values()) : new Set();
    expect(new Set(stored.map(Number))).toEqual(expected);
  }
});
