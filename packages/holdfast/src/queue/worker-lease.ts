/** How long a worker may believe that the server still takes it for alive, by this process's own clock. */
import type { Runtime, Timer } from "../base/runtime.ts";
import { usableMs } from "../core/lease/timed-lease.ts";

export class WorkerLease {
  readonly #runtime: Runtime;
  readonly #leaseMs: number;
  readonly #onEnd: () => void;
  #endsAt = 0;
  #renewAt = 0;
  #timer: Timer | undefined;

  constructor(runtime: Runtime, leaseMs: number, onEnd: () => void) {
    this.#runtime = runtime;
    this.#leaseMs = leaseMs;
    this.#onEnd = onEnd;
  }

  get isOver(): boolean {
    return this.#runtime.now() >= this.#endsAt;
  }

  get wantsRenewal(): boolean {
    return this.#runtime.now() >= this.#renewAt;
  }

  /** The server has answered a call that was sent at this time. */
  renewed(sentAt: number): void {
    this.#endsAt = sentAt + usableMs(this.#leaseMs);
    this.#renewAt = sentAt + this.#leaseMs / 3;
    if (this.#timer === undefined) this.#watch();
  }

  close(): void {
    this.#runtime.clearTimeout(this.#timer);
  }

  /** One timer for the whole lease, set again when it fires: a renewal costs none. */
  #watch(): void {
    this.#timer = undefined;
    if (this.isOver) return this.#onEnd();
    this.#timer = this.#runtime.setTimeout(() => this.#watch(), this.#endsAt - this.#runtime.now());
    this.#timer.unref();
  }
}
