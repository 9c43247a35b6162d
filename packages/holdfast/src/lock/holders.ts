/** All locks that one handle holds: lost and released with it. */
import { Door } from "../base/door.ts";
import { ClosedError, HoldfastError } from "../base/errors.ts";
import type { Core } from "../core/core.ts";
import { type LeasePort, TimedLease } from "../core/lease/timed-lease.ts";
import type { Grant } from "./acquisition.ts";
import { HeldLock } from "./held-lock.ts";
import type { LockSettings } from "./options.ts";
import type { LockRequest, LockStore } from "./store.ts";

export class LockHolders {
  readonly #core: Core;
  readonly #held = new Map<TimedLease, string>();
  /** Each with the door of its `run`. */
  readonly #running = new Map<HeldLock, Door>();
  #closed = false;

  constructor(core: Core) {
    this.#core = core;
    core.own(this);
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  isHeldHere(name: string): boolean {
    return [...this.#held.values()].includes(name);
  }

  /** Runs `body`, which is known from then on to be in the lock's `run`. */
  async runInside<R>(held: HeldLock, body: () => R | Promise<R>): Promise<R> {
    const door = new Door();
    this.#running.set(held, door);
    try {
      return await door.enter(body);
    } finally {
      this.#running.delete(held);
    }
  }

  /** @throws HoldfastError if the caller is in a `run` of the very lock that it wants to wait for, under another owner */
  refuseOwn({ name, label }: LockStore, owner: string | undefined): void {
    for (const [held, door] of this.#running) {
      if (held.name !== name || held.owner === owner || !held.held || !door.isCaller) continue;
      const message = `${label}: this code would wait for itself, it is in a run() of this lock; nested use needs one \`owner\` for both`;
      throw new HoldfastError("CONFLICT", message, { op: "lock.acquire", key: name });
    }
  }

  /** What was granted, as its holder sees it. @throws ClosedError if the handle was closed meanwhile; the grant is taken back */
  hold(store: LockStore, request: LockRequest, settings: LockSettings, { fence, grantedAt }: Grant): HeldLock {
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
    const terms = { ...settings, label: store.label };
    const lease = new TimedLease(this.#core.driver.runtime, port, terms, grantedAt, () => this.#held.delete(lease));
    this.#held.set(lease, name);
    return new HeldLock(name, request.owner, fence, lease, settings.ttlMs);
  }

  /** Aborts the signal of every holder, releases what it holds, and ends all waiting. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#held.keys()].map((lease) => lease.close()));
  }
}
