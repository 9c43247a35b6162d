/** Sets: in steps, and at random. */
import { fail, SYNTAX } from "../base/errors.ts";
import { matches } from "../base/glob.ts";
import { EVENT } from "../config/notifications.ts";
import { rangeArgument } from "../base/numbers.ts";
import { NIL, type Reply, SetReply } from "../base/reply.ts";
import type { Session } from "../engine/session.ts";
import { SetValue } from "../values/set.ts";
import { cursorArgument, scanOptions } from "./arguments.ts";
import { independentDraws, randomCountArgument } from "./random-count.ts";
import { type Command, command } from "../engine/command.ts";

/** When less than a fifth would stay, Redis moves what stays to a new set, which may be an intset again. */
const REBUILD = 5;

export const setWalkCommands: readonly Command[] = [
  command({
    name: "sscan",
    arity: -3,
    flags: "readonly",
    keys: [1, 1, 1],
    category: "set",
    run: (ctx, args) => scan(ctx, args),
  }),
  command({
    name: "srandmember",
    arity: -2,
    flags: "readonly",
    keys: [1, 1, 1],
    category: "set",
    run: (ctx, [, key, count, ...rest]) => {
      if (rest.length > 0) fail(SYNTAX);
      if (count === undefined) return ctx.db.readAs(key, SetValue)?.random(ctx.engine.random) ?? NIL;
      return randomMembers(ctx, key, randomCountArgument(count));
    },
  }),
  command({
    name: "spop",
    arity: -2,
    flags: "write fast",
    keys: [1, 1, 1],
    category: "set",
    run: (ctx, [, key, count, ...rest]) => {
      if (rest.length > 0) fail(SYNTAX);
      if (count === undefined) return popOne(ctx, key);
      return new SetReply(
        pop(ctx, key, rangeArgument(count, 0, Infinity, "ERR value is out of range, must be positive")),
      );
    },
  }),
];

function scan(ctx: Session, args: readonly [string, string, string, ...string[]]): Reply {
  const start = cursorArgument(args[2]);
  const set = ctx.db.readAs(args[1], SetValue);
  if (set === undefined) return ["0", []];
  const { pattern, count } = scanOptions(args, 3);
  const { cursor, members } = set.scan(start, count, ctx.engine.config);
  return [String(cursor), pattern === undefined ? members : members.filter((member) => matches(pattern, member))];
}

/** A negative count draws so many times, so that a member may come twice. */
function randomMembers(ctx: Session, key: string, count: number | bigint): Reply {
  const set = ctx.db.readAs(key, SetValue);
  if (set === undefined) return [];
  if (count < 0) return independentDraws(count, () => set.random(ctx.engine.random));
  return count >= set.size ? set.members(ctx.engine.config) : set.sample(Number(count), ctx.engine.random);
}

function popOne(ctx: Session, key: string): Reply {
  const set = ctx.db.getAs(key, SetValue);
  if (set === undefined) return NIL;
  const member = set.random(ctx.engine.random);
  set.delete(member);
  ctx.db.removed(key, set, EVENT.set, "spop");
  return member;
}

function pop(ctx: Session, key: string, count: number): string[] {
  const set = ctx.db.getAs(key, SetValue);
  if (set === undefined || count === 0) return [];
  const popped = count >= set.size ? set.members(ctx.engine.config) : set.sample(count, ctx.engine.random);
  for (const member of popped) set.delete(member);
  ctx.db.removed(key, set, EVENT.set, "spop");
  if (set.size > 0 && set.size * REBUILD <= count) rebuild(ctx, key, set);
  return popped;
}

function rebuild(ctx: Session, key: string, old: SetValue): void {
  const set = new SetValue();
  for (const member of old.elements()) set.add(member);
  const entry = ctx.db.find(key);
  if (entry !== undefined) entry.value = set;
}
