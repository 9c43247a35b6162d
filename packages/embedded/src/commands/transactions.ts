/** MULTI / EXEC, and WATCH: optimistic locking. */
import type { Watch } from "../engine/database.ts";
import { fail } from "../base/errors.ts";
import { call } from "../engine/executor.ts";
import { BLOCKED, type Blocked, ErrorReply, NIL_ARRAY, OK, type Reply } from "../base/reply.ts";
import type { Session, Transaction } from "../engine/session.ts";
import { type Command, command } from "../engine/command.ts";

export const transactionCommands: readonly Command[] = [
  command({
    name: "multi",
    arity: 1,
    flags: "noscript loading stale fast allow_busy",
    category: "transaction",
    run: (ctx) => {
      if (ctx.transaction !== undefined) fail("ERR MULTI calls can not be nested");
      ctx.transaction = { queue: [], mayReplicate: false, failed: false };
      return OK;
    },
  }),
  command({
    name: "exec",
    arity: 1,
    flags: "noscript loading stale skip_slowlog",
    category: "transaction",
    run: (ctx) => {
      const transaction = ctx.transaction ?? fail("ERR EXEC without MULTI");
      const changed = ctx.watchedKeyChanged || watchedKeyExpired(ctx);
      if (transaction.failed || changed) {
        ctx.discardTransaction();
        return transaction.failed
          ? new ErrorReply("EXECABORT Transaction discarded because of previous errors.")
          : NIL_ARRAY;
      }
      ctx.unwatch();
      return runQueue(ctx, transaction, []);
    },
  }),
  command({
    name: "discard",
    arity: 1,
    flags: "noscript loading stale fast allow_busy",
    category: "transaction",
    run: (ctx) => {
      if (ctx.transaction === undefined) fail("ERR DISCARD without MULTI");
      ctx.discardTransaction();
      return OK;
    },
  }),
  command({
    name: "watch",
    arity: -2,
    flags: "noscript loading stale fast allow_busy",
    keys: [1, -1, 1],
    category: "transaction",
    run: (ctx, args) => {
      if (ctx.transaction !== undefined) fail("ERR WATCH inside MULTI is not allowed");
      if (!ctx.watchedKeyChanged) for (const key of args.slice(1)) watch(ctx, key);
      return OK;
    },
  }),
  command({
    name: "unwatch",
    arity: 1,
    flags: "noscript loading stale fast allow_busy",
    category: "transaction",
    run: (ctx) => {
      ctx.unwatch();
      ctx.watchedKeyChanged = false;
      return OK;
    },
  }),
];

/** @param replies those of the commands which have run: a script that takes too long lets the others wait for its end */
function runQueue(ctx: Session, transaction: Transaction, replies: readonly Reply[]): Reply | Blocked {
  const done = [...replies];
  ctx.mayBlock = false;
  for (const { command, args } of transaction.queue.slice(done.length)) {
    ctx.lastCommand = command.fullName;
    const reply = call(ctx, command, args);
    if (reply === BLOCKED) return ctx.engine.busy.andThen((result) => runQueue(ctx, transaction, [...done, result]));
    done.push(reply);
  }
  ctx.mayBlock = true;
  ctx.lastCommand = "exec";
  ctx.discardTransaction();
  return done;
}

function watch(ctx: Session, key: string): void {
  const { db } = ctx;
  for (const known of db.watches.get(key) ?? []) if (known.session === ctx) return;
  const entry = db.peek(key);
  const watched: Watch = { session: ctx, db, key, expired: entry !== undefined && entry.expiresAtMs < ctx.nowMs };
  ctx.watches.add(watched);
  const watchers = db.watches.get(key);
  if (watchers === undefined) db.watches.set(key, new Set([watched]));
  else watchers.add(watched);
}

/** A key that expired since it was watched has changed, though nobody deleted it yet. */
function watchedKeyExpired(ctx: Session): boolean {
  for (const { db, key, expired } of ctx.watches) {
    const entry = db.peek(key);
    if (!expired && entry !== undefined && entry.expiresAtMs < ctx.nowMs) return true;
  }
  return false;
}
