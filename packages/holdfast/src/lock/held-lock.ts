/** A lock that was acquired: what its holder can see and do. */
import { HoldfastError } from "../base/errors.ts";
import { HeldLease } from "../core/lease/held-lease.ts";
import type { TimedLease } from "../core/lease/timed-lease.ts";
import type { Operations } from "../core/observe/observe.ts";
import type { Wakeups } from "../core/wait/wakeups.ts";
import { ASK_MS, followHold } from "./follow-hold.ts";
import { tokenOf } from "./resumption.ts";

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
export class HeldLock extends HeldLease<"expired" | "stolen"> {
  readonly owner: string;
  /**
   * Rises with each new holder (it is at least the server's time in microseconds). Send it along with what the lock
   * guards, and let the guarded side refuse a number below the highest it has seen.
   */
  readonly fence: number;

  readonly #lease: TimedLease;
  /** Undefined where the hold is shared. */
  readonly #wakeups: Pick<Wakeups, "join"> | undefined;
  #unfollow: (() => void) | undefined;

  constructor(
    operations: Operations,
    { name, owner, fence }: Pick<HeldLock, "name" | "owner" | "fence">,
    lease: TimedLease,
    { ttlMs, wakeups }: { readonly ttlMs: number; readonly wakeups: Pick<Wakeups, "join"> | undefined },
  ) {
    super(operations, name, lease, ttlMs);
    this.owner = owner;
    this.fence = fence;
    this.#lease = lease;
    this.#wakeups = wakeups;
  }

  /**
   * What another process needs to go on with this hold, by `resume`. It holds no secret, but whoever has it, and may use the
   * server, can take the lock over: hand it on as you would the work itself.
   * Cost: the first time SUBSCRIBE, once per handle, and one script; from then on `signal` aborts at once when it is resumed.
   * @throws HoldfastError with code `UNSUPPORTED` where the lock has an `owner`: whoever has the same one acquires and shares it
   */
  get token(): string {
    if (this.#wakeups === undefined) throw sharedLock(this.name, "lock.token");
    this.#unfollow ??= this.#follow(this.#wakeups);
    return tokenOf({ token: this.owner, fence: this.fence });
  }

  override release(): Promise<LockReleaseResult> {
    this.#unfollow?.();
    return super.release();
  }

  #follow(wakeups: Pick<Wakeups, "join">): () => void {
    const lease = this.#lease;
    const stop = followHold(wakeups, this.owner, {
      get held() {
        return lease.held;
      },
      ask: () => lease.extend(ASK_MS),
    });
    lease.signal.addEventListener("abort", stop, { once: true });
    return stop;
  }
}

/** A hold that others have too is not handed on. */
export function sharedLock(name: string, op: string): HoldfastError {
  const message = `lock ${JSON.stringify(name)}: a lock with an \`owner\` is not handed on by a token; acquire it with the same \`owner\`, which shares it`;
  return new HoldfastError("UNSUPPORTED", message, { op, key: name });
}
