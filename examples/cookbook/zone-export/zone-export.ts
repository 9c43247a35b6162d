/**
 * An export that one process at a time may write, while any zone may fail: the lock is kept by a server in each of three zones, without
 * failover. The place it is written to refuses a lower fence, so that a process which stood still cannot undo what its successor wrote.
 */
import { redlock, type Redlock, type RedlockOptions } from "holdfast";

/** What is written to: an object store, a file, a table. `write` is one conditional step of it, such as `... where fence <= $2`. */
export interface Target {
  /** Returns false where a higher fence has written already. */
  write(rows: readonly string[], fence: number): Promise<boolean>;
}

/** One per process. The servers are primaries of their own: none is a replica, none has one that takes over. */
export function exportLocks(zones: readonly string[], options: RedlockOptions = { maxTtl: "1m" }): Redlock {
  return redlock(zones, options);
}

export type Exported = "exported" | "busy" | "overtaken";

/** At most one process is at it; the others have nothing to do. Without two of three zones it rejects, and nothing is written. */
export async function exportOnce(
  locks: Redlock,
  target: Target,
  read: (signal: AbortSignal) => Promise<readonly string[]>,
): Promise<Exported> {
  const result = await locks.lock("export", { ttl: "30s" }).tryAcquire();
  if (result.status === "busy") return "busy";
  await using held = result.lock;
  const rows = await read(held.signal);
  // The fence decides and not `held.held`: between a look at the clock and the write a process may stand still for an hour.
  return (await target.write(rows, held.fence)) ? "exported" : "overtaken";
}
