/**
 * A token bucket for retries, as in Finagle's RetryBudget: each first attempt earns a fifth of a token, each retry
 * that a server has to work on spends one. A healthy client can always retry; a client whose every call fails adds at
 * most a fifth to the load of a server that is already in trouble.
 *
 * Waiting for a connection spends nothing: those attempts reach no server, and an outage would empty the bucket just
 * before it is needed.
 */
const CREDITS_PER_TOKEN = 5;

export class RetryBudget {
  /** Whole numbers only (fifths of a token), because this is touched by every call. */
  #credits: number;
  readonly #capacity: number;

  constructor(tokens: number) {
    this.#capacity = tokens * CREDITS_PER_TOKEN;
    this.#credits = this.#capacity;
  }

  deposit(): void {
    if (this.#credits < this.#capacity) this.#credits += 1;
  }

  /** False when the budget is spent: the caller must fail with what it has. */
  withdraw(): boolean {
    if (this.#credits < CREDITS_PER_TOKEN) return false;
    this.#credits -= CREDITS_PER_TOKEN;
    return true;
  }
}
