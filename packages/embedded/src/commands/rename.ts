/** Keys that go elsewhere: RENAME, MOVE, COPY. Value and time to live go together. */
import type { Database, Entry } from "../engine/database.ts";
import { fail, NO_SUCH_KEY, SYNTAX } from "../base/errors.ts";
import { EVENT } from "../config/notifications.ts";
import { int32Argument } from "../base/numbers.ts";
import { OK, type Reply } from "../base/reply.ts";
import type { Session } from "../engine/session.ts";
import { copyOf } from "../values/value.ts";
import { type Command, command, is } from "../engine/command.ts";

const SAME_OBJECT = "ERR source and destination objects are the same";
const INVALID_DB = "ERR DB index is out of range";

export const renameCommands: readonly Command[] = [
  command({
    name: "rename",
    arity: 3,
    flags: "write",
    keys: [1, 2, 1],
    category: "keyspace",
    run: (ctx, [, from, to]) => {
      const entry = ctx.db.forWrite(from) ?? fail(NO_SUCH_KEY);
      if (from !== to) rename(ctx.db, entry, to);
      return OK;
    },
  }),
  command({
    name: "renamenx",
    arity: 3,
    flags: "write fast",
    keys: [1, 2, 1],
    category: "keyspace",
    run: (ctx, [, from, to]) => {
      const entry = ctx.db.forWrite(from) ?? fail(NO_SUCH_KEY);
      if (from === to || ctx.db.has(to)) return 0;
      rename(ctx.db, entry, to);
      return 1;
    },
  }),
  command({
    name: "move",
    arity: 3,
    flags: "write fast",
    keys: [1, 1, 1],
    category: "keyspace",
    run: (ctx, [, key, index]) => move(ctx, key, int32Argument(index)),
  }),
  command({
    name: "copy",
    arity: -3,
    flags: "write denyoom",
    keys: [1, 2, 1],
    category: "keyspace",
    run: (ctx, args) => copy(ctx, args),
  }),
];

function rename(db: Database, { key: from, value, expiresAtMs }: Entry, to: string): void {
  db.delete(to);
  db.delete(from);
  place(db, to, value, expiresAtMs);
  db.changed(from, EVENT.generic, "rename_from");
  db.changed(to, EVENT.generic, "rename_to");
}

function move(ctx: Session, key: string, index: number): Reply {
  const target = ctx.engine.databases[index] ?? fail(INVALID_DB);
  if (target === ctx.db) fail(SAME_OBJECT);
  const entry = ctx.db.forWrite(key);
  if (entry === undefined || target.has(key)) return 0;
  const { value, expiresAtMs } = entry;
  ctx.db.delete(key);
  place(target, key, value, expiresAtMs);
  ctx.db.changed(key, EVENT.generic, "move_from");
  target.changed(key, EVENT.generic, "move_to");
  return 1;
}

function copy(ctx: Session, args: readonly [string, string, string, ...string[]]): Reply {
  const [, from, to] = args;
  const { target, replace } = copyOptions(ctx, args);
  if (target === ctx.db && from === to) fail(SAME_OBJECT);
  const entry = ctx.db.read(from);
  if (entry === undefined) return 0;
  if (target.has(to)) {
    if (!replace) return 0;
    target.delete(to);
  }
  place(target, to, copyOf(entry.value), entry.expiresAtMs);
  target.changed(to, EVENT.generic, "copy_to");
  return 1;
}

function copyOptions(ctx: Session, args: readonly string[]): { target: Database; replace: boolean } {
  let target = ctx.db;
  let replace = false;
  for (let i = 3; i < args.length; i += 1) {
    const index = args[i + 1];
    if (is(args[i], "REPLACE")) replace = true;
    else if (is(args[i], "DB") && index !== undefined) {
      target = ctx.engine.databases[int32Argument(index)] ?? fail(INVALID_DB);
      i += 1;
    } else fail(SYNTAX);
  }
  return { target, replace };
}

function place(db: Database, key: string, value: Entry["value"], expiresAtMs: number): void {
  db.add(key, value);
  const entry = db.peek(key);
  if (entry !== undefined && expiresAtMs !== Infinity) db.setDeadline(entry, expiresAtMs);
}
