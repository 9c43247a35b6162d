import { type Runtime, sleep } from "../../base/runtime.ts";

const FIRST_MS = 25;
const LONGEST_MS = 1_000;

/**
 * Waits before the next try: up to 25 ms after the first failure, then doubling to one second, each with jitter so
 * that a fleet does not return at the same moment. Resolves early when `signal` fires.
 */
export async function backoff(runtime: Runtime, failures: number, signal: AbortSignal): Promise<void> {
  const ceiling = Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures, 10));
  const ms = failures <= 1 ? runtime.random() * FIRST_MS : ceiling * (0.5 + runtime.random() / 2);
  await sleep(runtime, ms, signal);
}
