/** Rows of a database that refuses a late write by its version, and a history of what it has taken. */
import type { CacheWriteEntry } from "../../src/index.ts";

interface Client {
  query(text: string, params?: unknown[]): Promise<{ readonly rows: readonly unknown[] }>;
}

export const TABLES = [
  "CREATE TABLE views (id text PRIMARY KEY, n int NOT NULL, version bigint NOT NULL)",
  "CREATE TABLE history (seq serial, id text NOT NULL, n int NOT NULL)",
];

export async function save(client: Client, entries: readonly CacheWriteEntry<number>[]): Promise<void> {
  for (const { id, value, version } of entries) {
    const upsert =
      "INSERT INTO views VALUES ($1, $2, $3) ON CONFLICT (id) DO UPDATE SET n = EXCLUDED.n, version = EXCLUDED.version " +
      "WHERE views.version <= EXCLUDED.version RETURNING id";
    const { rows } = await client.query(upsert, [id, value, version]);
    if (rows.length > 0) await client.query("INSERT INTO history (id, n) VALUES ($1, $2)", [id, value]);
  }
}
