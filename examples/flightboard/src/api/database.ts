/**
 * The database behind the cache: PGlite inside this process, or PostgreSQL where `DATABASE_URL` names one. The tables are
 * temporary and filled at the start, so nothing is left behind in a database that belongs to somebody else.
 */
import pg from "pg";
import type { Airport } from "../data/airports.ts";
import type { Flight } from "../data/flights.ts";
import { openPGlite } from "./pglite.ts";

export interface Database extends AsyncDisposable {
  query<Row>(sql: string, params?: readonly unknown[]): Promise<Row[]>;
}

const SCHEMA = [
  `CREATE TEMPORARY TABLE airports (
    code text PRIMARY KEY, name text NOT NULL, city text NOT NULL, state text NOT NULL,
    lon double precision NOT NULL, lat double precision NOT NULL)`,
  `CREATE TEMPORARY TABLE flights (
    index int PRIMARY KEY, at bigint NOT NULL, delay int NOT NULL, distance int NOT NULL,
    origin text NOT NULL REFERENCES airports, destination text NOT NULL REFERENCES airports)`,
];
const INDEXES = [
  "CREATE INDEX ON flights (origin, destination)",
  "CREATE INDEX ON flights (destination)",
  "ANALYZE flights",
];
/** Rows of one INSERT. */
const CHUNK = 2_000;

export async function openDatabase(url: string | undefined = process.env["DATABASE_URL"]): Promise<Database> {
  // A variable that is set to nothing says nothing.
  return url === undefined || url === "" ? openEmbedded() : openPostgres(url);
}

export async function loadArchive(
  db: Database,
  airports: Iterable<Airport>,
  flights: AsyncIterable<Flight>,
): Promise<void> {
  for (const statement of SCHEMA) await db.query(statement);
  await insert(db, "airports", ["text", "text", "text", "text", "float8", "float8"], [...airports].map(airportRow));
  let rows: unknown[][] = [];
  for await (const flight of flights) {
    rows.push([flight.index, flight.at, flight.delay, flight.distance, flight.origin, flight.destination]);
    if (rows.length < CHUNK) continue;
    await insertFlights(db, rows);
    rows = [];
  }
  await insertFlights(db, rows);
  for (const statement of INDEXES) await db.query(statement);
}

function airportRow({ code, name, city, state, lon, lat }: Airport): unknown[] {
  return [code, name, city, state, lon, lat];
}

async function insertFlights(db: Database, rows: unknown[][]): Promise<void> {
  await insert(db, "flights", ["int", "bigint", "int", "int", "text", "text"], rows);
}

/** One statement for all rows: each column travels as an array. */
async function insert(db: Database, table: string, types: readonly string[], rows: unknown[][]): Promise<void> {
  if (rows.length === 0) return;
  const columns = types.map((type, index) => `$${index + 1}::${type}[]`).join(", ");
  const params = types.map((_, index) => rows.map((row) => row[index]));
  await db.query(`INSERT INTO ${table} SELECT * FROM unnest(${columns})`, params);
}

async function openEmbedded(): Promise<Database> {
  const db = await openPGlite();
  return {
    async query<Row>(sql: string, params: readonly unknown[] = []): Promise<Row[]> {
      return (await db.query<Row>(sql, [...params])).rows;
    },
    [Symbol.asyncDispose]: () => db.close(),
  };
}

/** One connection, because temporary tables belong to it. Losing it ends the process; the launcher starts a new one. */
async function openPostgres(url: string): Promise<Database> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return {
    async query<Row>(sql: string, params: readonly unknown[] = []): Promise<Row[]> {
      return (await client.query(sql, [...params])).rows as Row[];
    },
    [Symbol.asyncDispose]: () => client.end(),
  };
}
