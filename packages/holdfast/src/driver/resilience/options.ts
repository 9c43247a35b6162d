/** How a driver behaves when the server is slow, away or in trouble. */
import { InvalidArgumentError } from "../../base/errors.ts";
import { type Duration, toTimerMs } from "../../base/options.ts";

export interface ResilienceOptions {
  /**
   * Deadline of a call with all its retries. The default outlives a failover of a cluster or by Sentinel.
   * @default "5s"
   */
  readonly timeout?: Duration | undefined;
  /**
   * Calls that may wait for the server at one time; one more fails at once with code OVERLOADED.
   * @default 10_000
   */
  readonly maxWaiting?: number | undefined;
  /**
   * Retries that may be made in a burst. Each call earns a fifth of a retry, up to this number.
   * @default 1_000
   */
  readonly retryBudget?: number | undefined;
  /**
   * Fail at once while a node has not answered for longer than `timeout`, instead of waiting for each deadline.
   * @default true
   */
  readonly breaker?: boolean | undefined;
  /**
   * Failures in a row, at least, before a node's breaker opens.
   * @default 10
   */
  readonly breakerFailures?: number | undefined;
  /**
   * Time from the breaker's opening to its first probe, jittered; doubled by each failed probe up to 30 s.
   * @default "1s"
   */
  readonly breakerCoolDown?: Duration | undefined;
  /**
   * How long `close()` waits for calls in flight, and then for the connections to end.
   * @default "2s"
   */
  readonly closeTimeout?: Duration | undefined;
}

export interface ResolvedResilience {
  readonly timeoutMs: number;
  readonly maxWaiting: number;
  readonly retryBudget: number;
  readonly breaker: boolean;
  readonly breakerFailures: number;
  readonly breakerCoolDownMs: number;
  readonly closeTimeoutMs: number;
}

export function resolveResilience(options: ResilienceOptions): ResolvedResilience {
  return {
    timeoutMs: toTimerMs("timeout", options.timeout ?? "5s"),
    maxWaiting: count("maxWaiting", options.maxWaiting ?? 10_000, 0),
    retryBudget: count("retryBudget", options.retryBudget ?? 1_000, 0),
    breaker: flag("breaker", options.breaker ?? true),
    breakerFailures: count("breakerFailures", options.breakerFailures ?? 10, 1),
    breakerCoolDownMs: toTimerMs("breakerCoolDown", options.breakerCoolDown ?? "1s"),
    closeTimeoutMs: toTimerMs("closeTimeout", options.closeTimeout ?? "2s", 0),
  };
}

function count(field: string, value: number, min: number): number {
  if (Number.isSafeInteger(value) && value >= min) return value;
  throw new InvalidArgumentError(field, `a whole number of at least ${min}`, value);
}

function flag(field: string, value: boolean): boolean {
  if (typeof value === "boolean") return value;
  throw new InvalidArgumentError(field, "true or false", value);
}
