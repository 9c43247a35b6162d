/**
 * A cache of values with a time to live.
 *
 * What it promises: of all callers in all processes that miss the same key, one loads (while a server answers); a value
 * loaded before a `delete` or `set` is never stored after it; a server that is away costs a cache its hits, not its callers
 * their answers (`onOutage`); a stored value that this version cannot read is loaded anew, never half-understood.
 */
import type { Core } from "../core.ts";
import { AbortedError } from "../errors.ts";
import type { Id } from "../keyspace/keyspace.ts";
import { observed } from "../observe/observe.ts";
import { toMs } from "../options.ts";
import type { Duration } from "../options.ts";
import { entryCodec } from "./entry-codec.ts";
import { Loader } from "./loader.ts";
import type { Load } from "./loader.ts";
import { cacheSettings } from "./options.ts";
import type { CacheOptions, CacheSettings } from "./options.ts";
import { emptyStats } from "./stats.ts";
import type { CacheStats } from "./stats.ts";
import { CacheStore, MISS } from "./store.ts";

export interface SetOptions {
  /** For this entry instead of the cache's `ttl`. */
  readonly ttl?: Duration;
}

export interface GetOrSetOptions extends SetOptions {
  /** Stops this caller's waiting; the load goes on for the others. */
  readonly signal?: AbortSignal;
}

export class Cache<V> {
  readonly name: string;
  readonly #settings: CacheSettings;
  readonly #store: CacheStore<V>;
  readonly #loader: Loader<V>;
  readonly #stats: CacheStats = emptyStats();

  constructor(core: Core, name: string, options: CacheOptions<V> = {}) {
    this.name = name;
    this.#settings = cacheSettings(options);
    const keys = core.keys.entries("cache", name);
    this.#store = new CacheStore<V>(core, keys, entryCodec(core, options), this.#settings);
    this.#loader = new Loader<V>(this.#store, core.wakeups, this.#settings, this.#stats);
  }

  /**
   * The stored value, or undefined where there is none.
   * Cost: GET; calls of one turn of the event loop on one slot share an MGET.
   */
  get(id: Id): Promise<V | undefined> {
    return observed("cache.get", id, () =>
      this.#store.read(id).then((found) => (this.#count(found) ? found : undefined)),
    );
  }

  /** As `get`, for many ids at once; the Map has the ids that have a value. Cost: one MGET per slot and 512 ids. */
  getMany(ids: Iterable<Id>): Promise<Map<Id, V>> {
    return observed("cache.getMany", undefined, async () => {
      const wanted = [...new Set(ids)];
      const found = await Promise.all(wanted.map((id) => this.#store.read(id)));
      const values = new Map<Id, V>();
      for (const [at, value] of found.entries()) {
        if (this.#count(value) && value !== undefined) values.set(wanted[at]!, value);
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
      const ttlMs = this.#ttl(options.ttl);
      const onMiss = (): Promise<R> => abortable(this.#loader.load(id, load, this.#jittered(ttlMs)), options.signal);
      return this.#store.read(id).then(
        (found) => (this.#count(found) ? (found as V | R) : onMiss()),
        (error: unknown) => this.#missUnless(error, onMiss),
      );
    });
  }

  /** Stores a value and supersedes any load in flight. Idempotent. Cost: one script. */
  set(id: Id, value: V, options: SetOptions = {}): Promise<void> {
    return observed("cache.set", id, async () => {
      const ttlMs = this.#jittered(this.#ttl(options.ttl));
      this.#loader.detach(id);
      await this.#store.set(id, value, ttlMs);
    });
  }

  /** Removes a value and supersedes any load in flight; false where there was none. Idempotent. Cost: one script. */
  delete(id: Id): Promise<boolean> {
    return observed("cache.delete", id, () => {
      this.#loader.detach(id);
      return this.#store.delete(id);
    });
  }

  /** A snapshot of this process's counts. */
  stats(): Readonly<CacheStats> {
    return { ...this.#stats };
  }

  /** With `onOutage: "load"` a read that failed is a miss: the loader's path tells an outage from a real error. */
  #missUnless<R>(error: unknown, onMiss: () => Promise<R>): Promise<R> {
    if (this.#settings.onOutage === "throw") throw error;
    this.#stats.misses += 1;
    return onMiss();
  }

  #count(found: V | typeof MISS | undefined): found is V | undefined {
    if (found === MISS) this.#stats.misses += 1;
    else this.#stats.hits += 1;
    return found !== MISS;
  }

  #ttl(ttl: Duration | undefined): number {
    return ttl === undefined ? this.#settings.ttlMs : toMs("ttl", ttl);
  }

  #jittered(ttlMs: number): number {
    return Math.max(1, Math.round(ttlMs * (1 - Math.random() * this.#settings.jitter)));
  }
}

function abortable<T>(result: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return result;
  return new Promise<T>((resolve, reject) => {
    const onAbort = (): void =>
      reject(
        new AbortedError("the caller stopped waiting for the load", { op: "cache.getOrSet", cause: signal.reason }),
      );
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    result.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
