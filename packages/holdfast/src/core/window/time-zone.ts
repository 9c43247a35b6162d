/** Days of a time zone, by the zone data of `Intl`: a day is numbered by its date, and begins where its zone's clock first shows that date. */

/** No offset such as +02:00, which some versions of Node know and others do not. */
const ZONE = /^[A-Za-z][A-Za-z0-9_+\-/]{0,63}$/;
export const DAY_MS = 86_400_000;
/** Two days before the last moment of a Date, so that what any clock shows is one. */
const MAX_TIME_MS: number = 8.64e15 - 2 * DAY_MS;
/** No zone is further from UTC, in seconds. */
const FURTHEST = 26 * 3_600;
const MOST_STARTS = 1_024;

export function isTimeZone(zone: unknown): zone is string {
  if (typeof zone !== "string" || !ZONE.test(zone)) return false;
  try {
    return new Intl.DateTimeFormat("en-US", { timeZone: zone }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}

export class ZonedDays {
  /** Undefined for UTC, which needs none. */
  readonly #format: Intl.DateTimeFormat | undefined;
  readonly #starts = new Map<number, number>();

  constructor(timeZone: string) {
    if (timeZone === "UTC") return;
    const numeric = "numeric" as const;
    const parts = { year: numeric, month: numeric, day: numeric, hour: numeric, minute: numeric, second: numeric };
    this.#format = new Intl.DateTimeFormat("en-US", { ...parts, timeZone, hourCycle: "h23" });
  }

  /** Days from 1970-01-01 to the date that the zone's clock shows. */
  at(ms: number): number {
    return Math.floor(this.#shown(ms) / DAY_MS);
  }

  /** The first moment of a day, in milliseconds. */
  startOf(day: number): number {
    if (this.#format === undefined) return day * DAY_MS;
    let start = this.#starts.get(day);
    if (start === undefined) {
      start = this.#find(day);
      if (this.#starts.size === MOST_STARTS) this.#starts.clear();
      this.#starts.set(day, start);
    }
    return start;
  }

  #find(day: number): number {
    const midnight = day * DAY_MS;
    const usual = midnight - (this.#shown(midnight) - midnight);
    if (this.at(usual) === day && this.at(usual - 1) === day - 1) return usual;
    // The clock is changed on that day: its midnight may be skipped, or come at another offset.
    let [low, high] = [midnight / 1_000 - FURTHEST, midnight / 1_000 + FURTHEST];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (this.at(middle * 1_000) >= day) high = middle;
      else low = middle + 1;
    }
    return low * 1_000;
  }

  /** What the zone's clock shows, as if it were UTC. */
  #shown(ms: number): number {
    if (this.#format === undefined) return ms;
    const shown: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {};
    const bounded = Math.max(-MAX_TIME_MS, Math.min(ms, MAX_TIME_MS));
    for (const { type, value } of this.#format.formatToParts(bounded)) shown[type] = Number(value);
    const { year, month, day, hour, minute, second } = shown;
    return Date.UTC(year!, month! - 1, day, hour, minute, second) + (bounded - Math.floor(bounded / 1_000) * 1_000);
  }
}
