/**
 * What calls a worker off its rest: a wake-up, a delayed job that is due, something in this process, or the tick behind all of
 * them, which no lost message and no other timer can hold up.
 */
import { HoldfastError } from "../base/errors.ts";
import { nextTick, sleep, type Timer } from "../base/runtime.ts";
import type { Core } from "../core/core.ts";

export class Attention {
  /** There may be jobs that wait. */
  isHungry = true;
  readonly tickMs: number;
  readonly #core: Core;
  readonly #wakeKey: string;
  readonly #stop: AbortSignal;
  readonly #isBusy: () => boolean;
  #resume: (() => void) | undefined;
  /** When the rest that is under way is to end. */
  #ends: "uncalled" | "after input" | "after tick" = "uncalled";
  #isHurried = false;
  #due: Timer | undefined;

  /** @param isBusy whether something runs whose end would call */
  constructor(core: Core, wakeKey: string, tickMs: number, stop: AbortSignal, isBusy: () => boolean) {
    this.#core = core;
    this.#wakeKey = wakeKey;
    this.tickMs = tickMs;
    this.#stop = stop;
    this.#isBusy = isBusy;
    void this.#listen();
  }

  /** Resolves soon after the next call. */
  rest(): Promise<void> {
    return new Promise((resolve) => (this.#resume = resolve));
  }

  /**
   * Ends the rest behind what this tick sends, so that what a handler adds as it ends is claimed by the same round; where more may end
   * meanwhile, behind what there is of input, so that one round acknowledges all of it.
   */
  call(): void {
    const resume = this.#resume;
    if (resume !== undefined && this.#isHurried && !this.#isBusy()) return this.#end(resume);
    if (resume === undefined || this.#ends === "after tick") return;
    const end = (): void => this.#end(resume);
    if (this.#isBusy()) {
      if (this.#ends === "uncalled") this.#core.driver.runtime.setImmediate(end);
      this.#ends = "after input";
    } else {
      this.#ends = "after tick";
      // Twice, as lanes send in the next tick too.
      nextTick(() => nextTick(end));
    }
  }

  /** From now on the end of the last run ends the rest at once: the handle may be closing as well. */
  hurry(): void {
    this.#isHurried = true;
    this.call();
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

  #end(resume: () => void): void {
    // It may have ended sooner.
    if (this.#resume !== resume) return;
    this.#resume = undefined;
    this.#ends = "uncalled";
    resume();
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
