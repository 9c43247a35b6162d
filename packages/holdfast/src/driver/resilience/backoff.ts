/** Exponential back-off with equal jitter: half of the step is certain, half is random, so that clients spread out. */
import type { Runtime } from "../../base/runtime.ts";

export interface BackoffRange {
  readonly baseMs: number;
  readonly maxMs: number;
}

/** Milliseconds to wait before retry number `retry`, which counts from 0. */
export function backoffMs(runtime: Runtime, range: BackoffRange, retry: number): number {
  const step = Math.min(range.maxMs, range.baseMs * 2 ** Math.min(retry, 30));
  return jitter(runtime, step);
}

/** Between half of `ms` and `ms`. */
export function jitter(runtime: Runtime, ms: number): number {
  return (ms * (1 + runtime.random())) / 2;
}
