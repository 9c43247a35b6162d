import { InvalidArgumentError } from "../base/errors.ts";
import { type Duration, type OptionNames, parseOptions, toMs, toTimerMs } from "../base/options.ts";

export interface CounterOptions {
  /** A counter expires this long after its first increment; the next one begins at 0 again. @default none: `idleTtl` applies */
  readonly ttl?: Duration;
  /** Without a `ttl`: a counter expires this long after its last increment. @default "90d" */
  readonly idleTtl?: Duration;
  /** Lowest value, at most 0. @default -(2^53 - 1) */
  readonly min?: number;
  /** Highest value, at least 0. @default 2^53 - 1 */
  readonly max?: number;
  /** How long an `idempotencyKey` is remembered. @default "24h" */
  readonly idempotencyTtl?: Duration;
  /** Deadline of each operation on the server. @default the handle's `timeout` */
  readonly timeout?: Duration;
}

export interface CounterLife {
  readonly ttlMs: number;
  /** Whether each increment starts the time to live again. */
  readonly renew: boolean;
}

export interface CounterSettings {
  readonly life: CounterLife;
  readonly min: number;
  readonly max: number;
  readonly receiptTtlMs: number;
  readonly timeoutMs: number | undefined;
}

const NAMES: OptionNames<CounterOptions> = {
  ttl: true,
  idleTtl: true,
  min: true,
  max: true,
  idempotencyTtl: true,
  timeout: true,
};

export function counterSettings(name: string, given: CounterOptions | undefined): CounterSettings {
  return parseOptions(`counter ${JSON.stringify(name)}`, given, NAMES, (options) => {
    const { ttl, idleTtl = "90d", min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = options;
    if (ttl !== undefined && options.idleTtl !== undefined)
      throw new InvalidArgumentError("idleTtl", "nothing beside `ttl`, which ends the counter", idleTtl);
    if (!Number.isSafeInteger(min) || min > 0)
      throw new InvalidArgumentError("min", "a whole number of at most 0, where each counter begins", min);
    if (!Number.isSafeInteger(max) || max < 0)
      throw new InvalidArgumentError("max", "a whole number of at least 0, where each counter begins", max);
    return {
      life: ttl === undefined ? { ttlMs: toMs("idleTtl", idleTtl), renew: true } : fixedLife(ttl),
      min,
      max,
      receiptTtlMs: toMs("idempotencyTtl", options.idempotencyTtl ?? "24h"),
      timeoutMs: options.timeout === undefined ? undefined : toTimerMs("timeout", options.timeout),
    };
  });
}

export function fixedLife(ttl: Duration): CounterLife {
  return { ttlMs: toMs("ttl", ttl), renew: false };
}
