/** How many messages a consumer holds: as few as keep its handlers busy, as what it holds no other consumer has. */

/** A message that waits longer for its handler could be with another consumer. */
const LONG_MS = 1_000;

export class Prefetch {
  readonly #least: number;
  readonly #most: number;
  #limit: number;
  #shrunkAt = -Infinity;

  /** @param running that handlers have at once @param ahead the most that wait for one */
  constructor(running: number, ahead: number) {
    this.#most = running + ahead;
    this.#least = Math.min(running * 2, this.#most);
    this.#limit = this.#least;
  }

  /** Held, and not settled yet. */
  get limit(): number {
    return this.#limit;
  }

  /** There were as many as asked for, and handlers had nothing to do until they came. */
  starved(): void {
    this.#limit = Math.min(this.#limit * 2, this.#most);
  }

  waited(ms: number, now: number): void {
    if (ms <= LONG_MS || now - this.#shrunkAt <= LONG_MS) return;
    this.#shrunkAt = now;
    this.#limit = Math.max(Math.ceil(this.#limit / 2), this.#least);
  }
}
