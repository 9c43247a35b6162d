/** The simulated clock: it runs from the last flight sent, `speed` simulated minutes in each real second. */
import { performance } from "node:perf_hooks";

const MS_PER_MINUTE = 60_000;

export class ReplayClock {
  #at: number;
  #speed: number;
  #since: number = performance.now();

  /** `at`: milliseconds since 1970 in the data's time. */
  constructor(at: number, speed: number) {
    this.#at = at;
    this.#speed = speed;
  }

  get speed(): number {
    return this.#speed;
  }

  set speed(speed: number) {
    this.#at = this.now();
    this.#since = performance.now();
    this.#speed = speed;
  }

  now(): number {
    if (this.#speed === Infinity) return Infinity;
    return this.#at + ((performance.now() - this.#since) / 1_000) * this.#speed * MS_PER_MINUTE;
  }
}
