/**
 * Real US flights of 2001, in order of time. Up to 20,000 come from a JSON file; more come from the Parquet file of
 * three million, one row group (about 270,000 flights) in memory at a time.
 */
import { readFile } from "node:fs/promises";
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from "hyparquet";
import { compressors } from "hyparquet-compressors";
import { dataFile } from "./source.ts";

export interface Flight {
  /** Place in the data, from 0. */
  readonly index: number;
  /** The data's local clock, read as if it were UTC: milliseconds since 1970. */
  readonly at: number;
  /** Minutes; negative when early. */
  readonly delay: number;
  /** Miles. */
  readonly distance: number;
  readonly origin: string;
  readonly destination: string;
}

export const JSON_FLIGHTS = 20_000;
export const MAX_FLIGHTS = 3_000_000;

/** The flights `from` to `until` of a run of `count`. The same `count` always names the same flights. */
export async function* readFlights(count: number, from = 0, until: number = count): AsyncGenerator<Flight> {
  const chunks = count <= JSON_FLIGHTS ? jsonChunks() : parquetChunks(from);
  for await (const chunk of chunks) {
    for (const flight of chunk) {
      if (flight.index >= Math.min(until, count)) return;
      if (flight.index >= from) yield flight;
    }
  }
}

async function* jsonChunks(): AsyncGenerator<Flight[]> {
  const rows = JSON.parse(await readFile(dataFile("flights-20k.json"), "utf8")) as (Omit<Flight, "at" | "index"> & {
    date: string;
  })[];
  yield rows.map(({ date, delay, distance, origin, destination }, index) => {
    return { index, at: parseDate(date), delay, distance, origin, destination };
  });
}

/** Row groups before `from` are not read. */
async function* parquetChunks(from: number): AsyncGenerator<Flight[]> {
  const file = await asyncBufferFromFile(dataFile("flights-3m.parquet"));
  const metadata = await parquetMetadataAsync(file);
  let start = 0;
  for (const group of metadata.row_groups) {
    const rowStart = start;
    const rowEnd = start + Number(group.num_rows);
    start = rowEnd;
    if (rowEnd <= from) continue;
    const rows = await parquetReadObjects({ file, metadata, compressors, rowStart, rowEnd });
    yield rows.map((row, offset) => fromParquet(row, rowStart + offset));
  }
}

function fromParquet(row: Record<string, unknown>, index: number): Flight {
  return {
    index,
    at: (row["date"] as Date).getTime(),
    delay: Number(row["delay"]),
    distance: Number(row["distance"]),
    origin: String(row["origin"]),
    destination: String(row["destination"]),
  };
}

/** `2001/01/01 00:47`. */
function parseDate(text: string): number {
  return Date.parse(`${text.slice(0, 10).replaceAll("/", "-")}T${text.slice(11)}:00Z`);
}

/** `2001-01-01`, the id of a day in every derived number. */
export function dayOf(flight: Flight): string {
  return new Date(flight.at).toISOString().slice(0, 10);
}
