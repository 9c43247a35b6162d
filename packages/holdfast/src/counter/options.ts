import { InvalidArgumentError } from "../base/errors.ts";
import {
  type Duration,
  givenOptions,
  listOf,
  type OptionNames,
  parseOptions,
  toMs,
  toTimerMs,
  wholeBetween,
} from "../base/options.ts";

export type CounterPeriod = "minute" | "hour" | "day";

export interface CounterWindowOptions {
  /** Of UTC. */
  readonly per: CounterPeriod;
  /** Periods that are kept, with the present one, 1 to 1440. @default 60 minutes, 48 hours, 31 days */
  readonly keep?: number;
}

interface CommonOptions {
  /** Without a `ttl`: a counter expires this long after its last increment. @default "90d" */
  readonly idleTtl?: Duration;
  /** How long an `idempotencyKey` is remembered. @default "24h" */
  readonly idempotencyTtl?: Duration;
  /** Deadline of each operation on the server. @default the handle's `timeout` */
  readonly timeout?: Duration;
}

export interface CounterOptions extends CommonOptions {
  /** A counter expires this long after its first increment; the next one begins at 0 again. @default none: `idleTtl` applies */
  readonly ttl?: Duration;
  /** Lowest value, at most 0. @default -(2^53 - 1) */
  readonly min?: number;
  /** Highest value, at least 0. @default 2^53 - 1 */
  readonly max?: number;
  /** Sums by period, besides the counter's value. @default none */
  readonly windows?: readonly (CounterPeriod | CounterWindowOptions)[];
}

export interface BigCounterOptions extends CommonOptions {
  /** Values are bigints of 64 bits. */
  readonly bigint: true;
  /** As of other counters. @default none: `idleTtl` applies */
  readonly ttl?: Duration;
  /** Lowest value, at most 0n. @default -(2n ** 63n) */
  readonly min?: bigint;
  /** Highest value, at least 0n. @default 2n ** 63n - 1n */
  readonly max?: bigint;
}

export interface ShardedCounterOptions extends CommonOptions {
  /** Keys of one counter, each in a slot of its own, 2 to 256; the same in all processes, and never fewer than there were. */
  readonly shards: number;
}

export interface CounterLife {
  readonly ttlMs: number;
  /** Whether each increment starts the time to live again. */
  readonly renew: boolean;
}

export interface CounterRing {
  readonly per: CounterPeriod;
  readonly lengthMs: number;
  /** 0: it is not kept. */
  readonly keep: number;
}

export interface CounterSettings<V extends number | bigint = number | bigint> {
  readonly life: CounterLife;
  readonly min: V;
  readonly max: V;
  readonly isBig: boolean;
  /** Of minutes, hours and days; undefined where none is kept. */
  readonly rings: readonly CounterRing[] | undefined;
  /** 1: one key. */
  readonly shards: number;
  readonly receiptTtlMs: number;
  readonly timeoutMs: number | undefined;
}

type AllOptions = CommonOptions & {
  readonly ttl?: Duration;
  readonly min?: number | bigint;
  readonly max?: number | bigint;
  readonly windows?: CounterOptions["windows"];
  readonly bigint?: boolean;
  readonly shards?: number;
};

export const MAX_INT64: bigint = 2n ** 63n - 1n;
export const MIN_INT64: bigint = -(2n ** 63n);
const MAX_SHARDS = 256;
const MAX_KEEP = 1_440;
const RINGS: readonly CounterRing[] = [
  { per: "minute", lengthMs: 60_000, keep: 60 },
  { per: "hour", lengthMs: 3_600_000, keep: 48 },
  { per: "day", lengthMs: 86_400_000, keep: 31 },
];

const NAMES: OptionNames<AllOptions> = {
  ttl: true,
  idleTtl: true,
  min: true,
  max: true,
  windows: true,
  bigint: true,
  shards: true,
  idempotencyTtl: true,
  timeout: true,
};
const WINDOW_NAMES: OptionNames<CounterWindowOptions> = { per: true, keep: true };

export function counterSettings(
  name: string,
  given: CounterOptions | BigCounterOptions | ShardedCounterOptions | undefined,
): CounterSettings {
  return parseOptions(`counter ${JSON.stringify(name)}`, given as AllOptions | undefined, NAMES, (options) => {
    const { ttl, idleTtl = "90d", bigint: isBig = false, shards, windows } = options;
    if (ttl !== undefined && options.idleTtl !== undefined)
      throw new InvalidArgumentError("idleTtl", "nothing beside `ttl`, which ends the counter", idleTtl);
    if (typeof isBig !== "boolean") throw new InvalidArgumentError("bigint", "true or false", isBig);
    if (shards !== undefined) refuseBeside("shards", options, ["ttl", "min", "max", "windows", "bigint"]);
    if (isBig) refuseBeside("bigint", options, ["windows"]);
    return {
      life: ttl === undefined ? { ttlMs: toMs("idleTtl", idleTtl), renew: true } : fixedLife(ttl),
      ...(isBig ? bigBounds(options) : bounds(options)),
      isBig,
      rings: windows === undefined ? undefined : ringsOf(windows),
      shards: shards === undefined ? 1 : wholeBetween("shards", shards, 2, MAX_SHARDS),
      receiptTtlMs: toMs("idempotencyTtl", options.idempotencyTtl ?? "24h"),
      timeoutMs: options.timeout === undefined ? undefined : toTimerMs("timeout", options.timeout),
    };
  });
}

export function wholeNumber(by: number): number {
  if (Number.isSafeInteger(by)) return by;
  throw new InvalidArgumentError("by", "a whole number within ±(2^53 - 1)", by);
}

export function fixedLife(ttl: Duration): CounterLife {
  return { ttlMs: toMs("ttl", ttl), renew: false };
}

function refuseBeside(option: string, options: AllOptions, others: readonly (keyof AllOptions)[]): void {
  for (const other of others)
    if (options[other] !== undefined)
      throw new InvalidArgumentError(other, `nothing beside \`${option}\`, which it does not go with`, options[other]);
}

function bounds({ min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER }: AllOptions): {
  min: number;
  max: number;
} {
  if (!Number.isSafeInteger(min) || Number(min) > 0)
    throw new InvalidArgumentError("min", "a whole number of at most 0, where each counter begins", min);
  if (!Number.isSafeInteger(max) || Number(max) < 0)
    throw new InvalidArgumentError("max", "a whole number of at least 0, where each counter begins", max);
  return { min: Number(min), max: Number(max) };
}

function bigBounds({ min = MIN_INT64, max = MAX_INT64 }: AllOptions): { min: bigint; max: bigint } {
  if (typeof min !== "bigint" || min > 0n || min < MIN_INT64)
    throw new InvalidArgumentError("min", "a bigint of 64 bits of at most 0n, where each counter begins", min);
  if (typeof max !== "bigint" || max < 0n || max > MAX_INT64)
    throw new InvalidArgumentError("max", "a bigint of 64 bits of at least 0n, where each counter begins", max);
  return { min, max };
}

function ringsOf(windows: NonNullable<CounterOptions["windows"]>): CounterRing[] {
  const wanted = listOf("windows", windows, "windows").map((each): CounterWindowOptions =>
    typeof each === "string" ? { per: each } : givenOptions(each, WINDOW_NAMES, "windows"),
  );
  if (wanted.length === 0) throw new InvalidArgumentError("windows", "at least one", windows);
  for (const { per } of wanted)
    if (!RINGS.some((ring) => ring.per === per))
      throw new InvalidArgumentError("windows", `some of ${RINGS.map((ring) => ring.per).join(", ")}`, per);
  if (new Set(wanted.map(({ per }) => per)).size < wanted.length)
    throw new InvalidArgumentError("windows", "each at most once", windows);
  return RINGS.map((ring) => {
    const found = wanted.find(({ per }) => per === ring.per);
    const keep = found === undefined ? 0 : wholeBetween("windows.keep", found.keep ?? ring.keep, 1, MAX_KEEP);
    return { ...ring, keep };
  });
}
