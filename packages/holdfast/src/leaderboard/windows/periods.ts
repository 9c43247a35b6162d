/**
 * The periods of a window: which one a moment belongs to, and those before it. One begins where the one before ends; they follow from the
 * options alone, so that all processes have the same.
 */
import type { Windows } from "../../core/window/windows.ts";

/** Milliseconds since 1970; `to` is the first moment that does not belong to it. */
export interface Period {
  readonly from: number;
  readonly to: number;
}

/** @returns undefined where there is none at that time */
export type Periods = (now: number, ago: number) => Period | undefined;

export function calendarPeriods(windows: Windows): Periods {
  return (now, ago) => {
    const { start, end } = windows.numbered(windows.at(now).number - ago);
    return start < 0 ? undefined : { from: start, to: end };
  };
}

/** Each from one of these moments to the next. */
export function givenPeriods(starts: readonly number[]): Periods {
  return (now, ago) => {
    const at = starts.filter((start) => start <= now).length - 1 - ago;
    return at >= 0 && at < starts.length - 1 ? { from: starts[at]!, to: starts[at + 1]! } : undefined;
  };
}
