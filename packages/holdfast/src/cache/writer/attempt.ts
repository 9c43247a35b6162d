/** One call of the user's function, within its time. */
import { Deferred } from "../../base/deferred.ts";
import { ClosedError, InvalidArgumentError, TimeoutError } from "../../base/errors.ts";
import { onAbort } from "../../base/abort.ts";
import type { Runtime } from "../../base/runtime.ts";
import type { CacheWrite, CacheWriteEntry } from "./options.ts";

/**
 * Which entries have failed, and why.
 * @param stop fires when the handle is closed and there is no more time
 */
export async function attempt(
  runtime: Runtime,
  write: CacheWrite<unknown>,
  entries: readonly CacheWriteEntry<unknown>[],
  { timeoutMs, stop }: { readonly timeoutMs: number; readonly stop: AbortSignal },
): Promise<ReadonlyMap<string, unknown>> {
  const abort = new AbortController();
  const ended = new Deferred<never>();
  const end = (error: Error): void => {
    abort.abort(error);
    ended.reject(error);
  };
  ended.promise.catch(() => undefined);
  const late = `the writer took longer than writeTimeout (${timeoutMs} ms)`;
  const timer = runtime.setTimeout(() => end(new TimeoutError(late, { op: "cache.write" })), timeoutMs);
  const unfollow = onAbort(stop, () => end(new ClosedError(undefined, { op: "cache.write" })));
  if (stop.aborted) end(new ClosedError(undefined, { op: "cache.write" }));
  try {
    const run = async (): Promise<unknown> => write(entries, { signal: abort.signal });
    const failed = await Promise.race([run(), ended.promise]);
    if (failed === undefined || failed === null) return new Map();
    if (failed instanceof Map) return new Map([...failed].map(([id, error]) => [String(id), error]));
    throw new InvalidArgumentError("writer.write", "a function that returns nothing, or a Map of errors by id", failed);
  } catch (error) {
    return new Map(entries.map(({ id }) => [id, error]));
  } finally {
    runtime.clearTimeout(timer);
    unfollow();
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
