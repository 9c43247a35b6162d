/**
 * Where calls stay that wait for the server: parked until there is a connection, or backing off after a refusal.
 *
 * Parked calls are all woken together, oldest first, in the same tick: the transport writes them in that
 * order, so the program order of calls that were not awaited survives an outage. They are woken by the transport's
 * `up` event; the timer is for what no event reports, such as a slot that moved to a node which was up all the time.
 * Such an attempt is refused locally and costs no server anything, so one schedule for all of them is enough. Should its
 * timer ever be lost (fake timers, a runtime that was frozen), the next call that parks sets it again.
 */
import type { Runtime, Timer } from "../../base/runtime.ts";
import { backoffMs } from "./backoff.ts";

const POLL = { baseMs: 25, maxMs: 1_000 };
/** A timer that is so late is lost. */
const LOST_MS = 1_000;

export interface ParkedCall {
  wake(): void;
}

export class WaitingRoom {
  readonly max: number;
  readonly #parked = new Set<ParkedCall>();
  #backingOff = 0;
  #polls = 0;
  readonly #runtime: Runtime;
  #timer: Timer | undefined = undefined;
  #dueAt = 0;

  constructor(max: number, runtime: Runtime) {
    this.max = max;
    this.#runtime = runtime;
  }

  get full(): boolean {
    return this.#parked.size + this.#backingOff >= this.max;
  }

  park(waiter: ParkedCall): void {
    this.#parked.add(waiter);
    const now = this.#runtime.now();
    if (this.#timer !== undefined && now - this.#dueAt <= LOST_MS) return;
    this.#runtime.clearTimeout(this.#timer);
    const delayMs = backoffMs(this.#runtime, POLL, this.#polls);
    this.#dueAt = now + delayMs;
    this.#timer = this.#runtime.setTimeout(this.#poll, delayMs);
    this.#timer.unref();
  }

  unpark(waiter: ParkedCall): void {
    this.#parked.delete(waiter);
    if (this.#parked.size === 0) this.#rest();
  }

  enterBackoff(): void {
    this.#backingOff += 1;
  }

  leaveBackoff(): void {
    this.#backingOff -= 1;
  }

  /** A call that had waited was answered: the next wait begins with short intervals again. */
  eased(): void {
    this.#polls = 0;
  }

  /** A connection is there: every parked call may try again at once. */
  wakeAll(): void {
    this.#rest();
    this.#release();
  }

  readonly #poll = (): void => {
    this.#timer = undefined;
    this.#polls += 1;
    this.#release();
  };

  #release(): void {
    const waiters = [...this.#parked];
    this.#parked.clear();
    for (const waiter of waiters) waiter.wake();
  }

  #rest(): void {
    this.#runtime.clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#polls = 0;
  }
}
