/**
 * One request for a lock, from its first attempt until it is granted or given up.
 *
 * All attempts carry one token, so an answer that was lost is found by the next. Waiters stand in a queue on the server:
 * a release wakes the first of it and nobody else. A wake-up is only a hint, so a timer is always armed for the moment
 * at which the lock would expire, and for half a minute at most. While no server answers the request goes on trying until its time is over. Whatever
 * it leaves behind on the server (a place in the queue, a grant it did not hear of) is taken back.
 */
import { HoldfastError, isOutage, UnavailableError } from "../base/errors.ts";
import { usableMs } from "../core/lease/timed-lease.ts";
import { type Runtime, sleep } from "../base/runtime.ts";
import type { Waiter, Wakeups } from "../core/wait/wakeups.ts";
import type { LockSettings } from "./options.ts";
import type { Patience } from "./patience.ts";
import type { AcquireReply, LockRequest, LockStore } from "./store.ts";

export interface Grant {
  readonly status: "acquired";
  readonly fence: number;
  /** On the clock of the runtime, from before the attempt that was granted. */
  readonly grantedAt: number;
}

export type Answer = Grant | Extract<AcquireReply, { status: "busy" }>;

/** A request is given this long even where less of the wait is left: it is on its way, and its answer mostly near. */
const MIN_REQUEST_MS = 1_000;
/** Between two attempts while no server answers, before jitter. */
const OUTAGE_PAUSE_MS = 100;
/** When to look again at the latest, should the wake-up be lost: `MAX_PAUSE_MS` of wait-queue.lua. */
const MAX_PAUSE_MS = 30_000;

export class Acquisition {
  readonly request: LockRequest;
  readonly #store: LockStore;
  readonly #runtime: Runtime;
  readonly #timeoutMs: number;
  /** Why the last attempt had no answer. */
  #outage: HoldfastError | undefined;

  constructor(store: LockStore, settings: LockSettings, runtime: Runtime) {
    const token = runtime.randomUUID();
    this.request = { owner: settings.owner ?? token, token, ttlMs: settings.ttlMs };
    this.#store = store;
    this.#runtime = runtime;
    this.#timeoutMs = settings.timeoutMs;
  }

  /** One attempt. */
  async once(): Promise<Answer> {
    try {
      return await this.#attempt(undefined, this.#timeoutMs, undefined);
    } catch (error) {
      throw this.#takeBack(error);
    }
  }

  /** Until it is granted. @throws TimeoutError, AbortedError, ClosedError, or the outage in which the time ran out */
  async wait(wakeups: Wakeups, patience: Patience): Promise<Grant> {
    if (patience.isCalledOff) throw patience.error();
    try {
      const first = await this.#patiently(undefined, patience);
      return first?.status === "acquired" ? first : await this.#queue(wakeups, patience);
    } catch (error) {
      throw this.#takeBack(error);
    }
  }

  async #queue(wakeups: Wakeups, patience: Patience): Promise<Grant> {
    const waiter = await this.#join(wakeups, patience);
    let place = 0;
    try {
      for (;;) {
        const answer = await this.#patiently(place, patience);
        if (answer?.status === "acquired") return answer;
        if (answer !== undefined) place = answer.since;
        await waiter.next(Math.min(this.#pauseMs(answer), patience.leftMs), patience.signal);
        this.#throwIfOver(patience);
      }
    } finally {
      waiter.leave();
    }
  }

  /** Live before the attempt that takes a place in the queue, else the wake-up for that place could be missed. */
  async #join(wakeups: Wakeups, patience: Patience): Promise<Waiter> {
    for (;;) {
      this.#throwIfOver(patience);
      const joining = wakeups.join(this.request.token);
      try {
        return await patience.within(joining);
      } catch (error) {
        joining.then(
          (late) => late.leave(),
          () => undefined,
        );
        if (patience.isCalledOff || !isOutage(error)) throw error;
        if (patience.leftMs > 0) this.#outage = error;
        await sleep(this.#runtime, Math.min(this.#pauseMs(undefined), patience.leftMs), patience.signal);
      }
    }
  }

  /** One attempt; undefined where no server answered, for there is time for another. */
  async #patiently(place: number | undefined, patience: Patience): Promise<Answer | undefined> {
    const timeoutMs = Math.min(this.#timeoutMs, Math.max(Math.ceil(patience.leftMs), MIN_REQUEST_MS));
    try {
      const answer = await this.#attempt(place, timeoutMs, patience.signal);
      this.#outage = undefined;
      return answer;
    } catch (error) {
      if (patience.isCalledOff) throw patience.error();
      if (!isOutage(error) || patience.leftMs === 0) throw error;
      this.#outage = error;
      return undefined;
    }
  }

  #throwIfOver(patience: Patience): void {
    if (this.#outage !== undefined && patience.leftMs === 0 && !patience.isCalledOff) throw this.#outage;
    patience.throwIfOver();
  }

  async #attempt(place: number | undefined, timeoutMs: number, signal: AbortSignal | undefined): Promise<Answer> {
    for (;;) {
      const grantedAt = this.#runtime.now();
      const answer = await this.#store.acquire(this.request, place, { timeoutMs, signal });
      if (answer.status === "crowded") throw this.#crowded();
      if (answer.status === "busy") return answer;
      // An answer that was on its way for the whole ttl grants nothing.
      if (this.#runtime.now() < grantedAt + usableMs(this.request.ttlMs)) return { ...answer, grantedAt };
    }
  }

  #pauseMs(answer: Answer | undefined): number {
    if (answer?.status !== "busy") return OUTAGE_PAUSE_MS * (0.5 + this.#runtime.random());
    return Math.min(answer.ttlMs + 1, MAX_PAUSE_MS);
  }

  #crowded(): HoldfastError {
    const { name, label } = this.#store;
    const message = `${label}: owner ${JSON.stringify(this.request.owner)} holds it 100 times, which is the limit`;
    return new HoldfastError("OVERLOADED", message, { op: "lock.acquire", key: name });
  }

  /** Returns what the caller is told: whatever the server may have granted, this caller does not hold the lock. */
  #takeBack(error: unknown): unknown {
    void this.#store.abandon(this.request, this.#timeoutMs);
    if (!(error instanceof HoldfastError) || error.code !== "OUTCOME_UNKNOWN") return error;
    const { name, label } = this.#store;
    const message = `${label}: not acquired, the server did not answer; if it granted the lock, that is taken back or ends by its ttl`;
    return new UnavailableError(message, { op: "lock.acquire", key: name, cause: error });
  }
}
