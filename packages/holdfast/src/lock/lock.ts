/** A lock that was acquired: what its holder can see and do. */
import { observed } from "../core/observe/observe.ts";
import { type Duration, toMs } from "../base/options.ts";
import type { Extension, LeaseEnd, TimedLease } from "../core/lease/timed-lease.ts";

export class Lock implements AsyncDisposable {
  readonly name: string;
  readonly owner: string;
  /**
   * Rises with each new holder (it is at least the server's time in microseconds). Send it along with what the lock
   * guards, and let the guarded side refuse a number below the highest it has seen.
   */
  readonly fence: number;
  readonly #lease: TimedLease;
  readonly #ttlMs: number;

  constructor(name: string, owner: string, fence: number, lease: TimedLease, ttlMs: number) {
    this.name = name;
    this.owner = owner;
    this.fence = fence;
    this.#lease = lease;
    this.#ttlMs = ttlMs;
  }

  /**
   * Fires, with a LeaseLostError as its reason, when the lock is lost (known without the server, before the server lets
   * anybody else in), when `maxHold` is over, and when the handle is closed; not on release.
   */
  get signal(): AbortSignal {
    return this.#lease.signal;
  }

  /** False once it was released or lost. */
  get held(): boolean {
    return this.#lease.held;
  }

  /** Milliseconds for which it is held for certain, whatever happens to the server; 0 once it is not held. */
  get remainingMs(): number {
    return this.#lease.remainingMs;
  }

  /** Makes it last `ttl` from now, never shorter than it did; by default the ttl it was acquired with. Cost: one script. */
  extend(ttl: Duration = this.#ttlMs): Promise<Extension> {
    return observed("lock.extend", this.name, async () => this.#lease.extend(toMs("ttl", ttl)));
  }

  /**
   * Gives it back. `expired`: it had ended before, and nobody has it now; `stolen`: and somebody else has it.
   * Idempotent. Rejects when no server answers; it then ends by its ttl. Cost: one script.
   */
  release(): Promise<LeaseEnd> {
    return observed("lock.release", this.name, () => this.#lease.release());
  }

  /** Releases it as well as it can, and never throws: the error of the block that ends is the one to see. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.release().catch(() => undefined);
  }
}
