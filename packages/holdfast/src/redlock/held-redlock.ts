/** A redlock that was acquired: what its holder can see and do. */
import { HeldLease } from "../core/lease/held-lease.ts";
import type { TimedLease } from "../core/lease/timed-lease.ts";
import type { Operations } from "../core/observe/observe.ts";

/**
 * What `acquire` returns; its `signal` aborts when no majority of the servers keeps it any more.
 * @example
 * await using held = await red.lock("invoice:42").acquire();
 * await charge(invoice, { signal: held.signal, fence: held.fence });
 */
export class HeldRedlock extends HeldLease<"expired" | "stolen"> {
  /**
   * Rises with each new holder, and is stored on a majority of the servers. Send it along with what the lock guards, and let the
   * guarded side refuse a number below the highest it has seen.
   */
  readonly fence: number;

  constructor(operations: Operations, name: string, fence: number, lease: TimedLease, ttlMs: number) {
    super(operations, name, lease, ttlMs);
    this.fence = fence;
  }
}
