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

/** A settlement, and who is told of its end. */
export interface Ending extends Settlement {
  /** Called once that is known; where it is given up, with `stale`. */
  settled(status: SettlementStatus): void;
}

export class Settling {
  readonly #store: SharedStore;
  readonly #runtime: Runtime;
  readonly #stop: AbortSignal;
  readonly #onSettled: () => void;
  #waiting: Ending[] = [];
  #isScheduled = false;
  #idle: Deferred<void> | undefined;

  /** @param stop after which nothing that fails is sent again @param onSettled called behind those that one script has settled */
  constructor(store: SharedStore, runtime: Runtime, stop: AbortSignal, onSettled: () => void = () => undefined) {
    this.#store = store;
    this.#runtime = runtime;
    this.#stop = stop;
    this.#onSettled = onSettled;
  }

  add(ending: Ending): void {
    this.#waiting.push(ending);
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
      this.#onSettled();
    }
    this.#isScheduled = false;
    this.#idle?.resolve();
    this.#idle = undefined;
  }

  async #settle(endings: readonly Ending[]): Promise<void> {
    const pause = new Pause(this.#runtime, this.#stop);
    const wakes = endings.some(({ verb, ms }) => verb !== "ack" && ms === 0);
    for (;;) {
      try {
        const statuses = await this.#store.settle(endings, wakes);
        for (let at = 0; at < endings.length; at += 1) endings[at]!.settled(statuses[at]!);
        return;
      } catch (error) {
        // Then they are delivered again.
        if (this.#stop.aborted || !mayPass(error)) {
          warnUnlessOutage(error);
          for (const ending of endings) ending.settled("stale");
          return;
        }
        await pause.next();
      }
    }
  }
}
