/** Exponential back-off with equal jitter: half of the step is certain, half is random, so that clients spread out. */
export interface BackoffRange {
  readonly baseMs: number;
  readonly maxMs: number;
}

/** Milliseconds to wait before retry number `retry`, which counts from 0. */
export function backoffMs(range: BackoffRange, retry: number): number {
  const step = Math.min(range.maxMs, range.baseMs * 2 ** Math.min(retry, 30));
  return jitter(step);
}

/** Between half of `ms` and `ms`. */
export function jitter(ms: number): number {
  return (ms * (1 + Math.random())) / 2;
}
