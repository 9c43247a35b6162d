/** A consumer group of a stream: how far it has read, and what its consumers have received and not acknowledged. */
import { addInt64 } from "../base/numbers.ts";
import { SortedIndex } from "../structures/sorted-index.ts";
import { compareIds, type StreamId } from "./stream-id.ts";

/** A signed 64-bit counter; a bigint beyond 2^53. */
export type Counter = number | bigint;

/** One more, wrapping around in 64 bits as Redis's counters do. */
export function increment(counter: Counter): Counter {
  return sum(counter, 1);
}

export function sum(a: Counter, b: Counter): Counter {
  return addInt64(a, b) ?? BigInt.asIntN(64, BigInt(a) + BigInt(b));
}

/** An entry that was delivered and not acknowledged. */
export interface Pending {
  readonly id: StreamId;
  consumer: Consumer;
  deliveredAtMs: number;
  deliveries: Counter;
}

export class Consumer {
  readonly name: string;
  /** Time of its last attempt to read or to claim, in milliseconds since the epoch. */
  seenAtMs: number;
  readonly pending: SortedIndex<StreamId, Pending> = pendingList();

  constructor(name: string, seenAtMs: number) {
    this.name = name;
    this.seenAtMs = seenAtMs;
  }
}

export class Group {
  readonly name: string;
  /** The last entry delivered to any consumer. */
  lastId: StreamId;
  /** How many entries were added up to `lastId` since the stream began; undefined where that cannot be known. */
  entriesRead: Counter | undefined;
  readonly pending: SortedIndex<StreamId, Pending> = pendingList();
  readonly consumers: SortedIndex<string, Consumer> = new SortedIndex(({ name }) => name, compareNames);

  constructor(name: string, lastId: StreamId, entriesRead: Counter | undefined) {
    this.name = name;
    this.lastId = lastId;
    this.entriesRead = entriesRead;
  }

  /** Delivers an entry for the first time, or takes it from the consumer that had it and begins to count again. */
  deliver(id: StreamId, consumer: Consumer, nowMs: number): void {
    const known = this.pending.get(id);
    if (known === undefined) {
      this.add({ id, consumer, deliveredAtMs: nowMs, deliveries: 1 });
      return;
    }
    this.assign(known, consumer);
    known.deliveredAtMs = nowMs;
    known.deliveries = 1;
  }

  add(pending: Pending): void {
    this.pending.add(pending);
    pending.consumer.pending.add(pending);
  }

  assign(pending: Pending, consumer: Consumer): void {
    if (pending.consumer === consumer) return;
    pending.consumer.pending.delete(pending.id);
    pending.consumer = consumer;
    consumer.pending.add(pending);
  }

  /** True when the entry was pending. */
  acknowledge(id: StreamId): boolean {
    const pending = this.pending.delete(id);
    pending?.consumer.pending.delete(id);
    return pending !== undefined;
  }

  /** The consumer and all that is pending for it. */
  removeConsumer({ name, pending }: Consumer): void {
    for (const { id } of pending) this.pending.delete(id);
    this.consumers.delete(name);
  }

  copy(): Group {
    const copy = new Group(this.name, this.lastId, this.entriesRead);
    for (const { name, seenAtMs, pending } of this.consumers) {
      const consumer = new Consumer(name, seenAtMs);
      copy.consumers.add(consumer);
      for (const one of pending) copy.add({ ...one, consumer });
    }
    return copy;
  }
}

function pendingList(): SortedIndex<StreamId, Pending> {
  return new SortedIndex(({ id }) => id, compareIds);
}

/** Byte by byte. */
export function compareNames(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
