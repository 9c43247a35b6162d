/** FLUSHDB and FLUSHALL. */
import type { Database } from "../engine/database.ts";
import { fail, SYNTAX } from "../base/errors.ts";
import { OK, type Reply } from "../base/reply.ts";
import type { Session } from "../engine/session.ts";
import { type Command, command, is } from "../engine/command.ts";

export const flushCommands: readonly Command[] = [
  command({
    name: "flushdb",
    arity: -1,
    flags: "write",
    category: "keyspace dangerous",
    run: (ctx, args) => flush(ctx, args, [ctx.db]),
  }),
  command({
    name: "flushall",
    arity: -1,
    flags: "write",
    category: "keyspace dangerous",
    run: (ctx, args) => flush(ctx, args, ctx.engine.databases),
  }),
];

/** ASYNC and SYNC are the same here. */
function flush(ctx: Session, args: readonly string[], databases: readonly Database[]): Reply {
  if (args.length > 2 || (args.length === 2 && !is(args[1], "ASYNC") && !is(args[1], "SYNC"))) fail(SYNTAX);
  for (const db of databases) {
    db.touchAllWatches();
    const waiters = [...db.waiters.keys()].filter((key) => db.has(key));
    ctx.engine.stats.changes += db.clear();
    for (const key of waiters) ctx.engine.blocked.signal(db, key);
  }
  ctx.engine.tracking.flushed();
  return OK;
}
