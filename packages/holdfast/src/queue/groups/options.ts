/** Limits of a queue and of its groups: parsed, and as the server's scripts read them. */
import { InvalidArgumentError } from "../../base/errors.ts";
import { type Duration, givenOptions, type OptionNames, toMs, wholeBetween } from "../../base/options.ts";

/** At most `limit` jobs start within any time of `per`. */
export interface QueueRate {
  readonly limit: number;
  /** Up to a day. */
  readonly per: Duration;
}

/** Over all workers of the queue, in all processes. */
export interface QueueLimitsOptions {
  /** How many jobs run at once. @default no limit */
  readonly concurrency?: number;
  /** @default no limit */
  readonly rate?: QueueRate;
}

export interface QueueGroupOptions {
  /** Its share beside other groups that have jobs, 1 to 1,000. @default 1 */
  readonly weight?: number;
  /** How many of its jobs run at once, over all workers. @default no limit */
  readonly concurrency?: number;
  /** @default no limit */
  readonly rate?: QueueRate;
  /** `strict`: one job at a time, and one that failed is run again before the next one. @default "loose" */
  readonly order?: "loose" | "strict";
  /** In strict order: whether the jobs behind a dead one wait until it is redriven or removed. @default "block" */
  readonly onDead?: "block" | "skip";
  /** How many of its jobs may wait, counted exactly as jobs are added; those with a delay count when they are due. @default no limit */
  readonly maxWaiting?: number;
}

export interface LimitsSettings {
  /** 0: no limit, here and below. */
  readonly concurrency: number;
  readonly rate: number;
  readonly perMs: number;
}

const LIMITS_OPTIONS: OptionNames<QueueLimitsOptions> = { concurrency: true, rate: true };
const RATE_OPTIONS: OptionNames<QueueRate> = { limit: true, per: true };
const GROUP_OPTIONS: OptionNames<QueueGroupOptions> = {
  weight: true,
  concurrency: true,
  rate: true,
  order: true,
  onDead: true,
  maxWaiting: true,
};
const MAX_WEIGHT = 1_000;
const MAX_LIMIT = 1_000_000_000;
const MAX_PER_MS = 86_400_000;

/** `partitions`: how many the limits are divided among. */
export function limitsSettings(given: QueueLimitsOptions, partitions: number): LimitsSettings {
  const { concurrency, rate } = givenOptions(given, LIMITS_OPTIONS, "limits");
  return {
    concurrency: concurrency === undefined ? 0 : wholeBetween("concurrency", concurrency, partitions, MAX_LIMIT),
    ...rateSettings(rate, partitions),
  };
}

function rateSettings(given: QueueRate | undefined, least: number): { readonly rate: number; readonly perMs: number } {
  if (given === undefined) return { rate: 0, perMs: 0 };
  const { limit, per } = givenOptions(given, RATE_OPTIONS, "rate");
  const perMs = toMs("rate.per", per);
  if (perMs > MAX_PER_MS) throw new InvalidArgumentError("rate.per", "a duration of at most a day", per);
  return { rate: wholeBetween("rate.limit", limit, least, MAX_LIMIT), perMs };
}

/** What the scripts read: weight, concurrency, rate, milliseconds, order (0 loose, 1 strict, 2 strict and past dead jobs), maxWaiting. */
export function encodeGroup(given: QueueGroupOptions): string {
  const { weight = 1, order = "loose", onDead = "block", ...limits } = givenOptions(given, GROUP_OPTIONS, "limits");
  const { concurrency, maxWaiting } = limits;
  if (order !== "loose" && order !== "strict") throw new InvalidArgumentError("order", '"loose" or "strict"', order);
  if (onDead !== "block" && onDead !== "skip") throw new InvalidArgumentError("onDead", '"block" or "skip"', onDead);
  if (order === "strict" && concurrency !== undefined && concurrency !== 1)
    throw new InvalidArgumentError("concurrency", 'nothing but 1 with order "strict"', concurrency);
  const { rate, perMs } = rateSettings(limits.rate, 1);
  return [
    wholeBetween("weight", weight, 1, MAX_WEIGHT),
    order === "strict" ? 1 : concurrency === undefined ? 0 : wholeBetween("concurrency", concurrency, 1, MAX_LIMIT),
    rate,
    perMs,
    order === "loose" ? 0 : onDead === "block" ? 1 : 2,
    maxWaiting === undefined ? 0 : wholeBetween("maxWaiting", maxWaiting, 1, MAX_LIMIT),
  ].join(" ");
}

export function decodeGroup(text: string): QueueGroupOptions {
  const [weight = 1, concurrency = 0, rate = 0, perMs = 0, order = 0, maxWaiting = 0] = text.split(" ").map(Number);
  return {
    weight,
    ...limitsOf({ concurrency, rate, perMs }),
    ...(order === 0 ? {} : { order: "strict", onDead: order === 1 ? "block" : "skip" }),
    ...(maxWaiting === 0 ? {} : { maxWaiting }),
  };
}

export function limitsOf({ concurrency, rate, perMs }: LimitsSettings): QueueLimitsOptions {
  return {
    ...(concurrency === 0 ? {} : { concurrency }),
    ...(rate === 0 ? {} : { rate: { limit: rate, per: perMs } }),
  };
}
