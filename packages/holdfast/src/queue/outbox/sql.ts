/** What is used of a PostgreSQL client: pg, PGlite and whatever else has their `query`. Nothing of them is imported. */
import { HoldfastError, InvalidArgumentError } from "../../base/errors.ts";

/** A client that is inside a transaction of its user's: pg's `Client` or `PoolClient`, PGlite's `tx`. */
export interface SqlClient {
  query(text: string, params?: unknown[]): Promise<{ readonly rows: readonly unknown[] }>;
}

/** pg's `Pool`. */
export interface SqlPool {
  connect(): Promise<SqlPoolClient>;
}

/** pg's `PoolClient`. Its events are used where it has some. */
export interface SqlPoolClient extends SqlClient {
  release(destroy?: Error | boolean): void;
  on?(event: "error" | "notification", listener: () => void): unknown;
  removeListener?(event: "error" | "notification", listener: () => void): unknown;
}

/** PGlite, and whatever else runs a function in a transaction. */
export interface SqlDatabase {
  transaction<T>(work: (tx: SqlClient) => Promise<T>): Promise<T>;
  listen?(channel: string, heard: (payload: string) => void): Promise<() => Promise<void>>;
}

export type SqlSource = SqlPool | SqlDatabase;

export type Row = Readonly<Record<string, unknown>>;

export async function rowsOf(client: SqlClient, text: string, params: unknown[] = []): Promise<readonly Row[]> {
  return (await client.query(text, params)).rows as readonly Row[];
}

/** A pool's or a database's own `query` would commit by itself, and the promise that both happen or neither would be gone. */
export function checkTransaction(where: string, tx: SqlClient): void {
  const given = tx as unknown as Readonly<Record<string, unknown>> | null;
  const isClient = typeof given === "object" && given !== null && typeof given["query"] === "function";
  if (isClient && typeof given["transaction"] !== "function" && typeof given["totalCount"] !== "number") return;
  throw new InvalidArgumentError("tx", "a client inside your transaction, and no pool or database", tx, { where });
}

export function checkSource(field: string, source: SqlSource): SqlSource {
  if (isTransactional(source)) return source;
  throw new InvalidArgumentError(field, "a pool with connect(), or a database with transaction()", source);
}

/** Whether each of its transactions is its own. Those of one client of pg (which escapes, as no pool does) are everybody's who uses it. */
export function isTransactional(source: unknown): source is SqlSource {
  if (hasMethod(source, "transaction")) return true;
  return hasMethod(source, "connect") && !hasMethod(source, "release") && !hasMethod(source, "escapeLiteral");
}

export function hasMethod(given: unknown, name: string): boolean {
  return typeof given === "object" && given !== null && typeof (given as Record<string, unknown>)[name] === "function";
}

const IDENTIFIER = /^[a-z_][a-z0-9_]{0,40}$/;

/** A table's name, with its schema or without, as it stands in SQL. */
export function checkTable(field: string, table: string): string {
  const parts = typeof table === "string" ? table.split(".") : [];
  if (parts.length > 0 && parts.length <= 2 && parts.every((part) => IDENTIFIER.test(part)))
    return parts.map((part) => `"${part}"`).join(".");
  throw new InvalidArgumentError(field, "a table's name such as outbox or shop.outbox, in small letters", table);
}

/** Statements in one step, and by one process at a time: CREATE ... IF NOT EXISTS by two at once may fail. */
export function migration(lock: string, statements: readonly string[]): string {
  const steps = [`PERFORM pg_advisory_xact_lock(hashtextextended('${lock}', 0))`, ...statements];
  return `DO $$ BEGIN ${steps.map((step) => `${step};`).join(" ")} END $$`;
}

function heard(): void {}

function rolledBack(): HoldfastError {
  const message =
    "the transaction was rolled back, since one of its statements has failed; its error was caught, and not passed on";
  return new HoldfastError("CONFLICT", message);
}

/** Runs `work` in a transaction: committed when it resolves, rolled back when it rejects. */
export async function inTransaction<T>(source: SqlSource, work: (tx: SqlClient) => Promise<T>): Promise<T> {
  if ("transaction" in source) return source.transaction(work);
  const client = await source.connect();
  // A connection that dies is an event besides the rejection of its query, and an event that nobody hears ends the process.
  client.on?.("error", heard);
  let broken = false;
  try {
    await client.query("BEGIN");
    const value = await work(client);
    const { command } = (await client.query("COMMIT")) as { readonly command?: unknown };
    // That is PostgreSQL's answer where a statement has failed and `work` went on.
    if (command === "ROLLBACK") throw rolledBack();
    return value;
  } catch (error) {
    broken = await client.query("ROLLBACK").then(
      () => false,
      () => true,
    );
    throw error;
  } finally {
    client.removeListener?.("error", heard);
    client.release(broken);
  }
}
