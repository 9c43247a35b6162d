/** What every number should come to, from the flights alone. */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { ARCHIVE_FLIGHTS } from "../api/archive.ts";
import { type Airport, readAirports } from "../data/airports.ts";
import { type Flight, readFlights } from "../data/flights.ts";
import { derive, type Derived } from "../state/derive.ts";

export interface Truth {
  readonly flights: number;
  readonly derived: Derived;
  readonly places: ReadonlyMap<string, Airport>;
  /** The flights that are in the API's database. */
  readonly archive: readonly Flight[];
}

/** On a thread of its own: it can take seconds, and the server may be in this process. */
export async function findTruthAside(flights: number): Promise<Truth> {
  const thread = new Worker(new URL("truth-thread.js", import.meta.url), { workerData: flights });
  const [truth] = (await once(thread, "message")) as [Truth];
  return truth;
}

export async function findTruth(count: number): Promise<Truth> {
  const flights: Flight[] = [];
  for await (const flight of readFlights(count)) flights.push(flight);
  return {
    flights: count,
    derived: derive(flights),
    places: await readAirports(),
    archive: flights.slice(0, ARCHIVE_FLIGHTS),
  };
}
