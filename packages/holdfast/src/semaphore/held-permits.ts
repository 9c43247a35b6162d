/** Permits that were acquired: what their holder can see and do. */
import { HeldLease } from "../core/lease/held-lease.ts";
import type { TimedLease } from "../core/lease/timed-lease.ts";
import type { Operations } from "../core/observe/observe.ts";

/**
 * What `acquire` returns, one or several permits; its `signal` aborts when they are lost.
 * @example
 * await using permit = await hf.semaphore("gpu", { permits: 4 }).acquire();
 * await render(scene, { signal: permit.signal });
 */
export class HeldPermits extends HeldLease {
  /** As in `info`. */
  readonly id: string;
  /** How many. */
  readonly permits: number;
  /** Rises with each grant of the semaphore: it is at least the server's time in microseconds. */
  readonly fence: number;

  constructor(
    operations: Operations,
    { name, id, permits, fence }: Pick<HeldPermits, "name" | "id" | "permits" | "fence">,
    lease: TimedLease,
    ttlMs: number,
  ) {
    super(operations, name, lease, ttlMs);
    this.id = id;
    this.permits = permits;
    this.fence = fence;
  }
}
