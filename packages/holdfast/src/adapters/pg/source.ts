/** What is used of a database: pg, PGlite and whatever else has their `query`. Nothing of them is imported. */
import { InvalidArgumentError } from "../../base/errors.ts";
import { hasMethod, inTransaction, type SqlClient, type SqlSource } from "../../queue/outbox/sql.ts";

/** Runs one statement: pg's `Pool` and `Client`, PGlite. */
export interface QuerySource {
  query(text: string, params?: unknown[]): Promise<{ readonly rows: readonly unknown[] }>;
}

/** pg's `Pool`. */
export interface QueryPool<Tx> extends QuerySource {
  // The second is pg's own, with a callback: without it the first could not be read from pg's types.
  readonly connect: { (): Promise<Tx>; (callback: never): unknown };
}

/** PGlite, and whatever else runs a function in a transaction, such as an object of your own around an ORM. */
export interface QueryDatabase<Tx> extends QuerySource {
  transaction<T>(work: (tx: Tx) => Promise<T>): Promise<T>;
}

/** @param Tx what `write` gives to its function */
export type QueryDatabases<Tx> = QueryDatabase<Tx> | QueryPool<Tx> | QuerySource;

export function checkDatabase<Tx>(database: QueryDatabases<Tx>): QueryDatabases<Tx> {
  if (hasMethod(database, "query")) return database;
  throw new InvalidArgumentError("database", "a client with query(text, params), such as a pool of pg", database);
}

export function transactionOf<Tx, T>(database: QueryDatabases<Tx>, work: (tx: Tx) => Promise<T>): Promise<T> {
  return inTransaction(database as unknown as SqlSource, (tx: SqlClient) => work(tx as Tx));
}
