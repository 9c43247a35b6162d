import { InvalidArgumentError } from "../base/errors.ts";
import { type Duration, toMs, toTimerMs } from "../base/options.ts";
import type { Algorithm } from "./algorithm.ts";
import { Gcra } from "./gcra.ts";
import { SlidingWindow } from "./sliding.ts";

export interface LimiterOptions {
  /** Units per window and id. */
  readonly limit: number;
  readonly window: Duration;
  /**
   * `gcra`: a bucket of `burst` units that refills evenly; within one window up to `burst` + `limit` units can pass.
   * `sliding`: about `limit` units in any window, by an estimate; its windows begin at whole multiples of `window` since 1970.
   * @default "gcra"
   */
  readonly algorithm?: "gcra" | "sliding";
  /** With `gcra`: most units at once, what an id that has been quiet can take in one go. @default the limit */
  readonly burst?: number;
  /** What is answered while the server gives no answer in time. @default "allow" */
  readonly onOutage?: "allow" | "deny";
  /** Deadline of each operation on the server. @default "500ms" */
  readonly timeout?: Duration;
}

export interface LimiterSettings {
  readonly algorithm: Algorithm;
  readonly allowOnOutage: boolean;
  readonly timeoutMs: number;
}

const MAX_UNITS = 1e12;

export function limiterSettings(name: string, options: LimiterOptions): LimiterSettings {
  const { algorithm = "gcra", onOutage = "allow", timeout = "500ms" } = options;
  if (onOutage !== "allow" && onOutage !== "deny")
    throw new InvalidArgumentError("onOutage", '"allow" or "deny"', onOutage);
  const limit = units("limit", options.limit, MAX_UNITS);
  const windowMs = toMs("window", options.window);
  const burst = options.burst === undefined ? limit : units("burst", options.burst, MAX_UNITS);
  return {
    algorithm: create(algorithm, { name, limit, windowMs, burst }),
    allowOnOutage: onOutage === "allow",
    timeoutMs: toTimerMs("timeout", timeout),
  };
}

/** A whole number of units from 1 to `max`. */
export function units(field: string, value: number, max: number): number {
  if (Number.isSafeInteger(value) && value >= 1 && value <= max) return value;
  throw new InvalidArgumentError(field, `a whole number from 1 to ${max}`, value);
}

function create(algorithm: "gcra" | "sliding", policy: Gcra["policy"]): Algorithm {
  if (algorithm === "gcra") return new Gcra(policy);
  if (algorithm !== "sliding") throw new InvalidArgumentError("algorithm", '"gcra" or "sliding"', algorithm);
  if (policy.burst !== policy.limit)
    throw new InvalidArgumentError("burst", 'nothing with algorithm "sliding", whose burst is its limit', policy.burst);
  return new SlidingWindow(policy);
}
