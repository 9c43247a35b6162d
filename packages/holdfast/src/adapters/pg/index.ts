/** `holdfast/pg`: results of SQL queries cached by text and parameters, for pg, PGlite and whatever else has their `query`. */
import type { Holdfast } from "../../holdfast.ts";
import { CachedQueries } from "./cached-queries.ts";
import type { CachedQueriesOptions } from "./options.ts";
import type { QueryDatabase, QueryPool, QuerySource } from "./source.ts";

export type { CachedQueriesOptions, CachedQueryOptions } from "./options.ts";
export type { QueryDatabase, QueryPool, QuerySource } from "./source.ts";
export { CachedQueries } from "./cached-queries.ts";
export { NotInvalidatedError } from "./not-invalidated.ts";

/**
 * Returns what runs SQL queries through a cache. No I/O.
 * @param database a pool of pg, PGlite, or an object of your own; a single client of pg can read only
 * @throws InvalidArgumentError for options that it does not know
 */
export function cachedQueries<Tx>(
  hf: Holdfast,
  database: QueryDatabase<Tx>,
  options?: CachedQueriesOptions,
): CachedQueries<Tx>;
export function cachedQueries<Tx>(
  hf: Holdfast,
  database: QueryPool<Tx>,
  options?: CachedQueriesOptions,
): CachedQueries<Tx>;
export function cachedQueries(
  hf: Holdfast,
  database: QuerySource,
  options?: CachedQueriesOptions,
): CachedQueries<never>;
export function cachedQueries<Tx>(
  hf: Holdfast,
  database: QueryDatabase<Tx> | QueryPool<Tx> | QuerySource,
  options?: CachedQueriesOptions,
): CachedQueries<Tx> {
  return new CachedQueries<Tx>(hf, database, options);
}
