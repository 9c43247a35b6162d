/**
 * Daily actives: each request marks its user, and a page shows DAU, WAU and MAU with how sticky the product is, and of the users who were
 * new on each day how many came back on the days after. All of it is exact, in the days of one time zone.
 */
import type { Holdfast } from "holdfast";

export interface Overview {
  readonly daily: number;
  readonly weekly: number;
  readonly monthly: number;
  /** Of those of a month, how many there are on a day: 0 to 1. */
  readonly stickiness: number;
}

export class DailyActives {
  readonly #actives;

  constructor(hf: Holdfast, timeZone = "Europe/Berlin") {
    this.#actives = hf.actives("app", { timeZone, keep: 90 });
  }

  /** For each request; it need not be waited for. */
  async seen(user: string, at?: Date): Promise<void> {
    await this.#actives.mark(user, { ...(at !== undefined && { at }) });
  }

  async overview(): Promise<Overview> {
    const [daily, weekly, monthly] = await Promise.all([1, 7, 30].map((last) => this.#actives.count({ last })));
    return { daily: daily!, weekly: weekly!, monthly: monthly!, stickiness: monthly === 0 ? 0 : daily! / monthly! };
  }

  /** A line for each day: its date, how many were new, and what part of them came back on each day after. */
  async cohorts(from: string | Date, days: number): Promise<string[]> {
    const all = await this.#actives.retention({ from, windows: days, of: "new" });
    return all.map(({ name, users, active }) => {
      const parts = active
        .slice(1)
        .map((count) => `${users === 0 ? 0 : Math.round((100 * count) / users)} %`.padStart(6));
      return `${name}  ${String(users).padStart(6)} ${parts.join("")}`.trimEnd();
    });
  }
}
