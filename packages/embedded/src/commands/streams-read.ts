/** XREAD and XREADGROUP: entries after an id, of several streams, with waiting. */
import { fail, SYNTAX, shown } from "../base/errors.ts";
import { integerArgument } from "../base/numbers.ts";
import { type Blocked, ErrorReply, MapReply, NIL_ARRAY, type Reply } from "../base/reply.ts";
import type { Session } from "../engine/session.ts";
import { type Consumer, type Group, increment } from "../values/stream-group.ts";
import { compareIds, formatId, MAX_ID, MIN_ID, nextId, type StreamId } from "../values/stream-id.ts";
import { StreamValue } from "../values/stream.ts";
import { millisecondsArgument } from "./arguments.ts";
import { type Command, command, is } from "../engine/command.ts";
import { consumerOf, entryReply, idArgument } from "./streams-arguments.ts";

const UNBALANCED = "ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be specified.";
const GROUP_OPTION = "ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead.";
const NOACK_OPTION = "ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead.";
const DOLLAR_IN_GROUP =
  "ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by specifying a proper ID, or use the > ID to get new messages. The $ ID would just return an empty result set.";
const NEW_WITHOUT_GROUP =
  "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.";
const GROUP_GONE = new ErrorReply("NOGROUP the consumer group this client was blocked on no longer exists");
const STREAM_GONE = new ErrorReply("UNBLOCKED the stream key no longer exists");

/** A reader that had to wait gets no more than this at once, if it did not say how many. */
const COUNT_AFTER_WAITING = 1000;

export const streamReadCommands: readonly Command[] = [
  command({
    name: "xread",
    arity: -4,
    flags: "readonly blocking",
    keys: streamKeys,
    category: "stream",
    run: (ctx, args) => read(ctx, readOptions(ctx, args, false)),
  }),
  command({
    name: "xreadgroup",
    arity: -7,
    flags: "write blocking",
    keys: streamKeys,
    category: "stream",
    run: (ctx, args) => read(ctx, readOptions(ctx, args, true)),
  }),
];

interface ReadOptions {
  readonly keys: readonly string[];
  readonly ids: readonly string[];
  /** 0 is no limit. */
  readonly count: number;
  readonly noAck: boolean;
  /** undefined does not wait, 0 waits for ever. */
  readonly blockMs: number | undefined;
  readonly reader: { readonly group: string; readonly consumer: string } | undefined;
}

/** One stream of a request. */
interface Source {
  readonly key: string;
  readonly stream: StreamValue | undefined;
  readonly group: Group | undefined;
  /** Entries after this one; the greatest id stands for `>`, what the group has not been given yet. */
  readonly after: StreamId;
  /** The stream's revision when the request came. */
  readonly revision: number | undefined;
}

function readOptions(ctx: Session, args: readonly string[], inGroup: boolean): ReadOptions {
  let count = 0;
  let noAck = false;
  let blockMs: number | undefined;
  let reader: ReadOptions["reader"];
  for (let i = 1; i < args.length; i += 1) {
    const value = args[i + 1];
    if (is(args[i], "BLOCK") && value !== undefined) {
      if (ctx.isScript) fail(`ERR ${args[0]} command is not allowed with BLOCK option from scripts`);
      blockMs = millisecondsArgument(value);
      i += 1;
    } else if (is(args[i], "COUNT") && value !== undefined) {
      count = Math.max(integerArgument(value), 0);
      i += 1;
    } else if (is(args[i], "STREAMS") && value !== undefined) {
      const half = (args.length - i - 1) / 2;
      if (!Number.isInteger(half)) fail(UNBALANCED);
      if (inGroup && reader === undefined) fail("ERR Missing GROUP option for XREADGROUP");
      const keys = args.slice(i + 1, i + 1 + half);
      return { keys, ids: args.slice(i + 1 + half), count, noAck, blockMs, reader };
    } else if (is(args[i], "GROUP") && value !== undefined && args[i + 2] !== undefined) {
      if (!inGroup) fail(GROUP_OPTION);
      reader = { group: value, consumer: args[i + 2] as string };
      i += 2;
    } else if (is(args[i], "NOACK")) {
      if (!inGroup) fail(NOACK_OPTION);
      noAck = true;
    } else fail(SYNTAX);
  }
  return fail(SYNTAX);
}

/** How many values follow each option. */
const OPTION_VALUES: ReadonlyMap<string, number> = new Map([
  ["BLOCK", 1],
  ["COUNT", 1],
  ["GROUP", 2],
  ["NOACK", 0],
]);

/** The places of the keys: the first half of what follows STREAMS. */
function streamKeys(args: readonly string[]): number[] {
  let at = 1;
  while (at < args.length && !is(args[at], "STREAMS"))
    at += 1 + (OPTION_VALUES.get(args[at]?.toUpperCase() ?? "") ?? args.length);
  const half = (args.length - at - 1) / 2;
  return half > 0 && Number.isInteger(half) ? Array.from({ length: half }, (_, i) => at + 1 + i) : [];
}

function read(ctx: Session, options: ReadOptions): Reply | Blocked {
  const sources = options.keys.map((key, i) => sourceOf(ctx, key, options.ids[i] as string, options));
  const found: Reply[] = [];
  for (const source of sources) {
    const entries = readNow(ctx, source, options);
    if (entries !== undefined) found.push(source.key, entries);
  }
  if (found.length > 0) return streamsReply(ctx, found);
  return options.blockMs === undefined ? NIL_ARRAY : wait(ctx, sources, options, options.blockMs);
}

function sourceOf(ctx: Session, key: string, id: string, { reader }: ReadOptions): Source {
  const stream = ctx.db.readAs(key, StreamValue);
  const group = reader && stream?.groups.get(reader.group);
  if (reader !== undefined && group === undefined) {
    fail(
      `NOGROUP No such key '${shown(key)}' or consumer group '${shown(reader.group)}' in XREADGROUP with GROUP option`,
    );
  }
  return { key, stream, group, after: positionOf(stream, id, reader !== undefined), revision: stream?.revision };
}

function positionOf(stream: StreamValue | undefined, id: string, inGroup: boolean): StreamId {
  if (id === "$") return inGroup ? fail(DOLLAR_IN_GROUP) : (stream?.lastId ?? MIN_ID);
  if (id === ">") return inGroup ? MAX_ID : fail(NEW_WITHOUT_GROUP);
  return idArgument(id);
}

/** What can be answered without waiting; undefined when there is nothing. */
function readNow(ctx: Session, source: Source, options: ReadOptions): Reply | undefined {
  const { key, group, after } = source;
  // Redis looks a second time and so counts a hit or a miss twice.
  const stream = ctx.db.readAs(key, StreamValue);
  if (stream === undefined) return undefined;
  if (group !== undefined && compareIds(after, MAX_ID) < 0) {
    return history(ctx, stream, readerOf(ctx, key, group, options), after, options.count);
  }
  const start = group === undefined ? after : group.lastId;
  if (stream.size === 0 || compareIds(stream.lastEntryId, start) <= 0) return undefined;
  return take(ctx, { ...source, stream, after: start }, options, options.count);
}

/** Entries after a position; a group's reader owns them from now on. */
function take(
  ctx: Session,
  { key, stream, group, after }: Source & { readonly stream: StreamValue },
  options: ReadOptions,
  count: number,
): Reply {
  const consumer = group && readerOf(ctx, key, group, options);
  const entries = stream.range(nextId(after) ?? MIN_ID, MAX_ID, count);
  if (group !== undefined && consumer !== undefined) {
    for (const { id } of entries) {
      stream.advance(group, id);
      if (!options.noAck) group.deliver(id, consumer, ctx.nowMs);
    }
    ctx.engine.stats.changes += 1;
  }
  return entries.map(entryReply);
}

/** What is pending for a consumer, delivered once more; nothing in the place of the fields of an entry which is deleted. */
function history(ctx: Session, stream: StreamValue, consumer: Consumer, after: StreamId, count: number): Reply {
  const replies: Reply[] = [];
  for (const pending of consumer.pending.from(nextId(after) ?? MIN_ID)) {
    const entry = stream.get(pending.id);
    if (entry === undefined) replies.push([formatId(pending.id), NIL_ARRAY]);
    else {
      pending.deliveredAtMs = ctx.nowMs;
      pending.deliveries = increment(pending.deliveries);
      replies.push(entryReply(entry));
    }
    if (replies.length === count) break;
  }
  return replies;
}

function readerOf(ctx: Session, key: string, group: Group, { reader }: ReadOptions): Consumer {
  return consumerOf(ctx, key, group, reader?.consumer ?? "");
}

function wait(ctx: Session, sources: readonly Source[], options: ReadOptions, timeoutMs: number): Reply | Blocked {
  return ctx.block({
    keys: [...new Set(options.keys)],
    timeoutMs,
    timeoutReply: NIL_ARRAY,
    serve: (key) => serve(ctx, sources.find((source) => source.key === key) as Source, options),
  });
}

/**
 * A key which somebody waits for has changed. Only what was added since then, or another stream in its place, is an answer:
 * entries may be deleted, so that the last id alone is not enough.
 */
function serve(ctx: Session, source: Source, options: ReadOptions): Reply | undefined {
  const { key } = source;
  const stream = ctx.db.find(key)?.value;
  if (!(stream instanceof StreamValue)) return options.reader && STREAM_GONE;
  if (stream === source.stream && stream.revision === source.revision) return undefined;
  const group = options.reader && stream.groups.get(options.reader.group);
  if (options.reader !== undefined && group === undefined) return GROUP_GONE;
  const after = group === undefined ? source.after : group.lastId;
  if (compareIds(stream.lastId, after) <= 0) return undefined;
  const entries = take(ctx, { ...source, stream, group, after }, options, options.count || COUNT_AFTER_WAITING);
  return streamsReply(ctx, [key, entries]);
}

/** Keys and their entries: a map, or pairs in an array. */
function streamsReply(ctx: Session, found: readonly Reply[]): Reply {
  if (ctx.resp === 3) return new MapReply(found);
  const pairs: Reply[] = [];
  for (let i = 0; i < found.length; i += 2) pairs.push(found.slice(i, i + 2));
  return pairs;
}
