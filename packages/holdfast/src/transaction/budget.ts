/** The time that one transaction has, with all its attempts. */
import type { Call, OpClass } from "../driver/port.ts";
import { onAbort } from "../base/abort.ts";
import { AbortedError, type HoldfastError, TimeoutError } from "../base/errors.ts";
import { type Runtime, sleep } from "../base/runtime.ts";

export const OP = "transaction";

export class Budget {
  readonly #runtime: Runtime;
  readonly #key: string;
  readonly #timeoutMs: number;
  readonly #signal: AbortSignal | undefined;
  readonly #deadline: number;

  constructor(runtime: Runtime, key: string, timeoutMs: number, signal: AbortSignal | undefined) {
    this.#runtime = runtime;
    this.#key = key;
    this.#timeoutMs = timeoutMs;
    this.#signal = signal;
    this.#deadline = this.#runtime.now() + timeoutMs;
  }

  get leftMs(): number {
    return Math.max(this.#deadline - this.#runtime.now(), 0);
  }

  /** What the driver must know of the next command. @throws when the time is over */
  call(opClass: OpClass): Call {
    this.#throwIfOver();
    return { op: OP, class: opClass, key: this.#key, timeoutMs: Math.ceil(this.leftMs), signal: this.#signal };
  }

  /** @throws when the time is over before or after it */
  async pause(ms: number): Promise<void> {
    await sleep(this.#runtime, Math.min(ms, this.leftMs));
    this.#throwIfOver();
  }

  /** The outcome of `work`; rejects when the time is over first, and then nothing of what it does counts any more. */
  within<T>(work: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const end = (): void => reject(this.#error());
      const timer = this.#runtime.setTimeout(end, this.leftMs);
      const unfollow = onAbort(this.#signal, end);
      // `work` has begun already, and may itself have made the signal fire.
      if (this.#signal?.aborted === true) end();
      const forget = (): void => {
        this.#runtime.clearTimeout(timer);
        unfollow();
      };
      void work.then(resolve, reject).finally(forget);
    });
  }

  #throwIfOver(): void {
    if (this.#signal?.aborted === true || this.leftMs === 0) throw this.#error();
  }

  #error(): HoldfastError {
    const details = { op: OP, key: this.#key };
    if (this.#signal?.aborted === true) {
      return new AbortedError("transaction: ended by its signal; nothing was executed", {
        ...details,
        cause: this.#signal.reason,
      });
    }
    return new TimeoutError(`transaction: not committed within ${this.#timeoutMs} ms; nothing was executed`, details);
  }
}
