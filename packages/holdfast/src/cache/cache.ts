/**
 * A cache of values with a time to live.
 *
 * Promises: of all callers in all processes that miss the same key, one loads (while a server answers); a value loaded
 * before a `delete` or `set` is never stored after it; a value is the same whether it was loaded just now, waited for or
 * read: what its stored bytes decode to, each caller's own; a server that is away costs a cache its hits, not its
 * callers their answers (`onOutage`); a stored value that this version cannot read is loaded again, never half-understood.
 * Longer than other files because it is all that a cache offers, each with what it costs; what is behind it stands in files of its own.
 */
import { checkSignal, onAbort } from "../base/abort.ts";
import { AbortedError, HoldfastError, InvalidArgumentError } from "../base/errors.ts";
import { type Duration, parseOptions, toMs } from "../base/options.ts";
import { inChunks } from "../core/batch/in-chunks.ts";
import type { KeyRead } from "../core/batch/read-kind.ts";
import type { Core } from "../core/core.ts";
import type { Id } from "../core/keyspace/keyspace.ts";
import { Operations } from "../core/observe/observe.ts";
import type { Reply } from "../driver/port.ts";
import { BulkLoad } from "./bulk-load.ts";
import { MISS } from "./entry.ts";
import { L1 } from "./l1/l1.ts";
import type { CacheLoad, CacheLoadMany } from "./load.ts";
import { Loader } from "./loader.ts";
import { answersFor, distinctIds, entriesByIds } from "./many.ts";
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
import { type CacheL1Stats, type CacheStats, emptyStats } from "./stats.ts";
import { CacheStore, entryCodec } from "./store.ts";

/** What `getOrSet` returns: the cache's type, or the loader's where the cache was given none. */
export type CacheLoaded<V, R> = unknown extends V ? R : V | Extract<R, undefined>;

/** One call that reads an entry, and what it wants where there is none. */
interface CacheRead extends KeyRead {
  readonly load: CacheLoad<unknown> | undefined;
  readonly ttlMs: number;
  readonly signal: AbortSignal | undefined;
  /** `Loader.now` when it was called. */
  readonly since: number;
  /** Whether it was called by the key's own loader. */
  readonly isOwn: boolean;
  /** `L1.changes` then. */
  readonly changes: number;
  /** Called when the load turns out to be another's, which is waited for. */
  readonly waits: (() => void) | undefined;
}

interface LoadTerms {
  readonly ttlMs: number;
  readonly signal: AbortSignal | undefined;
}

/** Ids of `getMany` in flight at a time are four times as many. */
const IDS_PER_CHUNK = 512;
/** As many as `loadMany` gets at most. */
const IDS_PER_LOAD = 1_000;

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
  readonly #bulk: BulkLoad | undefined;
  readonly #l1: L1 | undefined;
  readonly #stats: CacheStats = emptyStats();

  constructor(core: Core, name: string, options?: CacheOptions<V>) {
    this.name = name;
    this.#operations = new Operations("cache", name);
    const [settings, codec] = parseOptions(this.#operations.where, options, CACHE_OPTIONS, (given) => [
      cacheSettings(given),
      entryCodec(core, given),
    ]);
    this.#settings = settings;
    this.#store = new CacheStore<CacheRead>(core, name, codec, settings, (outcome, read) =>
      this.#answer(outcome, read),
    );
    const decode = (key: string, bytes: Buffer) => this.#store.decodeOrThrow(key, bytes);
    const { l1 } = settings;
    this.#l1 = l1 === undefined ? undefined : new L1(core, this.#store.coherence, l1, decode);
    this.#loader = new Loader(core, this.#store, settings, this.#stats);
    this.#bulk = settings.loadMany === undefined ? undefined : new BulkLoad(this.#loader.inside(settings.loadMany));
  }

  /**
   * Returns the stored value, or undefined where there is none.
   * Cost: GET; calls made in the same tick, in the same slot, share an MGET.
   */
  get(id: Id): Promise<V | undefined> {
    return this.#operations.run("get", id, () => {
      const read = this.#plainRead(id);
      return (this.#remembered(read.key) ?? this.#store.read(read)) as Promise<V | undefined>;
    });
  }

  /** Returns what this process has in memory, at once: undefined also where the server has it. Counts as no hit. No I/O. */
  peek(id: Id): V | undefined {
    const found = this.#l1 === undefined ? MISS : this.#l1.get(this.#store.key(id));
    return found === MISS ? undefined : (found as V | undefined);
  }

  /** Returns the stored values of these ids; the Map has those that exist. Cost: one MGET per slot and 512 ids. */
  getMany(ids: Iterable<Id>): Promise<Map<Id, V>> {
    return this.#operations.run("getMany", undefined, async () => {
      const wanted = distinctIds(ids);
      const read = (chunk: readonly Id[]): Promise<(V | undefined)[]> =>
        Promise.all(
          chunk.map((id) => {
            const one = this.#plainRead(id);
            return (this.#remembered(one.key) ?? this.#store.readMerged(one)) as Promise<V | undefined>;
          }),
        );
      const found = await inChunks(wanted, read, { size: IDS_PER_CHUNK });
      return withoutAbsent(wanted.map((id, at) => [id, found[at]]));
    });
  }

  /**
   * Returns the stored value; where there is none, calls `load` and stores for everybody what it returns. What the caller
   * gets is what the stored bytes decode to, also when it was loaded just now. A load that returns undefined is remembered
   * for `negativeTtl`. The loader's own error rejects all its callers in this process.
   * Cost: GET on a hit; on a miss also two scripts by the process that loads, and one or more by each process that waits.
   * @param load not needed where the cache has `loadMany`
   * @throws CodecError if the value cannot be stored as it is, or does not match the schema
   * @throws TimeoutError after `loadTimeout`; AbortedError when `signal` fires; ClosedError when the handle is closed
   */
  getOrSet<R extends V | undefined>(
    id: Id,
    load?: CacheLoad<R>,
    options?: CacheGetOrSetOptions,
  ): Promise<CacheLoaded<V, R>> {
    return this.#operations.run("getOrSet", id, () => {
      const read = this.#loadingRead(id, load ?? this.#bulk?.load);
      const value =
        options === undefined
          ? (this.#remembered(read.key) ?? this.#store.read(read))
          : this.#readWith(read, this.#loadTerms(options));
      return value as Promise<CacheLoaded<V, R>>;
    });
  }

  /**
   * As `getOrSet` for each id, with one call of `loadMany` for those that are stored nowhere and that nobody else is loading, 1,000 at a time.
   * The Map has the values that there are, in the order of the ids.
   * Cost: as `getMany`; for the misses two scripts more per slot and 256 ids.
   * @param loadMany not needed where the cache has one
   * @throws PartialFailureError if some failed and others did not: its `results` are the values, its `errors` say why
   */
  getOrSetMany<R extends V | undefined>(
    ids: Iterable<Id>,
    loadMany?: CacheLoadMany<R>,
    options?: CacheGetOrSetOptions,
  ): Promise<Map<Id, Exclude<CacheLoaded<V, R>, undefined>>> {
    return this.#operations.run("getOrSetMany", undefined, async () => {
      const wanted = distinctIds(ids);
      const loads = loadMany ?? this.#settings.loadMany;
      if (typeof loads !== "function") throw new InvalidArgumentError("loadMany", "a function", loads);
      const terms = options === undefined ? undefined : this.#loadTerms(options);
      const inside = this.#loader.inside(loads);
      const found = await answersFor(wanted, IDS_PER_LOAD, (chunk) => {
        const bulk = new BulkLoad(inside, chunk);
        return chunk.map((id) => this.#readOneOf(bulk, id, terms));
      });
      return withoutAbsent(found) as Map<Id, Exclude<CacheLoaded<V, R>, undefined>>;
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

  /**
   * As `set` for each entry. Nothing is stored if one of the values cannot be. Idempotent. Cost: one script per slot and 256 entries.
   * @throws CodecError as `getOrSet`; PartialFailureError if some were stored and others were not
   */
  setMany(entries: Iterable<readonly [Id, V]>, options?: CacheSetOptions): Promise<void> {
    return this.#operations.run("setMany", undefined, async () => {
      const ttlMs = parseOptions(this.#operations.where, options, SET_OPTIONS, ({ ttl }) => this.#ttl(ttl));
      const given = entriesByIds(entries);
      const ids = distinctIds(given.keys());
      const payloads = new Map(ids.map((id) => [id, this.#store.encode(this.#store.key(id), given.get(id))]));
      await answersFor(ids, IDS_PER_CHUNK, (chunk) =>
        chunk.map((id) => {
          this.#loader.detach(this.#store.key(id));
          return this.#store.set(id, payloads.get(id)!, ttlMs);
        }),
      );
    });
  }

  /** Removes a value and supersedes any load under way; returns false where there was none. Idempotent. Cost: one script. */
  delete(id: Id): Promise<boolean> {
    return this.#operations.run("delete", id, () => {
      this.#loader.detach(this.#store.key(id));
      return this.#store.delete(id);
    });
  }

  /**
   * As `delete` for each id; returns for each whether there was a value. Idempotent. Cost: one script per slot and 256 ids.
   * @throws PartialFailureError if some were removed and others were not
   */
  deleteMany(ids: Iterable<Id>): Promise<Map<Id, boolean>> {
    return this.#operations.run("deleteMany", undefined, async () =>
      answersFor(distinctIds(ids), IDS_PER_CHUNK, (chunk) =>
        chunk.map((id) => {
          this.#loader.detach(this.#store.key(id));
          return this.#store.delete(id);
        }),
      ),
    );
  }

  /** Returns a snapshot of this process's counts. */
  stats(): Readonly<CacheStats & { readonly l1?: CacheL1Stats }> {
    return this.#l1 === undefined ? { ...this.#stats } : { ...this.#stats, l1: this.#l1.stats() };
  }

  #remembered(key: string): Promise<unknown> | undefined {
    if (this.#l1 === undefined) return undefined;
    const found = this.#l1.get(key);
    if (found === MISS) return undefined;
    this.#stats.hits += 1;
    this.#stats.l1Hits += 1;
    return Promise.resolve(found);
  }

  #plainRead(id: Id): CacheRead {
    const none = { load: undefined, signal: undefined, isOwn: false, waits: undefined };
    return { id, key: this.#store.key(id), ttlMs: 0, since: 0, changes: this.#l1?.changes ?? 0, ...none };
  }

  #loadingRead(id: Id, load: CacheLoad<unknown> | undefined): CacheRead {
    if (typeof load !== "function") throw new InvalidArgumentError("load", "a function", load);
    const key = this.#store.key(id);
    const isOwn = this.#loader.isCaller(key);
    const { ttlMs } = this.#settings;
    const changes = this.#l1?.changes ?? 0;
    return { id, key, load, ttlMs, signal: undefined, since: this.#loader.now, changes, isOwn, waits: undefined };
  }

  #loadTerms(options: CacheGetOrSetOptions): LoadTerms {
    return parseOptions(this.#operations.where, options, GET_OR_SET_OPTIONS, (given) => {
      checkSignal(given.signal);
      return { ttlMs: this.#ttl(given.ttl), signal: given.signal };
    });
  }

  #readWith(read: CacheRead, { ttlMs, signal }: LoadTerms, merged = false): Promise<unknown> {
    if (signal?.aborted === true) throw stoppedWaiting(signal);
    const remembered = this.#remembered(read.key);
    if (remembered !== undefined) return remembered;
    const asked = { ...read, ttlMs, signal };
    const value = merged ? this.#store.readMerged(asked) : this.#store.read(asked);
    return signal === undefined ? value : abortable(value, signal);
  }

  /** However it ends, it is known by then whether it is to be loaded. */
  async #readOneOf(bulk: BulkLoad, id: Id, terms: LoadTerms | undefined): Promise<unknown> {
    const known = (): void => bulk.known(id);
    try {
      const read = { ...this.#loadingRead(id, bulk.load), waits: known };
      return await this.#readWith(read, terms ?? { ttlMs: read.ttlMs, signal: undefined }, true);
    } finally {
      known();
    }
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
    this.#l1?.keep(read.key, read.changes, outcome as Buffer, value);
    return this.#l1 === undefined ? value : this.#l1.given(value);
  }

  async #missed(read: CacheRead, load: CacheLoad<unknown> | undefined, reached: boolean): Promise<unknown> {
    this.#stats.misses += 1;
    if (load === undefined) return undefined;
    // A caller that has gone makes no load begin.
    if (read.signal?.aborted === true) throw stoppedWaiting(read.signal);
    const bytes = await this.#loader.load({ ...read, load }, reached);
    const value = this.#store.decodeOrThrow(read.key, bytes);
    return this.#l1 === undefined ? value : this.#l1.given(value);
  }

  #ttl(ttl: Duration | undefined): number {
    return ttl === undefined ? this.#settings.ttlMs : toMs("ttl", ttl);
  }
}

function withoutAbsent<V>(found: Iterable<readonly [Id, V | undefined]>): Map<Id, V> {
  const values = new Map<Id, V>();
  for (const [id, value] of found) if (value !== undefined) values.set(id, value);
  return values;
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
