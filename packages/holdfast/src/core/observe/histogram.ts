/** Durations by size: two buckets to each doubling, so that a quantile is right to within its bucket, 41 % wide. */

/** How long something took, many times. */
export interface Times {
  readonly count: number;
  /** Milliseconds, as all of them; 0 where nothing was counted. */
  readonly mean: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  /** Rising; those that nothing fell into are left out. */
  readonly buckets: readonly { readonly upTo: number; readonly count: number }[];
}

const PER_DOUBLING = 2;
/** 2^30 ms are twelve days. */
const LAST = 30 * PER_DOUBLING;

/** 0 is up to one millisecond, `i` up to 2^(i/2). */
export function bucketOf(ms: number): number {
  return ms <= 1 ? 0 : Math.min(Math.ceil(Math.log2(ms) * PER_DOUBLING), LAST);
}

/** @param counts by bucket */
export function timesOf(counts: ReadonlyMap<number, number>, totalMs: number): Times {
  const sorted = [...counts].toSorted(([a], [b]) => a - b);
  const count = sorted.reduce((sum, [, n]) => sum + n, 0);
  const quantile = (part: number): number => {
    let left = part * count;
    for (const [bucket, n] of sorted) {
      if (left <= n) return within(bucket, left / n);
      left -= n;
    }
    return 0;
  };
  return {
    count,
    mean: count === 0 ? 0 : totalMs / count,
    p50: quantile(0.5),
    p95: quantile(0.95),
    p99: quantile(0.99),
    buckets: sorted.map(([bucket, n]) => ({ upTo: 2 ** (bucket / PER_DOUBLING), count: n })),
  };
}

/** Durations of one process, as they come. */
export class Histogram {
  readonly #counts = new Map<number, number>();
  #totalMs = 0;

  add(ms: number): void {
    const bucket = bucketOf(ms);
    this.#counts.set(bucket, (this.#counts.get(bucket) ?? 0) + 1);
    this.#totalMs += ms;
  }

  times(): Times {
    return timesOf(this.#counts, this.#totalMs);
  }
}

/** Where in its bucket a time is, if they are spread evenly over it. */
function within(bucket: number, part: number): number {
  const upTo = 2 ** (bucket / PER_DOUBLING);
  const from = bucket === 0 ? 0 : 2 ** ((bucket - 1) / PER_DOUBLING);
  return from + (upTo - from) * part;
}
