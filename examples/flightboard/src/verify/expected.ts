/** The answers that the database should give and the orders that the boards should have, from the plain data. */
import type { AirportProfile, RouteProfile } from "../api/archive.ts";
import type { Airport } from "../data/airports.ts";
import type { Flight } from "../data/flights.ts";
import { LATE_AFTER } from "../state/derive.ts";

const TOP_ROUTES = 5;
const MS_PER_HOUR = 3_600_000;
const EARTH_RADIUS_METERS = 6_372_797.560856;

export function expectedProfile(
  { code, name, city, state, lon, lat }: Airport,
  flights: readonly Flight[],
): AirportProfile {
  const departures = flights.filter((flight) => flight.origin === code);
  const routes = [...countBy(departures, (flight) => flight.destination)]
    .map(([to, count]) => ({ code: to, flights: count }))
    .sort((a, b) => b.flights - a.flights || compare(a.code, b.code));
  const hours = countBy(departures, (flight) => Math.floor(flight.at / MS_PER_HOUR) % 24);
  return {
    code,
    name,
    city,
    state,
    lon,
    lat,
    departures: departures.length,
    arrivals: flights.filter((flight) => flight.destination === code).length,
    onTime: departures.filter((flight) => flight.delay <= LATE_AFTER).length,
    routes: routes.slice(0, TOP_ROUTES),
    hours: Array.from({ length: 24 }, (_, hour) => hours.get(hour) ?? 0),
  };
}

export function expectedRoute(origin: string, destination: string, flights: readonly Flight[]): RouteProfile {
  const same = flights.filter((flight) => flight.origin === origin && flight.destination === destination);
  return {
    origin,
    destination,
    flights: same.length,
    distance: Math.max(...same.map((flight) => flight.distance)),
    delayMinutes: same.reduce((sum, flight) => sum + flight.delay, 0),
  };
}

/** Competition ranking, largest first: equal scores share a rank and the next one is skipped. */
export function ranked(scores: ReadonlyMap<string, number>): Map<string, { score: number; rank: number }> {
  const sorted = [...scores.values()].sort((a, b) => b - a);
  return new Map([...scores].map(([member, score]) => [member, { score, rank: sorted.indexOf(score) + 1 }]));
}

type Point = Pick<Airport, "lon" | "lat">;

/** Great-circle distance (haversine) on the sphere that Redis uses. */
export function meters(a: Point, b: Point): number {
  const h = haversine(b.lat - a.lat) + cos(a.lat) * cos(b.lat) * haversine(b.lon - a.lon);
  return 2 * EARTH_RADIUS_METERS * Math.asin(Math.sqrt(h));
}

function haversine(degrees: number): number {
  return Math.sin((degrees * Math.PI) / 360) ** 2;
}

function cos(degrees: number): number {
  return Math.cos((degrees * Math.PI) / 180);
}

function countBy<T, K>(items: readonly T[], key: (item: T) => K): Map<K, number> {
  const counts = new Map<K, number>();
  for (const item of items) counts.set(key(item), (counts.get(key(item)) ?? 0) + 1);
  return counts;
}

/** By code point, as `COLLATE "C"` does. */
export function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
