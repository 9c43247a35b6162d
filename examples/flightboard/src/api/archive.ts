/** Questions to the database: slow enough to be worth a cache. */
import type { Cache } from "holdfast";
import { LATE_AFTER } from "../state/derive.ts";
import type { Database } from "./database.ts";

/** Flights in the archive at most; the boards know the rest. */
export const ARCHIVE_FLIGHTS = 20_000;
const TOP_ROUTES = 5;

export interface AirportProfile {
  readonly code: string;
  readonly name: string;
  readonly city: string;
  readonly state: string;
  readonly lon: number;
  readonly lat: number;
  readonly departures: number;
  readonly arrivals: number;
  /** Departures no more than 15 minutes late. */
  readonly onTime: number;
  /** The most frequent destinations, five at most. */
  readonly routes: readonly { readonly code: string; readonly flights: number }[];
  /** Departures by hour of the day, 24 numbers. */
  readonly hours: readonly number[];
}

export interface RouteProfile {
  readonly origin: string;
  readonly destination: string;
  readonly flights: number;
  /** Miles. */
  readonly distance: number;
  /** Sum of all delays in minutes, early ones negative. */
  readonly delayMinutes: number;
}

type Place = Pick<AirportProfile, "code" | "name" | "city" | "state" | "lon" | "lat">;

export async function airportProfile(db: Database, code: string): Promise<AirportProfile | undefined> {
  return (await airportProfiles(db, [code])).get(code);
}

/** Several airports for the price of one: five queries, however many. */
export async function airportProfiles(db: Database, codes: readonly string[]): Promise<Map<string, AirportProfile>> {
  const places = await db.query<Place>(
    "SELECT code, name, city, state, lon, lat FROM airports WHERE code = ANY($1::text[])",
    [codes],
  );
  const departures = await db.query<Pick<AirportProfile, "code" | "departures" | "onTime">>(
    `SELECT origin AS code, count(*)::int AS departures, count(*) FILTER (WHERE delay <= $2)::int AS "onTime"
     FROM flights WHERE origin = ANY($1::text[]) GROUP BY origin`,
    [codes, LATE_AFTER],
  );
  const arrivals = await db.query<Pick<AirportProfile, "code" | "arrivals">>(
    `SELECT destination AS code, count(*)::int AS arrivals
     FROM flights WHERE destination = ANY($1::text[]) GROUP BY destination`,
    [codes],
  );
  const routes = await db.query<{ origin: string; code: string; flights: number }>(
    `SELECT origin, destination AS code, count(*)::int AS flights FROM flights WHERE origin = ANY($1::text[])
     GROUP BY origin, destination ORDER BY flights DESC, destination COLLATE "C"`,
    [codes],
  );
  const byHour = await db.query<{ origin: string; hour: number; flights: number }>(
    `SELECT origin, (at / 3600000 % 24)::int AS hour, count(*)::int AS flights
     FROM flights WHERE origin = ANY($1::text[]) GROUP BY origin, hour`,
    [codes],
  );
  const profiles = places.map((place): AirportProfile => {
    const { departures: leaving = 0, onTime = 0 } = departures.find(({ code }) => code === place.code) ?? {};
    const own = byHour.filter(({ origin }) => origin === place.code);
    return {
      ...place,
      departures: leaving,
      arrivals: arrivals.find(({ code }) => code === place.code)?.arrivals ?? 0,
      onTime,
      routes: routes
        .filter(({ origin }) => origin === place.code)
        .slice(0, TOP_ROUTES)
        .map(({ code, flights }) => ({ code, flights })),
      hours: Array.from({ length: 24 }, (_, hour) => own.find((row) => row.hour === hour)?.flights ?? 0),
    };
  });
  return new Map(profiles.map((profile) => [profile.code, profile]));
}

/** Of the departures, by airport, 0 to 1. One load for all that no cache has, over all processes. */
export async function onTimeShares(
  cache: Cache<AirportProfile>,
  db: Database,
  codes: readonly string[],
): Promise<Map<string, number>> {
  const profiles = await cache.getOrSetMany(codes, (missing) => airportProfiles(db, missing.map(String)));
  const left = [...profiles.values()].filter(({ departures }) => departures > 0);
  return new Map(left.map(({ code, departures, onTime }) => [code, onTime / departures]));
}

export async function routeProfile(
  db: Database,
  origin: string,
  destination: string,
): Promise<RouteProfile | undefined> {
  const [route] = await db.query<RouteProfile>(
    `SELECT origin, destination, count(*)::int AS flights, max(distance)::int AS distance, sum(delay)::int AS "delayMinutes"
     FROM flights WHERE origin = $1 AND destination = $2 GROUP BY origin, destination`,
    [origin, destination],
  );
  return route;
}
