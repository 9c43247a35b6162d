/** Sets: their members one by one. `sets-algebra.ts` has what combines several, `sets-walk.ts` what walks one or draws from it. */
import { EVENT } from "../config/notifications.ts";
import { type Reply, SetReply } from "../base/reply.ts";
import type { Session } from "../engine/session.ts";
import { SetValue } from "../values/set.ts";
import { type Command, command } from "../engine/command.ts";

export const setMemberCommands: readonly Command[] = [
  command({
    name: "sadd",
    arity: -3,
    flags: "write denyoom fast",
    keys: [1, 1, 1],
    category: "set",
    run: (ctx, args) => add(ctx, args),
  }),
  command({
    name: "srem",
    arity: -3,
    flags: "write fast",
    keys: [1, 1, 1],
    category: "set",
    run: (ctx, args) => remove(ctx, args),
  }),
  command({
    name: "smove",
    arity: 4,
    flags: "write fast",
    keys: [1, 2, 1],
    category: "set",
    run: (ctx, [, source, destination, member]) => move(ctx, source, destination, member),
  }),
  command({
    name: "scard",
    arity: 2,
    flags: "readonly fast",
    keys: [1, 1, 1],
    category: "set",
    run: (ctx, [, key]) => ctx.db.readAs(key, SetValue)?.size ?? 0,
  }),
  command({
    name: "sismember",
    arity: 3,
    flags: "readonly fast",
    keys: [1, 1, 1],
    category: "set",
    run: (ctx, [, key, member]) => (ctx.db.readAs(key, SetValue)?.has(member) === true ? 1 : 0),
  }),
  command({
    name: "smismember",
    arity: -3,
    flags: "readonly fast",
    keys: [1, 1, 1],
    category: "set",
    run: (ctx, args) => {
      const set = ctx.db.readAs(args[1], SetValue);
      return args.slice(2).map((member) => (set?.has(member) === true ? 1 : 0));
    },
  }),
  command({
    name: "smembers",
    arity: 2,
    flags: "readonly",
    keys: [1, 1, 1],
    category: "set",
    run: (ctx, [, key]) => new SetReply(ctx.db.readAs(key, SetValue)?.members(ctx.engine.config) ?? []),
  }),
];

function add(ctx: Session, args: readonly [string, string, ...string[]]): Reply {
  const [, key] = args;
  const set = setForWrite(ctx, key);
  let added = 0;
  for (let i = 2; i < args.length; i += 1) if (set.add(args[i] as string)) added += 1;
  if (added > 0) ctx.db.changed(key, EVENT.set, "sadd");
  return added;
}

function setForWrite(ctx: Session, key: string): SetValue {
  const known = ctx.db.getAs(key, SetValue);
  if (known !== undefined) return known;
  const set = new SetValue();
  ctx.db.add(key, set);
  return set;
}

function remove(ctx: Session, args: readonly [string, string, ...string[]]): Reply {
  const [, key] = args;
  const set = ctx.db.getAs(key, SetValue);
  if (set === undefined) return 0;
  let removed = 0;
  for (let i = 2; i < args.length; i += 1) if (set.delete(args[i] as string)) removed += 1;
  if (removed > 0) ctx.db.removed(key, set, EVENT.set, "srem");
  return removed;
}

function move(ctx: Session, source: string, destination: string, member: string): Reply {
  if (!ctx.db.has(source)) return 0;
  const from = ctx.db.getAs(source, SetValue);
  const to = ctx.db.getAs(destination, SetValue);
  if (from === undefined || !from.has(member)) return 0;
  if (from === to) return 1;
  from.delete(member);
  ctx.db.removed(source, from, EVENT.set, "srem");
  if (setForWrite(ctx, destination).add(member)) ctx.db.changed(destination, EVENT.set, "sadd");
  return 1;
}
