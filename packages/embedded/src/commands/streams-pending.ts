/** XPENDING, XCLAIM, XAUTOCLAIM: what was delivered and not acknowledged, and how another consumer takes it over. */
import { fail, SYNTAX, shown } from "../base/errors.ts";
import { int64Argument, integerArgument, rangeArgument } from "../base/numbers.ts";
import { NIL, NIL_ARRAY, type Reply } from "../base/reply.ts";
import type { Session } from "../engine/session.ts";
import { type Consumer, type Counter, type Group, increment, type Pending } from "../values/stream-group.ts";
import { compareIds, formatId, MIN_ID, nextId, parseId, type StreamId } from "../values/stream-id.ts";
import { StreamValue } from "../values/stream.ts";
import { type Command, command, is } from "../engine/command.ts";
import { consumerOf, endArgument, entryReply, groupOf, idArgument, startArgument } from "./streams-arguments.ts";

/** XAUTOCLAIM looks at so many entries for each that it may answer. */
const ATTEMPTS_PER_ENTRY = 10;
const MAX_COUNT = 2 ** 59 - 1;

export const streamPendingCommands: readonly Command[] = [
  command({
    name: "xpending",
    arity: -3,
    flags: "readonly",
    keys: [1, 1, 1],
    category: "stream",
    run: (ctx, args) => (args.length === 3 ? pendingSummary(ctx, args[1], args[2]) : pendingEntries(ctx, args)),
  }),
  command({
    name: "xclaim",
    arity: -6,
    flags: "write fast",
    keys: [1, 1, 1],
    category: "stream",
    run: (ctx, args) => claim(ctx, args),
  }),
  command({
    name: "xautoclaim",
    arity: -6,
    flags: "write fast",
    keys: [1, 1, 1],
    category: "stream",
    run: (ctx, args) => claimNext(ctx, args),
  }),
];

/** How many, from which id to which, and how many per consumer. */
function pendingSummary(ctx: Session, key: string, name: string): Reply {
  const { pending, consumers } = groupOf(ctx.db.readAs(key, StreamValue), key, name);
  const first = pending.first();
  const last = pending.last();
  if (first === undefined || last === undefined) return [0, NIL, NIL, NIL_ARRAY];
  const perConsumer: Reply[] = [];
  for (const consumer of consumers) {
    if (consumer.pending.size > 0) perConsumer.push([consumer.name, String(consumer.pending.size)]);
  }
  return [pending.size, formatId(first.id), formatId(last.id), perConsumer];
}

/** `XPENDING key group [IDLE ms] start end count [consumer]` */
function pendingEntries(ctx: Session, args: readonly [string, string, string, ...string[]]): Reply {
  if (args.length < 6 || args.length > 9) fail(SYNTAX);
  const [, key, name] = args;
  let at = 3;
  let minIdleMs = 0;
  if (is(args[3], "IDLE")) {
    minIdleMs = integerArgument(args[4] as string);
    if (args.length < 8) fail(SYNTAX);
    at = 5;
  }
  const count = Math.max(integerArgument(args[at + 2] as string), 0);
  const start = startArgument(args[at] as string);
  const end = endArgument(args[at + 1] as string);
  const group = groupOf(ctx.db.readAs(key, StreamValue), key, name);
  const consumerName = args[at + 3];
  const owner = consumerName === undefined ? group : group.consumers.get(consumerName);
  const found: Reply[] = [];
  for (const one of owner?.pending.from(start) ?? []) {
    if (found.length >= count || compareIds(one.id, end) > 0) break;
    const idleMs = ctx.nowMs - one.deliveredAtMs;
    if (minIdleMs !== 0 && idleMs < minIdleMs) continue;
    found.push([formatId(one.id), one.consumer.name, Math.max(idleMs, 0), one.deliveries]);
  }
  return found;
}

interface ClaimOptions {
  readonly ids: readonly StreamId[];
  readonly minIdleMs: number;
  readonly force: boolean;
  readonly justId: boolean;
  readonly deliveredAtMs: number;
  readonly deliveries: Counter | undefined;
  readonly lastId: StreamId;
}

/** `XCLAIM key group consumer min-idle id [id ...] [options]` */
function claim(ctx: Session, args: readonly [string, string, string, string, string, ...string[]]): Reply {
  const [, key, name, consumerName] = args;
  const stream = ctx.db.readAs(key, StreamValue);
  const group = groupOf(stream, key, name);
  const options = claimOptions(ctx, args);
  if (compareIds(options.lastId, group.lastId) > 0) group.lastId = options.lastId;
  const replies: Reply[] = [];
  for (const id of options.ids) {
    const known = group.pending.get(id);
    const entry = stream?.get(id);
    if (entry === undefined) {
      if (group.acknowledge(id)) ctx.engine.stats.changes += 1;
      continue;
    }
    if (known === undefined ? !options.force : isTooFresh(ctx, known, options.minIdleMs)) continue;
    const consumer = consumerOf(ctx, key, group, consumerName);
    const pending = known ?? create(group, id, consumer);
    takeOver(ctx, group, pending, consumer, options);
    replies.push(options.justId ? formatId(id) : entryReply(entry));
  }
  return replies;
}

function create(group: Group, id: StreamId, consumer: Consumer): Pending {
  const pending: Pending = { id, consumer, deliveredAtMs: 0, deliveries: 1 };
  group.add(pending);
  return pending;
}

function isTooFresh(ctx: Session, pending: Pending, minIdleMs: number): boolean {
  return minIdleMs > 0 && ctx.nowMs - pending.deliveredAtMs < minIdleMs;
}

type Delivery = Pick<ClaimOptions, "justId" | "deliveredAtMs" | "deliveries">;

/** JUSTID is no delivery and is not counted as one. */
function takeOver(ctx: Session, group: Group, pending: Pending, consumer: Consumer, delivery: Delivery): void {
  group.assign(pending, consumer);
  pending.deliveredAtMs = delivery.deliveredAtMs;
  if (delivery.deliveries !== undefined) pending.deliveries = delivery.deliveries;
  else if (!delivery.justId) pending.deliveries = increment(pending.deliveries);
  ctx.engine.stats.changes += 1;
}

/** All ids up to the first argument that is none; from there on options. */
function claimOptions(ctx: Session, args: readonly string[]): ClaimOptions {
  const minIdleMs = Math.max(integerArgument(args[4] as string, "ERR Invalid min-idle-time argument for XCLAIM"), 0);
  const ids: StreamId[] = [];
  let at = 5;
  for (; at < args.length; at += 1) {
    const id = parseId(args[at] as string, 0);
    if (id === undefined) break;
    ids.push(id);
  }
  let force = false;
  let justId = false;
  let deliveredAtMs = ctx.nowMs;
  let deliveries: Counter | undefined;
  let lastId = MIN_ID;
  for (; at < args.length; at += 1) {
    const value = args[at + 1];
    if (is(args[at], "FORCE")) force = true;
    else if (is(args[at], "JUSTID")) justId = true;
    else if (is(args[at], "IDLE") && value !== undefined) {
      deliveredAtMs = ctx.nowMs - integerArgument(value, "ERR Invalid IDLE option argument for XCLAIM");
      at += 1;
    } else if (is(args[at], "TIME") && value !== undefined) {
      deliveredAtMs = integerArgument(value, "ERR Invalid TIME option argument for XCLAIM");
      at += 1;
    } else if (is(args[at], "RETRYCOUNT") && value !== undefined) {
      const given = int64Argument(value, "ERR Invalid RETRYCOUNT option argument for XCLAIM");
      deliveries = given < 0 ? undefined : given;
      at += 1;
    } else if (is(args[at], "LASTID") && value !== undefined) {
      lastId = idArgument(value);
      at += 1;
    } else fail(`ERR Unrecognized XCLAIM option '${shown(args[at] ?? "")}'`);
  }
  // A client that counts with its own clock may be a little ahead; that is no reason to refuse it.
  if (deliveredAtMs < 0 || deliveredAtMs > ctx.nowMs) deliveredAtMs = ctx.nowMs;
  return { ids, minIdleMs, force, justId, deliveredAtMs, deliveries, lastId };
}

/** `XAUTOCLAIM key group consumer min-idle start [COUNT n] [JUSTID]`; answers where to go on, or 0-0 at the end. */
function claimNext(ctx: Session, args: readonly [string, string, string, string, string, string, ...string[]]): Reply {
  const [, key, name, consumerName, idleText, startText] = args;
  const minIdleMs = Math.max(integerArgument(idleText, "ERR Invalid min-idle-time argument for XAUTOCLAIM"), 0);
  const start = startArgument(startText);
  const { count, justId } = claimNextOptions(args);
  const stream = ctx.db.readAs(key, StreamValue);
  const group = groupOf(stream, key, name);
  const delivery: Delivery = { justId, deliveredAtMs: ctx.nowMs, deliveries: undefined };
  const claimed: Reply[] = [];
  const deleted: Reply[] = [];
  let pending = group.pending.ceiling(start);
  for (let attempts = count * ATTEMPTS_PER_ENTRY; attempts > 0 && pending !== undefined; attempts -= 1) {
    if (claimed.length + deleted.length === count) break;
    const { id }: Pending = pending;
    const entry = stream?.get(id);
    if (entry === undefined) {
      group.acknowledge(id);
      ctx.engine.stats.changes += 1;
      deleted.push(formatId(id));
    } else if (!isTooFresh(ctx, pending, minIdleMs)) {
      takeOver(ctx, group, pending, consumerOf(ctx, key, group, consumerName), delivery);
      claimed.push(justId ? formatId(id) : entryReply(entry));
    }
    const after = nextId(id);
    pending = after && group.pending.ceiling(after);
  }
  return [formatId(pending?.id ?? MIN_ID), claimed, deleted];
}

function claimNextOptions(args: readonly string[]): { readonly count: number; readonly justId: boolean } {
  let count = 100;
  let justId = false;
  for (let i = 6; i < args.length; i += 1) {
    const value = args[i + 1];
    if (is(args[i], "COUNT") && value !== undefined) {
      count = rangeArgument(value, 1, MAX_COUNT, "ERR COUNT must be > 0");
      i += 1;
    } else if (is(args[i], "JUSTID")) justId = true;
    else fail(SYNTAX);
  }
  return { count, justId };
}
