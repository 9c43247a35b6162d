/**
 * Waiting for something on the server without polling it.
 *
 * One subscription per handle carries all wake-ups: a script that frees something publishes the key it freed, and only
 * when it knows that somebody waits. A message is a hint: pub/sub is at most once, so every wait also has a timer,
 * and whoever wakes asks the server again.
 */
import type { Call, Driver, Subscription } from "../../driver/port.ts";
import { onAbort } from "../../base/abort.ts";
import { ClosedError } from "../../base/errors.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import type { Runtime } from "../../base/runtime.ts";

const CALL: Call = { op: "wakeups.subscribe", class: "idempotent" };

export interface Waiter {
  /** Resolves at a wake-up since the last call, after `ms`, or when `signal` fires; never rejects. */
  next(ms: number, signal?: AbortSignal): Promise<void>;
  /** Must be called when the waiting ends. Idempotent. */
  leave(): void;
}

export class Wakeups {
  /** The channel that scripts publish to; the payload is the key that was freed. */
  readonly channel: string;
  readonly #driver: Driver;
  readonly #waiters = new Map<string, Set<WaiterState>>();
  #subscription: Promise<Subscription> | undefined;
  #closed = false;

  constructor(driver: Driver, keys: Keyspace) {
    this.#driver = driver;
    this.channel = keys.channel("wake", "all");
  }

  /**
   * Joins the waiters for `key`. Once it resolves the subscription is live: ask the server again *after* it, else a
   * wake-up between the question and the subscription is lost. Cost: one SUBSCRIBE per handle, ever.
   * @throws ClosedError once it is closed
   */
  async join(key: string): Promise<Waiter> {
    if (this.#closed) throw new ClosedError();
    const waiter = new WaiterState(this.#driver.runtime, () => this.#remove(key, waiter));
    const waiters = this.#waiters.get(key);
    if (waiters === undefined) this.#waiters.set(key, new Set([waiter]));
    else waiters.add(waiter);
    try {
      await this.#subscribe();
    } catch (error) {
      waiter.leave();
      throw error;
    }
    return waiter;
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#wakeAll();
    const subscription = await this.#subscription?.catch(() => undefined);
    await subscription?.close();
  }

  #subscribe(): Promise<Subscription> {
    this.#subscription ??= this.#open();
    return this.#subscription;
  }

  async #open(): Promise<Subscription> {
    try {
      const listener = { message: (payload: Buffer) => this.#wake(payload.toString()), gap: () => this.#wakeAll() };
      const subscription = await this.#driver.subscribe("exact", this.channel, listener, CALL);
      if (this.#closed) await subscription.close();
      return subscription;
    } catch (error) {
      this.#subscription = undefined;
      throw error;
    }
  }

  #wake(key: string): void {
    for (const waiter of this.#waiters.get(key) ?? []) waiter.wake();
  }

  /** After a gap any wake-up may have been missed. */
  #wakeAll(): void {
    for (const waiters of this.#waiters.values()) for (const waiter of waiters) waiter.wake();
  }

  #remove(key: string, waiter: WaiterState): void {
    const waiters = this.#waiters.get(key);
    if (waiters?.delete(waiter) === true && waiters.size === 0) this.#waiters.delete(key);
  }
}

class WaiterState implements Waiter {
  readonly #runtime: Runtime;
  readonly #onLeave: () => void;
  /** A wake-up that came while nobody was in `next` must not be lost. */
  #pending = false;
  #resume: (() => void) | undefined;

  constructor(runtime: Runtime, onLeave: () => void) {
    this.#runtime = runtime;
    this.#onLeave = onLeave;
  }

  wake(): void {
    if (this.#resume === undefined) this.#pending = true;
    else this.#resume();
  }

  next(ms: number, signal?: AbortSignal): Promise<void> {
    if (this.#pending || signal?.aborted === true) {
      this.#pending = false;
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const resume = (): void => {
        this.#runtime.clearTimeout(timer);
        unfollow();
        this.#resume = undefined;
        resolve();
      };
      const timer = this.#runtime.setTimeout(resume, ms);
      const unfollow = onAbort(signal, resume);
      this.#resume = resume;
    });
  }

  leave(): void {
    this.#resume?.();
    this.#onLeave();
  }
}
