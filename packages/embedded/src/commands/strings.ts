/** Strings: reading, counting, and changing a part. `strings-set.ts` has SET and its relatives. */
import { fail, NOT_A_FLOAT } from "../base/errors.ts";
import { addLongDoubles, parseLongDouble } from "../base/long-double.ts";
import { EVENT } from "../config/notifications.ts";
import { addInt64, int64Argument, integerArgument, parseInt64 } from "../base/numbers.ts";
import { NIL, type Reply } from "../base/reply.ts";
import type { Session } from "../engine/session.ts";
import { Bytes } from "../values/bytes.ts";
import { type Command, command } from "../engine/command.ts";

const TOO_LONG = "ERR string exceeds maximum allowed size (proto-max-bulk-len)";
const OVERFLOW = "ERR increment or decrement would overflow";

export const stringCommands: readonly Command[] = [
  command({
    name: "get",
    arity: 2,
    flags: "readonly fast",
    keys: [1, 1, 1],
    category: "string",
    run: (ctx, [, key]) => ctx.db.readString(key) ?? NIL,
  }),
  command({
    name: "mget",
    arity: -2,
    flags: "readonly fast",
    keys: [1, -1, 1],
    category: "string",
    run: (ctx, args) => args.slice(1).map((key) => stringOrNil(ctx, key)),
  }),
  command({
    name: "strlen",
    arity: 2,
    flags: "readonly fast",
    keys: [1, 1, 1],
    category: "string",
    run: (ctx, [, key]) => ctx.db.readString(key)?.length ?? 0,
  }),
  command({
    name: "getrange",
    arity: 4,
    flags: "readonly",
    keys: [1, 1, 1],
    category: "string",
    run: (ctx, [, key, start, end]) => range(ctx, key, integerArgument(start), integerArgument(end)),
  }),
  command({
    name: "substr",
    arity: 4,
    flags: "readonly",
    keys: [1, 1, 1],
    category: "string",
    run: (ctx, [, key, start, end]) => range(ctx, key, integerArgument(start), integerArgument(end)),
  }),
  command({
    name: "append",
    arity: 3,
    flags: "write denyoom fast",
    keys: [1, 1, 1],
    category: "string",
    run: (ctx, [, key, suffix]) => append(ctx, key, suffix),
  }),
  command({
    name: "setrange",
    arity: 4,
    flags: "write denyoom",
    keys: [1, 1, 1],
    category: "string",
    run: (ctx, [, key, offset, text]) => setRange(ctx, key, integerArgument(offset), text),
  }),
  command({
    name: "incr",
    arity: 2,
    flags: "write denyoom fast",
    keys: [1, 1, 1],
    category: "string",
    run: (ctx, [, key]) => increment(ctx, key, 1),
  }),
  command({
    name: "decr",
    arity: 2,
    flags: "write denyoom fast",
    keys: [1, 1, 1],
    category: "string",
    run: (ctx, [, key]) => increment(ctx, key, -1),
  }),
  command({
    name: "incrby",
    arity: 3,
    flags: "write denyoom fast",
    keys: [1, 1, 1],
    category: "string",
    run: (ctx, [, key, by]) => increment(ctx, key, int64Argument(by)),
  }),
  command({
    name: "decrby",
    arity: 3,
    flags: "write denyoom fast",
    keys: [1, 1, 1],
    category: "string",
    run: (ctx, [, key, by]) => decrementBy(ctx, key, int64Argument(by)),
  }),
  command({
    name: "incrbyfloat",
    arity: 3,
    flags: "write denyoom fast",
    keys: [1, 1, 1],
    category: "string",
    run: (ctx, [, key, by]) => incrementByFloat(ctx, key, by),
  }),
];

/** MGET takes what is no string for nothing. */
function stringOrNil(ctx: Session, key: string): Reply {
  const value = ctx.db.read(key)?.value;
  if (typeof value === "string") return value;
  return value instanceof Bytes ? value.toString() : NIL;
}

/** Both ends included; negative ones count from the end. */
function range(ctx: Session, key: string, start: number, end: number): string {
  const text = ctx.db.readString(key) ?? "";
  if (start < 0 && end < 0 && start > end) return "";
  const from = start < 0 ? Math.max(text.length + start, 0) : start;
  const to = end < 0 ? Math.max(text.length + end, 0) : end;
  return text.slice(from, to + 1);
}

function append(ctx: Session, key: string, suffix: string): Reply {
  const old = ctx.db.bytesForWrite(key);
  const length = (old?.length ?? 0) + suffix.length;
  refuseLength(ctx, length);
  if (old === undefined) ctx.db.add(key, suffix);
  else old.write(old.length, suffix);
  ctx.db.changed(key, EVENT.string, "append");
  return length;
}

function setRange(ctx: Session, key: string, offset: number, text: string): Reply {
  if (offset < 0) fail("ERR offset is out of range");
  if (text === "") return ctx.db.stringForWrite(key)?.length ?? 0;
  if (offset + text.length > ctx.engine.maxBulkLength) {
    ctx.db.stringForWrite(key);
    fail(TOO_LONG);
  }
  const old = ctx.db.bytesForWrite(key);
  const bytes = old ?? new Bytes("");
  bytes.write(offset, text);
  if (old === undefined) ctx.db.add(key, bytes);
  ctx.db.changed(key, EVENT.string, "setrange");
  return bytes.length;
}

function increment(ctx: Session, key: string, by: number | bigint): Reply {
  const old = ctx.db.stringForWrite(key);
  const sum = addInt64(old === undefined ? 0 : int64Argument(old), by) ?? fail(OVERFLOW);
  replace(ctx, key, String(sum));
  ctx.db.changed(key, EVENT.string, "incrby");
  return sum;
}

function decrementBy(ctx: Session, key: string, by: number | bigint): Reply {
  const negated = typeof by === "number" ? -by : parseInt64(String(-by));
  return increment(ctx, key, negated ?? fail("ERR decrement would overflow"));
}

function incrementByFloat(ctx: Session, key: string, by: string): Reply {
  const old = ctx.db.stringForWrite(key) ?? "0";
  const sum = addLongDoubles(parseLongDouble(old) ?? fail(NOT_A_FLOAT), parseLongDouble(by) ?? fail(NOT_A_FLOAT));
  replace(ctx, key, sum);
  ctx.db.changed(key, EVENT.string, "incrbyfloat");
  return sum;
}

/** A new value under the time to live that is there. */
function replace(ctx: Session, key: string, text: string): void {
  const entry = ctx.db.find(key);
  if (entry === undefined) ctx.db.add(key, text);
  else entry.value = text;
}

function refuseLength(ctx: Session, length: number): void {
  if (length > ctx.engine.maxBulkLength) fail(TOO_LONG);
}
