/** Sorted sets: union, intersection and difference, of sorted sets and of plain sets, whose members count with score 1. */
import { fail, SYNTAX, WRONG_TYPE } from "../base/errors.ts";
import { doubleArgument, integerArgument, rangeArgument } from "../base/numbers.ts";
import type { Reply } from "../base/reply.ts";
import type { Session } from "../engine/session.ts";
import { SetValue } from "../values/set.ts";
import { SortedSetValue } from "../values/sorted-set.ts";
import { type Command, command, countedKeys } from "../engine/command.ts";
import { storeSortedSet } from "./sorted-sets-add.ts";
import { membersReply } from "./sorted-sets-range.ts";

type Combine = (sources: Source[], aggregate: Aggregate) => Scores;
type Scores = Map<string, number>;

export const sortedSetCombineCommands: readonly Command[] = [
  reading("zunion", union, true),
  reading("zinter", intersection, true),
  reading("zdiff", difference, false),
  storing("zunionstore", union, true),
  storing("zinterstore", intersection, true),
  storing("zdiffstore", difference, false),
  command({
    name: "zintercard",
    arity: -3,
    flags: "readonly",
    keys: countedKeys(1),
    category: "sortedset",
    run: (ctx, args) => {
      const { sources, next } = sourcesOf(ctx, args, 1);
      const limit = limitOf(args, next);
      return Math.min(intersection(sources, sum, limit).size, limit);
    },
  }),
];

function reading(name: string, combine: Combine, weighted: boolean): Command {
  return command({
    name,
    arity: -3,
    flags: "readonly",
    keys: countedKeys(1),
    category: "sortedset",
    run: (ctx, args) => {
      const { scores, withScores } = run(ctx, args, 1, combine, { weighted, showsScores: true });
      return inOrder(ctx, scores, withScores);
    },
  });
}

function storing(name: string, combine: Combine, weighted: boolean): Command {
  return command({
    name,
    arity: -4,
    flags: "write denyoom",
    keys: countedKeys(2, 1),
    category: "sortedset",
    run: (ctx, args) => {
      const { scores } = run(ctx, args, 2, combine, { weighted, showsScores: false });
      const members = [...scores].map(([member, score]) => [score, member] as const);
      return storeSortedSet(ctx, args[1], SortedSetValue.of(ctx.engine.config, members), name);
    },
  });
}

// ---- arguments

interface Allowed {
  readonly weighted: boolean;
  readonly showsScores: boolean;
}

function run(ctx: Session, args: readonly string[], countPlace: number, combine: Combine, allowed: Allowed) {
  const { sources, next } = sourcesOf(ctx, args, countPlace);
  const { aggregate, withScores } = optionsOf(args, next, sources, allowed);
  return { scores: combine(sources, aggregate), withScores };
}

/** `numkeys key [key ...]`; `next` is the place after them. */
function sourcesOf(
  ctx: Session,
  args: readonly string[],
  countPlace: number,
): { readonly sources: Source[]; readonly next: number } {
  const count = integerArgument(args[countPlace] ?? "");
  if (count < 1) fail(`ERR at least 1 input key is needed for '${args[0]?.toLowerCase()}' command`);
  const next = countPlace + 1 + count;
  if (next > args.length) fail(SYNTAX);
  return { sources: args.slice(countPlace + 1, next).map((key) => sourceAt(ctx, key)), next };
}

function optionsOf(args: readonly string[], start: number, sources: readonly Source[], allowed: Allowed) {
  let aggregate = sum;
  let withScores = false;
  for (let i = start; i < args.length; i += 1) {
    const option = args[i]?.toUpperCase();
    if (option === "WEIGHTS" && allowed.weighted && i + sources.length < args.length) {
      for (const source of sources) source.weight = doubleArgument(args[++i] ?? "", "ERR weight value is not a float");
    } else if (option === "AGGREGATE" && allowed.weighted && i + 1 < args.length) {
      aggregate = AGGREGATES.get(args[++i]?.toUpperCase() ?? "") ?? fail(SYNTAX);
    } else if (option === "WITHSCORES" && allowed.showsScores) withScores = true;
    else fail(SYNTAX);
  }
  return { aggregate, withScores };
}

/** Of ZINTERCARD; Infinity when there is none. */
function limitOf(args: readonly string[], start: number): number {
  let limit = 0;
  for (let i = start; i < args.length; i += 2) {
    const value = args[i + 1];
    if (args[i]?.toUpperCase() !== "LIMIT" || value === undefined) return fail(SYNTAX);
    limit = rangeArgument(value, 0, 2 ** 63, "ERR LIMIT can't be negative");
  }
  return limit === 0 ? Infinity : limit;
}

// ---- sources

/** One of the sets to combine. */
interface Source {
  weight: number;
  readonly size: number;
  readonly entries: () => Iterable<readonly [member: string, score: number]>;
  readonly score: (member: string) => number | undefined;
}

function sourceAt(ctx: Session, key: string): Source {
  const value = ctx.db.read(key)?.value;
  if (value === undefined) return { weight: 1, size: 0, entries: () => [], score: () => undefined };
  if (value instanceof SortedSetValue) {
    return { weight: 1, size: value.size, entries: () => scored(value), score: (member) => value.score(member) };
  }
  if (!(value instanceof SetValue)) return fail(WRONG_TYPE);
  return {
    weight: 1,
    size: value.size,
    entries: () => unscored(value),
    score: (member) => (value.has(member) ? 1 : undefined),
  };
}

function* scored(zset: SortedSetValue): Generator<readonly [string, number], void, undefined> {
  for (const { key, score } of zset.values()) yield [key, score];
}

function* unscored(set: SetValue): Generator<readonly [string, number], void, undefined> {
  for (const member of set.elements()) yield [member, 1];
}

// ---- combining

type Aggregate = (a: number, b: number) => number;

/** Infinities of both signs cancel out to 0. */
const sum: Aggregate = (a, b) => orZero(a + b);

const AGGREGATES: ReadonlyMap<string, Aggregate> = new Map([
  ["SUM", sum],
  ["MIN", (a, b) => (b < a ? b : a)],
  ["MAX", (a, b) => (b > a ? b : a)],
]);

/** Zero times infinity counts as 0. */
function orZero(score: number): number {
  return Number.isNaN(score) ? 0 : score;
}

/** Redis begins with the smallest set; the order decides how sums are rounded. */
function smallestFirst(sources: readonly Source[]): Source[] {
  return [...sources].sort((a, b) => a.size - b.size);
}

function union(sources: readonly Source[], aggregate: Aggregate): Scores {
  const scores: Scores = new Map();
  for (const { weight, entries } of smallestFirst(sources)) {
    for (const [member, score] of entries()) {
      const known = scores.get(member);
      const own = orZero(weight * score);
      scores.set(member, known === undefined ? own : aggregate(known, own));
    }
  }
  return scores;
}

/** Stops when it has found `limit` members. */
function intersection(sources: readonly Source[], aggregate: Aggregate, limit = Infinity): Scores {
  const scores: Scores = new Map();
  const [smallest, ...others] = smallestFirst(sources);
  if (smallest === undefined) return scores;
  for (const [member, score] of smallest.entries()) {
    const total = totalIn(others, member, orZero(smallest.weight * score), aggregate);
    if (total !== undefined) scores.set(member, total);
    if (scores.size >= limit) break;
  }
  return scores;
}

function totalIn(others: readonly Source[], member: string, own: number, aggregate: Aggregate): number | undefined {
  let total = own;
  for (const { weight, score } of others) {
    const found = score(member);
    if (found === undefined) return undefined;
    total = aggregate(total, found * weight);
  }
  return total;
}

/** The first set's members, with their scores, that are in none of the others. */
function difference([first, ...others]: readonly Source[]): Scores {
  const scores: Scores = new Map();
  if (first === undefined) return scores;
  for (const [member, score] of first.entries()) {
    if (others.every((other) => other.score(member) === undefined)) scores.set(member, score);
  }
  return scores;
}

function inOrder(ctx: Session, scores: Scores, withScores: boolean): Reply {
  const members = [...scores].map(([key, score]) => ({ key, score }));
  members.sort((a, b) => a.score - b.score || (a.key < b.key ? -1 : 1));
  return membersReply(ctx, members, withScores);
}
