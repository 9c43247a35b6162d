/**
 * Locks: one holder in the whole fleet, by name.
 *
 * What they promise: while the server keeps its data, a lock has one owner at a time, and each new holder gets a
 * higher fence. A holder learns of its loss by its own clock before the server lets anybody else in. A holder that
 * dies blocks the others for its ttl at most. What they cannot promise is in docs/lock.md: with asynchronous
 * replication a failover can lose a lock, so what must never be done twice checks the fence.
 *
 * While the server is away: `acquire` waits for it as part of its `wait`; `tryAcquire` rejects; what is held stays held
 * until its ttl is over, then its signal aborts.
 */
import type { Core } from "../core/core.ts";
import { InvalidArgumentError } from "../base/errors.ts";
import type { Held, LeaseHolders } from "../core/lease/lease-holders.ts";
import { runHeld } from "../core/lease/run-held.ts";
import { Operations } from "../core/observe/observe.ts";
import { DurableLockStore } from "./durability.ts";
import type { Handovers } from "./handovers.ts";
import { HeldLock, sharedLock } from "./held-lock.ts";
import { type LockAcquireOptions, type LockOptions, type LockSettings, lockSettings, waiting } from "./options.ts";
import { refuseNested } from "./nested.ts";
import { ListedLockStore } from "./listed-store.ts";
import { LockLeaseRequest } from "./request.ts";
import { holdOf, LockResumption } from "./resumption.ts";
import { type LockInfo, type LockPaths, LockStore } from "./store.ts";
import { type LockForceReleaseResult, LockTakeovers } from "./takeovers.ts";
import type { LockGrant } from "./grant.ts";

/** `busy`: somebody else holds it, for `ttlMs` unless it is renewed. */
export type LockTryResult = { status: "ok"; lock: HeldLock } | { status: "busy"; ttlMs: number };

/** `expired`: the hold had ended, and nobody has the lock; `stolen`: somebody else has it. */
export type LockResumeResult = { status: "ok"; lock: HeldLock } | { status: "expired" | "stolen" };

/** What all locks of one handle share. */
export interface LockParts extends LockPaths {
  readonly holders: LeaseHolders;
}

/**
 * A lock that can be acquired, any number of times, by any number of callers; itself it holds nothing.
 * @example
 * const invoice = hf.lock("invoice:42", { ttl: "10s" });
 * await using held = await invoice.acquire({ wait: "30s" });
 */
export class Lock {
  readonly name: string;
  readonly #operations: Operations;
  readonly #core: Core;
  readonly #holders: LeaseHolders;
  readonly #handovers: Handovers;
  readonly #store: LockStore;
  readonly #settings: LockSettings;

  constructor(core: Core, parts: LockParts, name: string, options?: LockOptions) {
    this.name = name;
    this.#operations = new Operations("lock", name);
    this.#core = core;
    this.#holders = parts.holders;
    this.#handovers = parts.handovers;
    this.#settings = lockSettings(name, options, core.driver.timeoutMs);
    const { durability, index } = this.#settings;
    const { where: label } = this.#operations;
    if (durability !== undefined)
      this.#store = new DurableLockStore(core, parts, { name, label, isListed: index }, durability);
    else this.#store = new (index ? ListedLockStore : LockStore)(core, parts, name, label);
  }

  /**
   * Waits for the lock and holds it, renewed, until it is released.
   * Cost: one script when it is free; while it is not, one more per wake-up and one per ttl of the holder.
   * @throws TimeoutError when it was not free within `wait`, AbortedError when `signal` aborted, HoldfastError with code
   * `CONFLICT` inside a `run` of the same lock
   */
  acquire(options?: LockAcquireOptions): Promise<HeldLock> {
    return this.#operations.runAtOnce("acquire", this.name, () => this.#acquire(options));
  }

  /**
   * Acquires the lock if it is free now.
   * Cost: one script.
   */
  tryAcquire(): Promise<LockTryResult> {
    return this.#tryWithin(Infinity);
  }

  /** As `tryAcquire`, for a caller that waits no longer than `ms`. @internal */
  static tryWithin(lock: Lock, ms: number): Promise<LockTryResult> {
    return lock.#tryWithin(ms);
  }

  #tryWithin(ms: number): Promise<LockTryResult> {
    return this.#operations.run("acquire", this.name, async () => {
      const request = this.#request();
      const timeoutMs = Math.min(this.#settings.timeoutMs, ms);
      const answer = await this.#holders.tryAcquire(request, this.#settings, timeoutMs);
      if ("status" in answer) return { status: "busy", ttlMs: answer.ttlMs };
      return { status: "ok", lock: this.#held(request, answer) };
    });
  }

  /**
   * Runs `body` while it holds the lock and returns what `body` returns. An error of the body is passed on as it is.
   * Cost: as `acquire` and `release`.
   * @throws LeaseLostError when the body has ended but did not hold the lock to its end; what `acquire` throws
   */
  async run<R>(body: (held: HeldLock) => R | Promise<R>, options?: LockAcquireOptions): Promise<R> {
    if (typeof body !== "function")
      throw new InvalidArgumentError("body", "a function", body, { where: this.#store.label });
    const held = await this.acquire(options);
    return runHeld(this.#holders, { held, label: this.#store.label, op: "lock.run" }, body);
  }

  /**
   * Returns who holds the lock; undefined when it is free.
   * Cost: one script.
   */
  info(): Promise<LockInfo | undefined> {
    return this.#operations.run("info", this.name, () => this.#store.inspect());
  }

  /**
   * Goes on with a hold of another process, by its `token`: with a higher fence, renewed here from now on. The former holder's
   * signal aborts (`stolen`), and its release returns `stolen`.
   * Cost: one script.
   * @throws HoldfastError with code `UNSUPPORTED` where this lock has an `owner`
   */
  resume(token: string): Promise<LockResumeResult> {
    return this.#operations.run("resume", this.name, async () => {
      const from = holdOf(token);
      const { owner, ttlMs, timeoutMs } = this.#settings;
      if (owner !== undefined) throw sharedLock(this.name, "lock.resume");
      const request = { owner: "", token: this.#handovers.token(), ttlMs };
      const ways = { store: this.#store, takeovers: new LockTakeovers(this.#core, this.name) };
      const resumption = new LockResumption(ways, from, request, timeoutMs);
      const answer = await this.#holders.tryAcquire(resumption, this.#settings);
      if ("status" in answer) return { status: resumption.loss };
      if (this.#store instanceof ListedLockStore) this.#store.list(request);
      return { status: "ok", lock: this.#held({ owner: request.token }, answer) };
    });
  }

  /**
   * Ends the hold, whoever has it, and all holds of an `owner`; raises the fence and hands the lock to the first waiter. The former
   * holder is not stopped: its signal aborts at its next renewal, and what it writes until then only the fence keeps out.
   * Cost: one script.
   */
  forceRelease(): Promise<LockForceReleaseResult> {
    return this.#operations.run("forceRelease", this.name, () =>
      new LockTakeovers(this.#core, this.name).forceRelease(this.#settings.timeoutMs),
    );
  }

  #acquire(options: LockAcquireOptions | undefined): Promise<HeldLock> {
    const given = waiting(this.#store.label, options);
    const request = this.#request();
    refuseNested(this.#holders, this.name, this.#settings.owner);
    return this.#holders.acquire(request, this.#settings, given).then((held) => this.#held(request, held));
  }

  #request(): LockLeaseRequest {
    return new LockLeaseRequest(this.#store, this.#settings, this.#handovers.token());
  }

  #held({ owner }: Pick<LockLeaseRequest, "owner">, { grant, lease }: Held<LockGrant>): HeldLock {
    const about = { name: this.name, owner, fence: grant.fence };
    const wakeups = this.#settings.owner === undefined ? this.#core.wakeups : undefined;
    return new HeldLock(this.#operations, about, lease, { ttlMs: this.#settings.ttlMs, wakeups });
  }
}
