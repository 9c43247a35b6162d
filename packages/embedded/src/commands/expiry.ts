/** Times to live: setting, reading and removing them. */
import { fail, NOT_AN_INTEGER, shown } from "../base/errors.ts";
import { EVENT } from "../config/notifications.ts";
import { parseInt64 } from "../base/numbers.ts";
import type { Reply } from "../base/reply.ts";
import type { Session } from "../engine/session.ts";
import { type Command, command } from "../engine/command.ts";

type Unit = 1 | 1000;

export const expiryCommands: readonly Command[] = [
  setter("expire", 1000, false),
  setter("pexpire", 1, false),
  setter("expireat", 1000, true),
  setter("pexpireat", 1, true),
  getter("ttl", (atMs, nowMs) => Math.floor((Math.max(atMs - nowMs, 0) + 500) / 1000)),
  getter("pttl", (atMs, nowMs) => Math.max(atMs - nowMs, 0)),
  getter("expiretime", (atMs) => Math.floor((atMs + 500) / 1000)),
  getter("pexpiretime", (atMs) => atMs),
  command({
    name: "persist",
    arity: 2,
    flags: "write fast",
    keys: [1, 1, 1],
    category: "keyspace",
    run: (ctx, [, key]) => {
      const entry = ctx.db.forWrite(key);
      if (entry === undefined || entry.expiresAtMs === Infinity) return 0;
      ctx.db.setDeadline(entry, Infinity);
      ctx.db.changed(key, EVENT.generic, "persist");
      return 1;
    },
  }),
];

function setter(name: string, unit: Unit, absolute: boolean): Command {
  return command({
    name,
    arity: -3,
    flags: "write fast",
    keys: [1, 1, 1],
    category: "keyspace",
    run: (ctx, args) => expire(ctx, name, args, unit, absolute),
  });
}

/** -2 for no key, -1 for no time to live. */
function getter(name: string, show: (atMs: number, nowMs: number) => number): Command {
  return command({
    name,
    arity: 2,
    flags: "readonly fast",
    keys: [1, 1, 1],
    category: "keyspace",
    run: (ctx, [, key]) => {
      const entry = ctx.db.inspect(key);
      if (entry === undefined) return -2;
      return entry.expiresAtMs === Infinity ? -1 : show(entry.expiresAtMs, ctx.nowMs);
    },
  });
}

interface Condition {
  nx: boolean;
  xx: boolean;
  gt: boolean;
  lt: boolean;
}

function conditions(args: readonly string[]): Condition {
  const condition: Condition = { nx: false, xx: false, gt: false, lt: false };
  for (const option of args.slice(3)) {
    const name = option.toLowerCase();
    if (name !== "nx" && name !== "xx" && name !== "gt" && name !== "lt")
      fail(`ERR Unsupported option ${shown(option)}`);
    condition[name] = true;
  }
  const { nx, xx, gt, lt } = condition;
  if (nx && (xx || gt || lt)) fail("ERR NX and XX, GT or LT options at the same time are not compatible");
  if (gt && lt) fail("ERR GT and LT options at the same time are not compatible");
  return condition;
}

/** A key without a time to live counts as one that lives for ever. */
function holds({ nx, xx, gt, lt }: Condition, currentMs: number, nextMs: number): boolean {
  if (nx && currentMs !== Infinity) return false;
  if (xx && currentMs === Infinity) return false;
  if (gt && nextMs <= currentMs) return false;
  return !(lt && nextMs >= currentMs);
}

function expire(
  ctx: Session,
  name: string,
  args: readonly [string, string, string, ...string[]],
  unit: Unit,
  absolute: boolean,
): Reply {
  const [, key, amount] = args;
  const condition = conditions(args);
  const atMs = deadline(ctx, name, amount, unit, absolute);
  const entry = ctx.db.forWrite(key);
  if (entry === undefined || !holds(condition, entry.expiresAtMs, atMs)) return 0;
  if (atMs <= ctx.nowMs) {
    ctx.db.delete(key);
    ctx.db.changed(key, EVENT.generic, "del");
  } else {
    ctx.db.setDeadline(entry, atMs);
    ctx.db.changed(key, EVENT.generic, "expire");
  }
  return 1;
}

const MAX_INT64 = 9223372036854775807n;

/** Milliseconds since the epoch; a time in the past is allowed, one beyond 64 bits is not. */
function deadline(ctx: Session, name: string, text: string, unit: Unit, absolute: boolean): number {
  const amount = BigInt(parseInt64(text) ?? fail(NOT_AN_INTEGER));
  const ms = amount * BigInt(unit);
  const atMs = absolute ? ms : ms + BigInt(ctx.nowMs);
  if (ms < -MAX_INT64 - 1n || ms > MAX_INT64 || atMs > MAX_INT64) fail(`ERR invalid expire time in '${name}' command`);
  return Number(atMs);
}
