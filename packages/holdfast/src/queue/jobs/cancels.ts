/**
 * How a worker hears that a job which it runs is cancelled: by a wake-up, which may be lost, or from its next claim, which says since when
 * there is such a job. Either way it asks which ones.
 */
import { HoldfastError } from "../../base/errors.ts";
import { MAX_TIMER_MS } from "../../base/options.ts";
import { sleep } from "../../base/runtime.ts";
import type { Core } from "../../core/core.ts";
import { warnUnlessOutage } from "../patience.ts";
import type { Run } from "../run.ts";
import type { CancelledJob } from "../worker-store.ts";

export interface CancelsParts {
  readonly core: Core;
  readonly cancelKey: string;
  readonly ask: () => Promise<CancelledJob[]>;
  readonly runOf: (id: string) => Run | undefined;
  /** Of an outcome. */
  readonly reasonOf: (outcome: Buffer) => string | undefined;
  readonly stop: AbortSignal;
}

const RETRY_MS = 1_000;

export class Cancels {
  readonly #parts: CancelsParts;
  /** What the last claim said that was followed up. */
  #seen = 0;
  /** Of jobs whose claim has not been read yet. */
  #early = new Map<string, { readonly fence: number; readonly outcome: Buffer }>();

  constructor(parts: CancelsParts) {
    this.#parts = parts;
    void this.#listen();
  }

  /** @param since 0: none of its jobs is cancelled */
  claimed(since: number): void {
    if (since === 0) this.#seen = 0;
    else if (since !== this.#seen) void this.#ask(since);
  }

  begun(run: Run): void {
    const early = this.#early.get(run.id);
    if (early?.fence === run.fence) run.cancel(this.#parts.reasonOf(early.outcome));
  }

  /** A cancelled run has ended: the next claim that says there is one is followed up, so that the mark goes with the last. */
  ended(): void {
    this.#seen = -1;
  }

  async #ask(since: number): Promise<void> {
    try {
      const cancelled = await this.#parts.ask();
      this.#early.clear();
      for (const { id, fence, outcome } of cancelled) this.#cancel(id, fence, outcome);
      this.#seen = cancelled.length === 0 ? 0 : since;
    } catch (error) {
      // The next claim says so again.
      warnUnlessOutage(error);
    }
  }

  #cancel(id: string, fence: number, outcome: Buffer): void {
    const run = this.#parts.runOf(id);
    if (run?.fence === fence) run.cancel(this.#parts.reasonOf(outcome));
    else this.#early.set(id, { fence, outcome });
  }

  async #listen(): Promise<void> {
    const { core, cancelKey, stop } = this.#parts;
    while (!stop.aborted) {
      try {
        const waiter = await core.wakeups.join(cancelKey);
        try {
          for (;;) {
            await waiter.next(MAX_TIMER_MS, stop);
            if (stop.aborted) return;
            await this.#ask(-1);
          }
        } finally {
          waiter.leave();
        }
      } catch (error) {
        if (error instanceof HoldfastError && error.code === "CLOSED") return;
        await sleep(core.driver.runtime, RETRY_MS, stop);
      }
    }
  }
}
