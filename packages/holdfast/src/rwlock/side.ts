/** One of the ways to hold a read-write lock, with the verbs of a lock. */
import { InvalidArgumentError } from "../base/errors.ts";
import type { HeldLease } from "../core/lease/held-lease.ts";
import type { LeaseHolders } from "../core/lease/lease-holders.ts";
import type { RequestTerms } from "../core/lease/request.ts";
import { runHeld } from "../core/lease/run-held.ts";
import type { TimedLease } from "../core/lease/timed-lease.ts";
import type { Operations } from "../core/observe/observe.ts";
import { type RwLockAcquireOptions, waitingFor } from "./options.ts";
import type { RwLockRequest } from "./request.ts";

/** `busy`: it is not this request's turn; it may be in `ttlMs` unless the holders renew, or sooner if they release. */
export type RwLockTryResult<H> =
  | { readonly status: "ok"; readonly lock: H }
  | { readonly status: "busy"; readonly ttlMs: number };

export interface SideSettings<H> {
  readonly operations: Operations;
  readonly holders: LeaseHolders;
  readonly terms: RequestTerms;
  request(): RwLockRequest;
  hold(request: RwLockRequest, lease: TimedLease, fence: number): H;
}

export class RwLockSide<H extends HeldLease> {
  readonly name: string;
  readonly #settings: SideSettings<H>;

  constructor(name: string, settings: SideSettings<H>) {
    this.name = name;
    this.#settings = settings;
  }

  /**
   * Waits for the lock and holds it this way, renewed, until it is released.
   * Cost: one script when nobody is in the way; else one more per wake-up and one per ttl of a holder.
   * @throws TimeoutError when it was not its turn within `wait`, AbortedError when `signal` aborted, HoldfastError with code
   * `CONFLICT` inside a `run` of the same lock
   */
  acquire(options?: RwLockAcquireOptions): Promise<H> {
    return this.#settings.operations.run("acquire", this.name, () => this.#acquire(options));
  }

  /**
   * Acquires the lock this way if nobody is in the way and nobody waits who has precedence.
   * Cost: one script.
   */
  tryAcquire(): Promise<RwLockTryResult<H>> {
    const { operations, holders, terms } = this.#settings;
    return operations.run("acquire", this.name, async () => {
      const request = this.#settings.request();
      const answer = await holders.tryAcquire(request, terms);
      if ("status" in answer) return { status: "busy", ttlMs: answer.ttlMs };
      return { status: "ok", lock: this.#settings.hold(request, answer.lease, answer.grant.fence) };
    });
  }

  /**
   * Runs `body` while it holds the lock this way and returns what `body` returns. An error of the body is passed on as it is.
   * Cost: as `acquire` and `release`.
   * @throws LeaseLostError when the body has ended but did not hold the lock to its end; what `acquire` throws
   */
  async run<R>(body: (held: H) => R | Promise<R>, options?: RwLockAcquireOptions): Promise<R> {
    const { operations, holders } = this.#settings;
    const label = operations.where;
    if (typeof body !== "function") throw new InvalidArgumentError("body", "a function", body, { where: label });
    const held = await this.acquire(options);
    return runHeld(holders, { held, label, op: "rwlock.run" }, body);
  }

  async #acquire(options: RwLockAcquireOptions | undefined): Promise<H> {
    const { operations, holders, terms } = this.#settings;
    const waiting = waitingFor(operations.where, options);
    const request = this.#settings.request();
    const advice = "it is in a run() of this lock; to read and then write, begin with `upgradable`";
    holders.refuseNested({ name: this.name, label: request.label, op: request.op, advice });
    const { lease, grant } = await holders.acquire(request, terms, waiting);
    return this.#settings.hold(request, lease, grant.fence);
  }
}
