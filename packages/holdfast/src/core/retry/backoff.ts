/** After how long something that has failed is done again: what a queue, or a subscription, may be given for it. */
import { InvalidArgumentError } from "../../base/errors.ts";
import { type Duration, givenOptions, type OptionNames, toMs } from "../../base/options.ts";
import type { Runtime } from "../../base/runtime.ts";

/**
 * A back-off of your own: how long after the failure it is done again. `failures` is 1 after the first one. Where it throws, or returns no duration, it is as
 * by default.
 */
export type BackoffFunction = (failures: number, error: unknown) => Duration;

/** How long after a failure it is done again. */
export interface Backoff {
  /** `exponential` doubles the delay with each failure. @default "exponential" */
  readonly type?: "fixed" | "exponential";
  /** After the first failure. @default "1s" */
  readonly delay?: Duration;
  /** The longest one. @default "1h" */
  readonly max?: Duration;
  /** Part of the delay, 0 to 1, by which it is randomly shortened, so that what failed together does not come back together. @default 0.2 */
  readonly jitter?: number;
}

export interface BackoffSettings {
  readonly factor: 1 | 2;
  readonly delayMs: number;
  readonly maxMs: number;
  readonly jitter: number;
  readonly custom: BackoffFunction | undefined;
}

const BACKOFF_OPTIONS: OptionNames<Backoff> = { type: true, delay: true, max: true, jitter: true };

export function backoffSettings(options: Backoff | BackoffFunction | undefined): BackoffSettings {
  const custom = typeof options === "function" ? options : undefined;
  const given = typeof options === "function" ? undefined : options;
  const {
    type = "exponential",
    delay = "1s",
    max = "1h",
    jitter = 0.2,
  } = givenOptions(given, BACKOFF_OPTIONS, "backoff");
  if (type !== "fixed" && type !== "exponential")
    throw new InvalidArgumentError("backoff.type", '"fixed" or "exponential"', type);
  if (typeof jitter !== "number" || !(jitter >= 0 && jitter <= 1))
    throw new InvalidArgumentError("backoff.jitter", "a number from 0 to 1", jitter);
  return {
    factor: type === "fixed" ? 1 : 2,
    delayMs: toMs("backoff.delay", delay, 0),
    maxMs: toMs("backoff.max", max, 0),
    jitter,
    custom,
  };
}

/** Milliseconds until it is done again, after so many failures. @param onFault called with what a back-off of one's own threw */
export function backoffMs(
  runtime: Runtime,
  { factor, delayMs, maxMs, jitter, custom }: BackoffSettings,
  failures: number,
  error: unknown,
  onFault: (fault: unknown) => void,
): number {
  const own = custom === undefined ? undefined : customMs(custom, failures, error, onFault);
  if (own !== undefined) return own;
  const full = Math.min(delayMs * factor ** (failures - 1), maxMs);
  return Math.round(full * (1 - runtime.random() * jitter));
}

/** Undefined where it cannot be had: it is done again all the same. */
function customMs(
  custom: NonNullable<BackoffSettings["custom"]>,
  failures: number,
  error: unknown,
  onFault: (fault: unknown) => void,
): number | undefined {
  try {
    return toMs("backoff", custom(failures, error), 0);
  } catch (fault) {
    onFault(fault);
    return undefined;
  }
}
