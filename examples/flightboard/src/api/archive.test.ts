import { describe, expect, it } from "vitest";
import { readAirports } from "../data/airports.ts";
import { type Flight, readFlights } from "../data/flights.ts";
import { expectedProfile, expectedRoute } from "../verify/expected.ts";
import { airportProfile, airportProfiles, routeProfile } from "./archive.ts";
import { loadArchive, openDatabase } from "./database.ts";

const FLIGHTS = 2_000;
const SAMPLE = 40;
const databases: [string, string | undefined][] = [["PGlite", undefined]];
const { DATABASE_URL } = process.env;
if (DATABASE_URL !== undefined) databases.push(["PostgreSQL", DATABASE_URL]);

describe.each(databases)("%s", (_name, url) => {
  it("answers as a plain look at the data does", { timeout: 300_000 }, async () => {
    const airports = await readAirports();
    const flights: Flight[] = [];
    for await (const flight of readFlights(FLIGHTS)) flights.push(flight);
    await using db = await openDatabase(url);
    await loadArchive(db, airports.values(), readFlights(FLIGHTS));

    for (const code of [...new Set(flights.map(({ origin }) => origin))].slice(0, SAMPLE)) {
      expect(await airportProfile(db, code)).toEqual(expectedProfile(airports.get(code)!, flights));
    }
    for (const { origin, destination } of flights.slice(0, SAMPLE)) {
      expect(await routeProfile(db, origin, destination)).toEqual(expectedRoute(origin, destination, flights));
    }
    expect([...(await airportProfiles(db, ["LAX", "QQQ", "ATL"])).keys()].toSorted()).toEqual(["ATL", "LAX"]);
    expect(await airportProfile(db, "QQQ")).toBeUndefined();
    expect(await routeProfile(db, "ATL", "QQQ")).toBeUndefined();
  });
});
