import { InvalidArgumentError } from "../../base/errors.ts";
import { type Duration, type OptionNames } from "../../base/options.ts";
import { CACHE_OPTIONS, type CacheOptions } from "../../cache/options.ts";

type OwnCacheOptions = Omit<CacheOptions<unknown>, "loadMany" | "writer" | "schema">;

export interface CachedQueriesOptions extends OwnCacheOptions {
  /** Of the cache that holds the results; another one for another database, role or search path. @default "queries" */
  readonly name?: string;
}

const { loadMany: _loadMany, writer: _writer, schema: _schema, ...CACHE } = CACHE_OPTIONS;

export const CACHED_QUERIES_OPTIONS: OptionNames<CachedQueriesOptions> = { ...CACHE, name: true };

export interface CachedQueryOptions {
  /** The tables that the statement reads, by which its result is invalidated; `[]`: none, it is served until its ttl. At most 100. */
  readonly tags: Iterable<string>;
  /** For this result instead of the `ttl` of all. */
  readonly ttl?: Duration;
  /** Runs the statement also where there is a result, which is served if that fails. */
  readonly refresh?: boolean;
  /** Stops this caller's waiting; a statement that has begun goes on for the others. */
  readonly signal?: AbortSignal;
}

export const CACHED_QUERY_OPTIONS: OptionNames<CachedQueryOptions> = {
  tags: true,
  ttl: true,
  refresh: true,
  signal: true,
};

/** Left out, a result would be served after every write to its tables, which is nothing to happen by an oversight. */
export function withTags(options: CachedQueryOptions): CachedQueryOptions {
  if (options.tags !== undefined) return options;
  throw new InvalidArgumentError("tags", 'the tables that it reads, such as ["flights"], or [] for none', undefined);
}
