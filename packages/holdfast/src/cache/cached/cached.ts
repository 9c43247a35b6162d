/**
 * A function whose results are cached by its arguments: an entry of a `Cache` per arguments, so all that a cache promises holds for
 * each of them: one call for the fleet, and never a result from before an `invalidate` after it.
 */
import { InvalidArgumentError } from "../../base/errors.ts";
import { parseOptions } from "../../base/options.ts";
import type { Core } from "../../core/core.ts";
import type { Id } from "../../core/keyspace/keyspace.ts";
import { Operations } from "../../core/observe/observe.ts";
import { Cache } from "../cache.ts";
import { keyOfArguments, shortened } from "./key.ts";
import { CACHED_OPTIONS, type CachedOptions } from "./options.ts";

/**
 * Returns what the function returns for these arguments, stored or called now. Cost: as `cache.getOrSet`.
 * @throws InvalidArgumentError for arguments that have no key
 * @example
 * const price = hf.cached(computePrice, { name: "price", ttl: "1m" });
 * await price("A-113", "EUR");
 */
export interface Cached<Args extends readonly unknown[], V> {
  (...args: Args): Promise<V>;
  /** Removes the result for these arguments; returns false where there was none. Idempotent. Cost: as `cache.delete`. */
  invalidate(...args: Args): Promise<boolean>;
  /**
   * Calls the function also where there is a result, once for all that ask, and returns what is stored from then on; if that fails, what there is. A call of it
   * that is under way is shared, so after a change of what it reads use `invalidate`. Cost: as a miss.
   */
  refresh(...args: Args): Promise<V>;
  /** Returns the id of the entry for these arguments. No I/O. @throws InvalidArgumentError for arguments that have no key */
  key(...args: Args): Id;
  /** What holds the results: for its `stats`, and for what is about all of them. */
  readonly cache: Cache<V>;
}

export function cached<Args extends readonly unknown[], V>(
  core: Core,
  fn: (...args: Args) => V | Promise<V>,
  options: CachedOptions<Args, V>,
): Cached<Args, V> {
  const { where } = new Operations("cache", options?.name);
  const {
    name,
    key: keyOf,
    tags: tagsOf,
    ...settings
  } = parseOptions(where, options, CACHED_OPTIONS, (given) => checked(fn, given));
  const cache = new Cache<V>(core, name, settings);

  const key = (...args: Args): Id => {
    try {
      const own = keyOf === undefined ? keyOfArguments(args) : keyOf(...args);
      return typeof own === "string" ? shortened(own) : own;
    } catch (error) {
      throw error instanceof InvalidArgumentError ? error.at(where) : error;
    }
  };
  const called = async (args: Args, refresh: boolean): Promise<V> => {
    const terms = tagsOf === undefined ? { refresh } : { refresh, tags: tagsOf(...args) };
    const found: unknown = await cache.getOrSet(key(...args), () => fn(...args), terms);
    return found as V;
  };
  const call = (...args: Args): Promise<V> => called(args, false);
  const invalidate = async (...args: Args): Promise<boolean> => cache.delete(key(...args));
  const refresh = (...args: Args): Promise<V> => called(args, true);
  return Object.assign(call, { invalidate, refresh, key, cache });
}

function checked<Args extends readonly unknown[], V>(
  fn: unknown,
  options: CachedOptions<Args, V>,
): CachedOptions<Args, V> {
  if (typeof fn !== "function") throw new InvalidArgumentError("fn", "a function", fn);
  if (options.key !== undefined && typeof options.key !== "function")
    throw new InvalidArgumentError("key", "a function of the arguments", options.key);
  if (options.tags !== undefined && typeof options.tags !== "function")
    throw new InvalidArgumentError("tags", "a function of the arguments", options.tags);
  return options;
}
