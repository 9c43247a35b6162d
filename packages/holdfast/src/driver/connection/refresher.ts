/** When to ask for the slots again: soon after a sign of change, often while something is wrong, seldom otherwise. */

import type { Runtime, Timer } from "../../base/runtime.ts";

/** Between two refreshes, however many signs there are. */
const LEAST_GAP_MS = 100;
/** While a refresh failed or a primary is away; a failover is seen this soon. */
const UNHEALTHY_MS = 250;
/** Nobody may ever meet a MOVED, when all reads are answered by a local cache. */
const HEALTHY_MS = 30_000;

export class Refresher {
  readonly #refresh: () => Promise<void>;
  readonly #isHealthy: () => boolean;
  readonly #runtime: Runtime;
  #timer: Timer | undefined;
  #running = false;
  #again = false;
  #stopped = false;
  #endedAt = 0;

  constructor(runtime: Runtime, refresh: () => Promise<void>, isHealthy: () => boolean) {
    this.#runtime = runtime;
    this.#refresh = refresh;
    this.#isHealthy = isHealthy;
  }

  start(): void {
    this.#schedule(HEALTHY_MS);
  }

  /** Something has changed. Any number of calls make one refresh. */
  request(): void {
    this.#again = true;
    if (!this.#running) this.#schedule(this.#endedAt + LEAST_GAP_MS - this.#runtime.now());
  }

  stop(): void {
    this.#stopped = true;
    this.#runtime.clearTimeout(this.#timer);
  }

  #schedule(ms: number): void {
    this.#runtime.clearTimeout(this.#timer);
    if (this.#stopped) return;
    const jittered = ms * (1 + this.#runtime.random() / 4);
    this.#timer = this.#runtime.setTimeout(() => void this.#run(), Math.max(0, jittered));
    this.#timer.unref();
  }

  async #run(): Promise<void> {
    this.#running = true;
    this.#again = false;
    const succeeded = await this.#refresh().then(
      () => true,
      () => false,
    );
    this.#running = false;
    this.#endedAt = this.#runtime.now();
    if (this.#again) this.#schedule(LEAST_GAP_MS);
    else this.#schedule(succeeded && this.#isHealthy() ? HEALTHY_MS : UNHEALTHY_MS);
  }
}
