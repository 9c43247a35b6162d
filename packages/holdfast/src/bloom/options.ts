import { InvalidArgumentError } from "../base/errors.ts";
import { type Duration, type OptionNames, parseOptions, toMs, toTimerMs, wholeBetween } from "../base/options.ts";
import { type Geometry, geometryOf } from "./geometry.ts";

export interface BloomOptions {
  /** Members that it takes, up to a thousand million; with `ttl`, within that time. The same in all processes, as another one is another filter. */
  readonly capacity: number;
  /** How often a member that was never added is taken for one that was, at most, once the filter is full; from 0.000001 to 0.5. The same in all processes. @default 0.01 */
  readonly errorRate?: number;
  /** Members are forgotten when they were not added for so long; for up to twice as long they may still be there. @default none: they are kept */
  readonly ttl?: Duration;
  /** Deadline of each request to the server. @default the handle's `timeout` */
  readonly timeout?: Duration;
}

export interface BloomSettings {
  readonly capacity: number;
  readonly errorRate: number;
  readonly geometry: Geometry;
  /** Undefined: members are kept. */
  readonly ttlMs: number | undefined;
  readonly timeoutMs: number | undefined;
}

const MAX_CAPACITY = 1_000_000_000;
const MIN_ERROR_RATE = 1e-6;
const MAX_ERROR_RATE = 0.5;
const MIN_TTL_MS = 1_000;
const NAMES: OptionNames<BloomOptions> = { capacity: true, errorRate: true, ttl: true, timeout: true };

export function bloomSettings(where: string, given: BloomOptions): BloomSettings {
  return parseOptions(where, given, NAMES, ({ capacity, errorRate = 0.01, ttl, timeout }) => {
    wholeBetween("capacity", capacity, 1, MAX_CAPACITY);
    if (!(typeof errorRate === "number" && errorRate >= MIN_ERROR_RATE && errorRate <= MAX_ERROR_RATE))
      throw new InvalidArgumentError("errorRate", `a number from ${MIN_ERROR_RATE} to ${MAX_ERROR_RATE}`, errorRate);
    return {
      capacity,
      errorRate,
      // A member is looked for in two generations.
      geometry: geometryOf(capacity, ttl === undefined ? errorRate : errorRate / 2),
      ttlMs: ttl === undefined ? undefined : toMs("ttl", ttl, MIN_TTL_MS),
      timeoutMs: timeout === undefined ? undefined : toTimerMs("timeout", timeout),
    };
  });
}
