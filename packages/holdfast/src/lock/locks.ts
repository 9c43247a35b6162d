/**
 * Locks: one holder in the whole fleet, by name.
 *
 * What they promise: while the server keeps its data, a lock has one owner at a time, and each new holder gets a
 * higher fence. A holder is told of its loss by its own clock before the server lets anybody else in. A holder that
 * dies blocks the others for its ttl at most. What they cannot promise is told in docs/locks.md: with asynchronous
 * replication a fail-over can lose a lock, so what must never be done twice checks the fence.
 *
 * While the server is away: `lock` waits for it as part of its `wait`; `tryLock` rejects; what is held stays held until
 * its ttl is over, then its signal fires.
 */
import type { Core } from "../core/core.ts";
import { ClosedError, InvalidArgumentError, LeaseLostError } from "../base/errors.ts";
import { type LeasePort, TimedLease } from "../core/lease/timed-lease.ts";
import { observed } from "../core/observe/observe.ts";
import { toMs } from "../base/options.ts";
import { Acquisition, type Grant } from "./acquisition.ts";
import { Lock } from "./lock.ts";
import { type LockOptions, lockSettings, type LockSettings, type TryLockOptions } from "./options.ts";
import { Patience } from "./patience.ts";
import { type LockRequest, LockStore } from "./store.ts";

export type TryLockResult = { status: "acquired"; lock: Lock } | { status: "busy"; ttlMs: number };

export interface LockInfo {
  readonly owner: string;
  readonly fence: number;
  /** Until it expires, unless it is renewed. */
  readonly ttlMs: number;
  /** Requests that wait for it. */
  readonly waiters: number;
}

export class Locks {
  readonly #core: Core;
  readonly #held = new Map<TimedLease, string>();
  #closed = false;

  constructor(core: Core) {
    this.#core = core;
    core.own(this);
  }

  lock(name: string, options: LockOptions = {}): Promise<Lock> {
    return observed("lock.acquire", name, async () => {
      const settings = this.#settings(options);
      const { runtime } = this.#core.driver;
      const patience = new Patience({
        runtime,
        name,
        waitMs: toMs("wait", options.wait ?? "30s", 0),
        signal: options.signal,
        isClosed: () => this.#closed,
        isHeldHere: () => this.#isHeldHere(name),
      });
      const store = new LockStore(this.#core, name);
      const acquisition = new Acquisition(store, settings, runtime);
      return this.#hold(store, acquisition.request, settings, await acquisition.wait(this.#core.wakeups, patience));
    });
  }

  tryLock(name: string, options: TryLockOptions = {}): Promise<TryLockResult> {
    return observed("lock.acquire", name, async () => {
      const settings = this.#settings(options);
      const store = new LockStore(this.#core, name);
      const acquisition = new Acquisition(store, settings, this.#core.driver.runtime);
      const answer = await acquisition.once();
      if (answer.status === "busy") return { status: "busy", ttlMs: Math.max(answer.ttlMs, 0) };
      return { status: "acquired", lock: this.#hold(store, acquisition.request, settings, answer) };
    });
  }

  async withLock<R>(name: string, options: LockOptions, body: (lock: Lock) => R | Promise<R>): Promise<R> {
    if (typeof body !== "function") throw new InvalidArgumentError("body", "a function", body);
    const lock = await this.lock(name, options);
    let value: R;
    try {
      value = await body(lock);
    } catch (error) {
      await lock.release().catch(() => undefined);
      throw error;
    }
    // A release that fails does so before the deadline: the lock was held to the end of the body, and ends by itself.
    const end = await lock.release().catch(() => "released" as const);
    const reason: unknown = lock.signal.reason;
    if (reason instanceof LeaseLostError && reason.reason === "closed") throw reason;
    if (end !== "released") throw lostInBody(name, end);
    return value;
  }

  info(name: string): Promise<LockInfo | undefined> {
    return observed("lock.info", name, async () => new LockStore(this.#core, name).inspect());
  }

  /** Tells and releases every holder of this handle, and ends all waiting. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#held.keys()].map((lease) => lease.close()));
  }

  #settings(options: TryLockOptions): LockSettings {
    if (this.#closed) throw new ClosedError();
    return lockSettings(options, this.#core.driver.timeoutMs);
  }

  #hold(store: LockStore, request: LockRequest, settings: LockSettings, { fence, grantedAt }: Grant): Lock {
    const { name } = store;
    if (this.#closed) {
      void store.abandon(request, settings.timeoutMs);
      throw new ClosedError(undefined, { op: "lock.acquire", key: name });
    }
    const port: LeasePort = {
      extend: (ttlMs, { timeoutMs, signal }) =>
        store.extend(request, ttlMs, { timeoutMs: Math.min(timeoutMs, settings.timeoutMs), signal }),
      release: () => store.release(request, settings.timeoutMs),
    };
    const terms = { ...settings, label: `lock ${JSON.stringify(name)}` };
    const lease = new TimedLease(this.#core.driver.runtime, port, terms, grantedAt, () => this.#held.delete(lease));
    this.#held.set(lease, name);
    return new Lock(name, request.owner, fence, lease, settings.ttlMs);
  }

  #isHeldHere(name: string): boolean {
    return [...this.#held.values()].includes(name);
  }
}

function lostInBody(name: string, reason: "expired" | "stolen"): LeaseLostError {
  const message = `lock ${JSON.stringify(name)} was lost before the body had ended; what the body did is done, but not alone for certain`;
  return new LeaseLostError(reason, message, { op: "lock.withLock", key: name });
}
