import { InvalidArgumentError } from "../base/errors.ts";
import { type Duration, type OptionNames, parseOptions, toMs, toTimerMs, wholeBetween } from "../base/options.ts";
import type { Algorithm } from "./algorithm.ts";
import type { LimiterPolicy } from "./decision.ts";
import { Gcra } from "./gcra.ts";
import { SlidingWindow } from "./sliding.ts";

export interface LimiterOptions {
  /** Units per window and id. */
  readonly limit: number;
  readonly window: Duration;
  /**
   * `gcra`: a bucket of `burst` units that refills evenly; within one window up to `burst` + `limit` units can pass.
   * `sliding`: an estimate from two counts; its windows begin at whole multiples of `window` since 1970.
   * @default "gcra"
   */
  readonly algorithm?: "gcra" | "sliding";
  /** With `gcra`: most units at once, what an id that has been quiet can take in one go. @default the limit */
  readonly burst?: number;
  /** The answer while the server gives none in time. @default "allow" */
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
  if (algorithm !== "sliding") throw new InvalidArgumentError("algorithm", '"gcra" or "sliding"', algorithm);
  if (policy.burst !== policy.limit)
    throw new InvalidArgumentError("burst", 'nothing with algorithm "sliding", whose burst is its limit', policy.burst);
  return new SlidingWindow(policy);
}
