/** What caches answered and from where, as each process announces it and the page shows the sum. */
import type { CacheStats } from "holdfast";

export interface CacheReads {
  /** Hits in this process's memory, and on the server. */
  readonly memory: number;
  readonly server: number;
  /** Answered past their ttl, while the next value was being loaded. */
  readonly stale: number;
  /** Found nowhere. */
  readonly misses: number;
  /** Questions to the database, and callers who shared the answer to another's. */
  readonly loads: number;
  readonly joined: number;
}

const NO_READS: CacheReads = { memory: 0, server: 0, stale: 0, misses: 0, loads: 0, joined: 0 };

export function readsOf({ hits, l1Hits, misses, stale, loads, joined }: CacheStats): CacheReads {
  return { memory: l1Hits, server: hits - l1Hits, stale, misses: misses - stale, loads, joined };
}

export function addReads(parts: Iterable<CacheReads>): CacheReads {
  let sum = NO_READS;
  for (const part of parts) {
    sum = {
      memory: sum.memory + part.memory,
      server: sum.server + part.server,
      stale: sum.stale + part.stale,
      misses: sum.misses + part.misses,
      loads: sum.loads + part.loads,
      joined: sum.joined + part.joined,
    };
  }
  return sum;
}
