/** Time for the whole server: every read of it and every timer goes through one clock. */
import { system } from "./system.ts";
import { MinHeap } from "../structures/min-heap.ts";

export interface Timer {
  /** Idempotent. */
  cancel(): void;
}

export interface Clock {
  /** Milliseconds since the epoch, whole. */
  nowMs(): number;
  /** Microseconds since the epoch, whole. */
  nowMicros(): number;
  /** Calls `task` once, `delayMs` from now at the earliest. Never keeps the process alive. */
  setTimer(delayMs: number, task: () => void): Timer;
}

/** setTimeout's longest delay; a later deadline is reached in several steps. */
const LONGEST_DELAY_MS = 2 ** 31 - 1;

export class RealClock implements Clock {
  #seenMs = 0;
  #seenAt = 0;

  nowMs(): number {
    return system.nowMs();
  }

  /** Never falls while the date does not: within one millisecond it is what has passed since that was first seen. */
  nowMicros(): number {
    const ms = system.nowMs();
    const monotonic = system.monotonicMs();
    if (ms !== this.#seenMs) {
      this.#seenMs = ms;
      this.#seenAt = monotonic;
    }
    return ms * 1000 + Math.min(999, Math.floor((monotonic - this.#seenAt) * 1000));
  }

  setTimer(delayMs: number, task: () => void): Timer {
    const step = Math.min(Math.max(delayMs, 0), LONGEST_DELAY_MS);
    let handle = system.setTimeout(fire, step).unref();
    let remaining = delayMs - step;
    function fire(): void {
      if (remaining <= 0) return task();
      const next = Math.min(remaining, LONGEST_DELAY_MS);
      remaining -= next;
      handle = system.setTimeout(fire, next).unref();
    }
    return { cancel: () => system.clearTimeout(handle) };
  }
}

/** So many cancelled timers do not matter. */
const FEW = 1024;

interface VirtualTimer {
  readonly dueMs: number;
  readonly order: number;
  /** Undefined once it has fired or was cancelled. */
  task: (() => void) | undefined;
}

/**
 * Stands still until it is moved. Timers fire in order of their deadline, then of their creation, at exactly their time, which
 * may lie between two milliseconds.
 */
export class VirtualClock implements Clock {
  #currentMs: number;
  #created = 0;
  /** Of those in the heap, about. */
  #cancelled = 0;
  readonly #timers = new MinHeap<VirtualTimer>(
    (a, b) => a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order),
  );

  /** @param startMs milliseconds since the epoch */
  constructor(startMs: number = Date.UTC(2024, 0, 1)) {
    this.#currentMs = startMs;
  }

  /** Milliseconds since the epoch, with fractions. */
  get exactMs(): number {
    return this.#currentMs;
  }

  nowMs(): number {
    return Math.floor(this.#currentMs);
  }

  nowMicros(): number {
    return Math.floor(this.#currentMs * 1000);
  }

  setTimer(delayMs: number, task: () => void): Timer {
    const timer: VirtualTimer = { dueMs: this.#currentMs + Math.max(delayMs, 0), order: this.#created++, task };
    this.#timers.push(timer);
    return { cancel: () => this.#cancel(timer) };
  }

  /** One that is cancelled leaves the heap when most in it are: while time stands still, none would. */
  #cancel(timer: VirtualTimer): void {
    if (timer.task === undefined) return;
    timer.task = undefined;
    this.#cancelled += 1;
    if (this.#cancelled < FEW || this.#cancelled * 2 < this.#timers.size) return;
    this.#timers.filter(({ task }) => task !== undefined);
    this.#cancelled = 0;
  }

  /** When the next timer is due, or undefined. */
  nextDueMs(): number | undefined {
    return this.#next()?.dueMs;
  }

  /** Moves time to the next timer and fires it; false where none is due by `untilMs`, and time then stays. */
  fireNext(untilMs: number = Infinity): boolean {
    const timer = this.#next();
    const task = timer?.task;
    if (timer === undefined || task === undefined || timer.dueMs > untilMs) return false;
    this.#timers.pop();
    timer.task = undefined;
    this.#currentMs = Math.max(this.#currentMs, timer.dueMs);
    task();
    return true;
  }

  /** Moves time forward by `ms` and fires each timer which is due on the way, at its own time. */
  advance(ms: number): void {
    const target = this.#currentMs + ms;
    while (this.fireNext(target));
    this.#currentMs = target;
  }

  #next(): VirtualTimer | undefined {
    let first = this.#timers.peek();
    while (first !== undefined && first.task === undefined) {
      this.#timers.pop();
      first = this.#timers.peek();
    }
    return first;
  }
}
