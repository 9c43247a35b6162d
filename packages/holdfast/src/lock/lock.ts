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
import { ClosedError, InvalidArgumentError, LeaseLostError } from "../base/errors.ts";
import { Operations } from "../core/observe/observe.ts";
import { Acquisition } from "./acquisition.ts";
import type { HeldLock } from "./held-lock.ts";
import type { LockHolders } from "./holders.ts";
import { type LockAcquireOptions, type LockOptions, type LockSettings, lockSettings, waiting } from "./options.ts";
import { Patience } from "./patience.ts";
import { type LockInfo, LockStore } from "./store.ts";

/** `busy`: somebody else holds it, for `ttlMs` unless it is renewed. */
export type LockTryResult = { status: "ok"; lock: HeldLock } | { status: "busy"; ttlMs: number };

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
  readonly #holders: LockHolders;
  readonly #store: LockStore;
  readonly #settings: LockSettings;

  constructor(core: Core, holders: LockHolders, name: string, options?: LockOptions) {
    this.name = name;
    this.#operations = new Operations("lock", name);
    this.#core = core;
    this.#holders = holders;
    this.#store = new LockStore(core, name);
    this.#settings = lockSettings(name, options, core.driver.timeoutMs);
  }

  /**
   * Waits for the lock and holds it, renewed, until it is released.
   * Cost: one script when it is free; while it is not, one more per wake-up and one per ttl of the holder.
   * @throws TimeoutError when it was not free within `wait`, AbortedError when `signal` aborted, HoldfastError with code
   * `CONFLICT` inside a `run` of the same lock
   */
  acquire(options?: LockAcquireOptions): Promise<HeldLock> {
    return this.#operations.run("acquire", this.name, () => this.#acquire(options));
  }

  /**
   * Acquires the lock if it is free now.
   * Cost: one script.
   */
  tryAcquire(): Promise<LockTryResult> {
    return this.#operations.run("acquire", this.name, async () => {
      const acquisition = this.#request();
      const answer = await acquisition.once();
      if (answer.status === "busy") return { status: "busy", ttlMs: answer.ttlMs };
      return { status: "ok", lock: this.#holders.hold(this.#store, acquisition.request, this.#settings, answer) };
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
    let value: R;
    try {
      value = await this.#holders.runInside(held, () => body(held));
    } catch (error) {
      await held.release().catch(() => undefined);
      throw error;
    }
    // A release that fails does so before the deadline: the lock was held to the end of the body, and ends by itself.
    const { status } = await held.release().catch(() => ({ status: "ok" as const }));
    const reason: unknown = held.signal.reason;
    if (reason instanceof LeaseLostError && reason.reason === "closed") throw reason;
    if (status !== "ok") throw this.#lostInBody(status);
    return value;
  }

  /**
   * Returns who holds the lock; undefined when it is free.
   * Cost: one script.
   */
  info(): Promise<LockInfo | undefined> {
    return this.#operations.run("info", this.name, () => this.#store.inspect());
  }

  async #acquire(options: LockAcquireOptions | undefined): Promise<HeldLock> {
    const { waitMs, signal } = waiting(this.#store.label, options);
    this.#holders.refuseOwn(this.#store, this.#settings.owner);
    const acquisition = this.#request();
    const patience = new Patience({
      runtime: this.#core.driver.runtime,
      name: this.name,
      label: this.#store.label,
      waitMs,
      signal,
      isClosed: () => this.#holders.isClosed,
      isHeldHere: () => this.#holders.isHeldHere(this.name),
    });
    const grant = await acquisition.wait(this.#core.wakeups, patience);
    return this.#holders.hold(this.#store, acquisition.request, this.#settings, grant);
  }

  #request(): Acquisition {
    if (this.#holders.isClosed) throw new ClosedError(undefined, { op: "lock.acquire", key: this.name });
    return new Acquisition(this.#store, this.#settings, this.#core.driver.runtime);
  }

  #lostInBody(reason: "expired" | "stolen"): LeaseLostError {
    const message = `${this.#store.label} was lost before the body had ended; what the body did is done, but perhaps not alone`;
    return new LeaseLostError(reason, message, { op: "lock.run", key: this.name });
  }
}
