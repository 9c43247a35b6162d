/**
 * The client's side of anything that is held for a time and renewed: locks, permits, leadership, jobs.
 *
 * A holder must know of its loss without the server. So a lease has a deadline on this process's monotonic clock,
 * counted from before the request was sent: it comes before the server's own, however slow the answer was. One state
 * machine with one timer does all that can happen to a lease:
 *
 *     held -- a third of the ttl is over ----> renewal; one that fails, or is not answered, is tried again until the deadline
 *          -- deadline, or "expired" / "stolen" from the server --> lost, signal aborted
 *          -- maxHold -----> signal aborted, no more renewals: held until released or until the deadline
 *          -- release -----> ended: renewal called off, then the server asked; what arrives later is ignored
 *
 * A blocked event loop delays the timer, not the truth: `held` and `signal` look at the clock each time they are read.
 * A suspended machine stops the clock itself; only a fence protects what is guarded from that.
 */
import { LeaseLostError } from "../../base/errors.ts";
import { MAX_TIMER_MS } from "../../base/options.ts";
import type { Runtime, Timer } from "../../base/runtime.ts";

/** How a lease ended, as the server saw it. `expired`: nobody has it; `stolen`: somebody else has. */
export type LeaseEnd = "released" | "expired" | "stolen";
export type LeaseExtension = "extended" | "expired" | "stolen";

/** The server's side. */
export interface LeasePort {
  /** Must never create the lease again. */
  extend(
    ttlMs: number,
    call: { readonly timeoutMs: number; readonly signal?: AbortSignal | undefined },
  ): Promise<LeaseExtension>;
  /** `unclear`: an earlier attempt has released it, or it was lost before; the server cannot know any more. */
  release(): Promise<LeaseEnd | "unclear">;
}

export interface LeaseTerms {
  /** As the user knows it, for messages: `lock "invoice:42"`. */
  readonly label: string;
  readonly ttlMs: number;
  /** Renew it at each third of the ttl. */
  readonly renew: boolean;
  /** The signal fires, and renewals end, after so long. May be Infinity. */
  readonly maxHoldMs: number;
  /** Deadline of a renewal, if that comes before the lease's. */
  readonly timeoutMs?: number;
}

/** Clocks may run at different speeds by this part, and the server's expiry is whole milliseconds (Redlock's drift factor). */
const DRIFT = 0.01;
const DRIFT_MS = 2;
/** Between a failed renewal and the next, as part of the ttl, before jitter. */
const RETRY_PART = 1 / 20;
const MIN_RETRY_MS = 5;
/** A renewal has half of the time that is left, so that another can follow it; all of it where that would be less. */
const MIN_RENEWAL_MS = 500;
/** How much later than its deadline a call may be rejected. */
const OVERDUE_MS = 100;

type State = "held" | "lost" | "ended";

export class TimedLease {
  readonly #runtime: Runtime;
  readonly #port: LeasePort;
  readonly #terms: LeaseTerms;
  /** Made when somebody asks for the signal: most locks are released before anybody does, and it is half their cost here. */
  #abort: AbortController | undefined;
  #reason: LeaseLostError | undefined;
  readonly #onEnd: () => void;
  #state: State = "held";
  #loss: "expired" | "stolen" = "expired";
  /** On the clock of the runtime, like all times here. */
  #deadline: number;
  #renewAt: number;
  readonly #holdUntil: number;
  #renewal: AbortController | undefined;
  /** When the renewal under way counts as failed, whether its promise settles or not. */
  #overdueAt = Infinity;
  #timer: Timer | undefined;
  #release: Promise<LeaseEnd> | undefined;

  /**
   * @param grantedAt `runtime.now()` from before the request that was granted
   * @param onEnd called when it is released or lost; whoever keeps it for closing forgets it
   */
  constructor(runtime: Runtime, port: LeasePort, terms: LeaseTerms, grantedAt: number, onEnd: () => void = () => {}) {
    this.#runtime = runtime;
    this.#port = port;
    this.#terms = terms;
    this.#onEnd = onEnd;
    this.#deadline = grantedAt + usableMs(terms.ttlMs);
    this.#renewAt = grantedAt + terms.ttlMs / 3;
    this.#holdUntil = grantedAt + terms.maxHoldMs;
    this.#arm();
  }

  /** Fires with a LeaseLostError when the lease is lost, has been held for maxHold, or its handle is closed; not on release. */
  get signal(): AbortSignal {
    this.#notice();
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#reason !== undefined) this.#abort.abort(this.#reason);
    }
    return this.#abort.signal;
  }

  /** For certain still ours: not released, not lost, and the deadline has not come. */
  get held(): boolean {
    this.#notice();
    return this.#state === "held";
  }

  /** Until the deadline; 0 once it is not held. */
  get remainingMs(): number {
    return this.held ? this.#deadline - this.#runtime.now() : 0;
  }

  /** Makes it last `ttlMs` from now, never shorter than it did. Rejects when the server cannot be asked; it then is as it was. */
  async extend(ttlMs: number): Promise<LeaseExtension> {
    if (!this.held) return this.#loss;
    const sentAt = this.#runtime.now();
    const outcome = await this.#port.extend(ttlMs, { timeoutMs: this.#timeoutMs(sentAt) });
    return this.#settle(outcome, sentAt, ttlMs);
  }

  /**
   * Releases it; once, however often it is called. A lease lost by its deadline is released as well, in case the
   * server still has it. Rejects when the server cannot be asked before the deadline; it then ends by itself, and may
   * be called again.
   */
  release(): Promise<LeaseEnd> {
    this.#release ??= this.#end();
    return this.#release;
  }

  /** The handle is closed: the signal aborts, then the lease is released if the server can be asked. */
  async close(): Promise<void> {
    this.#fire("closed", "the handle was closed");
    await this.release().catch(() => undefined);
  }

  #end(): Promise<LeaseEnd> {
    this.#notice();
    const known = this.#state === "lost" && this.#loss === "stolen";
    this.#stop("ended");
    if (known) return Promise.resolve("stolen");
    return this.#port.release().then(
      // It cannot have been lost before its deadline.
      (end) => (end !== "unclear" ? end : this.#isOver ? "expired" : "released"),
      (error: unknown) => {
        if (this.#isOver) return "expired";
        this.#release = undefined;
        throw error;
      },
    );
  }

  get #isOver(): boolean {
    return this.#runtime.now() >= this.#deadline;
  }

  /** What is due now; then the timer for what is due next. */
  readonly #tick = (): void => {
    this.#notice();
    if (this.#state !== "held") return;
    const now = this.#runtime.now();
    if (now >= this.#holdUntil) this.#fire("maxHold", `it was held for ${this.#terms.maxHoldMs} ms, its maxHold`);
    if (now >= this.#overdueAt) this.#giveUpRenewal();
    if (this.#renews && now >= this.#renewAt) void this.#renew(now);
    this.#arm();
  };

  get #renews(): boolean {
    return this.#terms.renew && this.#renewal === undefined && this.#reason === undefined;
  }

  #arm(): void {
    this.#runtime.clearTimeout(this.#timer);
    const holdEnds = this.#reason === undefined ? this.#holdUntil : Infinity;
    const next = Math.min(this.#deadline, holdEnds, this.#renews ? this.#renewAt : this.#overdueAt);
    const delayMs = Math.min(Math.max(next - this.#runtime.now(), 0), MAX_TIMER_MS);
    this.#timer = this.#runtime.setTimeout(this.#tick, delayMs);
    this.#timer.unref();
  }

  async #renew(sentAt: number): Promise<void> {
    const { ttlMs } = this.#terms;
    const renewal = new AbortController();
    const leftMs = this.#timeoutMs(sentAt);
    const timeoutMs = leftMs < 2 * MIN_RENEWAL_MS ? leftMs : Math.ceil(leftMs / 2);
    this.#renewal = renewal;
    this.#overdueAt = sentAt + timeoutMs + OVERDUE_MS;
    try {
      const outcome = await this.#port.extend(ttlMs, { timeoutMs, signal: renewal.signal });
      if (renewal === this.#renewal) this.#endRenewal(sentAt + ttlMs / 3);
      // Also one that was given up: it says what the server knew.
      this.#settle(outcome, sentAt, ttlMs);
    } catch {
      // Whatever it was, only the deadline decides: until then it is tried again.
      if (renewal === this.#renewal) this.#retryRenewal();
      if (this.#state === "held") this.#arm();
    }
  }

  #giveUpRenewal(): void {
    this.#renewal?.abort();
    this.#retryRenewal();
  }

  #retryRenewal(): void {
    const pauseMs = Math.max(this.#terms.ttlMs * RETRY_PART, MIN_RETRY_MS) * (0.5 + this.#runtime.random());
    this.#endRenewal(this.#runtime.now() + pauseMs);
  }

  #endRenewal(nextAt: number): void {
    this.#renewal = undefined;
    this.#overdueAt = Infinity;
    this.#renewAt = nextAt;
  }

  /** An answer that comes after the lease has ended changes nothing. */
  #settle(outcome: LeaseExtension, sentAt: number, ttlMs: number): LeaseExtension {
    if (this.#state !== "held") return this.#state === "lost" ? this.#loss : outcome;
    if (outcome === "extended") {
      this.#deadline = Math.max(this.#deadline, sentAt + usableMs(ttlMs));
      this.#arm();
    } else {
      this.#lose(outcome, outcome === "stolen" ? "somebody else holds it" : "the server has it no longer");
    }
    return outcome;
  }

  /** An answer after the deadline is of no use. */
  #timeoutMs(sentAt: number): number {
    return Math.min(Math.ceil(this.#deadline - sentAt), this.#terms.timeoutMs ?? MAX_TIMER_MS, MAX_TIMER_MS);
  }

  #notice(): void {
    if (this.#state === "held" && this.#runtime.now() >= this.#deadline) {
      this.#lose("expired", "it could not be renewed before its ttl was over");
    }
  }

  #lose(loss: "expired" | "stolen", why: string): void {
    this.#loss = loss;
    this.#stop("lost");
    this.#fire(loss, why);
  }

  #stop(state: "lost" | "ended"): void {
    this.#state = state;
    this.#runtime.clearTimeout(this.#timer);
    this.#renewal?.abort();
    this.#onEnd();
  }

  #fire(reason: LeaseLostError["reason"], why: string): void {
    if (this.#reason !== undefined) return;
    this.#reason = new LeaseLostError(reason, `${this.#terms.label}: ${why}`);
    this.#abort?.abort(this.#reason);
  }
}

/** How much of a ttl a holder may count on, counted from before the request. */
export function usableMs(ttlMs: number): number {
  return ttlMs - ttlMs * DRIFT - DRIFT_MS;
}
