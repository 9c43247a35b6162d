/** Sorted sets: taking the lowest or highest members, at once or as soon as there are some. */
import { fail, SYNTAX } from "../base/errors.ts";
import { EVENT } from "../config/notifications.ts";
import { rangeArgument } from "../base/numbers.ts";
import { type Blocked, Double, NIL_ARRAY, type Reply } from "../base/reply.ts";
import type { Session } from "../engine/session.ts";
import { type Member, SortedSetValue } from "../values/sorted-set.ts";
import { timeoutArgument } from "./arguments.ts";
import { type MultiPop, multiPopArguments } from "./multi-pop.ts";
import { type Args, type Command, command, countedKeys, is } from "../engine/command.ts";

const MAX = 2 ** 63;

type End = "min" | "max";

export const sortedSetPopCommands: readonly Command[] = [
  command({
    name: "zpopmin",
    arity: -2,
    flags: "write fast",
    keys: [1, 1, 1],
    category: "sortedset",
    run: (ctx, args) => pop(ctx, args, "min"),
  }),
  command({
    name: "zpopmax",
    arity: -2,
    flags: "write fast",
    keys: [1, 1, 1],
    category: "sortedset",
    run: (ctx, args) => pop(ctx, args, "max"),
  }),
  command({
    name: "zmpop",
    arity: -4,
    flags: "write",
    keys: countedKeys(1),
    category: "sortedset",
    run: (ctx, args) => popFirst(ctx, multiPopArguments(args, 1, endArgument), pairsWithKey) ?? NIL_ARRAY,
  }),
  command({
    name: "bzpopmin",
    arity: -3,
    flags: "write noscript blocking fast",
    keys: [1, -2, 1],
    category: "sortedset",
    run: (ctx, args) => popOneOrWait(ctx, args, "min"),
  }),
  command({
    name: "bzpopmax",
    arity: -3,
    flags: "write noscript blocking fast",
    keys: [1, -2, 1],
    category: "sortedset",
    run: (ctx, args) => popOneOrWait(ctx, args, "max"),
  }),
  command({
    name: "bzmpop",
    arity: -5,
    flags: "write blocking",
    keys: countedKeys(2),
    category: "sortedset",
    run: (ctx, args) => {
      const request = multiPopArguments(args, 2, endArgument);
      return popOrWait(ctx, request, timeoutArgument(args[1]), pairsWithKey);
    },
  }),
];

function endArgument(text: string): End {
  if (is(text, "MIN")) return "min";
  return is(text, "MAX") ? "max" : fail(SYNTAX);
}

/** Without a count one member and its score; with one, pairs in RESP3. */
function pop(ctx: Session, args: Args<-2>, end: End): Reply {
  if (args.length > 3) fail(SYNTAX);
  const [, key, countText] = args;
  const count =
    countText === undefined ? 1 : rangeArgument(countText, 0, MAX, "ERR value is out of range, must be positive");
  const zset = ctx.db.getAs(key, SortedSetValue);
  if (zset === undefined || count === 0) return [];
  const members = take(ctx, key, zset, end, count);
  return ctx.resp === 3 && countText !== undefined ? pairs(members) : flat(members);
}

/** Up to `count` members, the lowest or highest first. */
function take(ctx: Session, key: string, zset: SortedSetValue, end: End, count: number): Member[] {
  const taken = Math.min(count, zset.size);
  const start = end === "min" ? 0 : zset.size - taken;
  const members = zset.deleteSlice({ start, end: start + taken });
  ctx.db.removed(key, zset, EVENT.zset, end === "min" ? "zpopmin" : "zpopmax");
  return end === "min" ? members : members.toReversed();
}

function flat(members: readonly Member[]): Reply[] {
  return members.flatMap(({ key, score }) => [key, new Double(score)]);
}

function pairs(members: readonly Member[]): Reply[] {
  return members.map(({ key, score }) => [key, new Double(score)]);
}

type Show = (key: string, members: readonly Member[]) => Reply;

const flatWithKey: Show = (key, members) => [key, ...flat(members)];
const pairsWithKey: Show = (key, members) => [key, pairs(members)];

/** From the first of the keys that is there. */
function popFirst(ctx: Session, { keys, end, count }: MultiPop<End>, show: Show): Reply | undefined {
  for (const key of keys) {
    const zset = ctx.db.getAs(key, SortedSetValue);
    if (zset !== undefined) return show(key, take(ctx, key, zset, end, count));
  }
  return undefined;
}

function popOneOrWait(ctx: Session, args: readonly string[], end: End): Reply | Blocked {
  const timeoutMs = timeoutArgument(args[args.length - 1] ?? "");
  return popOrWait(ctx, { keys: args.slice(1, -1), end, count: 1 }, timeoutMs, flatWithKey);
}

function popOrWait(ctx: Session, request: MultiPop<End>, timeoutMs: number, show: Show): Reply | Blocked {
  const reply = popFirst(ctx, request, show);
  if (reply !== undefined) return reply;
  return ctx.block({
    keys: request.keys,
    timeoutMs,
    timeoutReply: NIL_ARRAY,
    serve(key) {
      const zset = ctx.db.find(key)?.value;
      if (!(zset instanceof SortedSetValue)) return undefined;
      return show(key, take(ctx, key, zset, request.end, request.count));
    },
  });
}
