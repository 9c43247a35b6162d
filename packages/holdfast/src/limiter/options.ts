import { InvalidArgumentError } from "../base/errors.ts";
import { type Duration, type OptionNames, parseOptions, toMs, toTimerMs, wholeBetween } from "../base/options.ts";
import type { Algorithm } from "./algorithm.ts";
import type { LimiterPolicy } from "./decision.ts";
import { SlidingLog } from "./exact.ts";
import { Gcra } from "./gcra.ts";
import { SlidingWindow } from "./sliding.ts";

export interface LimiterOptions {
  /** Units per window and id. */
  readonly limit: number;
  readonly window: Duration;
  /**
   * `gcra`: a bucket of `burst` units that refills evenly; within one window up to `burst` + `limit` units can pass.
   * `sliding`: about `limit` units in any window, and at most 2 · `limit` - 1, by an estimate from two counts; its windows
   * begin at whole multiples of `window` since 1970.
   * `exact`: at most `limit` units in any window; stores each allowed call for one window, so the limit is 10,000 at most.
   * @default "gcra"
   */
  readonly algorithm?: "gcra" | "sliding" | "exact";
  /** With `gcra`: most units at once, what an id that has been quiet can take in one go. @default the limit */
  readonly burst?: number;
  /** The answer while the server does not answer in time. @default "allow" */
  readonly onOutage?: "allow" | "deny";
  /** Deadline of each operation on the server. @default "500ms" */
  readonly timeout?: Duration;
}

export interface LimiterSettings {
  readonly algorithm: Algorithm;
  readonly allowOnOutage: boolean;
  readonly timeoutMs: number;
}

const NAMES: OptionNames<LimiterOptions> = {
  limit: true,
  window: true,
  algorithm: true,
  burst: true,
  onOutage: true,
  timeout: true,
};
const MAX_UNITS = 1e12;

export function limiterSettings(name: string, given: LimiterOptions): LimiterSettings {
  return parseOptions(`limiter ${JSON.stringify(name)}`, given, NAMES, (options) => {
    const { algorithm = "gcra", onOutage = "allow", timeout = "500ms" } = options;
    if (onOutage !== "allow" && onOutage !== "deny")
      throw new InvalidArgumentError("onOutage", '"allow" or "deny"', onOutage);
    const limit = wholeBetween("limit", options.limit, 1, MAX_UNITS);
    const windowMs = toMs("window", options.window);
    const burst = wholeBetween("burst", options.burst ?? limit, 1, MAX_UNITS);
    return {
      algorithm: create(algorithm, { name, limit, windowMs, burst }),
      allowOnOutage: onOutage === "allow",
      timeoutMs: toTimerMs("timeout", timeout),
    };
  });
}

function create(algorithm: LimiterOptions["algorithm"], policy: LimiterPolicy): Algorithm {
  if (algorithm === "gcra") return new Gcra(policy);
  if (algorithm !== "sliding" && algorithm !== "exact")
    throw new InvalidArgumentError("algorithm", '"gcra", "sliding" or "exact"', algorithm);
  if (policy.burst !== policy.limit) {
    const expected = `nothing with algorithm "${algorithm}", whose burst is its limit`;
    throw new InvalidArgumentError("burst", expected, policy.burst);
  }
  return algorithm === "sliding" ? new SlidingWindow(policy) : new SlidingLog(policy);
}
