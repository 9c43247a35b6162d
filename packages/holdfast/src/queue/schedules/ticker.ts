/**
 * Ticks the schedules of a queue for as long as it runs. Any number of tickers may: all that they find due is decided by one script,
 * which compares the schedule with what the ticker saw, so one of them does it and the others change nothing. When something is due
 * is the server's to say, in milliseconds from its now; this process's clock only measures how long to sleep.
 */
import { HoldfastError } from "../../base/errors.ts";
import { sleep } from "../../base/runtime.ts";
import type { Core } from "../../core/core.ts";
import type { Waiter } from "../../core/wait/wakeups.ts";
import { Pause } from "../../core/retry/pause.ts";
import { warnUnlessOutage } from "../patience.ts";
import { MOST_RUN, reckon } from "./reckoning.ts";
import { decodePlan, decodeState } from "./state.ts";
import type { ScheduleStore, TickWork } from "./store.ts";

/** Counts of one ticker since it was made. */
export interface QueueTickerStats {
  /** Jobs that it added. */
  readonly added: number;
  readonly late: number;
  readonly missed: number;
  readonly skipped: number;
}

/** Tickers of one fleet look one after the other, so that most of them find that there is nothing left to do. */
const SPREAD_MS = 10;

/**
 * @example
 * await using ticker = emails.schedules.run();   // in a process without a worker
 */
export class QueueTicker implements AsyncDisposable {
  readonly #core: Core;
  readonly #store: ScheduleStore;
  readonly #wakeKey: string;
  readonly #pollMs: number;
  readonly #disown: () => void;
  readonly #stop = new AbortController();
  readonly #stats = { added: 0, late: 0, missed: 0, skipped: 0 };
  readonly #ended: Promise<void>;

  constructor(core: Core, store: ScheduleStore, wakeKey: string, pollMs: number) {
    this.#core = core;
    this.#store = store;
    this.#wakeKey = wakeKey;
    this.#pollMs = pollMs;
    this.#disown = core.own(this);
    this.#ended = this.#run();
  }

  stats(): QueueTickerStats {
    return { ...this.#stats };
  }

  /** Ticks no more; what it has under way is done first. Idempotent. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#ended;
    this.#disown();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #run(): Promise<void> {
    const { runtime } = this.#core.driver;
    let pause = new Pause(runtime, this.#stop.signal);
    let waiter: Waiter | void = undefined;
    while (!this.#stop.signal.aborted) {
      try {
        // Without a wake-up, where the subscription is refused, it looks all the same.
        waiter ??= await this.#core.wakeups.join(this.#wakeKey).catch(warnUnlessOutage);
        const restMs = await this.#tick();
        pause = new Pause(runtime, this.#stop.signal);
        await (waiter?.next(restMs, this.#stop.signal) ?? sleep(runtime, restMs, this.#stop.signal));
      } catch (error) {
        if (error instanceof HoldfastError && error.code === "CLOSED") break;
        warnUnlessOutage(error);
        await pause.next();
      }
    }
    waiter?.leave();
  }

  /** Does what is due; returns how long there is nothing to do then. */
  async #tick(): Promise<number> {
    const { nowMs, nextMs, ids, states, plans } = await this.#store.due();
    const spreadMs = SPREAD_MS * this.#core.driver.runtime.random();
    const works = bounded(ids.flatMap((id, at) => workOf(id, states[at], plans[at], nowMs)));
    if (works.length > 0) {
      const { added, late, missed, skipped, stale } = await this.#store.tick(works);
      this.#stats.added += added;
      this.#stats.late += late;
      this.#stats.missed += missed;
      this.#stats.skipped += skipped;
      // More may be due, and what was due may be so again. Where others were faster they may go on.
      return stale === 0 ? 0 : spreadMs;
    }
    return (nextMs < 0 ? this.#pollMs : Math.min(nextMs, this.#pollMs)) + 1 + spreadMs;
  }
}

/** One ticker for all workers of a queue in this process. */
export class SharedTicker {
  readonly #start: (pollMs: number) => QueueTicker;
  #ticker: QueueTicker | undefined;
  #users = 0;

  constructor(start: (pollMs: number) => QueueTicker) {
    this.#start = start;
  }

  /** The returned function leaves it; after the last one it is closed. */
  join(pollMs: number): () => Promise<void> {
    this.#ticker ??= this.#start(pollMs);
    this.#users += 1;
    return async () => {
      this.#users -= 1;
      if (this.#users > 0) return;
      const ticker = this.#ticker;
      this.#ticker = undefined;
      await ticker?.close();
    };
  }
}

/** As much as one script may do; the rest is due still. */
function bounded(works: readonly TickWork[]): readonly TickWork[] {
  let jobs = 0;
  const end = works.findIndex(({ reckoning }) => (jobs += reckoning.ticks.length) > MOST_RUN);
  return end === -1 ? works : works.slice(0, Math.max(end, 1));
}

function workOf(
  id: string,
  seen: string | null | undefined,
  line: string | null | undefined,
  nowMs: number,
): TickWork[] {
  // A part of it is lost: `set` will mend it.
  if (typeof seen !== "string" || typeof line !== "string") return [];
  try {
    const plan = decodePlan(line);
    return [{ id, seen, plan, reckoning: reckon(id, plan, decodeState(seen), nowMs) }];
  } catch (error) {
    // Such as a time zone that only a newer Node knows: another process may tick it, and the others must not wait for it.
    warnUnlessOutage(error);
    return [];
  }
}
