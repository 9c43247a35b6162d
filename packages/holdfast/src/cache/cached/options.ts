import type { OptionNames } from "../../base/options.ts";
import type { Id } from "../../core/keyspace/keyspace.ts";
import { CACHE_OPTIONS, type CacheOptions } from "../options.ts";

export interface CachedOptions<Args extends readonly unknown[], V> extends Omit<CacheOptions<V>, "loadMany"> {
  /** Of the cache that holds the results. Another one wherever the function returns something else. */
  readonly name: string;
  /** Makes the id from the arguments, where some of them do not matter or have no key; a long text is hashed. @default all arguments */
  readonly key?: (...args: Args) => Id;
  /** Makes the tags of a result from its arguments: `cache.invalidate({ tags })`. @default none */
  readonly tags?: (...args: Args) => Iterable<string>;
}

const { loadMany: _, ...CACHE } = CACHE_OPTIONS;

export const CACHED_OPTIONS: OptionNames<CachedOptions<never, unknown>> = {
  ...CACHE,
  name: true,
  key: true,
  tags: true,
};
