/**
 * A departure board read from PostgreSQL: a thousand screens ask for the same rows, and the database answers once until something changes. A gate
 * is changed in a transaction; once that has committed, every screen that asks gets the new gate, whichever process it asks.
 */
import type { Holdfast } from "holdfast";
import { type CachedQueries, cachedQueries, type QueryDatabase } from "holdfast/pg";

export interface Departure {
  readonly flight: string;
  readonly gate: string;
  readonly leaves: Date;
}

/** What a transaction of PGlite, and a client of pg, have. */
export interface Tx {
  query(text: string, params?: unknown[]): Promise<{ readonly rows: unknown[] }>;
}

/** PGlite; with pg, a `Pool` is given to `cachedQueries` as it is. */
export type Database = QueryDatabase<Tx>;

export async function migrate(db: Database): Promise<void> {
  await db.query(
    "CREATE TABLE IF NOT EXISTS departures (flight text PRIMARY KEY, airport text NOT NULL, gate text NOT NULL, leaves timestamptz NOT NULL)",
  );
  await db.query("CREATE TABLE IF NOT EXISTS changes (flight text NOT NULL, gate text NOT NULL)");
}

export class DepartureBoard {
  readonly queries: CachedQueries<Tx>;

  constructor(hf: Holdfast, db: Database) {
    // An hour of grace: a database that is away leaves the screens with the last rows, and not dark.
    this.queries = cachedQueries(hf, db, { name: "departures", ttl: "1m", grace: "1h" });
  }

  /** The next departures of an airport. */
  next(airport: string, count: number): Promise<Departure[]> {
    return this.queries.query<Departure>(
      "SELECT flight, gate, leaves FROM departures WHERE airport = $1 ORDER BY leaves LIMIT $2",
      [airport, count],
      { tags: ["departures"] },
    );
  }

  /** Changes a gate and notes it, both or neither; false where there is no such flight. */
  changeGate(flight: string, gate: string): Promise<boolean> {
    return this.queries.write(["departures", "changes"], async (tx) => {
      const { rows } = await tx.query("UPDATE departures SET gate = $2 WHERE flight = $1 RETURNING flight", [
        flight,
        gate,
      ]);
      if (rows.length === 0) return false;
      await tx.query("INSERT INTO changes VALUES ($1, $2)", [flight, gate]);
      return true;
    });
  }
}
