/**
 * A cache of values with a time to live.
 *
 * What it promises: of all callers in all processes that miss the same key, one loads (while a server answers); a value
 * loaded before a `delete` or `set` is never stored after it; a server that is away costs a cache its hits, not its callers
 * their answers (`onOutage`); a stored value that this version cannot read is loaded anew, never half-understood.
 */
import type { Core } from "../core/core.ts";
import { onAbort } from "../base/abort.ts";
import { InvalidArgumentError } from "../base/errors.ts";
import { checkId, type Id } from "../core/keyspace/keyspace.ts";
import { observed } from "../core/observe/observe.ts";
import { type Duration, toMs } from "../base/options.ts";
import { entryCodec } from "./entry-codec.ts";
import { GetOrSet, jittered, type Loading, stoppedWaiting } from "./get-or-set.ts";
import { type Load, Loader } from "./loader.ts";
import { type CacheOptions, cacheSettings, type CacheSettings } from "./options.ts";
import { type CacheStats, emptyStats } from "./stats.ts";
import { CacheStore, type Reader } from "./store.ts";

export interface SetOptions {
  /** For this entry instead of the cache's `ttl`. */
  readonly ttl?: Duration;
}

export interface GetOrSetOptions extends SetOptions {
  /** Stops this caller's waiting; a load that has begun goes on for the others. */
  readonly signal?: AbortSignal;
}

export class Cache<V> {
  readonly name: string;
  readonly #settings: CacheSettings;
  readonly #store: CacheStore<V>;
  readonly #loading: Loading<V>;
  readonly #stats: CacheStats = emptyStats();
  readonly #get: Reader<V, V | undefined>;

  constructor(core: Core, name: string, options: CacheOptions<V> = {}) {
    this.name = name;
    this.#settings = cacheSettings(options);
    const keys = core.keys.entries("cache", name);
    this.#store = new CacheStore<V>(core, keys, entryCodec(core, options), this.#settings);
    const loader = new Loader<V>(core, this.#store, this.#settings, this.#stats);
    this.#loading = { runtime: core.driver.runtime, settings: this.#settings, stats: this.#stats, loader };
    this.#get = counting(this.#stats);
  }

  /**
   * The stored value, or undefined where there is none.
   * Cost: GET; calls of one turn of the event loop on one slot share an MGET.
   */
  get(id: Id): Promise<V | undefined> {
    return observed("cache.get", id, () => this.#store.read(id, this.#get));
  }

  /** As `get`, for many ids at once; the Map has the ids that have a value. Cost: one MGET per slot and 512 ids. */
  getMany(ids: Iterable<Id>): Promise<Map<Id, V>> {
    return observed("cache.getMany", undefined, async () => {
      const wanted = [...new Set(ids)];
      // All of them before the first is asked for: nobody would hear of the failure of one that was.
      for (const id of wanted) checkId("id", id);
      const found = await Promise.all(wanted.map((id) => this.#store.read(id, this.#get)));
      const values = new Map<Id, V>();
      for (const [at, value] of found.entries()) {
        if (value !== undefined) values.set(wanted[at]!, value);
      }
      return values;
    });
  }

  /**
   * The stored value; where there is none, what `load` gives, which is stored for everybody. A load that gives undefined
   * is remembered for `negativeTtl`. The load's own error is passed to all who waited for it in this process.
   * Cost: GET on a hit; on a miss GET, then two scripts by the process that loads, and one or more lookups by each process that waits.
   */
  getOrSet<R extends V | undefined>(id: Id, load: Load<R>, options: GetOrSetOptions = {}): Promise<V | R> {
    return observed("cache.getOrSet", id, () => {
      if (typeof load !== "function") throw new InvalidArgumentError("load", "a function", load);
      const { signal } = options;
      const ttlMs = this.#ttl(options.ttl);
      if (signal?.aborted === true) throw stoppedWaiting(signal);
      const value = this.#store.read<V | R>(id, new GetOrSet<V, R>(this.#loading, id, load, ttlMs, signal));
      return signal === undefined ? value : abortable(value, signal);
    });
  }

  /** Stores a value and supersedes any load in flight. Idempotent. Cost: one script. */
  set(id: Id, value: V, options: SetOptions = {}): Promise<void> {
    return observed("cache.set", id, async () => {
      const ttlMs = jittered(this.#loading.runtime, this.#ttl(options.ttl), this.#settings.jitter);
      this.#loading.loader.detach(id);
      await this.#store.set(id, value, ttlMs);
    });
  }

  /** Removes a value and supersedes any load in flight; false where there was none. Idempotent. Cost: one script. */
  delete(id: Id): Promise<boolean> {
    return observed("cache.delete", id, () => {
      this.#loading.loader.detach(id);
      return this.#store.delete(id);
    });
  }

  /** A snapshot of this process's counts. */
  stats(): Readonly<CacheStats> {
    return { ...this.#stats };
  }

  #ttl(ttl: Duration | undefined): number {
    return ttl === undefined ? this.#settings.ttlMs : toMs("ttl", ttl);
  }
}

function abortable<T>(result: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const unfollow = onAbort(signal, () => reject(stoppedWaiting(signal)));
    void result.then(resolve, reject).finally(unfollow);
  });
}

/** What `get` makes of a read. */
function counting<V>(stats: CacheStats): Reader<V, V | undefined> {
  return {
    hit(value) {
      stats.hits += 1;
      return value;
    },
    miss() {
      stats.misses += 1;
      return undefined;
    },
    failed(error) {
      throw error;
    },
  };
}
