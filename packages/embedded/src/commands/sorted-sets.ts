/**
 * Sorted sets: reading and removing. The others of the family: `sorted-sets-add.ts`, `-range.ts`, `-pop.ts`, `-combine.ts`,
 * `-random.ts`.
 */
import { matches } from "../base/glob.ts";
import { EVENT } from "../config/notifications.ts";
import { formatDouble } from "../base/numbers.ts";
import { Double, NIL, type Reply } from "../base/reply.ts";
import type { Session } from "../engine/session.ts";
import { type Member, SortedSetValue } from "../values/sorted-set.ts";
import { cursorArgument, scanOptions } from "./arguments.ts";
import { type Command, command } from "../engine/command.ts";
import { memberRange, type RangeFinder, rankRange, scoreRange } from "./sorted-set-ranges.ts";

export const sortedSetCommands: readonly Command[] = [
  command({
    name: "zcard",
    arity: 2,
    flags: "readonly fast",
    keys: [1, 1, 1],
    category: "sortedset",
    run: (ctx, [, key]) => ctx.db.readAs(key, SortedSetValue)?.size ?? 0,
  }),
  command({
    name: "zscore",
    arity: 3,
    flags: "readonly fast",
    keys: [1, 1, 1],
    category: "sortedset",
    run: (ctx, [, key, member]) => scoreReply(ctx.db.readAs(key, SortedSetValue), member),
  }),
  command({
    name: "zmscore",
    arity: -3,
    flags: "readonly fast",
    keys: [1, 1, 1],
    category: "sortedset",
    run: (ctx, [, key, ...members]) => {
      const zset = ctx.db.readAs(key, SortedSetValue);
      return members.map((member) => scoreReply(zset, member));
    },
  }),
  command({
    name: "zrank",
    arity: 3,
    flags: "readonly fast",
    keys: [1, 1, 1],
    category: "sortedset",
    run: (ctx, [, key, member]) => ctx.db.readAs(key, SortedSetValue)?.rank(member) ?? NIL,
  }),
  command({
    name: "zrevrank",
    arity: 3,
    flags: "readonly fast",
    keys: [1, 1, 1],
    category: "sortedset",
    run: (ctx, [, key, member]) => {
      const zset = ctx.db.readAs(key, SortedSetValue);
      const rank = zset?.rank(member);
      return zset === undefined || rank === undefined ? NIL : zset.size - 1 - rank;
    },
  }),
  command({
    name: "zcount",
    arity: 4,
    flags: "readonly fast",
    keys: [1, 1, 1],
    category: "sortedset",
    run: (ctx, [, key, min, max]) => countRange(ctx, key, scoreRange(min, max)),
  }),
  command({
    name: "zlexcount",
    arity: 4,
    flags: "readonly fast",
    keys: [1, 1, 1],
    category: "sortedset",
    run: (ctx, [, key, min, max]) => countRange(ctx, key, memberRange(min, max)),
  }),
  command({
    name: "zscan",
    arity: -3,
    flags: "readonly",
    keys: [1, 1, 1],
    category: "sortedset",
    run: (ctx, args) => scan(ctx, args[1], cursorArgument(args[2]), args),
  }),
  command({
    name: "zrem",
    arity: -3,
    flags: "write fast",
    keys: [1, 1, 1],
    category: "sortedset",
    run: (ctx, [, key, ...members]) => remove(ctx, key, members),
  }),
  command({
    name: "zremrangebyrank",
    arity: 4,
    flags: "write",
    keys: [1, 1, 1],
    category: "sortedset",
    run: (ctx, [, key, start, stop]) => removeRange(ctx, key, rankRange(start, stop), "zremrangebyrank"),
  }),
  command({
    name: "zremrangebyscore",
    arity: 4,
    flags: "write",
    keys: [1, 1, 1],
    category: "sortedset",
    run: (ctx, [, key, min, max]) => removeRange(ctx, key, scoreRange(min, max), "zremrangebyscore"),
  }),
  command({
    name: "zremrangebylex",
    arity: 4,
    flags: "write",
    keys: [1, 1, 1],
    category: "sortedset",
    run: (ctx, [, key, min, max]) => removeRange(ctx, key, memberRange(min, max), "zremrangebylex"),
  }),
];

function scoreReply(zset: SortedSetValue | undefined, member: string): Reply {
  const score = zset?.score(member);
  return score === undefined ? NIL : new Double(score);
}

function countRange(ctx: Session, key: string, find: RangeFinder): Reply {
  const zset = ctx.db.readAs(key, SortedSetValue);
  if (zset === undefined) return 0;
  const { start, end } = find(zset);
  return end - start;
}

function remove(ctx: Session, key: string, members: readonly string[]): Reply {
  const zset = ctx.db.getAs(key, SortedSetValue);
  if (zset === undefined) return 0;
  let removed = 0;
  for (const member of members) if (zset.delete(member)) removed += 1;
  if (removed > 0) ctx.db.removed(key, zset, EVENT.zset, "zrem");
  return removed;
}

function removeRange(ctx: Session, key: string, find: RangeFinder, event: string): Reply {
  const zset = ctx.db.getAs(key, SortedSetValue);
  if (zset === undefined) return 0;
  const removed = zset.deleteSlice(find(zset)).length;
  if (removed > 0) ctx.db.removed(key, zset, EVENT.zset, event);
  return removed;
}

/** A small set comes in one step and in order, as from Redis's listpack. */
function scan(ctx: Session, key: string, cursor: number, args: readonly string[]): Reply {
  const zset = ctx.db.readAs(key, SortedSetValue);
  if (zset === undefined) return ["0", []];
  const { pattern, count } = scanOptions(args, 3);
  const step = zset.isCompact ? { cursor: 0, nodes: [...zset.values()] } : zset.scan(cursor, count);
  const shown = pattern === undefined ? step.nodes : step.nodes.filter((node) => matches(pattern, node.key));
  return [String(step.cursor), shown.flatMap((member) => [member.key, scannedScore(zset, member)])];
}

/** The whole numbers which a listpack keeps as integers. */
const INTEGERS = 2 ** 62;

function scannedScore(zset: SortedSetValue, { score }: Member): string {
  const isInteger = zset.isCompact && Number.isInteger(score) && Math.abs(score) <= INTEGERS;
  return isInteger ? BigInt(score).toString() : formatDouble(score);
}
