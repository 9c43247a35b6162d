/** ZRANDMEMBER: members drawn by chance. */
import { fail, SYNTAX } from "../base/errors.ts";
import { NIL, type Reply } from "../base/reply.ts";
import type { Session } from "../engine/session.ts";
import { type Member, SortedSetValue } from "../values/sorted-set.ts";
import { independentDraws, MAX_PAIRS, randomCountArgument } from "./random-count.ts";
import { type Args, type Command, command, is } from "../engine/command.ts";
import { membersReply } from "./sorted-sets-range.ts";

export const sortedSetRandomCommands: readonly Command[] = [
  command({
    name: "zrandmember",
    arity: -2,
    flags: "readonly",
    keys: [1, 1, 1],
    category: "sortedset",
    run: (ctx, args) => (args.length === 2 ? one(ctx, args[1]) : several(ctx, args)),
  }),
];

function one(ctx: Session, key: string): Reply {
  return ctx.db.readAs(key, SortedSetValue)?.random(ctx.engine.random).key ?? NIL;
}

/** A negative count may draw the same member more than once, and returns exactly as many. */
function several(ctx: Session, args: Args<-2>): Reply {
  const count = randomCountArgument(args[2] ?? "");
  const withScores = args.length === 4 && is(args[3], "WITHSCORES");
  if (args.length > 3 && !withScores) fail(SYNTAX);
  if (withScores && (count > MAX_PAIRS || count < -MAX_PAIRS)) fail("ERR value is out of range");
  const zset = ctx.db.readAs(args[1], SortedSetValue);
  if (zset === undefined) return [];
  return membersReply(ctx, drawn(ctx, zset, count), withScores);
}

/** All of them come from the highest down, as Redis walks a sorted set. */
function drawn(ctx: Session, zset: SortedSetValue, count: number | bigint): readonly Member[] {
  if (count < 0) return independentDraws(count, () => zset.random(ctx.engine.random));
  return count >= zset.size ? [...zset.values()].toReversed() : zset.sample(Number(count), ctx.engine.random);
}
