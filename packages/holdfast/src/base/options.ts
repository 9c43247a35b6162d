/** Options at the door. A duration: a number is always milliseconds; a string carries its unit. */
import { InvalidArgumentError } from "./errors.ts";

export type Duration = number | `${number}${"ms" | "s" | "m" | "h" | "d"}`;

const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;

/** Whole milliseconds of a duration, refused by the field's name when it is not one or is below `min`. */
export function toMs(field: string, value: Duration, min = 1): number {
  const ms = typeof value === "number" ? value : parse(value);
  if (Number.isFinite(ms) && Math.round(ms) >= min && ms <= Number.MAX_SAFE_INTEGER) return Math.round(ms);
  throw new InvalidArgumentError(field, `a duration of at least ${min} ms, such as 1500 or "1.5s"`, value);
}

/** The longest delay that Node's timers know, some 24 days: a longer one would fire at once. */
export const MAX_TIMER_MS: number = 2 ** 31 - 1;

/** As `toMs`, for what a timer of this process waits for. */
export function toTimerMs(field: string, value: Duration, min = 1): number {
  const ms = toMs(field, value, min);
  if (ms <= MAX_TIMER_MS) return ms;
  throw new InvalidArgumentError(field, "a duration of at most 24 days", value);
}

/** A whole number within its bounds, refused by the field's name. */
export function wholeBetween(field: string, value: number, min: number, max: number): number {
  if (Number.isSafeInteger(value) && value >= min && value <= max) return value;
  throw new InvalidArgumentError(field, `a whole number from ${min} to ${max}`, value);
}

function parse(value: string): number {
  const match = DURATION.exec(value);
  if (match === null) return Number.NaN;
  return Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS];
}
