/** How long a caller waits for a value, and with what it gives up. */
import { onAbort } from "../base/abort.ts";
import { AbortedError, ClosedError, HoldfastError } from "../base/errors.ts";
import type { Runtime } from "../base/runtime.ts";
import type { Id } from "../core/keyspace/keyspace.ts";
import type { Reply } from "../driver/port.ts";
import { MISS } from "./entry.ts";
import type { Outcomes } from "./outcomes.ts";

/** What is loaded, or `MISS` if that fails or takes longer than `softTimeoutMs`; undefined: however long it takes. */
export async function inTime(
  runtime: Runtime,
  loaded: Promise<unknown>,
  softTimeoutMs: number | undefined,
  { counts }: Outcomes,
): Promise<unknown> {
  let timer;
  const waited = new Promise<typeof MISS>((resolve) => {
    if (softTimeoutMs === 0) resolve(MISS);
    else if (softTimeoutMs !== undefined) timer = runtime.setTimeout(() => resolve(MISS), softTimeoutMs);
  });
  try {
    const value = await Promise.race([waited, loaded]);
    if (value !== MISS) return value;
    counts.softTimeouts += 1;
    // It goes on for those who come later.
    loaded.catch(() => undefined);
  } catch (error) {
    if (error instanceof ClosedError) throw error;
  } finally {
    runtime.clearTimeout(timer);
  }
  return MISS;
}

export function abortable<T>(result: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const unfollow = onAbort(signal, () => reject(stoppedWaiting(signal)));
    void result.then(resolve, reject).finally(unfollow);
  });
}

export function stoppedWaiting(signal: AbortSignal): AbortedError {
  return new AbortedError("the caller stopped waiting for the value", { op: "cache.getOrSet", cause: signal.reason });
}

/** Through a proxy, or a client of the user's own that decodes replies. */
export function notBytes(reply: Reply, id: Id): HoldfastError {
  const what = Array.isArray(reply) ? "an array" : `a ${typeof reply}`;
  const message = `cache.get ${JSON.stringify(id)}: the server replied ${what} where bytes are expected`;
  return new HoldfastError("WRONG_TYPE", message, { op: "cache.get", key: String(id) });
}
