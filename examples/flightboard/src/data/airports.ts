/** Names and places of airports, from the data set's CSV file. */
import { readFile } from "node:fs/promises";
import { dataFile } from "./source.ts";

export interface Airport {
  /** IATA code, three letters. */
  readonly code: string;
  readonly name: string;
  readonly city: string;
  /** Two-letter postal code; `NA` for the few places outside a state. */
  readonly state: string;
  /** Degrees. */
  readonly lon: number;
  readonly lat: number;
}

export async function readAirports(): Promise<Map<string, Airport>> {
  const [header = [], ...rows] = parseCsv(await readFile(dataFile("airports.csv"), "utf8"));
  const column = (name: string): number => header.indexOf(name);
  const [code, name, city, state] = [column("iata"), column("name"), column("city"), column("state")];
  const [lon, lat] = [column("longitude"), column("latitude")];
  const airports = rows.map((row): Airport => {
    const text = (index: number): string => row[index] ?? "";
    return {
      code: text(code),
      name: text(name).trim(),
      city: text(city),
      state: text(state),
      lon: Number(text(lon)),
      lat: Number(text(lat)),
    };
  });
  return new Map(airports.map((airport) => [airport.code, airport]));
}

/** RFC 4180: quoted fields may hold commas, line breaks and doubled quotes. */
export function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^,\r\n]*))(,|\r?\n|$)/g)) {
    if (end === "" && quoted === undefined && plain === "" && row.length === 0) break;
    row.push(quoted === undefined ? (plain ?? "") : quoted.replaceAll('""', '"'));
    if (end === ",") continue;
    rows.push(row);
    row = [];
    if (end === "") break;
  }
  return rows;
}
