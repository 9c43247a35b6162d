/**
 * Windows of time: days, weeks and months as a time zone has them, or parts of a day. Each has a number, one more than the window before
 * it, so that a key needs no calendar.
 */
import { InvalidArgumentError } from "../../base/errors.ts";
import { type Duration, timeOf, toMs } from "../../base/options.ts";
import { DAY_MS, isTimeZone, ZonedDays } from "./time-zone.ts";

/** Weeks begin on Monday; `"7d"` is a week. A duration is a number of days, or divides a day, as `"15m"` does. */
export type WindowLength = "hour" | "day" | "week" | "month" | Duration;

/** What names a window: a moment in it, or a date of its calendar such as `"2026-11-27"`. */
export type Moment = Date | number | string;

export interface Window {
  readonly number: number;
  /** Milliseconds since 1970; the first that belongs to it. */
  readonly start: number;
  /** The first that does not. */
  readonly end: number;
}

const DATE = /^(\d{4})-(\d\d)-(\d\d)$/;
const HOUR_MS = 3_600_000;
const WEEK = 7;
/** Of 1970-01-01, a Thursday, since Monday. */
const WEEKDAY = 3;
const MAX_DAYS = 1_000;
const MOST_KNOWN = 64;

/** Which days a window has. */
interface Calendar {
  /** For keys and messages. */
  readonly label: string;
  numberOf(day: number): number;
  firstDay(number: number): number;
}

/** @throws InvalidArgumentError by the field `window` or `timeZone` */
export function windowsOf(length: WindowLength, timeZone: string = "UTC"): Windows {
  if (!isTimeZone(timeZone)) throw new InvalidArgumentError("timeZone", "a time zone such as Europe/Berlin", timeZone);
  if (length === "month") return new Windows(MONTHS, timeZone);
  const ms = length === "hour" ? HOUR_MS : length === "day" ? DAY_MS : length === "week" ? WEEK * DAY_MS : undefined;
  const lengthMs = ms ?? windowMs(length as Duration);
  if (lengthMs % DAY_MS === 0) return new Windows(daysOf(lengthMs / DAY_MS), timeZone);
  return new Windows(lengthMs, timeZone);
}

function windowMs(length: Duration): number {
  const ms = toMs("window", length, 1_000);
  const fits = ms % DAY_MS === 0 ? ms <= MAX_DAYS * DAY_MS : DAY_MS % ms === 0;
  if (fits) return ms;
  const expected = `hour, day, week, month, a duration of up to ${MAX_DAYS} days, or one that divides a day, such as "15m"`;
  throw new InvalidArgumentError("window", expected, length);
}

export class Windows {
  /** The length and, unless it is UTC, the zone. Windows of two labels have different bounds. */
  readonly label: string;
  readonly #calendar: Calendar | undefined;
  /** Of parts of a day, which are the same in every zone. */
  readonly #lengthMs: number;
  readonly #days: ZonedDays;
  readonly #known = new Map<number, Window>();
  #last: Window | undefined;

  constructor(length: Calendar | number, timeZone: string) {
    this.#calendar = typeof length === "number" ? undefined : length;
    this.#lengthMs = typeof length === "number" ? length : 0;
    this.#days = new ZonedDays(timeZone);
    const label = typeof length === "number" ? `${length}ms` : length.label;
    this.label = timeZone === "UTC" || typeof length === "number" ? label : `${label}@${timeZone}`;
  }

  /** The window that a moment is in, in milliseconds since 1970. */
  at(ms: number): Window {
    const last = this.#last;
    if (last !== undefined && ms >= last.start && ms < last.end) return last;
    const guess =
      this.#calendar === undefined ? Math.floor(ms / this.#lengthMs) : this.#calendar.numberOf(this.#days.at(ms));
    let window = this.numbered(guess);
    // Where a zone's clock was set back over midnight, its date comes twice; the bounds decide.
    if (ms < window.start) window = this.numbered(guess - 1);
    else if (ms >= window.end) window = this.numbered(guess + 1);
    return (this.#last = window);
  }

  numbered(number: number): Window {
    let window = this.#known.get(number);
    if (window === undefined) {
      window = { number, start: this.#startOf(number), end: this.#startOf(number + 1) };
      if (this.#known.size === MOST_KNOWN) this.#known.clear();
      this.#known.set(number, window);
    }
    return window;
  }

  /** The window that a user names. @throws InvalidArgumentError by the field's name */
  named(field: string, moment: Moment): Window {
    if (typeof moment !== "string") return this.at(timeOf(field, moment));
    const day = dayNamed(moment);
    if (this.#calendar !== undefined && day !== undefined) return this.numbered(this.#calendar.numberOf(day));
    const date = this.#calendar === undefined ? "" : ", or a date such as 2026-11-27";
    throw new InvalidArgumentError(field, `a Date, milliseconds since 1970${date}`, moment);
  }

  /** The date of its first day; of a part of a day its first moment. */
  nameOf(number: number): string {
    const first = this.#calendar === undefined ? number * this.#lengthMs : this.#calendar.firstDay(number) * DAY_MS;
    const text = new Date(first).toISOString();
    return this.#calendar === undefined ? text : text.slice(0, text.indexOf("T"));
  }

  #startOf(number: number): number {
    if (this.#calendar === undefined) return number * this.#lengthMs;
    return this.#days.startOf(this.#calendar.firstDay(number));
  }
}

function daysOf(count: number): Calendar {
  const offset = count === WEEK ? WEEKDAY : 0;
  return {
    label: count === 1 ? "day" : count === WEEK ? "week" : `${count}days`,
    numberOf: (day) => Math.floor((day + offset) / count),
    firstDay: (number) => number * count - offset,
  };
}

/** Since January 1970. */
const MONTHS: Calendar = {
  label: "month",
  numberOf(day) {
    const date = new Date(day * DAY_MS);
    return (date.getUTCFullYear() - 1970) * 12 + date.getUTCMonth();
  },
  firstDay: (number) => Date.UTC(1970, number, 1) / DAY_MS,
};

/** Undefined for what is no date, such as the 30th of February. */
function dayNamed(text: string): number | undefined {
  const match = DATE.exec(text);
  if (match === null) return undefined;
  const ms = Date.UTC(Number(match[1]), Number(match[2]) - 1, Number(match[3]));
  return ms >= 0 && new Date(ms).toISOString().startsWith(text) ? ms / DAY_MS : undefined;
}
