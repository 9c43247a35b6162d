/** Streams: adding, reading by id, deleting, trimming. Other modules have XREAD, groups, pending entries and XINFO. */
import { fail, NO_SUCH_KEY, SYNTAX, wrongArity } from "../base/errors.ts";
import { EVENT } from "../config/notifications.ts";
import { int64Argument, integerArgument } from "../base/numbers.ts";
import { NIL, NIL_ARRAY, OK, type Reply } from "../base/reply.ts";
import type { Session } from "../engine/session.ts";
import { MAX_BYTES } from "../values/stream-block.ts";
import { compareIds, formatId, isZero, MIN_ID, nextId, type StreamId } from "../values/stream-id.ts";
import { StreamValue } from "../values/stream.ts";
import { type Command, command, is } from "../engine/command.ts";
import {
  changedQuietly,
  endArgument,
  entryReply,
  idArgument,
  type NewId,
  newIdArgument,
  startArgument,
} from "./streams-arguments.ts";
import { blockLimits, TrimOptions } from "./streams-trim.ts";

const NOT_ABOVE_LAST = "ERR The ID specified in XADD is equal or smaller than the target stream top item";

export const streamCommands: readonly Command[] = [
  command({
    name: "xadd",
    arity: -5,
    flags: "write denyoom fast",
    keys: [1, 1, 1],
    category: "stream",
    run: (ctx, args) => add(ctx, args),
  }),
  command({
    name: "xlen",
    arity: 2,
    flags: "readonly fast",
    keys: [1, 1, 1],
    category: "stream",
    run: (ctx, [, key]) => ctx.db.readAs(key, StreamValue)?.size ?? 0,
  }),
  command({
    name: "xrange",
    arity: -4,
    flags: "readonly",
    keys: [1, 1, 1],
    category: "stream",
    run: (ctx, args) => range(ctx, args, args[2], args[3], false),
  }),
  command({
    name: "xrevrange",
    arity: -4,
    flags: "readonly",
    keys: [1, 1, 1],
    category: "stream",
    run: (ctx, args) => range(ctx, args, args[3], args[2], true),
  }),
  command({
    name: "xdel",
    arity: -3,
    flags: "write fast",
    keys: [1, 1, 1],
    category: "stream",
    run: (ctx, args) => deleteEntries(ctx, args),
  }),
  command({
    name: "xtrim",
    arity: -4,
    flags: "write",
    keys: [1, 1, 1],
    category: "stream",
    run: (ctx, args) => trim(ctx, args),
  }),
  command({
    name: "xsetid",
    arity: -3,
    flags: "write denyoom fast",
    keys: [1, 1, 1],
    category: "stream",
    run: (ctx, args) => setId(ctx, args),
  }),
];

/** `XADD key [NOMKSTREAM] [trimming] id field value [field value ...]`, the options in any order. */
function add(ctx: Session, args: readonly [string, string, ...string[]]): Reply {
  const [, key] = args;
  const options = new TrimOptions();
  let makeStream = true;
  let at = 2;
  for (let next = at; next < args.length; at = next) {
    next = options.read(args, at);
    if (next === at && is(args[at], "NOMKSTREAM")) {
      makeStream = false;
      next += 1;
    }
    if (next === at) break;
  }
  const wanted = at < args.length ? newIdArgument(args[at] as string) : undefined;
  const trimming = options.resolve(ctx, false);
  const fields = args.slice(at + 1);
  if (wanted === undefined || fields.length === 0 || fields.length % 2 === 1) return fail(wrongArity("xadd"));
  if (wanted.ms === 0 && wanted.seq === 0) fail("ERR The ID specified in XADD must be greater than 0-0");

  const known = ctx.db.getAs(key, StreamValue);
  if (known === undefined && !makeStream) return NIL;
  const stream = known ?? new StreamValue();
  const id = newId(ctx, stream, wanted);
  const contentLength = fields.reduce((sum, text) => sum + text.length, 0);
  if (contentLength > MAX_BYTES) fail("ERR Elements are too large to be stored");
  if (known === undefined) ctx.db.add(key, stream);
  stream.append({ id, fields }, blockLimits(ctx), contentLength);
  ctx.db.changed(key, EVENT.stream, "xadd");
  if (trimming !== undefined && stream.trim(trimming) > 0) ctx.db.notify(EVENT.stream, "xtrim", key);
  return formatId(id);
}

/** Time never goes backward: below the last id its successor is taken. */
function newId(ctx: Session, { lastId }: StreamValue, { ms, seq }: NewId): StreamId {
  const after = nextId(lastId) ?? fail("ERR The stream has exhausted the last possible ID, unable to add more items");
  if (ms === undefined) return ctx.nowMs > lastId.ms ? { ms: ctx.nowMs, seq: 0 } : after;
  if (seq === undefined && ms === lastId.ms) return after.ms === ms ? after : fail(NOT_ABOVE_LAST);
  const id = { ms, seq: seq ?? 0 };
  return compareIds(id, lastId) > 0 ? id : fail(NOT_ABOVE_LAST);
}

function range(
  ctx: Session,
  args: readonly [string, string, ...string[]],
  from: string,
  to: string,
  reversed: boolean,
): Reply {
  const start = startArgument(from);
  const end = endArgument(to);
  const count = countOption(args);
  const stream = ctx.db.readAs(args[1], StreamValue);
  if (stream === undefined) return [];
  if (count === 0) return NIL_ARRAY;
  const entries = reversed ? stream.rangeReversed(start, end, count) : stream.range(start, end, count);
  return entries.map(entryReply);
}

function countOption(args: readonly string[]): number | undefined {
  let count: number | undefined;
  for (let i = 4; i < args.length; i += 2) {
    const text = args[i + 1];
    if (!is(args[i], "COUNT") || text === undefined) return fail(SYNTAX);
    count = Math.max(integerArgument(text), 0);
  }
  return count;
}

function deleteEntries(ctx: Session, args: readonly [string, string, ...string[]]): Reply {
  const [, key, ...texts] = args;
  const stream = ctx.db.getAs(key, StreamValue);
  if (stream === undefined) return 0;
  const ids = texts.map(idArgument);
  const deleted = ids.filter((id) => stream.delete(id)).length;
  if (deleted > 0) ctx.db.changed(key, EVENT.stream, "xdel");
  return deleted;
}

function trim(ctx: Session, args: readonly [string, string, ...string[]]): Reply {
  const [, key] = args;
  const options = new TrimOptions();
  for (let at = 2; at < args.length;) {
    const next = options.read(args, at);
    if (next === at) fail(SYNTAX);
    at = next;
  }
  const trimming = options.resolve(ctx, true);
  const stream = ctx.db.getAs(key, StreamValue);
  if (stream === undefined || trimming === undefined) return 0;
  const removed = stream.trim(trimming);
  if (removed > 0) ctx.db.changed(key, EVENT.stream, "xtrim");
  return removed;
}

function setId(ctx: Session, args: readonly [string, string, string, ...string[]]): Reply {
  const [, key, text] = args;
  const id = idArgument(text);
  const { entriesAdded, maxDeletedId } = setIdOptions(args, id);
  const stream = ctx.db.getAs(key, StreamValue) ?? fail(NO_SUCH_KEY);
  if (stream.size > 0) {
    if (compareIds(id, stream.lastEntryId) < 0) {
      fail("ERR The ID specified in XSETID is smaller than the target stream top item");
    }
    if (entriesAdded !== undefined && entriesAdded < stream.size) {
      fail("ERR The entries_added specified in XSETID is smaller than the target stream length");
    }
  }
  stream.lastId = id;
  if (entriesAdded !== undefined) stream.entriesAdded = entriesAdded;
  if (!isZero(maxDeletedId)) stream.maxDeletedId = maxDeletedId;
  changedQuietly(ctx, key, "xsetid");
  return OK;
}

function setIdOptions(
  args: readonly string[],
  id: StreamId,
): { readonly entriesAdded: number | bigint | undefined; readonly maxDeletedId: StreamId } {
  let entriesAdded: number | bigint | undefined;
  let maxDeletedId = MIN_ID;
  for (let i = 3; i < args.length; i += 2) {
    const text = args[i + 1] ?? fail(SYNTAX);
    if (is(args[i], "ENTRIESADDED")) {
      entriesAdded = int64Argument(text);
      if (entriesAdded < 0) fail("ERR entries_added must be positive");
    } else if (is(args[i], "MAXDELETEDID")) {
      maxDeletedId = idArgument(text);
      if (compareIds(id, maxDeletedId) < 0) {
        fail("ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id");
      }
    } else fail(SYNTAX);
  }
  return { entriesAdded, maxDeletedId };
}
