/** LISTEN: on a connection of its own from a pool, or by the database's own means. */
import { onAbort } from "../../base/abort.ts";
import { Deferred } from "../../base/deferred.ts";
import { InvalidArgumentError, UnavailableError } from "../../base/errors.ts";
import type { SqlDatabase, SqlPool, SqlSource } from "./sql.ts";

/** Resolves when `stop` fires; rejects when the connection is lost. */
export function listenTo(source: SqlSource, channel: string, heard: () => void, stop: AbortSignal): Promise<void> {
  return "transaction" in source ? byDatabase(source, channel, heard, stop) : byPool(source, channel, heard, stop);
}

async function byDatabase(database: SqlDatabase, channel: string, heard: () => void, stop: AbortSignal): Promise<void> {
  if (typeof database.listen !== "function")
    throw new InvalidArgumentError("database", "one with listen(), or no option `listen`", database);
  const unlisten = await database.listen(channel, heard);
  heard();
  await aborted(stop);
  await unlisten();
}

async function byPool(pool: SqlPool, channel: string, heard: () => void, stop: AbortSignal): Promise<void> {
  const client = await pool.connect();
  const { promise: lost, reject } = new Deferred<never>();
  lost.catch(() => undefined);
  const lose = (): void => reject(new UnavailableError("the connection that listened was lost"));
  client.on?.("error", lose);
  client.on?.("notification", heard);
  try {
    await client.query(`LISTEN "${channel}"`);
    // What was committed before it listened was not heard.
    heard();
    await Promise.race([lost, aborted(stop)]);
  } finally {
    client.removeListener?.("error", lose);
    client.removeListener?.("notification", heard);
    client.on?.("error", () => undefined);
    client.release(true);
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    onAbort(signal, () => resolve());
  });
}
