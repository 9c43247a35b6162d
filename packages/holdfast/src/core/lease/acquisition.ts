/**
 * One request for a lease, from its first attempt until it is granted or given up.
 *
 * All attempts carry one token, so an answer that was lost is found by the next. Waiters stand in a queue on the server:
 * a release wakes the first of it and nobody else. A wake-up is only a hint, so a timer is always armed for the moment
 * at which the lease would expire, and for half a minute at most. While no server answers the request goes on trying until its time is over. Whatever
 * it leaves behind on the server (a place in the queue, a grant it did not hear of) is taken back.
 */
import { HoldfastError, isOutage, UnavailableError } from "../../base/errors.ts";
import { type Runtime, sleep } from "../../base/runtime.ts";
import type { Waiter, Wakeups } from "../wait/wakeups.ts";
import type { Patience } from "./patience.ts";
import type { Busy, Granted, AcquireRequest, RequestTerms } from "./request.ts";
import { usableMs } from "./timed-lease.ts";

/** A request is given this long even where less of the wait is left: it is on its way, and its answer mostly near. */
export const MIN_REQUEST_MS = 1_000;
/** Between two attempts while no server answers, before jitter. */
const OUTAGE_PAUSE_MS = 100;
/** When to look again at the latest, should the wake-up be lost: `MAX_PAUSE_MS` of wait-queue.lua. */
const MAX_PAUSE_MS = 30_000;

export class Acquisition<G extends { readonly status: "acquired" }> {
  readonly #request: AcquireRequest<G>;
  readonly #runtime: Runtime;
  readonly #ttlMs: number;
  readonly #timeoutMs: number;
  /** Why the last attempt had no answer. */
  #outage: HoldfastError | undefined;

  constructor(request: AcquireRequest<G>, { ttlMs, timeoutMs }: RequestTerms, runtime: Runtime) {
    this.#request = request;
    this.#runtime = runtime;
    this.#ttlMs = ttlMs;
    this.#timeoutMs = timeoutMs;
  }

  /** One attempt. */
  async once(): Promise<Granted<G> | Busy> {
    try {
      return await this.#attempt(undefined, this.#timeoutMs, undefined);
    } catch (error) {
      throw this.takeBack(error);
    }
  }

  /**
   * Until it is granted.
   * @param asked whether there is no need to ask before joining the queue
   * @throws TimeoutError, AbortedError, ClosedError, or the outage in which the time ran out
   */
  async wait(wakeups: Pick<Wakeups, "join">, patience: Patience, asked = false): Promise<Granted<G>> {
    if (patience.isCalledOff) throw patience.error();
    try {
      const first = asked ? undefined : await this.#patiently(undefined, patience);
      return first?.status === "acquired" ? first : await this.#queue(wakeups, patience);
    } catch (error) {
      throw this.takeBack(error);
    }
  }

  async #queue(wakeups: Pick<Wakeups, "join">, patience: Patience): Promise<Granted<G>> {
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
  async #join(wakeups: Pick<Wakeups, "join">, patience: Patience): Promise<Waiter> {
    for (;;) {
      this.#throwIfOver(patience);
      const joining = wakeups.join(this.#request.token);
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
  async #patiently(place: number | undefined, patience: Patience): Promise<Granted<G> | Busy | undefined> {
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

  async #attempt(
    place: number | undefined,
    timeoutMs: number,
    signal: AbortSignal | undefined,
  ): Promise<Granted<G> | Busy> {
    for (;;) {
      const grantedAt = this.#runtime.now();
      const answer = await this.#request.attempt(place, { timeoutMs, signal });
      if (answer.status === "busy") return answer;
      const granted = { grantedAt, ...answer };
      // An answer that was on its way for the whole ttl grants nothing.
      if (this.#runtime.now() < granted.grantedAt + usableMs(this.#ttlMs)) return granted;
    }
  }

  #pauseMs(answer: Granted<G> | Busy | undefined): number {
    if (answer?.status !== "busy") return OUTAGE_PAUSE_MS * (0.5 + this.#runtime.random());
    return Math.min(answer.ttlMs + 1, MAX_PAUSE_MS);
  }

  /** Returns what the caller is told: whatever the server may have granted, this caller does not hold it. */
  takeBack(error: unknown): unknown {
    void this.#request.abandon(this.#timeoutMs);
    if (!(error instanceof HoldfastError) || error.code !== "OUTCOME_UNKNOWN") return error;
    const { name, label, op } = this.#request;
    const message = `${label}: not acquired, the server did not answer; if it was granted, that is taken back or ends by its ttl`;
    return new UnavailableError(message, { op, key: name, cause: error });
  }
}
