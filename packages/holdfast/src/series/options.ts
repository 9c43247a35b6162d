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
import type { SeriesDuplicates } from "./chunk/points.ts";

/** What is kept of each bucket of `every` when its points are gone: count, sum, min, max, first, last, increase. */
export interface SeriesRollup {
  /** Length of a bucket, of which a `period` is a multiple. */
  readonly every: Duration;
  /** How long it is kept. @default "365d", or what 20,000 keys hold */
  readonly keep?: Duration;
  /** Whether percentiles are kept too, within 1 %: about two bytes for each of the bins in which there are points. @default false */
  readonly percentiles?: boolean;
}

export interface SeriesOptions {
  /** How long points are kept, at least; they go with their period. @default "30d" */
  readonly keep?: Duration;
  /** What one chunk holds, 1 second to 40 days; the same in all processes. Another one begins the series again. @default "1h" */
  readonly period?: Duration;
  /** What is kept for longer, and what long ranges are answered from. @default none */
  readonly rollups?: readonly (Duration | SeriesRollup)[];
  /** Which of several points of one series and one millisecond counts; `all`: each of them. @default "last" */
  readonly duplicates?: SeriesDuplicates;
  /** Points that one period of one series may have, up to a million. @default 100_000 */
  readonly maxPoints?: number;
  /** Series that there may be, up to 100,000. @default 10_000 */
  readonly maxSeries?: number;
  /** Deadline of each request to the server. @default the handle's `timeout` */
  readonly timeout?: Duration;
}

export interface Rollup {
  readonly everyMs: number;
  readonly keepMs: number;
  readonly percentiles: boolean;
  /** What one key of it covers: so many periods. */
  readonly periods: number;
}

export interface SeriesSettings {
  readonly keepMs: number;
  readonly periodMs: number;
  /** The longest bucket first. */
  readonly rollups: readonly Rollup[];
  readonly duplicates: SeriesDuplicates;
  readonly maxPoints: number;
  readonly maxSeries: number;
  readonly timeoutMs: number | undefined;
}

/** A point's place in its chunk has four bytes. */
const MAX_PERIOD_MS = 40 * 86_400_000;
const MIN_PERIOD_MS = 1_000;
/** Of one series, so that one call can walk through all of it. */
const MAX_PERIODS = 20_000;
const MAX_ROLLUPS = 8;
const ROLLUP_KEEP_MS = 365 * 86_400_000;
/** Of one key of a roll-up. */
const BUCKETS_OF_KEY = 240;
const DUPLICATES: readonly SeriesDuplicates[] = ["last", "first", "min", "max", "sum", "all"];

const NAMES: OptionNames<SeriesOptions> = {
  keep: true,
  period: true,
  rollups: true,
  duplicates: true,
  maxPoints: true,
  maxSeries: true,
  timeout: true,
};
const ROLLUP_NAMES: OptionNames<SeriesRollup> = { every: true, keep: true, percentiles: true };

export function seriesSettings(where: string, given: SeriesOptions | undefined): SeriesSettings {
  return parseOptions(where, given, NAMES, (options) => {
    const { keep = "30d", period = "1h", rollups = [], duplicates = "last" } = options;
    const { maxPoints = 100_000, maxSeries = 10_000, timeout } = options;
    const periodMs = toMs("period", period, MIN_PERIOD_MS);
    if (periodMs > MAX_PERIOD_MS) throw new InvalidArgumentError("period", "a duration of at most 40 days", period);
    if (!DUPLICATES.includes(duplicates))
      throw new InvalidArgumentError("duplicates", `one of ${DUPLICATES.join(", ")}`, duplicates);
    const parsed = listOf("rollups", rollups, 'durations or objects such as { every: "1m" }').map((each) =>
      rollupOf(each, periodMs),
    );
    if (parsed.length > MAX_ROLLUPS)
      throw new InvalidArgumentError("rollups", `at most ${MAX_ROLLUPS} of them`, rollups);
    if (new Set(parsed.map(({ everyMs }) => everyMs)).size < parsed.length)
      throw new InvalidArgumentError("rollups", "one of each `every`", rollups);
    return {
      keepMs: kept("keep", keep, periodMs),
      periodMs,
      rollups: parsed.toSorted((a, b) => b.everyMs - a.everyMs),
      duplicates,
      maxPoints: wholeBetween("maxPoints", maxPoints, 1, 1_000_000),
      maxSeries: wholeBetween("maxSeries", maxSeries, 1, 100_000),
      timeoutMs: timeout === undefined ? undefined : toTimerMs("timeout", timeout),
    };
  });
}

function rollupOf(given: Duration | SeriesRollup, periodMs: number): Rollup {
  const rollup = typeof given === "object" ? givenOptions(given, ROLLUP_NAMES, "rollups") : { every: given };
  const { every, percentiles = false } = rollup;
  const everyMs = toMs("rollups.every", every);
  if (periodMs % everyMs !== 0)
    throw new InvalidArgumentError("rollups.every", "a duration of which `period` is a multiple", every);
  if (typeof percentiles !== "boolean") throw new InvalidArgumentError("rollups.percentiles", "a boolean", percentiles);
  const periods = Math.max(1, Math.floor((BUCKETS_OF_KEY * everyMs) / periodMs));
  const ofOneKeyMs = periods * periodMs;
  const { keep = Math.min(ROLLUP_KEEP_MS, MAX_PERIODS * ofOneKeyMs) } = rollup;
  return { everyMs, keepMs: kept("rollups.keep", keep, ofOneKeyMs), percentiles, periods };
}

function kept(field: string, keep: Duration, ofOneKeyMs: number): number {
  const keepMs = toMs(field, keep, ofOneKeyMs);
  if (keepMs <= MAX_PERIODS * ofOneKeyMs) return keepMs;
  throw new InvalidArgumentError(field, `at most ${MAX_PERIODS} times the ${ofOneKeyMs} ms of one key`, keep);
}
