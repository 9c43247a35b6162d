/** Sorted sets: ZRANGE with all its options, the older commands it replaces, and ZRANGESTORE. */
import { fail, SYNTAX } from "../base/errors.ts";
import { integerArgument } from "../base/numbers.ts";
import { Double, type Reply } from "../base/reply.ts";
import type { Session } from "../engine/session.ts";
import { type Member, SortedSetValue, type Span } from "../values/sorted-set.ts";
import { type Command, command } from "../engine/command.ts";
import { EMPTY, memberRange, type RangeFinder, rankRange, scoreRange } from "./sorted-set-ranges.ts";
import { storeSortedSet } from "./sorted-sets-add.ts";

export const sortedSetRangeCommands: readonly Command[] = [
  command({
    name: "zrange",
    arity: -4,
    flags: "readonly",
    keys: [1, 1, 1],
    category: "sortedset",
    run: (ctx, args) => range(ctx, args, {}),
  }),
  command({
    name: "zrevrange",
    arity: -4,
    flags: "readonly",
    keys: [1, 1, 1],
    category: "sortedset",
    run: (ctx, args) => range(ctx, args, { by: "rank", reverse: true }),
  }),
  command({
    name: "zrangebyscore",
    arity: -4,
    flags: "readonly",
    keys: [1, 1, 1],
    category: "sortedset",
    run: (ctx, args) => range(ctx, args, { by: "score", reverse: false }),
  }),
  command({
    name: "zrevrangebyscore",
    arity: -4,
    flags: "readonly",
    keys: [1, 1, 1],
    category: "sortedset",
    run: (ctx, args) => range(ctx, args, { by: "score", reverse: true }),
  }),
  command({
    name: "zrangebylex",
    arity: -4,
    flags: "readonly",
    keys: [1, 1, 1],
    category: "sortedset",
    run: (ctx, args) => range(ctx, args, { by: "member", reverse: false }),
  }),
  command({
    name: "zrevrangebylex",
    arity: -4,
    flags: "readonly",
    keys: [1, 1, 1],
    category: "sortedset",
    run: (ctx, args) => range(ctx, args, { by: "member", reverse: true }),
  }),
  command({
    name: "zrangestore",
    arity: -5,
    flags: "write denyoom",
    keys: [1, 2, 1],
    category: "sortedset",
    run: (ctx, args) => {
      const result = new SortedSetValue(ctx.engine.config);
      for (const { key, score } of select(ctx, args.slice(1), {}, false).members) result.set(key, score);
      return storeSortedSet(ctx, args[1], result, "zrangestore");
    },
  }),
];

/** What a command's name has decided; the rest may be said by options. */
interface Given {
  readonly by?: "rank" | "score" | "member";
  readonly reverse?: boolean;
}

interface Options {
  readonly by: "rank" | "score" | "member";
  readonly reverse: boolean;
  readonly withScores: boolean;
  readonly offset: number;
  /** Negative for no limit. */
  readonly limit: number;
}

function range(ctx: Session, args: readonly string[], given: Given): Reply {
  const { members, withScores } = select(ctx, args, given, true);
  return membersReply(ctx, members, withScores);
}

/** Scores stand in pairs with their members in RESP3, flat behind them in RESP2. */
export function membersReply(ctx: Session, members: readonly Readonly<Member>[], withScores: boolean): Reply {
  if (!withScores) return members.map(({ key }) => key);
  if (ctx.resp === 3) return members.map(({ key, score }) => [key, new Double(score)]);
  return members.flatMap(({ key, score }) => [key, new Double(score)]);
}

/** `args`: a word, the key, the two ends, options. */
function select(
  ctx: Session,
  args: readonly string[],
  given: Given,
  mayShowScores: boolean,
): { readonly members: readonly Member[]; readonly withScores: boolean } {
  const [, key = "", first = "", second = ""] = args;
  const options = optionsOf(args, given, mayShowScores);
  const find = rangeOf(first, second, options);
  const zset = ctx.db.readAs(key, SortedSetValue);
  if (zset === undefined) return { members: [], withScores: options.withScores };
  const members = zset.slice(limited(find(zset), options));
  return { members: options.reverse ? members.toReversed() : members, withScores: options.withScores };
}

function optionsOf(args: readonly string[], given: Given, mayShowScores: boolean): Options {
  let { by, reverse } = given;
  let withScores = false;
  let offset = 0;
  let limit = -1;
  for (let i = 4; i < args.length; i += 1) {
    const option = args[i]?.toUpperCase();
    if (option === "WITHSCORES" && mayShowScores) withScores = true;
    else if (option === "LIMIT" && i + 2 < args.length) {
      offset = integerArgument(args[++i] ?? "");
      limit = integerArgument(args[++i] ?? "");
    } else if (option === "REV" && reverse === undefined) reverse = true;
    else if (option === "BYLEX" && by === undefined) by = "member";
    else if (option === "BYSCORE" && by === undefined) by = "score";
    else fail(SYNTAX);
  }
  if (limit !== -1 && (by ?? "rank") === "rank") {
    fail("ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX");
  }
  if (withScores && by === "member") fail("ERR syntax error, WITHSCORES not supported in combination with BYLEX");
  return { by: by ?? "rank", reverse: reverse ?? false, withScores, offset, limit };
}

/** A reverse range by score or member names its higher end first. */
function rangeOf(first: string, second: string, { by, reverse }: Options): RangeFinder {
  if (by === "rank") return rankRange(first, second, reverse);
  const [min, max] = reverse ? [second, first] : [first, second];
  return by === "score" ? scoreRange(min, max) : memberRange(min, max);
}

/** LIMIT counts from the end where the range begins. A negative offset leaves nothing; ranks know no LIMIT. */
function limited(span: Span, { by, reverse, offset, limit }: Options): Span {
  if (by === "rank") return span;
  const { start, end } = span;
  const length = Math.min(end - start - offset, limit < 0 ? Infinity : limit);
  if (offset < 0 || length <= 0) return EMPTY;
  return reverse
    ? { start: end - offset - length, end: end - offset }
    : { start: start + offset, end: start + offset + length };
}
