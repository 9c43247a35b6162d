import { describe, expect, it } from "vitest";
import type { Flight } from "../data/flights.ts";
import { EMPTY_TOTALS, derive, merge, scores, tagsFor } from "./derive.ts";

const DAY = Date.parse("2001-01-01T00:00:00Z");
const HOURS = 3_600_000;

function flight(index: number, origin: string, destination: string, delay: number, distance = 500): Flight {
  return { index, at: DAY + index * 20 * HOURS, delay, distance, origin, destination };
}

const FLIGHTS = [
  flight(0, "ATL", "DFW", 20, 700),
  flight(1, "ATL", "LAX", -5, 1_900),
  flight(2, "DFW", "ATL", 15, 700),
  flight(3, "ATL", "DFW", 130, 700),
];

describe("derive", () => {
  it("counts totals, and early flights as 0 minutes late", () => {
    expect(derive(FLIGHTS).totals).toEqual({ flights: 4, miles: 4_000, late: 2, lateMinutes: 165 });
  });

  it("counts flights by day", () => {
    expect([...derive(FLIGHTS).days]).toEqual([
      ["2001-01-01", 2],
      ["2001-01-02", 1],
      ["2001-01-03", 1],
    ]);
  });

  it("keeps both ends of a flight", () => {
    const { airports } = derive(FLIGHTS);
    expect(airports.get("ATL")).toEqual({
      departures: 3,
      arrivals: 1,
      lateMinutes: 150,
      worstDelay: 130,
      longestLeg: 1_900,
      served: ["DFW", "LAX"],
    });
    expect(airports.get("LAX")).toEqual({ ...EMPTY_TOTALS, arrivals: 1 });
  });

  it("finds the same airports however the flights are cut into batches", () => {
    for (const cut of [1, 2, 3]) {
      const [first, second] = [derive(FLIGHTS.slice(0, cut)).airports, derive(FLIGHTS.slice(cut)).airports];
      const codes = new Set([...first.keys(), ...second.keys()]);
      const merged = new Map(
        [...codes].map((code) => [code, merge(first.get(code), second.get(code) ?? EMPTY_TOTALS)]),
      );
      expect(merged).toEqual(derive(FLIGHTS).airports);
    }
  });
});

it("scores and tags follow from an airport's totals", () => {
  const served = Array.from({ length: 10 }, (_, index) => `A${index}X`);
  const hub = { departures: 7, arrivals: 4, lateMinutes: 33, worstDelay: 120, longestLeg: 2_000, served };
  expect(scores(hub)).toEqual({ busiest: 11, delayed: 33, connected: 10 });
  expect(tagsFor("GA", hub)).toEqual(["state:GA", "hub", "very-late", "long-haul"]);
  expect(tagsFor("GA", { ...hub, worstDelay: 119, longestLeg: 1_999, served: ["DFW"] })).toEqual(["state:GA"]);
});
