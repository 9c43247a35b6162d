/** What a client says on its WebSocket, one after the other and no faster than a person could want it. */
import { type Runtime, sleep } from "../../base/runtime.ts";
import type { LiveChange } from "./frame-text.ts";

/** Our client waits for each to be done; more than so many at once are somebody's flood. */
const MAX_WAITING = 32;
/** So many go at once, and then one in `PACE_MS`: each asks the user's `authorize`. */
const BURST = 100;
const PACE_MS = 50;

export class LiveChanges {
  readonly #runtime: Runtime;
  readonly #apply: (change: LiveChange) => Promise<void>;
  readonly #waiting: LiveChange[] = [];
  readonly #closing = new AbortController();
  #isWorking = false;
  /** When all of the burst is there again. */
  #fullAt = 0;

  /** @param apply does not reject */
  constructor(runtime: Runtime, apply: (change: LiveChange) => Promise<void>) {
    this.#runtime = runtime;
    this.#apply = apply;
  }

  /** Whether it is taken: not where too many wait. */
  add(change: LiveChange): boolean {
    if (this.#closing.signal.aborted) return true;
    if (this.#waiting.length >= MAX_WAITING) return false;
    this.#waiting.push(change);
    if (!this.#isWorking) void this.#work();
    return true;
  }

  /** Idempotent. */
  close(): void {
    this.#closing.abort();
    this.#waiting.length = 0;
  }

  async #work(): Promise<void> {
    this.#isWorking = true;
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      const now = this.#runtime.now();
      this.#fullAt = Math.max(this.#fullAt, now) + PACE_MS;
      const waitMs = this.#fullAt - now - BURST * PACE_MS;
      if (waitMs > 0) await sleep(this.#runtime, waitMs, this.#closing.signal);
      if (this.#closing.signal.aborted) break;
      await this.#apply(next);
    }
    this.#isWorking = false;
  }
}
