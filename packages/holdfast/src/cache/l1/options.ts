/** The cache's level in the memory of the process. */
import { InvalidArgumentError } from "../../base/errors.ts";
import { type Duration, givenOptions, type OptionNames, toMs, wholeBetween } from "../../base/options.ts";

export interface CacheL1Options {
  /** Entries at most. @default 10,000 */
  readonly max?: number;
  /** Bytes of the stored values with their keys, at most. @default 64 MiB */
  readonly maxBytes?: number;
  /** How long an entry is served from memory, within its own time to live. @default as long as that */
  readonly ttl?: Duration;
  /**
   * What callers get. `frozen`: one object for all, which nobody can change; what cannot be frozen (dates, maps, buffers) is decoded for each.
   * `decoded`: an object of the caller's own, decoded for each. `shared`: one object for all, as it is. @default "frozen"
   */
  readonly values?: "frozen" | "decoded" | "shared";
  /** How long what is in memory is served on while no server says what has changed. @default 0: not at all */
  readonly staleness?: Duration;
  /** Whether entries are kept for the cache's `grace` too: served where neither the server answers nor the load succeeds in time. @default true */
  readonly grace?: boolean;
}

export interface L1Settings {
  readonly max: number;
  readonly maxBytes: number;
  readonly ttlMs: number;
  readonly values: "frozen" | "decoded" | "shared";
  readonly stalenessMs: number;
  readonly grace: boolean;
}

const L1_OPTIONS: OptionNames<CacheL1Options> = {
  max: true,
  maxBytes: true,
  ttl: true,
  values: true,
  staleness: true,
  grace: true,
};
const KINDS = ["frozen", "decoded", "shared"];

/** @param given `true`: with the defaults */
export function l1Settings(given: CacheL1Options | boolean | undefined): L1Settings | undefined {
  if (given === undefined || given === false) return undefined;
  const {
    max = 10_000,
    maxBytes = 64 * 1024 * 1024,
    ttl,
    values = "frozen",
    staleness = 0,
    grace = true,
  } = given === true ? {} : givenOptions(given, L1_OPTIONS);
  if (!KINDS.includes(values)) throw new InvalidArgumentError("l1.values", '"frozen", "decoded" or "shared"', values);
  if (typeof grace !== "boolean") throw new InvalidArgumentError("l1.grace", "a boolean", grace);
  return {
    max: wholeBetween("l1.max", max, 1, 100_000_000),
    maxBytes: wholeBetween("l1.maxBytes", maxBytes, 1, Number.MAX_SAFE_INTEGER),
    ttlMs: ttl === undefined ? Number.POSITIVE_INFINITY : toMs("l1.ttl", ttl),
    values,
    stalenessMs: toMs("l1.staleness", staleness, 0),
    grace,
  };
}
