/** XINFO: what a stream, its groups and their consumers look like from inside. */
import { fail, NO_SUCH_KEY, shown } from "../base/errors.ts";
import { integerArgument } from "../base/numbers.ts";
import { MapReply, NIL, type Reply } from "../base/reply.ts";
import type { Session } from "../engine/session.ts";
import { radixTreeSize } from "../values/radix-tree-size.ts";
import type { StreamEntry } from "../values/stream-block.ts";
import type { Consumer, Group, Pending } from "../values/stream-group.ts";
import { formatId, MAX_ID, MIN_ID, type StreamId } from "../values/stream-id.ts";
import { StreamValue } from "../values/stream.ts";
import type { SortedIndex } from "../structures/sorted-index.ts";
import { type Command, container, help, is, subcommand } from "../engine/command.ts";
import { entryReply } from "./streams-arguments.ts";

/** XINFO STREAM FULL shows so many entries and pending entries, unless asked for another number. */
const USUAL_COUNT = 10;

export const streamInfoCommands: readonly Command[] = [
  container("xinfo", [
    subcommand({
      name: "stream",
      arity: -3,
      flags: "readonly",
      keys: [2, 2, 1],
      category: "stream",
      run: (ctx, args) => streamInfo(streamAt(ctx, args[2]), args),
    }),
    subcommand({
      name: "groups",
      arity: 3,
      flags: "readonly",
      keys: [2, 2, 1],
      category: "stream",
      run: (ctx, [, , key]) => {
        const stream = streamAt(ctx, key);
        return Array.from(stream.groups, (group) => groupInfo(stream, group));
      },
    }),
    subcommand({
      name: "consumers",
      arity: 4,
      flags: "readonly",
      keys: [2, 2, 1],
      category: "stream",
      run: (ctx, [, , key, name]) => {
        const group = streamAt(ctx, key).groups.get(name);
        if (group === undefined)
          return fail(`NOGROUP No such consumer group '${shown(name)}' for key name '${shown(key)}'`);
        return Array.from(group.consumers, (consumer) => consumerInfo(ctx, consumer));
      },
    }),
    help(
      "xinfo",
      [
        "CONSUMERS <key> <groupname>",
        "    Show consumers of <groupname>.",
        "GROUPS <key>",
        "    Show the stream consumer groups.",
        "STREAM <key> [FULL [COUNT <count>]",
        "    Show information about the stream.",
      ],
      "stream",
    ),
  ]),
];

function streamAt(ctx: Session, key: string): StreamValue {
  return ctx.db.readAs(key, StreamValue) ?? fail(NO_SUCH_KEY);
}

function streamInfo(stream: StreamValue, args: readonly string[]): Reply {
  const { blockIds } = stream;
  const common = {
    length: stream.size,
    "radix-tree-keys": blockIds.length,
    "radix-tree-nodes": radixTreeSize(blockIds),
    "last-generated-id": formatId(stream.lastId),
    "max-deleted-entry-id": formatId(stream.maxDeletedId),
    "entries-added": stream.entriesAdded,
    "recorded-first-entry-id": formatId(stream.firstId),
  };
  const count = fullCount(args);
  if (count === undefined) {
    return mapOf({
      ...common,
      groups: stream.groups.size,
      "first-entry": entryOrNil(stream.range(MIN_ID, MAX_ID, 1)),
      "last-entry": entryOrNil(stream.rangeReversed(MIN_ID, MAX_ID, 1)),
    });
  }
  return mapOf({
    ...common,
    entries: stream.range(MIN_ID, MAX_ID, count).map(entryReply),
    groups: Array.from(stream.groups, (group) => fullGroupInfo(stream, group, count)),
  });
}

/** `FULL [COUNT n]`; undefined without it, 0 for everything. */
function fullCount(args: readonly string[]): number | undefined {
  if (args.length === 3) return undefined;
  const valid = is(args[3], "FULL") && (args.length === 4 || (args.length === 6 && is(args[4], "COUNT")));
  if (!valid) fail(`ERR unknown subcommand or wrong number of arguments for '${args[1]}'. Try XINFO HELP.`);
  const count = args[5] === undefined ? USUAL_COUNT : integerArgument(args[5]);
  return count < 0 ? USUAL_COUNT : count;
}

function entryOrNil([entry]: readonly StreamEntry[]): Reply {
  return entry === undefined ? NIL : entryReply(entry);
}

function groupInfo(stream: StreamValue, group: Group): Reply {
  return mapOf({
    name: group.name,
    consumers: group.consumers.size,
    pending: group.pending.size,
    "last-delivered-id": formatId(group.lastId),
    "entries-read": group.entriesRead ?? NIL,
    lag: stream.lag(group) ?? NIL,
  });
}

function consumerInfo(ctx: Session, { name, pending, seenAtMs }: Consumer): Reply {
  return mapOf({ name, pending: pending.size, idle: Math.max(ctx.nowMs - seenAtMs, 0) });
}

function fullGroupInfo(stream: StreamValue, group: Group, count: number): Reply {
  return mapOf({
    name: group.name,
    "last-delivered-id": formatId(group.lastId),
    "entries-read": group.entriesRead ?? NIL,
    lag: stream.lag(group) ?? NIL,
    "pel-count": group.pending.size,
    pending: pendingInfo(group.pending, count, ({ id, consumer, deliveredAtMs, deliveries }) => [
      formatId(id),
      consumer.name,
      deliveredAtMs,
      deliveries,
    ]),
    consumers: Array.from(group.consumers, (consumer) => fullConsumerInfo(consumer, count)),
  });
}

function fullConsumerInfo({ name, seenAtMs, pending }: Consumer, count: number): Reply {
  return mapOf({
    name,
    "seen-time": seenAtMs,
    "pel-count": pending.size,
    pending: pendingInfo(pending, count, ({ id, deliveredAtMs, deliveries }) => [
      formatId(id),
      deliveredAtMs,
      deliveries,
    ]),
  });
}

function mapOf(fields: Readonly<Record<string, Reply>>): MapReply {
  return new MapReply(Object.entries(fields).flat());
}

function pendingInfo(pending: SortedIndex<StreamId, Pending>, count: number, show: (one: Pending) => Reply): Reply {
  const shown: Reply[] = [];
  for (const one of pending) {
    if (count > 0 && shown.length === count) break;
    shown.push(show(one));
  }
  return shown;
}
