import { expect, it } from "vitest";
import type { Flight } from "../data/flights.ts";
import { expectedProfile, expectedRoute, meters, ranked } from "./expected.ts";

const ATLANTA = { code: "ATL", name: "Hartsfield", city: "Atlanta", state: "GA", lon: -84.42694, lat: 33.64044 };
const LOS_ANGELES = { lon: -118.40807, lat: 33.94254 };

function flight(hour: number, origin: string, destination: string, delay: number): Flight {
  return { index: hour, at: Date.UTC(2001, 0, 1, hour), delay, distance: 600, origin, destination };
}

const FLIGHTS = [
  flight(5, "ATL", "DFW", 15),
  flight(5, "ATL", "DFW", 16),
  flight(7, "ATL", "BOS", 0),
  flight(9, "BOS", "ATL", 99),
];

it("an airport's profile", () => {
  const profile = expectedProfile(ATLANTA, FLIGHTS);
  expect(profile).toMatchObject({ ...ATLANTA, departures: 3, arrivals: 1, onTime: 2 });
  expect(profile.routes).toEqual([
    { code: "DFW", flights: 2 },
    { code: "BOS", flights: 1 },
  ]);
  expect(profile.hours.map((count, hour) => [hour, count]).filter(([, count]) => count !== 0)).toEqual([
    [5, 2],
    [7, 1],
  ]);
});

it("a route", () => {
  const route = { origin: "ATL", destination: "DFW", flights: 2, distance: 600, delayMinutes: 31 };
  expect(expectedRoute("ATL", "DFW", FLIGHTS)).toEqual(route);
});

it("equal scores share a rank and the next one is skipped", () => {
  const scores = new Map([
    ["a", 5],
    ["b", 9],
    ["c", 5],
    ["d", 1],
  ]);
  expect([...ranked(scores)].map(([member, { rank }]) => [member, rank])).toEqual([
    ["a", 2],
    ["b", 1],
    ["c", 2],
    ["d", 4],
  ]);
});

it("Atlanta to Los Angeles is about 3,130 km", () => {
  expect(Math.round(meters(ATLANTA, LOS_ANGELES) / 10_000)).toBe(313);
});
