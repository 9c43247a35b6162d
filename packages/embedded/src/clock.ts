/** Time for the whole server: every read of it and every timer goes through one clock. */
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
  private seenMs = 0;
  private seenAt = 0;

  nowMs(): number {
    return Date.now();
  }

  /** Never falls while the date does not: within one millisecond it is what has passed since that was first seen. */
  nowMicros(): number {
    const ms = Date.now();
    const monotonic = performance.now();
    if (ms !== this.seenMs) {
      this.seenMs = ms;
      this.seenAt = monotonic;
    }
    return ms * 1000 + Math.min(999, Math.floor((monotonic - this.seenAt) * 1000));
  }

  setTimer(delayMs: number, task: () => void): Timer {
    const step = Math.min(Math.max(delayMs, 0), LONGEST_DELAY_MS);
    let handle = setTimeout(fire, step).unref();
    let remaining = delayMs - step;
    function fire(): void {
      if (remaining <= 0) return task();
      const next = Math.min(remaining, LONGEST_DELAY_MS);
      remaining -= next;
      handle = setTimeout(fire, next).unref();
    }
    return { cancel: () => clearTimeout(handle) };
  }
}

interface VirtualTimer {
  readonly dueMs: number;
  readonly order: number;
  readonly task: () => void;
}

/** Stands still until advanced. Timers fire in order of their deadline, then of their creation, at exactly their time. */
export class VirtualClock implements Clock {
  private currentMs: number;
  private created = 0;
  private readonly timers = new Set<VirtualTimer>();

  /** @param startMs milliseconds since the epoch */
  constructor(startMs: number = Date.UTC(2024, 0, 1)) {
    this.currentMs = startMs;
  }

  nowMs(): number {
    return this.currentMs;
  }

  nowMicros(): number {
    return this.currentMs * 1000;
  }

  setTimer(delayMs: number, task: () => void): Timer {
    const timer = { dueMs: this.currentMs + Math.max(delayMs, 0), order: this.created++, task };
    this.timers.add(timer);
    return { cancel: () => void this.timers.delete(timer) };
  }

  /** When the next timer is due, or undefined. */
  nextDueMs(): number | undefined {
    return this.next()?.dueMs;
  }

  /** Moves time forward by `ms` and fires each timer which is due on the way, at its own time. */
  advance(ms: number): void {
    const target = this.currentMs + ms;
    for (let timer = this.next(); timer !== undefined && timer.dueMs <= target; timer = this.next()) {
      this.timers.delete(timer);
      this.currentMs = Math.max(this.currentMs, timer.dueMs);
      timer.task();
    }
    this.currentMs = target;
  }

  private next(): VirtualTimer | undefined {
    let first: VirtualTimer | undefined;
    for (const timer of this.timers) {
      if (
        first === undefined ||
        timer.dueMs < first.dueMs ||
        (timer.dueMs === first.dueMs && timer.order < first.order)
      ) {
        first = timer;
      }
    }
    return first;
  }
}
