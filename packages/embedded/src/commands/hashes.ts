/** Hashes: fields by their names. `hashes-walk.ts` has HSCAN and HRANDFIELD. */
import { fail, NOT_A_FLOAT, wrongArity } from "../base/errors.ts";
import { addLongDoubles, isInfinite, parseLongDouble } from "../base/long-double.ts";
import { EVENT } from "../config/notifications.ts";
import { addInt64, int64Argument, parseInt64 } from "../base/numbers.ts";
import { MapReply, NIL, OK, type Reply } from "../base/reply.ts";
import type { Session } from "../engine/session.ts";
import { type Field, HashValue } from "../values/hash.ts";
import { type Command, command } from "../engine/command.ts";

export const hashCommands: readonly Command[] = [
  command({
    name: "hset",
    arity: -4,
    flags: "write denyoom fast",
    keys: [1, 1, 1],
    category: "hash",
    run: (ctx, args) => setFields(ctx, args, "hset"),
  }),
  command({
    name: "hmset",
    arity: -4,
    flags: "write denyoom fast",
    keys: [1, 1, 1],
    category: "hash",
    run: (ctx, args) => {
      setFields(ctx, args, "hmset");
      return OK;
    },
  }),
  command({
    name: "hsetnx",
    arity: 4,
    flags: "write denyoom fast",
    keys: [1, 1, 1],
    category: "hash",
    run: (ctx, [, key, field, value]) => {
      if (ctx.db.getAs(key, HashValue)?.has(field) === true) return 0;
      setField(ctx, key, field, value, "hset");
      return 1;
    },
  }),
  command({
    name: "hget",
    arity: 3,
    flags: "readonly fast",
    keys: [1, 1, 1],
    category: "hash",
    run: (ctx, [, key, field]) => ctx.db.readAs(key, HashValue)?.get(field) ?? NIL,
  }),
  command({
    name: "hmget",
    arity: -3,
    flags: "readonly fast",
    keys: [1, 1, 1],
    category: "hash",
    run: (ctx, args) => {
      const hash = ctx.db.readAs(args[1], HashValue);
      return args.slice(2).map((field) => hash?.get(field) ?? NIL);
    },
  }),
  command({
    name: "hdel",
    arity: -3,
    flags: "write fast",
    keys: [1, 1, 1],
    category: "hash",
    run: (ctx, args) => deleteFields(ctx, args),
  }),
  command({
    name: "hlen",
    arity: 2,
    flags: "readonly fast",
    keys: [1, 1, 1],
    category: "hash",
    run: (ctx, [, key]) => ctx.db.readAs(key, HashValue)?.size ?? 0,
  }),
  command({
    name: "hstrlen",
    arity: 3,
    flags: "readonly fast",
    keys: [1, 1, 1],
    category: "hash",
    run: (ctx, [, key, field]) => ctx.db.readAs(key, HashValue)?.get(field)?.length ?? 0,
  }),
  command({
    name: "hexists",
    arity: 3,
    flags: "readonly fast",
    keys: [1, 1, 1],
    category: "hash",
    run: (ctx, [, key, field]) => (ctx.db.readAs(key, HashValue)?.has(field) === true ? 1 : 0),
  }),
  command({
    name: "hkeys",
    arity: 2,
    flags: "readonly",
    keys: [1, 1, 1],
    category: "hash",
    run: (ctx, [, key]) => fieldsOf(ctx, key).map((field) => field.key),
  }),
  command({
    name: "hvals",
    arity: 2,
    flags: "readonly",
    keys: [1, 1, 1],
    category: "hash",
    run: (ctx, [, key]) => fieldsOf(ctx, key).map((field) => field.value),
  }),
  command({
    name: "hgetall",
    arity: 2,
    flags: "readonly",
    keys: [1, 1, 1],
    category: "hash",
    run: (ctx, [, key]) => new MapReply(fieldsOf(ctx, key).flatMap((field) => [field.key, field.value])),
  }),
  command({
    name: "hincrby",
    arity: 4,
    flags: "write denyoom fast",
    keys: [1, 1, 1],
    category: "hash",
    run: (ctx, [, key, field, by]) => increment(ctx, key, field, int64Argument(by)),
  }),
  command({
    name: "hincrbyfloat",
    arity: 4,
    flags: "write denyoom fast",
    keys: [1, 1, 1],
    category: "hash",
    run: (ctx, [, key, field, by]) => incrementByFloat(ctx, key, field, by),
  }),
];

/** How many of the fields are new. */
function setFields(ctx: Session, args: readonly string[], name: string): number {
  if (args.length % 2 === 1) fail(wrongArity(name));
  const key = args[1] as string;
  const hash = hashForWrite(ctx, key);
  let created = 0;
  for (let i = 2; i < args.length; i += 2) if (hash.set(args[i] as string, args[i + 1] as string)) created += 1;
  ctx.db.changed(key, EVENT.hash, "hset");
  return created;
}

function setField(ctx: Session, key: string, field: string, value: string, event: string): void {
  hashForWrite(ctx, key).set(field, value);
  ctx.db.changed(key, EVENT.hash, event);
}

function hashForWrite(ctx: Session, key: string): HashValue {
  const known = ctx.db.getAs(key, HashValue);
  if (known !== undefined) return known;
  const hash = new HashValue();
  ctx.db.add(key, hash);
  return hash;
}

function deleteFields(ctx: Session, args: readonly [string, string, ...string[]]): number {
  const [, key] = args;
  const hash = ctx.db.getAs(key, HashValue);
  if (hash === undefined) return 0;
  let deleted = 0;
  for (let i = 2; i < args.length; i += 1) if (hash.delete(args[i] as string)) deleted += 1;
  if (deleted > 0) ctx.db.removed(key, hash, EVENT.hash, "hdel");
  return deleted;
}

function fieldsOf(ctx: Session, key: string): readonly Field[] {
  return ctx.db.readAs(key, HashValue)?.all() ?? [];
}

function increment(ctx: Session, key: string, field: string, by: number | bigint): Reply {
  const text = ctx.db.getAs(key, HashValue)?.get(field) ?? "0";
  const old = parseInt64(text) ?? fail("ERR hash value is not an integer");
  const sum = addInt64(old, by) ?? fail("ERR increment or decrement would overflow");
  setField(ctx, key, field, String(sum), "hincrby");
  return sum;
}

function incrementByFloat(ctx: Session, key: string, field: string, by: string): Reply {
  const amount = parseLongDouble(by) ?? fail(NOT_A_FLOAT);
  if (isInfinite(amount)) fail("ERR value is NaN or Infinity");
  const old = ctx.db.getAs(key, HashValue)?.get(field) ?? "0";
  const sum = addLongDoubles(parseLongDouble(old) ?? fail("ERR hash value is not a float"), amount);
  setField(ctx, key, field, sum, "hincrbyfloat");
  return sum;
}
