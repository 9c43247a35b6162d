/** The answer of a limiter, and what it is when the server gives none. */
import type { HoldfastError } from "../base/errors.ts";

/** What a limiter was made to enforce; the same object in each of its decisions. */
export interface LimitPolicy {
  /** The limiter's name. */
  readonly name: string;
  /** Units per window. */
  readonly limit: number;
  readonly windowMs: number;
  /** Most units that can be taken at once. With `sliding` it is the limit. */
  readonly burst: number;
}

export interface LimitDecision {
  readonly allowed: boolean;
  /** Units per window. */
  readonly limit: number;
  /** Units that could be taken at once after this decision; 0 where `source` is `policy`, as nobody knows. */
  readonly remaining: number;
  /** Milliseconds until the same call can be allowed, if nobody else takes what comes free; 0 where it was allowed. */
  readonly retryAfterMs: number;
  /** Milliseconds until nothing of what was taken counts any more; 0 where `source` is `policy`. */
  readonly resetMs: number;
  /** `server`: counted and decided there. `policy`: no answer in time, `onOutage` decided. */
  readonly source: "server" | "policy";
  readonly policy: LimitPolicy;
  /**
   * Why the policy decided. With an OutcomeUnknownError the units may have been taken all the same: a decision is
   * never sent twice, so they are taken once at most.
   */
  readonly cause?: HoldfastError;
}

/** After a denial by policy; most outages that a driver does not hide itself last longer. */
const OUTAGE_RETRY_MS = 1_000;

export function decided(
  policy: LimitPolicy,
  allowed: boolean,
  remaining: number,
  retryAfterMs: number,
  resetMs: number,
): LimitDecision {
  return { allowed, limit: policy.limit, remaining, retryAfterMs, resetMs, source: "server", policy };
}

export function decidedByPolicy(policy: LimitPolicy, allowed: boolean, cause: HoldfastError): LimitDecision {
  const retryAfterMs = allowed ? 0 : OUTAGE_RETRY_MS;
  return { allowed, limit: policy.limit, remaining: 0, retryAfterMs, resetMs: 0, source: "policy", policy, cause };
}
