// What could go wrong, and the test for each:
// - a time that the clock skips runs never, or twice ........ "a time of the day that is skipped runs at the end of the gap"
// - a time that comes twice runs twice ...................... "a time of the day that comes twice runs once"
// - what follows the clock stands still, or is off .......... "what follows the clock ..."
// - forwards and backwards disagree ......................... "before is the inverse of after"
// - the clock of this process decides ....................... "does not ask the clock of this process"
// - a pattern or a zone that fails later, on a ticker ....... "refuses ..."
import { afterEach, describe, expect, it, vi } from "vitest";
import { isTimeZone } from "../../core/window/time-zone.ts";
import { cronTimes, parseCron } from "./cron.ts";

function ticks(pattern: string, zone: string, from: string, count: number): string[] {
  const times = cronTimes(pattern, zone);
  const found: string[] = [];
  for (let ms = Date.parse(from); found.length < count;) {
    ms = times.after(ms)!;
    found.push(new Date(ms).toISOString().slice(0, 16));
  }
  return found;
}

describe("cron", () => {
  afterEach(() => void vi.useRealTimers());

  it.each([
    // 02:00 becomes 03:00; 00:00 becomes 01:00; 02:00 becomes 02:30.
    ["30 2 * * *", "Europe/Berlin", "2026-03-28", ["2026-03-28T01:30", "2026-03-29T01:00", "2026-03-30T00:30"]],
    ["30 2 * * *", "America/New_York", "2026-03-07", ["2026-03-07T07:30", "2026-03-08T07:00", "2026-03-09T06:30"]],
    ["0 0 * * *", "America/Sao_Paulo", "2018-11-03", ["2018-11-03T03:00", "2018-11-04T03:00", "2018-11-05T02:00"]],
    ["15 2 * * *", "Australia/Lord_Howe", "2026-10-02", ["2026-10-02T15:45", "2026-10-03T15:30", "2026-10-04T15:15"]],
    ["15 2,3 * * *", "Europe/Berlin", "2026-03-29", ["2026-03-29T01:00", "2026-03-29T01:15", "2026-03-30T00:15"]],
  ])("a time of the day that is skipped runs at the end of the gap: %s in %s", (pattern, zone, from, expected) => {
    expect(ticks(pattern, zone, from, 3)).toEqual(expected);
  });

  it.each([
    ["30 2 * * *", "Europe/Berlin", "2026-10-24T12:00Z", ["2026-10-25T00:30", "2026-10-26T01:30"]],
    ["30 1 * * *", "America/New_York", "2026-10-31T12:00Z", ["2026-11-01T05:30", "2026-11-02T06:30"]],
    ["45 1 * * *", "Australia/Lord_Howe", "2026-04-04T12:00Z", ["2026-04-04T14:45", "2026-04-05T15:15"]],
    ["0 1-3 * * *", "Europe/Berlin", "2026-10-24T23:30Z", ["2026-10-25T00:00", "2026-10-25T02:00"]],
  ])("a time of the day that comes twice runs once, at the first: %s in %s", (pattern, zone, from, expected) => {
    expect(ticks(pattern, zone, from, 2)).toEqual(expected);
  });

  it("what follows the clock passes over the gap and runs in both of the hours that come twice", () => {
    const spring = ["2026-03-29T00:30", "2026-03-29T01:00", "2026-03-29T01:30"];
    expect(ticks("*/30 * * * *", "Europe/Berlin", "2026-03-29T00:00Z", 3)).toEqual(spring);
    const autumn = ["2026-10-25T00:00", "2026-10-25T00:30", "2026-10-25T01:00", "2026-10-25T01:30", "2026-10-25T02:00"];
    expect(ticks("*/30 * * * *", "Europe/Berlin", "2026-10-24T23:30Z", 5)).toEqual(autumn);
    expect(ticks("*/30 2 * * *", "Europe/Berlin", "2026-03-28T12:00Z", 1)).toEqual(["2026-03-30T00:00"]);
  });

  it("zones with odd offsets, and days that do not exist", () => {
    expect(ticks("0 7 * * *", "Asia/Kathmandu", "2026-03-07", 1)).toEqual(["2026-03-07T01:15"]);
    // Samoa had no 30 December 2011.
    expect(ticks("0 12 * * *", "Pacific/Apia", "2011-12-28", 3).at(-1)).toBe("2011-12-30T22:00");
    expect(ticks("0 0 29 2 *", "UTC", "2026-03-01", 2)).toEqual(["2028-02-29T00:00", "2032-02-29T00:00"]);
  });

  it.each(["Europe/Berlin", "Australia/Lord_Howe", "America/Havana", "Africa/Casablanca", "UTC"])(
    "before is the inverse of after while the clocks of %s change",
    (zone) => {
      const weeks = [
        ["2026-02-14", "2026-04-07"],
        ["2026-10-01", "2026-11-03"],
      ] as const;
      for (const pattern of ["30 2 * * *", "15 0,1,2,3 * * *"]) {
        const times = cronTimes(pattern, zone);
        for (const [from, end] of weeks) {
          for (let ms = times.after(Date.parse(from))!; ms < Date.parse(end);) {
            const next = times.after(ms)!;
            expect(next).toBeGreaterThan(ms);
            expect(times.before(next)).toBe(ms);
            expect(times.after(Math.floor((ms + next) / 2))).toBe(next);
            ms = next;
          }
        }
      }
    },
  );

  it.each([-1, 1])("does not ask the clock of this process (a day off: %d)", (days) => {
    const from = Date.parse("2026-05-05T10:00Z");
    const asked = (): unknown[] => {
      const times = cronTimes(`${30 + days} 7 * * *`, "Europe/Berlin");
      return [times.after(from), times.before(from)];
    };
    const here = asked();
    vi.useFakeTimers({ now: Date.now() + days * 86_400_000, toFake: ["Date"] });
    expect(asked()).toEqual(here);
  });

  it.each(["", "* *", "60 * * * *", "5/15 * * * *", "@reboot", "0 0 30 2 *", "2026-01-01T00:00:00", 7, undefined])(
    "refuses the pattern %s",
    (pattern) => {
      expect(() => parseCron(pattern, "UTC")).toThrow(/^cron: expected a pattern/);
    },
  );

  it("refuses what is no time zone, and offsets, which not every Node knows", () => {
    expect(["Mars/Olympus", "", "+02:00", 2, undefined, "Europe/Berlin ", "Foo"].filter(isTimeZone)).toEqual([]);
    expect(["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+5"].every(isTimeZone)).toBe(true);
  });
});
