/**
 * A server as a part of a cluster: which keys it serves, and where it sends who asks for others. The cluster itself (who has which slot,
 * how slots move) is whoever's who makes the servers; this is what one of them knows of it.
 */
import { type Command, keysOf } from "./command.ts";
import type { Engine } from "./engine.ts";
import { ErrorReply } from "../base/reply.ts";
import { EVENT } from "../config/notifications.ts";
import type { Session } from "./session.ts";

export interface SlotRange {
  readonly first: number;
  readonly last: number;
  readonly host: string;
  readonly port: number;
  readonly id: string;
}

export interface ClusterView {
  slotOf(key: string): number;
  /** As CLUSTER SLOTS has them. */
  ranges(): readonly SlotRange[];
  /** `host:port` of who has the slot; undefined where that is this server. */
  ownerOf(slot: number): string | undefined;
  /** `host:port` of whom this server gives the slot to, key by key; undefined where it keeps it. */
  leavingTo(slot: number): string | undefined;
  /** Whether this server is given the slot, key by key. */
  isArriving(slot: number): boolean;
  /** A message was published here: listeners at the other servers hear it too. */
  published(channel: string, message: string): void;
}

const CROSS_SLOT = new ErrorReply("CROSSSLOT Keys in request don't hash to the same slot");
const TRY_AGAIN = new ErrorReply("TRYAGAIN Multiple keys request during rehashing of slot");

/** Where a command is to be sent instead, as Redis says it (`getNodeByQuery`); undefined where it is served here. */
export function redirection(session: Session, command: Command, args: readonly string[]): ErrorReply | undefined {
  const { cluster } = session.engine;
  if (cluster === undefined) return undefined;
  const { asking } = session;
  session.asking = false;
  const keys = command.name === "exec" ? queuedKeys(session) : keysOf(command, args);
  const [first] = keys;
  if (first === undefined) return undefined;
  const slot = cluster.slotOf(first);
  if (keys.some((key) => cluster.slotOf(key) !== slot)) return CROSS_SLOT;
  // A channel is no key: none is ever on its way.
  const isChannel = command.category === "pubsub";
  const owner = cluster.ownerOf(slot);
  const isHalf = !isChannel && (owner === undefined ? cluster.leavingTo(slot) !== undefined : cluster.isArriving(slot));
  const present = isHalf ? keys.filter((key) => session.db.has(key)).length : keys.length;
  if (owner === undefined) {
    if (present === keys.length) return undefined;
    return present > 0 ? TRY_AGAIN : new ErrorReply(`ASK ${slot} ${cluster.leavingTo(slot)}`);
  }
  if (isHalf && asking) return keys.length > 1 && present < keys.length ? TRY_AGAIN : undefined;
  return new ErrorReply(`MOVED ${slot} ${owner}`);
}

function queuedKeys({ transaction }: Session): string[] {
  return transaction?.queue.flatMap(({ command, args }) => keysOf(command, args)) ?? [];
}

/** The keys of a slot. Cost: all keys are looked at. */
export function keysInSlot({ cluster, databases }: Engine, slot: number): string[] {
  return databases[0]!.all().flatMap(({ key }) => (cluster?.slotOf(key) === slot ? key : []));
}

/** As MIGRATE: the key is at one of the two at each moment. What has expired goes nowhere. */
export function moveKey(from: Engine, to: Engine, key: string): void {
  let moved: { readonly value: Parameters<(typeof db)["set"]>[1]; readonly leftMs: number } | undefined;
  const db = from.database(0);
  from.outsideCommand(() => {
    const entry = db.find(key);
    if (entry === undefined) return;
    moved = { value: entry.value, leftMs: entry.expiresAtMs - from.nowMs };
    db.delete(key);
    db.changed(key, EVENT.generic, "del");
  });
  const arrived = moved;
  if (arrived === undefined) return;
  to.outsideCommand(() => {
    const target = to.database(0);
    target.set(key, arrived.value);
    const entry = target.peek(key);
    if (entry !== undefined && arrived.leftMs !== Infinity) target.setDeadline(entry, to.nowMs + arrived.leftMs);
    target.changed(key, EVENT.generic, "restore");
  });
}
