/**
 * What calls a worker off its rest: a wake-up, a delayed job that is due, something in this process, or the tick behind all of
 * them, which no lost message and no other timer can hold up.
 */
import { HoldfastError } from "../base/errors.ts";
import { sleep, type Timer } from "../base/runtime.ts";
import type { Core } from "../core/core.ts";

export class Attention {
  /** There may be jobs that wait. */
  isHungry = true;
  readonly tickMs: number;
  readonly #core: Core;
  readonly #wakeKey: string;
  readonly #stop: AbortSignal;
  #resume: (() => void) | undefined;
  #due: Timer | undefined;

  constructor(core: Core, wakeKey: string, tickMs: number, stop: AbortSignal) {
    this.#core = core;
    this.#wakeKey = wakeKey;
    this.tickMs = tickMs;
    this.#stop = stop;
    void this.#listen();
  }

  /** Resolves at the next call. */
  rest(): Promise<void> {
    return new Promise((resolve) => (this.#resume = resolve));
  }

  call(): void {
    const resume = this.#resume;
    this.#resume = undefined;
    resume?.();
  }

  look(): void {
    this.isHungry = true;
    this.call();
  }

  /** Negative: nothing is due. What is due after the next tick, the tick will see. */
  lookIn(ms: number): void {
    this.#core.driver.runtime.clearTimeout(this.#due);
    this.#due = undefined;
    if (ms >= 0 && ms <= this.tickMs) this.#due = this.#core.driver.runtime.setTimeout(() => this.look(), ms + 1);
  }

  close(): void {
    this.#core.driver.runtime.clearTimeout(this.#due);
  }

  async #listen(): Promise<void> {
    while (!this.#stop.aborted) {
      try {
        await this.#listenOnce();
      } catch (error) {
        if (error instanceof HoldfastError && error.code === "CLOSED") return;
        await sleep(this.#core.driver.runtime, this.tickMs, this.#stop);
        this.look();
      }
    }
  }

  async #listenOnce(): Promise<void> {
    const waiter = await this.#core.wakeups.join(this.#wakeKey);
    // What was added since the first claim has woken nobody.
    this.look();
    try {
      while (!this.#stop.aborted) {
        await waiter.next(this.tickMs, this.#stop);
        this.look();
      }
    } finally {
      waiter.leave();
    }
  }
}
