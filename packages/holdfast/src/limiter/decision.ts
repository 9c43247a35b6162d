/** A limiter's answer, and what it is when the server does not answer. */
import type { HoldfastError } from "../base/errors.ts";

/** What a limiter enforces; the same object in each of its decisions. */
export interface LimiterPolicy {
  /** The limiter's name. */
  readonly name: string;
  /** Units per window. */
  readonly limit: number;
  readonly windowMs: number;
  /** Most units that can be taken at once; with `sliding` and `exact` the limit. */
  readonly burst: number;
}

export interface LimiterDecision {
  readonly allowed: boolean;
  /** Units per window. */
  readonly limit: number;
  /** Units that could be taken at once after this decision; 0 if `source` is `policy`, because nobody knows. */
  readonly remaining: number;
  /** Milliseconds until the same call can be allowed, if nobody else takes what comes free; 0 if it was allowed. */
  readonly retryAfterMs: number;
  /** Milliseconds until nothing of what was taken counts any more; 0 if `source` is `policy`. */
  readonly resetMs: number;
  /** `server`: counted and decided there. `policy`: no answer in time, `onOutage` decided. */
  readonly source: "server" | "policy";
  readonly policy: LimiterPolicy;
  /**
   * Why the policy decided. With an OutcomeUnknownError the units may have been taken all the same: a decision is
   * never sent twice, so they are taken once at most.
   */
  readonly cause?: HoldfastError;
}

/** After a denial by policy: most outages that the driver does not hide last longer. */
const OUTAGE_RETRY_MS = 1_000;

export function decided(
  policy: LimiterPolicy,
  allowed: boolean,
  remaining: number,
  retryAfterMs: number,
  resetMs: number,
): LimiterDecision {
  return { allowed, limit: policy.limit, remaining, retryAfterMs, resetMs, source: "server", policy };
}

export function decidedByPolicy(policy: LimiterPolicy, allowed: boolean, cause: HoldfastError): LimiterDecision {
  const retryAfterMs = allowed ? 0 : OUTAGE_RETRY_MS;
  return { allowed, limit: policy.limit, remaining: 0, retryAfterMs, resetMs: 0, source: "policy", policy, cause };
}
