/**
 * What ends in one partition is settled together: one script is under way at a time, and carries all that has ended since the last one began.
 * One that fails, as the server is away, is sent again until it has been answered: who has settled a message late has settled it, unless it was
 * claimed again meanwhile.
 */
import { Deferred } from "../../base/deferred.ts";
import { nextTick, type Runtime } from "../../base/runtime.ts";
import { Pause } from "../../core/retry/pause.ts";
import { mayPass, warnUnlessOutage } from "../patience.ts";
import type { Settlement, SettlementStatus, SharedStore } from "./store.ts";

/** One call holds the server for about 300 microseconds with as many. */
const MAX_PER_CALL = 500;

interface Waiting {
  readonly settlement: Settlement;
  readonly done: (status: SettlementStatus) => void;
}

export class Settling {
  readonly #store: SharedStore;
  readonly #runtime: Runtime;
  readonly #stop: AbortSignal;
  #waiting: Waiting[] = [];
  #isScheduled = false;
  #idle: Deferred<void> | undefined;

  /** @param stop after which nothing that fails is sent again */
  constructor(store: SharedStore, runtime: Runtime, stop: AbortSignal) {
    this.#store = store;
    this.#runtime = runtime;
    this.#stop = stop;
  }

  /** `done` is called once it is known; where it is given up, with `stale`. */
  add(settlement: Settlement, done: (status: SettlementStatus) => void): void {
    this.#waiting.push({ settlement, done });
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    nextTick(() => void this.#run());
  }

  /** Resolves when nothing is under way. */
  idle(): Promise<void> {
    if (!this.#isScheduled) return Promise.resolve();
    this.#idle ??= new Deferred();
    return this.#idle.promise;
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      const all = this.#waiting;
      this.#waiting = all.splice(MAX_PER_CALL);
      await this.#settle(all);
    }
    this.#isScheduled = false;
    this.#idle?.resolve();
    this.#idle = undefined;
  }

  async #settle(waiting: readonly Waiting[]): Promise<void> {
    const pause = new Pause(this.#runtime, this.#stop);
    const settlements = waiting.map(({ settlement }) => settlement);
    const wakes = settlements.some(({ verb, ms }) => verb !== "ack" && ms === 0);
    for (;;) {
      try {
        const statuses = await this.#store.settle(settlements, wakes);
        for (let at = 0; at < waiting.length; at += 1) waiting[at]!.done(statuses[at]!);
        return;
      } catch (error) {
        // Then they are delivered again.
        if (this.#stop.aborted || !mayPass(error)) {
          warnUnlessOutage(error);
          for (const { done } of waiting) done("stale");
          return;
        }
        await pause.next();
      }
    }
  }
}
