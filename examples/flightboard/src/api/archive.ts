/** Questions to the database: slow enough to be worth a cache. */
import { LATE_AFTER } from "../state/derive.ts";
import type { Database } from "./database.ts";

/** Flights in the archive at most; the boards know the rest. */
export const ARCHIVE_FLIGHTS = 20_000;

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
  const [place] = await db.query<Place>("SELECT code, name, city, state, lon, lat FROM airports WHERE code = $1", [
    code,
  ]);
  if (place === undefined) return undefined;
  const [counts] = await db.query<Pick<AirportProfile, "departures" | "arrivals" | "onTime">>(
    `SELECT count(*) FILTER (WHERE origin = $1)::int AS departures,
            count(*) FILTER (WHERE destination = $1)::int AS arrivals,
            count(*) FILTER (WHERE origin = $1 AND delay <= $2)::int AS "onTime"
     FROM flights WHERE origin = $1 OR destination = $1`,
    [code, LATE_AFTER],
  );
  const routes = await db.query<{ code: string; flights: number }>(
    `SELECT destination AS code, count(*)::int AS flights FROM flights WHERE origin = $1
     GROUP BY destination ORDER BY flights DESC, destination COLLATE "C" LIMIT 5`,
    [code],
  );
  const byHour = await db.query<{ hour: number; flights: number }>(
    `SELECT (at / 3600000 % 24)::int AS hour, count(*)::int AS flights FROM flights WHERE origin = $1 GROUP BY hour`,
    [code],
  );
  const hours = Array.from({ length: 24 }, (_, hour) => byHour.find((row) => row.hour === hour)?.flights ?? 0);
  return { ...place, departures: 0, arrivals: 0, onTime: 0, ...counts, routes, hours };
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
