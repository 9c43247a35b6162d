/**
 * A cache of values with a time to live.
 *
 * Promises: of all callers in all processes that miss the same key, one loads (while a server answers); a value loaded
 * before a `delete` or `set` is never stored after it; a value is the same whether it was loaded just now, waited for or
 * read: what its stored bytes decode to, each caller's own; a server that is away costs a cache its hits, not its
 * callers their answers (`onOutage`); a stored value that this version cannot read is loaded again, never half-understood.
 */
import { checkSignal, onAbort } from "../base/abort.ts";
import { AbortedError, HoldfastError, InvalidArgumentError } from "../base/errors.ts";
import { type Duration, listOf, parseOptions, toMs } from "../base/options.ts";
import { inChunks } from "../core/batch/in-chunks.ts";
import type { KeyRead } from "../core/batch/read-kind.ts";
import type { Core } from "../core/core.ts";
import { checkId, type Id } from "../core/keyspace/keyspace.ts";
import { Operations } from "../core/observe/observe.ts";
import type { Reply } from "../driver/port.ts";
import { type CacheLoad, Loader, type LoaderCall } from "./loader.ts";
import {
  CACHE_OPTIONS,
  type CacheGetOrSetOptions,
  type CacheOptions,
  type CacheSetOptions,
  cacheSettings,
  type CacheSettings,
  GET_OR_SET_OPTIONS,
  SET_OPTIONS,
} from "./options.ts";
import { type CacheStats, emptyStats } from "./stats.ts";
import { CacheStore, entryCodec, MISS } from "./store.ts";

/** What `getOrSet` returns: the cache's type, or the loader's where the cache was given none. */
export type CacheLoaded<V, R> = unknown extends V ? R : V | Extract<R, undefined>;

/** One call that reads an entry, and what it wants where there is none. */
interface CacheRead extends KeyRead {
  readonly load: CacheLoad<unknown> | undefined;
  readonly ttlMs: number;
  readonly signal: AbortSignal | undefined;
  /** `Loader.now` when it was called. */
  readonly since: number;
  readonly within: LoaderCall | undefined;
}

/** Ids of `getMany` in flight at a time are four times as many. */
const IDS_PER_CHUNK = 512;

/**
 * @example
 * const users = hf.cache<User>("users", { ttl: "1h" });
 * const user = await users.getOrSet(id, ({ signal }) => db.user(id, { signal }));
 */
export class Cache<V> {
  readonly name: string;
  readonly #operations: Operations;
  readonly #settings: CacheSettings;
  readonly #store: CacheStore<CacheRead>;
  readonly #loader: Loader;
  readonly #stats: CacheStats = emptyStats();

  constructor(core: Core, name: string, options?: CacheOptions<V>) {
    this.name = name;
    this.#operations = new Operations("cache", name);
    const keys = core.keys.entries("cache", name);
    const [settings, codec] = parseOptions(this.#operations.where, options, CACHE_OPTIONS, (given) => [
      cacheSettings(given),
      entryCodec(core, given),
    ]);
    this.#settings = settings;
    this.#store = new CacheStore<CacheRead>(core, keys, codec, settings, (outcome, read) =>
      this.#answer(outcome, read),
    );
    this.#loader = new Loader(core, this.#store, settings, this.#stats);
  }

  /**
   * Returns the stored value, or undefined where there is none.
   * Cost: GET; calls made in the same tick, in the same slot, share an MGET.
   */
  get(id: Id): Promise<V | undefined> {
    return this.#operations.run("get", id, () => this.#store.read(this.#plainRead(id)) as Promise<V | undefined>);
  }

  /** Returns the stored values of these ids; the Map has those that exist. Cost: one MGET per slot and 512 ids. */
  getMany(ids: Iterable<Id>): Promise<Map<Id, V>> {
    return this.#operations.run("getMany", undefined, async () => {
      const wanted = [...new Set(listOf("ids", ids, "ids"))];
      // All of them before the first is asked for: the failure of one that was asked for would go unhandled.
      for (const id of wanted) checkId("id", id);
      const read = (chunk: readonly Id[]): Promise<(V | undefined)[]> =>
        Promise.all(chunk.map((id) => this.#store.readMerged(this.#plainRead(id)) as Promise<V | undefined>));
      const found = await inChunks(wanted, read, { size: IDS_PER_CHUNK });
      const values = new Map<Id, V>();
      for (const [at, value] of found.entries()) {
        if (value !== undefined) values.set(wanted[at]!, value);
      }
      return values;
    });
  }

  /**
   * Returns the stored value; where there is none, calls `load` and stores for everybody what it returns. What the caller
   * gets is what the stored bytes decode to, also when it was loaded just now. A load that returns undefined is remembered
   * for `negativeTtl`. The loader's own error rejects all its callers in this process.
   * Cost: GET on a hit; on a miss also two scripts by the process that loads, and one or more by each process that waits.
   * @throws CodecError if the value cannot be stored as it is, or does not match the schema
   * @throws TimeoutError after `loadTimeout`; AbortedError when `signal` fires; ClosedError when the handle is closed
   */
  getOrSet<R extends V | undefined>(
    id: Id,
    load: CacheLoad<R>,
    options?: CacheGetOrSetOptions,
  ): Promise<CacheLoaded<V, R>> {
    return this.#operations.run("getOrSet", id, () => {
      if (typeof load !== "function") throw new InvalidArgumentError("load", "a function", load);
      const { ttlMs } = this.#settings;
      const read = {
        id,
        key: this.#store.key(id),
        load,
        ttlMs,
        signal: undefined,
        since: this.#loader.now,
        within: this.#loader.calling,
      };
      const value = options === undefined ? this.#store.read(read) : this.#readWith(options, read);
      return value as Promise<CacheLoaded<V, R>>;
    });
  }

  /** Stores a value and supersedes any load under way. Idempotent. Cost: one script. @throws CodecError as `getOrSet` */
  set(id: Id, value: V, options?: CacheSetOptions): Promise<void> {
    return this.#operations.run("set", id, async () => {
      const ttlMs = parseOptions(this.#operations.where, options, SET_OPTIONS, ({ ttl }) => this.#ttl(ttl));
      const key = this.#store.key(id);
      const payload = this.#store.encode(key, value);
      this.#loader.detach(key);
      await this.#store.set(id, payload, ttlMs);
    });
  }

  /** Removes a value and supersedes any load under way; returns false where there was none. Idempotent. Cost: one script. */
  delete(id: Id): Promise<boolean> {
    return this.#operations.run("delete", id, () => {
      this.#loader.detach(this.#store.key(id));
      return this.#store.delete(id);
    });
  }

  /** Returns a snapshot of this process's counts. */
  stats(): Readonly<CacheStats> {
    return { ...this.#stats };
  }

  #plainRead(id: Id): CacheRead {
    return { id, key: this.#store.key(id), load: undefined, ttlMs: 0, signal: undefined, since: 0, within: undefined };
  }

  #readWith(options: CacheGetOrSetOptions, read: CacheRead): Promise<unknown> {
    const { ttlMs, signal } = parseOptions(this.#operations.where, options, GET_OR_SET_OPTIONS, (given) => {
      checkSignal(given.signal);
      return { ttlMs: this.#ttl(given.ttl), signal: given.signal };
    });
    if (signal?.aborted === true) throw stoppedWaiting(signal);
    const value = this.#store.read({ ...read, ttlMs, signal });
    return signal === undefined ? value : abortable(value, signal);
  }

  /** What the caller of a read gets, from what came back. */
  #answer(outcome: Reply | HoldfastError, read: CacheRead): unknown {
    if (outcome !== null && !Buffer.isBuffer(outcome)) {
      const failure = outcome instanceof HoldfastError ? outcome : notBytes(outcome, read.id);
      if (read.load === undefined || !this.#loader.goesOn(failure)) throw failure;
      return this.#missed(read, read.load, false);
    }
    const value = this.#store.decode(read.key, outcome);
    if (value === MISS) return this.#missed(read, read.load, true);
    this.#stats.hits += 1;
    return value;
  }

  async #missed(read: CacheRead, load: CacheLoad<unknown> | undefined, reached: boolean): Promise<unknown> {
    this.#stats.misses += 1;
    if (load === undefined) return undefined;
    // A caller that has gone makes no load begin.
    if (read.signal?.aborted === true) throw stoppedWaiting(read.signal);
    const bytes = await this.#loader.load({ ...read, load }, reached);
    return this.#store.decodeOrThrow(read.key, bytes);
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

function stoppedWaiting(signal: AbortSignal): AbortedError {
  return new AbortedError("the caller stopped waiting for the value", { op: "cache.getOrSet", cause: signal.reason });
}

/** Through a proxy, or a client of the user's own that decodes replies. */
function notBytes(reply: Reply, id: Id): HoldfastError {
  const what = Array.isArray(reply) ? "an array" : `a ${typeof reply}`;
  const message = `cache.get ${JSON.stringify(id)}: the server replied ${what} where bytes are expected`;
  return new HoldfastError("WRONG_TYPE", message, { op: "cache.get", key: String(id) });
}
