/** A lock that was acquired: what its holder can see and do. */
import { Operations } from "../core/observe/observe.ts";
import { type Duration, toMs } from "../base/options.ts";
import type { LeaseEnd, LeaseExtension, TimedLease } from "../core/lease/timed-lease.ts";

/** `expired`: it had ended before, and nobody holds it now; `stolen`: somebody else holds it. */
export interface LockReleaseResult {
  readonly status: "ok" | "expired" | "stolen";
}

/** `expired` and `stolen` as for a release; the lock's signal has fired then. */
export interface LockExtendResult {
  readonly status: "ok" | "expired" | "stolen";
}

/**
 * What `acquire` returns; its `signal` aborts when the lock is lost.
 * @example
 * await using held = await hf.lock("invoice:42").acquire();
 * await charge(invoice, { signal: held.signal, fence: held.fence });
 */
export class HeldLock implements AsyncDisposable {
  readonly name: string;
  readonly owner: string;
  /**
   * Rises with each new holder (it is at least the server's time in microseconds). Send it along with what the lock
   * guards, and let the guarded side refuse a number below the highest it has seen.
   */
  readonly fence: number;
  readonly #operations: Operations;
  readonly #lease: TimedLease;
  readonly #ttlMs: number;

  constructor(name: string, owner: string, fence: number, lease: TimedLease, ttlMs: number) {
    this.name = name;
    this.#operations = new Operations("lock", name);
    this.owner = owner;
    this.fence = fence;
    this.#lease = lease;
    this.#ttlMs = ttlMs;
  }

  /**
   * Aborts, with a LeaseLostError as its reason, when the lock is lost (known without the server, before the server lets
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

  /**
   * Makes it last `ttl` from now, never shorter than it did; by default the ttl it was acquired with.
   * Cost: one script.
   * @throws UnavailableError or TimeoutError if the server cannot be asked; the lock is then as it was
   */
  extend(ttl: Duration = this.#ttlMs): Promise<LockExtendResult> {
    return this.#operations.run("extend", this.name, async () => ({
      status: status(await this.#lease.extend(toMs("ttl", ttl))),
    }));
  }

  /**
   * Releases it. Idempotent.
   * Cost: one script.
   * @throws UnavailableError or TimeoutError if no server answers; it then ends by its ttl
   */
  release(): Promise<LockReleaseResult> {
    return this.#operations.run("release", this.name, async () => ({ status: status(await this.#lease.release()) }));
  }

  /** Releases it as well as it can, and never throws: the error of the block that ends is the one to see. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.release().catch(() => undefined);
  }
}

function status(outcome: LeaseEnd | LeaseExtension): LockReleaseResult["status"] {
  return outcome === "expired" || outcome === "stolen" ? outcome : "ok";
}
