import type { CacheStats } from "holdfast";

/** The counts of several caches as one. */
export function addStats(...parts: readonly CacheStats[]): CacheStats {
  const sum = (field: keyof CacheStats): number => parts.reduce((total, part) => total + part[field], 0);
  return {
    hits: sum("hits"),
    l1Hits: sum("l1Hits"),
    misses: sum("misses"),
    stale: sum("stale"),
    refreshes: sum("refreshes"),
    loads: sum("loads"),
    loadErrors: sum("loadErrors"),
    joined: sum("joined"),
    waited: sum("waited"),
    superseded: sum("superseded"),
    outages: sum("outages"),
  };
}
