/**
 * What could go wrong, and the test for each:
 * - windows leave gaps, overlap, or a moment is in another than its own ... "every moment is in one window"
 * - a day of 23 or 25 hours, or one whose midnight is skipped ............. "days where the clock changes"
 * - a date is taken in the wrong zone ..................................... "a date is that of the zone"
 * - two lengths share a label, and so keys ................................ "labels"
 * - an end beyond what a Date holds ....................................... "the last moment"
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InvalidArgumentError } from "../../base/errors.ts";
import { type WindowLength, windowsOf } from "./windows.ts";

const HOUR = 3_600_000;
const utc = (text: string): number => Date.parse(`${text}Z`);

describe("windows", () => {
  it("days, weeks from Monday, months and parts of a day in UTC", () => {
    const at = utc("2026-11-27T14:35:00");
    const bounds = (length: WindowLength): string[] => {
      const { start, end } = windowsOf(length).at(at);
      return [start, end].map((ms) => new Date(ms).toISOString().slice(0, 16));
    };
    expect(bounds("day")).toEqual(["2026-11-27T00:00", "2026-11-28T00:00"]);
    expect(bounds("week")).toEqual(["2026-11-23T00:00", "2026-11-30T00:00"]);
    expect(bounds("month")).toEqual(["2026-11-01T00:00", "2026-12-01T00:00"]);
    expect(bounds("hour")).toEqual(["2026-11-27T14:00", "2026-11-27T15:00"]);
    expect(bounds("15m")).toEqual(["2026-11-27T14:30", "2026-11-27T14:45"]);
    expect(windowsOf("day").nameOf(windowsOf("day").at(at).number)).toBe("2026-11-27");
    expect(windowsOf("month").nameOf(windowsOf("month").at(at).number)).toBe("2026-11-01");
    expect(windowsOf("15m").nameOf(windowsOf("15m").at(at).number)).toBe("2026-11-27T14:30:00.000Z");
  });

  it("days where the clock changes have 23 and 25 hours, and begin where their date does", () => {
    const hours = (zone: string, date: string): number => {
      const { start, end } = windowsOf("day", zone).named("day", date);
      return (end - start) / HOUR;
    };
    expect(hours("Europe/Berlin", "2026-03-29")).toBe(23);
    expect(hours("Europe/Berlin", "2026-10-25")).toBe(25);
    expect(hours("Asia/Kathmandu", "2026-10-25")).toBe(24);
    expect(hours("Australia/Lord_Howe", "2026-04-05")).toBe(24.5);
    // Midnight was skipped: the day began at one o'clock.
    const { start } = windowsOf("day", "America/Sao_Paulo").named("day", "2018-11-04");
    expect(new Date(start).toISOString()).toBe("2018-11-04T03:00:00.000Z");
    expect(hours("America/Sao_Paulo", "2018-11-04")).toBe(23);
    // The clock was set back from one minute after midnight, so that its date was shown twice.
    expect(hours("America/St_Johns", "2010-11-07")).toBe(25);
    // A date that there never was.
    expect(hours("Pacific/Apia", "2011-12-30")).toBe(0);
  });

  it("a date is that of the zone, and is refused where it is none", () => {
    const days = windowsOf("day", "America/New_York");
    expect(days.named("day", "2026-11-27").start).toBe(utc("2026-11-27T05:00:00"));
    expect(days.named("day", new Date(utc("2026-11-27T04:00:00")))).toEqual(days.named("day", "2026-11-26"));
    for (const wrong of ["2026-02-30", "2026-11-27T00:00", "today", "", "1969-12-31"])
      expect(() => days.named("day", wrong)).toThrow(InvalidArgumentError);
    expect(() => windowsOf("hour").named("day", "2026-11-27")).toThrow(InvalidArgumentError);
  });

  it("every moment is in one window, whose neighbours touch it", () => {
    const zones = fc.constantFrom("UTC", "Europe/Berlin", "America/St_Johns", "Pacific/Apia", "Africa/Cairo");
    const lengths = fc.constantFrom<WindowLength>("hour", "day", "week", "month", "15m", "3d");
    fc.assert(
      fc.property(zones, lengths, fc.integer({ min: 0, max: utc("2040-01-01T00:00:00") }), (zone, length, ms) => {
        const windows = windowsOf(length, zone);
        const { number, start, end } = windows.at(ms);
        expect(start <= ms && ms < end).toBe(true);
        expect(windows.numbered(number - 1).end).toBe(start);
        expect(windowsOf(length, zone).at(start).number).toBe(number);
        expect(windowsOf(length, zone).at(end - 1).number).toBe(number);
        expect(windowsOf(length, zone).at(end).start).toBe(end);
      }),
      { seed: 13, numRuns: 300 },
    );
  });

  it("labels differ where bounds do", () => {
    expect(windowsOf("1d").label).toBe("day");
    expect(windowsOf("24h").label).toBe("day");
    expect(windowsOf("7d", "Europe/Berlin").label).toBe("week@Europe/Berlin");
    expect(windowsOf("1h", "Europe/Berlin").label).toBe(windowsOf("hour").label);
    const all = (["hour", "15m", "day", "2d", "week", "month"] as const).map((each) => windowsOf(each).label);
    expect(new Set(all).size).toBe(all.length);
  });

  it("refuses lengths that neither divide a day nor are days, and zones that are none", () => {
    for (const wrong of ["5h", "36h", 0, "2000d", "fortnight", 500] as WindowLength[])
      expect(() => windowsOf(wrong)).toThrow(InvalidArgumentError);
    for (const wrong of ["Mars/Olympus", "", "+02:00"])
      expect(() => windowsOf("day", wrong)).toThrow(InvalidArgumentError);
  });

  it("the last moment that a Date knows is no failure", () => {
    for (const zone of ["UTC", "Europe/Berlin", "Pacific/Apia"])
      expect(windowsOf("day", zone).at(8.64e15).number).toBeGreaterThan(0);
  });
});
