/** How long one caller waits for a lease, and what ends the waiting before. */
import { onAbort } from "../../base/abort.ts";
import { AbortedError, ClosedError, type HoldfastError, TimeoutError } from "../../base/errors.ts";
import { MAX_TIMER_MS } from "../../base/options.ts";
import type { Runtime } from "../../base/runtime.ts";

export interface PatienceOptions {
  readonly runtime: Runtime;
  readonly name: string;
  /** What is waited for as messages name it. */
  readonly label: string;
  /** `lock.acquire` */
  readonly op: string;
  readonly waitMs: number;
  /** From when on it counts, on the clock of the runtime. @default now */
  readonly since?: number;
  readonly signal: AbortSignal | undefined;
  /** True once the handle closes. */
  isClosed(): boolean;
  /** Why the whole wait was in vain, for the message. */
  inVain(): string;
}

export class Patience {
  readonly signal: AbortSignal | undefined;
  readonly #options: PatienceOptions;
  readonly #deadline: number;

  constructor(options: PatienceOptions) {
    this.#options = options;
    this.signal = options.signal;
    this.#deadline = (options.since ?? options.runtime.now()) + options.waitMs;
  }

  get leftMs(): number {
    return Math.max(this.#deadline - this.#options.runtime.now(), 0);
  }

  /** The caller wants no answer any more, whatever it is. */
  get isCalledOff(): boolean {
    return this.signal?.aborted === true || this.#options.isClosed();
  }

  throwIfOver(): void {
    if (this.isCalledOff || this.leftMs === 0) throw this.error();
  }

  /** Why the waiting is over. */
  error(): HoldfastError {
    const { name, label, op } = this.#options;
    const details = { op, key: name };
    if (this.#options.isClosed()) return new ClosedError(undefined, details);
    if (this.signal?.aborted === true) {
      return new AbortedError(`${label}: the waiting was ended by its signal`, {
        ...details,
        cause: this.signal.reason,
      });
    }
    return new TimeoutError(`${label}: ${this.#options.inVain()}`, details);
  }

  /** The outcome of `work`, or `this.error()` when the waiting is over first. */
  within<T>(work: Promise<T>): Promise<T> {
    const { runtime } = this.#options;
    return new Promise<T>((resolve, reject) => {
      const end = (): void => reject(this.error());
      const timer = runtime.setTimeout(end, Math.min(this.leftMs, MAX_TIMER_MS));
      const unfollow = onAbort(this.signal, end);
      const forget = (): void => {
        runtime.clearTimeout(timer);
        unfollow();
      };
      work.then(resolve, reject).finally(forget);
    });
  }
}
