/** Keys of whatever type: presence, deletion, type, random choice. */
import { fail } from "../base/errors.ts";
import { matches } from "../base/glob.ts";
import { EVENT } from "../config/notifications.ts";
import { int32Argument } from "../base/numbers.ts";
import { NIL, OK, Status } from "../base/reply.ts";
import type { Session } from "../engine/session.ts";
import { typeOf } from "../values/value.ts";
import { type Command, command } from "../engine/command.ts";

const NONE = new Status("none");

export const keyCommands: readonly Command[] = [
  command({
    name: "del",
    arity: -2,
    flags: "write",
    keys: [1, -1, 1],
    category: "keyspace",
    run: (ctx, args) => deleteAll(ctx, args),
  }),
  command({
    name: "unlink",
    arity: -2,
    flags: "write fast",
    keys: [1, -1, 1],
    category: "keyspace",
    run: (ctx, args) => deleteAll(ctx, args),
  }),
  command({
    name: "exists",
    arity: -2,
    flags: "readonly fast",
    keys: [1, -1, 1],
    category: "keyspace",
    run: (ctx, args) => args.slice(1).filter((key) => ctx.db.inspect(key) !== undefined).length,
  }),
  command({
    name: "touch",
    arity: -2,
    flags: "readonly fast",
    keys: [1, -1, 1],
    category: "keyspace",
    run: (ctx, args) => args.slice(1).filter((key) => ctx.db.read(key) !== undefined).length,
  }),
  command({
    name: "type",
    arity: 2,
    flags: "readonly fast",
    keys: [1, 1, 1],
    category: "keyspace",
    run: (ctx, [, key]) => {
      const entry = ctx.db.inspect(key);
      return entry === undefined ? NONE : new Status(typeOf(entry.value));
    },
  }),
  command({
    name: "keys",
    arity: 2,
    flags: "readonly",
    category: "keyspace dangerous",
    run: (ctx, [, pattern]) => {
      const found: string[] = [];
      const isShown = (key: string): boolean => (pattern === "*" || matches(pattern, key)) && ctx.db.has(key);
      for (const { key } of ctx.db.all()) if (isShown(key)) found.push(key);
      return found;
    },
  }),
  command({
    name: "randomkey",
    arity: 1,
    flags: "readonly",
    category: "keyspace",
    run: (ctx) => ctx.db.randomKey() ?? NIL,
  }),
  command({
    name: "dbsize",
    arity: 1,
    flags: "readonly fast",
    category: "keyspace",
    run: (ctx) => ctx.db.size,
  }),
  command({
    name: "swapdb",
    arity: 3,
    flags: "write fast",
    category: "keyspace dangerous",
    run: (ctx, [, first, second]) => {
      const a = int32Argument(first, "ERR invalid first DB index");
      const b = int32Argument(second, "ERR invalid second DB index");
      swap(ctx, a, b);
      return OK;
    },
  }),
];

function deleteAll(ctx: Session, args: readonly string[]): number {
  let deleted = 0;
  for (let i = 1; i < args.length; i += 1) {
    const key = args[i] as string;
    if (!ctx.db.delete(key)) continue;
    ctx.db.changed(key, EVENT.generic, "del");
    deleted += 1;
  }
  return deleted;
}

function swap(ctx: Session, a: number, b: number): void {
  const first = ctx.engine.databases[a];
  const second = ctx.engine.databases[b];
  if (first === undefined || second === undefined) return fail("ERR DB index is out of range");
  if (first === second) return;
  first.touchAllWatches(second);
  second.touchAllWatches(first);
  // Also waiters for a key that goes: a consumer group may be gone with it.
  const signal = (): void => [first, second].forEach((db) => ctx.engine.blocked.signalAll(db));
  signal();
  first.swapKeys(second);
  signal();
}
