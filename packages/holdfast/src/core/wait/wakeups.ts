/**
 * Waiting for something on the server without polling it.
 *
 * One subscription per handle carries all wake-ups: a script that frees something publishes the key it freed, and only
 * when it knows that somebody waits. A message is a hint: pub/sub is at most once, so every wait also has a timer,
 * and whoever wakes asks the server again.
 *
 * What is handed over is published as `handed <token> <token> ...`: the first has it now, if it takes it within
 * `ACCEPT_MS`. Those behind it look again when it has not: a waiter that died costs its successor about a second.
 */
import type { Call, Driver, Subscription } from "../../driver/port.ts";
import { onAbort } from "../../base/abort.ts";
import { ClosedError } from "../../base/errors.ts";
import type { Keyspace } from "../keyspace/keyspace.ts";
import type { Runtime, Timer } from "../../base/runtime.ts";

/** How long something that was handed to a waiter is kept for it: `ACCEPT_MS` of core/script/include/wait-queue.lua. */
export const ACCEPT_MS = 1_000;
/** Before a key stands its prefix, which has no space in it. */
const HANDED = "handed ";
/** For the way of a message, and of what its receiver sends. */
const LATE_MS = 100;

const CALL: Call = { op: "wakeups.subscribe", class: "idempotent" };

export interface Waiter {
  /** Resolves at a wake-up since the last call, after `ms`, or when `signal` fires; never rejects. */
  next(ms: number, signal?: AbortSignal): Promise<void>;
  /** Must be called when the waiting ends. Idempotent. */
  leave(): void;
}

export class Wakeups {
  /** The channel that scripts publish to; the payload is the key that was freed, or what was handed to whom. */
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

  /** Wakes the waiters for `key`, as a message from the server does. */
  wake(key: string): void {
    this.#each(key, (waiter) => waiter.wake());
  }

  /** Any wake-up may have been missed. */
  wakeAll(): void {
    for (const waiters of this.#waiters.values()) for (const waiter of waiters) waiter.wake();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.wakeAll();
    const subscription = await this.#subscription?.catch(() => undefined);
    await subscription?.close();
  }

  #subscribe(): Promise<Subscription> {
    this.#subscription ??= this.#open();
    return this.#subscription;
  }

  async #open(): Promise<Subscription> {
    try {
      const listener = { message: (payload: Buffer) => this.#heard(payload.toString()), gap: () => this.wakeAll() };
      const subscription = await this.#driver.subscribe("exact", this.channel, listener, CALL);
      if (this.#closed) await subscription.close();
      return subscription;
    } catch (error) {
      this.#subscription = undefined;
      throw error;
    }
  }

  #heard(payload: string): void {
    if (!payload.startsWith(HANDED)) return this.wake(payload);
    const [taker, ...others] = payload.slice(HANDED.length).split(" ");
    this.wake(taker!);
    for (const [place, token] of others.entries()) {
      this.#each(token, (waiter) => waiter.wakeWithin((place + 1) * ACCEPT_MS + LATE_MS));
    }
  }

  #each(key: string, tell: (waiter: WaiterState) => void): void {
    for (const waiter of this.#waiters.get(key) ?? []) tell(waiter);
  }

  #remove(key: string, waiter: WaiterState): void {
    const waiters = this.#waiters.get(key);
    if (waiters?.delete(waiter) === true && waiters.size === 0) this.#waiters.delete(key);
  }
}

class WaiterState implements Waiter {
  readonly #runtime: Runtime;
  readonly #onLeave: () => void;
  /** On the clock of the runtime. What came while nobody was in `next` must not be lost: then it is over at once, or earlier. */
  #wakeAt = Infinity;
  #timer: Timer | undefined;
  #resume: (() => void) | undefined;

  constructor(runtime: Runtime, onLeave: () => void) {
    this.#runtime = runtime;
    this.#onLeave = onLeave;
  }

  wake(): void {
    if (this.#resume === undefined) this.#wakeAt = -Infinity;
    else this.#resume();
  }

  wakeWithin(ms: number): void {
    const at = this.#runtime.now() + ms;
    if (at >= this.#wakeAt) return;
    this.#wakeAt = at;
    if (this.#resume !== undefined) this.#arm(ms);
  }

  next(ms: number, signal?: AbortSignal): Promise<void> {
    const leftMs = Math.min(ms, this.#wakeAt - this.#runtime.now());
    if (leftMs < 0 || signal?.aborted === true) {
      this.#wakeAt = Infinity;
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const resume = (): void => {
        this.#runtime.clearTimeout(this.#timer);
        unfollow();
        this.#resume = undefined;
        this.#wakeAt = Infinity;
        resolve();
      };
      this.#resume = resume;
      this.#wakeAt = this.#runtime.now() + leftMs;
      this.#arm(leftMs);
      const unfollow = onAbort(signal, resume);
    });
  }

  leave(): void {
    this.#resume?.();
    this.#onLeave();
  }

  #arm(ms: number): void {
    this.#runtime.clearTimeout(this.#timer);
    this.#timer = this.#runtime.setTimeout(() => this.#resume?.(), ms);
  }
}
