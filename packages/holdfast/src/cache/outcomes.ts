/**
 * What becomes of each call that reads, and of each load: counted, and published on `node:diagnostics_channel`. Without a subscriber an outcome costs an
 * addition and one property read.
 */
import { channel } from "node:diagnostics_channel";
import { Histogram } from "../core/observe/histogram.ts";
import { reasonOf } from "../core/observe/reason.ts";
import type { Id } from "../core/keyspace/keyspace.ts";
import type { CacheStats } from "./stats.ts";

/** On the channel `holdfast:cache:read`: one of each call that reads an entry, once its outcome is known. */
export interface CacheReadEvent {
  /** The cache's name. */
  readonly cache: string;
  /** The entry's. Not for metric labels: unbounded. */
  readonly id: string;
  /** `stale`: a miss that was answered with a value past its ttl. `unanswered`: it failed before it was known whether there is a value. */
  readonly status: "hit" | "miss" | "stale" | "unanswered";
  /** Of a hit: where it was found. `pending`: in a write that waits for the database. */
  readonly level?: "memory" | "server" | "pending";
  /** Of a hit: whether it is the remembered "there is none". */
  readonly isNegative?: boolean;
}

/** On the channel `holdfast:cache:load`: one of each call of a loader, once it has ended. */
export interface CacheLoadEvent {
  readonly cache: string;
  readonly id: string;
  readonly status: "loaded" | "failed";
  readonly ms: number;
  /** The error's name and code, never its message. */
  readonly error?: string;
}

export type ReadStatus = CacheReadEvent["status"] | "pending";

const reads = channel("holdfast:cache:read");
const loads = channel("holdfast:cache:load");

type Counts = {
  -readonly [Name in Exclude<keyof CacheStats, "hits" | "loadTime" | "invalidationLag" | "unsent" | "l1">]: number;
};

export class Outcomes {
  readonly counts: Counts = {
    l1Hits: 0,
    pendingHits: 0,
    negativeHits: 0,
    misses: 0,
    stale: 0,
    softTimeouts: 0,
    unanswered: 0,
    refreshes: 0,
    loads: 0,
    loadErrors: 0,
    joined: 0,
    waited: 0,
    superseded: 0,
    outages: 0,
  };
  readonly #cache: string;
  readonly #loadTime = new Histogram();
  #serverHits = 0;

  constructor(cache: string) {
    this.#cache = cache;
  }

  memoryHit(id: Id, value: unknown): void {
    this.counts.l1Hits += 1;
    if (value === undefined) this.counts.negativeHits += 1;
    if (reads.hasSubscribers) this.#publish(id, "hit", "memory", value === undefined);
  }

  serverHit(id: Id, value: unknown): void {
    this.#serverHits += 1;
    if (value === undefined) this.counts.negativeHits += 1;
    if (reads.hasSubscribers) this.#publish(id, "hit", "server", value === undefined);
  }

  /** Of a call that neither memory nor the server has answered. */
  read(id: Id, status: Exclude<ReadStatus, "hit">): void {
    const { counts } = this;
    if (status === "pending") counts.pendingHits += 1;
    else if (status === "unanswered") counts.unanswered += 1;
    else counts.misses += 1;
    if (status === "stale") counts.stale += 1;
    if (!reads.hasSubscribers) return;
    if (status === "pending") this.#publish(id, "hit", "pending", false);
    else this.#publish(id, status);
  }

  /** The answer to a call that reads; without one the call counts as unanswered. */
  async answered<T>(id: Id, answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      this.read(id, "unanswered");
      throw error;
    }
  }

  /** A loader's call has ended. */
  load(id: Id, ms: number, error?: unknown): void {
    this.#loadTime.add(ms);
    if (!loads.hasSubscribers) return;
    const event: CacheLoadEvent = { cache: this.#cache, id: String(id), status: "loaded", ms };
    loads.publish(error === undefined ? event : { ...event, status: "failed", error: reasonOf(error) });
  }

  stats(): Omit<CacheStats, "invalidationLag" | "unsent" | "l1"> {
    const { counts } = this;
    const hits = counts.l1Hits + this.#serverHits + counts.pendingHits;
    return { hits, ...counts, loadTime: this.#loadTime.times() };
  }

  #publish(id: Id, status: CacheReadEvent["status"], level?: CacheReadEvent["level"], isNegative?: boolean): void {
    const event: CacheReadEvent = { cache: this.#cache, id: String(id), status };
    reads.publish(level === undefined ? event : { ...event, level, isNegative });
  }
}
