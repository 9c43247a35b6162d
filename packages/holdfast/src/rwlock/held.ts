/** A read-write lock that was acquired, one way or another: what its holder can see and do. */
import { HeldLease } from "../core/lease/held-lease.ts";
import type { TimedLease } from "../core/lease/timed-lease.ts";
import type { Operations } from "../core/observe/observe.ts";
import type { RwLockAcquireOptions } from "./options.ts";

/** A hold as all its views share it: released once, lost at once. */
export interface Hold {
  readonly operations: Operations;
  readonly name: string;
  readonly lease: TimedLease;
  readonly ttlMs: number;
}

/**
 * A hold that reads.
 * @example
 * await using reading = await hf.rwlock("config").read.acquire();
 */
export class HeldReadLock extends HeldLease {
  /** That of the last writer. */
  readonly fence: number;

  constructor({ operations, name, lease, ttlMs }: Hold, fence: number) {
    super(operations, name, lease, ttlMs);
    this.fence = fence;
  }
}

/**
 * A hold that writes: nobody else holds the lock.
 * @example
 * await using writing = await hf.rwlock("config").write.acquire();
 * await store.put(config, { fence: writing.fence });
 */
export class HeldWriteLock extends HeldLease {
  /** Rises with each writer: it is at least the server's time in microseconds. */
  readonly fence: number;
  readonly #hold: Hold;
  readonly #downgrade: () => Promise<HeldReadLock>;

  constructor(hold: Hold, fence: number, downgrade: () => Promise<HeldReadLock>) {
    super(hold.operations, hold.name, hold.lease, hold.ttlMs);
    this.fence = fence;
    this.#hold = hold;
    this.#downgrade = downgrade;
  }

  /**
   * Makes it a hold that reads, without a moment in which another could write; readers that wait come in. What it returns
   * is the same hold: to release one of the two is to release both.
   * Cost: one script.
   * @throws LeaseLostError if it is not held any more, UnavailableError or TimeoutError if the server cannot be asked
   */
  downgrade(): Promise<HeldReadLock> {
    return this.#hold.operations.run("downgrade", this.name, this.#downgrade);
  }
}

/**
 * A hold that reads, beside other readers, and can become the one that writes.
 * @example
 * await using reading = await hf.rwlock("config").upgradable.acquire();
 * if (isStale(config)) await write(config, (await reading.upgrade()).fence);
 */
export class HeldUpgradableLock extends HeldLease {
  /** That of the last writer. */
  readonly fence: number;
  readonly #hold: Hold;
  readonly #upgrade: (options: RwLockAcquireOptions | undefined) => Promise<HeldWriteLock>;

  constructor(hold: Hold, fence: number, upgrade: (options?: RwLockAcquireOptions) => Promise<HeldWriteLock>) {
    super(hold.operations, hold.name, hold.lease, hold.ttlMs);
    this.fence = fence;
    this.#hold = hold;
    this.#upgrade = upgrade;
  }

  /**
   * Waits until the other readers have left, and writes; while it waits nobody else comes in. What it returns is the same
   * hold: to release one of the two is to release both.
   * Cost: one script when nobody else reads; else as a busy `acquire`.
   * @throws TimeoutError when readers were still in after `wait`, AbortedError when `signal` aborted: it is upgradable as
   * before; LeaseLostError if it is not held any more
   */
  upgrade(options?: RwLockAcquireOptions): Promise<HeldWriteLock> {
    return this.#hold.operations.run("upgrade", this.name, () => this.#upgrade(options));
  }
}
