/** What is counted of a cache, as its users get it. */
import type { Times } from "../core/observe/histogram.ts";

/** How long loads took, or how late invalidations were heard of. */
export type CacheTimes = Times;

/** Counts of one cache object in this process since it was made. Each call that reads an entry is one of `hits`, `misses` and `unanswered`. */
export interface CacheStats {
  /** From memory, from the server, or from a write that waits for the database. */
  readonly hits: number;
  /** Of the hits, from memory. */
  readonly l1Hits: number;
  /** Of the hits, from a write that waits for the database, where neither memory nor the server had the entry. */
  readonly pendingHits: number;
  /** Of the hits, the remembered "there is none". */
  readonly negativeHits: number;
  readonly misses: number;
  /** Of the misses, answered with a value past its ttl. */
  readonly stale: number;
  /** Of these, because the load took longer than `softTimeout`. */
  readonly softTimeouts: number;
  /** Calls that failed before it was known whether there is a value: the server was away, or would not answer. */
  readonly unanswered: number;
  /** Loads that were begun ahead of the end of a value. */
  readonly refreshes: number;
  /** Loader calls, and how many of them failed. */
  readonly loads: number;
  readonly loadErrors: number;
  /** How long they took, the failed ones too. */
  readonly loadTime: CacheTimes;
  /** Callers that got the result of a load that another caller of this process had begun. */
  readonly joined: number;
  /** Loads left to another process, whose result was waited for. */
  readonly waited: number;
  /** Loaded values not stored, because the entry was changed or deleted meanwhile. */
  readonly superseded: number;
  /** Times that the server could not do its part and the cache went on without it. */
  readonly outages: number;
  /** How late invalidations of tags, and clearings, by other processes were heard of here: by the server's clock, of the last ones that the server reported. */
  readonly invalidationLag: CacheTimes;
  /** Invalidations that could not be sent, and are as soon as the server is back. */
  readonly unsent: number;
  /** The level in memory, where the cache has one. */
  readonly l1?: CacheL1Stats;
}

export interface CacheL1Stats {
  readonly entries: number;
  readonly bytes: number;
  /** Changes of entries by others that have arrived. */
  readonly changes: number;
  /** Whether the server says what changes; else nothing is kept in memory, and what is there is served for `staleness` at most. */
  readonly isCoherent: boolean;
  /** For how many milliseconds it has not been so; 0 while it is. What is in memory may be so much out of date. */
  readonly incoherentMs: number;
  /** How long ago this process last read all that its connections had, in milliseconds: a change made before that has been heard of. */
  readonly silentMs: number;
}
