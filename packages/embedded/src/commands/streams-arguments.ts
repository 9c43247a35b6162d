/** What the stream commands share: ids and ranges in arguments, groups and consumers, and how entries are answered. */
import { fail, shown } from "../base/errors.ts";
import { EVENT } from "../config/notifications.ts";
import type { Reply } from "../base/reply.ts";
import type { Session } from "../engine/session.ts";
import type { StreamEntry } from "../values/stream-block.ts";
import { Consumer, type Group } from "../values/stream-group.ts";
import {
  formatId,
  MAX_ID,
  MIN_ID,
  nextId,
  parseId,
  parseOpenId,
  previousId,
  type StreamId,
  type Uint64,
} from "../values/stream-id.ts";
import type { StreamValue } from "../values/stream.ts";

const INVALID_ID = "ERR Invalid stream ID specified as stream command argument";

/** `ms-seq`, or `ms` alone for `ms-0`. */
export function idArgument(text: string): StreamId {
  return parseId(text, 0) ?? fail(INVALID_ID);
}

/** As `idArgument`, and `-` and `+` for the least and the greatest id. */
export function boundArgument(text: string, missingSeq: Uint64 = 0): StreamId {
  if (text === "-") return MIN_ID;
  if (text === "+") return MAX_ID;
  return parseId(text, missingSeq) ?? fail(INVALID_ID);
}

/** XADD's id: the server chooses what is missing. */
export interface NewId {
  readonly ms: Uint64 | undefined;
  readonly seq: Uint64 | undefined;
}

/** `*`, `ms-*`, or an id. */
export function newIdArgument(text: string): NewId {
  if (text === "*") return { ms: undefined, seq: undefined };
  const ms = parseOpenId(text);
  return ms === undefined ? idArgument(text) : { ms, seq: undefined };
}

/** The first id of a range; `(` before it leaves it out. */
export function startArgument(text: string): StreamId {
  if (!isExclusive(text)) return boundArgument(text);
  return nextId(idArgument(text.slice(1))) ?? fail("ERR invalid start ID for the interval");
}

/** The last id of a range; milliseconds alone mean all of them. */
export function endArgument(text: string): StreamId {
  if (!isExclusive(text)) return boundArgument(text, MAX_ID.seq);
  const id = parseId(text.slice(1), MAX_ID.seq) ?? fail(INVALID_ID);
  return previousId(id) ?? fail("ERR invalid end ID for the interval");
}

function isExclusive(text: string): boolean {
  return text.length > 1 && text.startsWith("(");
}

export function entryReply({ id, fields }: StreamEntry): Reply {
  return [formatId(id), fields];
}

/** A change that neither WATCH nor client-side caches learn of: a group's state, or a stream's counters. */
export function changedQuietly(ctx: Session, key: string, event: string): void {
  ctx.engine.stats.changes += 1;
  ctx.db.notify(EVENT.stream, event, key);
}

/** The consumer, made if there is none, seen now. */
export function consumerOf(ctx: Session, key: string, group: Group, name: string): Consumer {
  const known = group.consumers.get(name);
  if (known !== undefined) {
    known.seenAtMs = ctx.nowMs;
    return known;
  }
  const consumer = new Consumer(name, ctx.nowMs);
  group.consumers.add(consumer);
  changedQuietly(ctx, key, "xgroup-createconsumer");
  return consumer;
}

export function groupOf(stream: StreamValue | undefined, key: string, name: string): Group {
  return stream?.groups.get(name) ?? fail(`NOGROUP No such key '${shown(key)}' or consumer group '${shown(name)}'`);
}
