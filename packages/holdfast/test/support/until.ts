/** Waiting for a state of a real process that sends no event: ask often, give up at a deadline. */
import { setTimeout as sleep } from "node:timers/promises";

const POLL_MS = 20;

/**
 * The first result of `check` that is neither undefined nor false. A check that throws counts as "not yet".
 * After `timeoutMs` it rejects, naming `what` was waited for, with the last failure as the cause.
 */
export async function until<T>(
  what: string,
  check: () => T | undefined | false | Promise<T | undefined | false>,
  timeoutMs = 60_000,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  let cause: unknown;
  while (performance.now() < deadline) {
    try {
      const result = await check();
      if (result !== undefined && result !== false) return result;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    await sleep(POLL_MS);
  }
  throw new Error(`${what}: not so after ${timeoutMs} ms`, { cause });
}
