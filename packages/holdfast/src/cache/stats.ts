/** Counts of one cache in this process since it was made. */
export interface CacheStats {
  /** From memory or from the server. */
  hits: number;
  /** Of these, from memory. */
  l1Hits: number;
  misses: number;
  /** Of the misses, answered with a value past its ttl. */
  stale: number;
  /** Loads that were begun ahead of the end of a value. */
  refreshes: number;
  /** Loader calls, and how many of them failed. */
  loads: number;
  loadErrors: number;
  /** Callers that got the result of a load that another caller of this process had begun. */
  joined: number;
  /** Loads left to another process, whose result was waited for. */
  waited: number;
  /** Loaded values not stored, because the entry was changed or deleted meanwhile. */
  superseded: number;
  /** Times that the server could not do its part and the cache went on without it. */
  outages: number;
}

/** The level in memory, where the cache has one. */
export interface CacheL1Stats {
  readonly entries: number;
  readonly bytes: number;
  /** Changes of entries by others that have arrived. */
  readonly changes: number;
  /** Whether the server says what changes; else nothing is kept in memory, and what is there is served for `staleness` at most. */
  readonly isCoherent: boolean;
}

export function emptyStats(): CacheStats {
  return {
    hits: 0,
    l1Hits: 0,
    misses: 0,
    stale: 0,
    refreshes: 0,
    loads: 0,
    loadErrors: 0,
    joined: 0,
    waited: 0,
    superseded: 0,
    outages: 0,
  };
}
