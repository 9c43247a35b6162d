/**
 * A cache of values with a time to live.
 *
 * Promises: of all callers in all processes that miss the same key, one loads (while a server answers); a value loaded
 * before a `delete` or `set` is never stored after it; a value is the same whether it was loaded just now, waited for or
 * read: what its stored bytes decode to, each caller's own; a server that is away costs a cache its hits, not its
 * callers their answers (`onOutage`); a stored value that this version cannot read is loaded again, never half-understood.
 * Longer than other files because it is all that a cache offers, each with what it costs; what is behind it stands in files of its own.
 */
import { HoldfastError, InvalidArgumentError } from "../base/errors.ts";
import { parseOptions } from "../base/options.ts";
import { inChunks } from "../core/batch/in-chunks.ts";
import type { Core } from "../core/core.ts";
import type { Id } from "../core/keyspace/keyspace.ts";
import { Operations } from "../core/observe/observe.ts";
import { BulkLoad, IDS_PER_LOAD } from "./bulk-load.ts";
import { Changes } from "./changes.ts";
import { entryCodec } from "./entry-codec.ts";
import { aboutWith, MISS } from "./entry.ts";
import { type CacheExplanation, explain } from "./explain.ts";
import type { CacheLoad, CacheLoadMany } from "./load.ts";
import { Ids } from "./index/ids.ts";
import type { Loader } from "./loader.ts";
import { forWriter } from "./for-writer.ts";
import { answersFor, distinctIds, entriesByIds, withoutAbsent } from "./many.ts";
import {
  CACHE_OPTIONS,
  type CacheClearOptions,
  type CacheEntryOptions,
  type CacheGetOptions,
  type CacheGetOrSetOptions,
  type CacheInvalidateOptions,
  type CacheKeysOptions,
  type CacheOptions,
  type CacheSetOptions,
  type CacheTouchOptions,
  cacheSettings,
  type CacheSettings,
  type CacheWriteOptions,
} from "./options.ts";
import { type CacheEntry, DETAILED, entryOf, type Found, PAST_MEMORY, type ReadManner } from "./manner.ts";
import { Outcomes } from "./outcomes.ts";
import type { ReadTerms } from "./read.ts";
import { Reader } from "./reader.ts";
import type { CacheStats } from "./stats.ts";
import type { NewEntry } from "./entry-args.ts";
import type { CacheStore } from "./store.ts";
import {
  prefixOf,
  type EntryTerms,
  entryTerms,
  getManner,
  invalidatedTags,
  readTerms,
  setTerms,
  ttlTerms,
} from "./terms.ts";
import type { CacheWriter } from "./writer/cache-writer.ts";
import { type CacheWriteResult, Writer } from "./writer/writer.ts";

/** What `getOrSet` returns: the cache's type, or the loader's where the cache was given none. */
export type CacheLoaded<V, R> = unknown extends V ? R : V | Extract<R, undefined>;

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
  readonly #reader: Reader;
  readonly #store: CacheStore;
  readonly #loader: Loader;
  readonly #changes: Changes;
  readonly #bulk: BulkLoad | undefined;
  readonly #writer: Writer<V> | undefined;
  readonly #outcomes: Outcomes;
  readonly #listed: Ids | undefined;

  constructor(core: Core, name: string, options?: CacheOptions<V>) {
    this.name = name;
    this.#operations = new Operations("cache", name);
    const [settings, codec] = parseOptions(this.#operations.where, options, CACHE_OPTIONS, (given) => [
      cacheSettings(given),
      entryCodec(core, given),
    ]);
    this.#settings = settings;
    this.#outcomes = new Outcomes(name);
    this.#reader = new Reader(core, name, this.#operations, codec, settings, this.#outcomes);
    this.#store = this.#reader.store;
    this.#loader = this.#reader.loader;
    this.#changes = new Changes(this.#store, this.#loader, settings);
    this.#bulk = settings.loadMany === undefined ? undefined : new BulkLoad(this.#loader.inside(settings.loadMany));
    this.#writer =
      settings.writer === undefined
        ? undefined
        : new Writer(core, forWriter(name, this.#store, this.#loader, settings), settings.writer);
    this.#listed = settings.index
      ? new Ids(core, name, this.#store, this.#reader.clock, settings.timeoutMs)
      : undefined;
    const writer = this.#writer;
    if (writer?.isBehind === true) this.#reader.pendingValue = (id) => writer.pendingValue(id);
  }

  /**
   * Returns the stored value, or undefined where there is none.
   * Cost: GET; calls made in the same tick, in the same slot, share an MGET.
   */
  get(id: Id, options?: CacheGetOptions): Promise<V | undefined> {
    return this.#operations.runAtOnce("get", id, () => {
      const manner = options === undefined ? undefined : getManner(this.#operations.where, options);
      return this.#reader.get(id, false, manner) as Promise<V | undefined>;
    });
  }

  /** Returns the stored value with its remaining life, its tags and its etag, or undefined where there is none. Cost: as `get` without memory. */
  getEntry(id: Id): Promise<CacheEntry<V> | undefined> {
    return this.#operations.run("getEntry", id, async () => {
      const found = (await this.#reader.get(id, false, DETAILED)) as Found | undefined;
      return found?.value === undefined ? undefined : entryOf<V>(found, this.#reader.clock);
    });
  }

  /** Returns what this process has in memory, at once: undefined also where the server has it. Counts as no hit. No I/O. */
  peek(id: Id): V | undefined {
    if (this.#reader.l1 === undefined) return undefined;
    const found = this.#reader.l1.get(id);
    if (found !== MISS) return found as V | undefined;
    // Refuses what is no id.
    this.#store.key(id);
    return undefined;
  }

  /** Returns the stored values of these ids; the Map has those that exist. Cost: one MGET per slot and 512 ids. */
  getMany(ids: Iterable<Id>, options?: CacheGetOptions): Promise<Map<Id, V>> {
    return this.#operations.run("getMany", undefined, async () => {
      const manner = getManner(this.#operations.where, options);
      return withoutAbsent(await this.#getMany(this.#distinct(ids), manner));
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
    load?: CacheLoad<R, V>,
    options?: CacheGetOrSetOptions,
  ): Promise<CacheLoaded<V, R>> {
    return this.#operations.runAtOnce("getOrSet", id, () => {
      const loads = (load as CacheLoad<unknown> | undefined) ?? this.#bulk?.load;
      if (typeof loads !== "function") throw new InvalidArgumentError("load", "a function", loads);
      const terms = options === undefined ? undefined : readTerms(this.#operations.where, options);
      return this.#reader.getOrSet(id, this.#guarded(loads), terms) as Promise<CacheLoaded<V, R>>;
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
      const wanted = this.#distinct(ids);
      const loads = loadMany ?? this.#settings.loadMany;
      if (typeof loads !== "function") throw new InvalidArgumentError("loadMany", "a function", loads);
      const terms = options === undefined ? undefined : readTerms(this.#operations.where, options);
      const inside = this.#loader.inside(loads);
      const found = await answersFor(wanted, IDS_PER_LOAD, (chunk) => {
        const bulk = new BulkLoad(inside, chunk);
        return chunk.map((id) => this.#readOneOf(bulk, id, terms));
      });
      return withoutAbsent(found) as Map<Id, Exclude<CacheLoaded<V, R>, undefined>>;
    });
  }

  /** Returns whether there is a value. Cost: as `get`. */
  async has(id: Id): Promise<boolean> {
    return (await this.get(id)) !== undefined;
  }

  /** Returns for each of these ids whether there is a value. Cost: as `getMany`. */
  hasMany(ids: Iterable<Id>): Promise<Map<Id, boolean>> {
    return this.#operations.run("hasMany", undefined, async () => {
      const found = await this.#getMany(this.#distinct(ids), undefined);
      return new Map(found.map(([id, value]) => [id, value !== undefined]));
    });
  }

  /**
   * Stores a value and supersedes any load under way. Returns whether it was stored, which `only` decides. Idempotent. Cost: one script; with `only` a GET
   * more.
   * @throws CodecError as `getOrSet`
   */
  set(id: Id, value: V, options?: CacheSetOptions): Promise<boolean> {
    return this.#operations.run("set", id, async () => {
      const terms = setTerms(this.#operations.where, options);
      const entry = this.#entry(terms);
      const payload = this.#store.encode(this.#store.key(id), value);
      return this.#changes.make("cache.set", id, () => this.#store.set(id, entry(payload), terms.only));
    });
  }

  /** Returns the stored value and removes it, for one caller only; supersedes any load under way. Cost: one script. @throws OutcomeUnknownError if the answer was lost */
  take(id: Id): Promise<V | undefined> {
    return this.#operations.run("take", id, () =>
      this.#changes.make("cache.take", id, async () => {
        const stored = await this.#outcomes.answered(id, this.#store.take(id));
        const value = stored === undefined ? MISS : this.#store.decode(this.#store.key(id), stored);
        if (value === MISS) this.#outcomes.read(id, "miss");
        else this.#outcomes.serverHit(id, value);
        return value === MISS ? undefined : (value as V);
      }),
    );
  }

  /** Begins the time of a value again, with `ttl` or the cache's; returns false where there was none that is valid and within its time. Idempotent. Cost: one script. */
  touch(id: Id, options?: CacheTouchOptions): Promise<boolean> {
    return this.#operations.run("touch", id, async () => {
      const ttlMs = ttlTerms(this.#operations.where, options);
      return this.#changes.make("cache.touch", id, () => this.#store.touch(id, ttlMs));
    });
  }

  /** Says how an entry stands: for looking, as it may be otherwise a moment later. Cost: GET, two PTTL, at most one TIME per minute. */
  explain(id: Id): Promise<CacheExplanation> {
    return this.#operations.run("explain", id, () => explain(this.#reader, id));
  }

  /**
   * As `set` for each entry. Nothing is stored if one of the values cannot be. Idempotent. Cost: one script per slot and 256 entries.
   * @throws CodecError as `getOrSet`; PartialFailureError if some were stored and others were not
   */
  setMany(entries: Iterable<readonly [Id, V]>, options?: CacheEntryOptions): Promise<void> {
    return this.#operations.run("setMany", undefined, async () => {
      const entry = this.#entry(entryTerms(this.#operations.where, options));
      const given = entriesByIds(entries);
      const ids = this.#distinct(given.keys());
      const payloads = new Map(ids.map((id) => [id, this.#store.encode(this.#store.key(id), given.get(id))]));
      await answersFor(ids, IDS_PER_CHUNK, (chunk) =>
        chunk.map((id) => this.#changes.make("cache.set", id, () => this.#store.set(id, entry(payloads.get(id)!)))),
      );
    });
  }

  /** Removes a value and supersedes any load under way; returns false where there was none. Idempotent. Cost: one script. */
  delete(id: Id): Promise<boolean> {
    return this.#operations.run("delete", id, () => this.#changes.delete(id));
  }

  /**
   * As `delete` for each id; returns for each whether there was a value. Idempotent. Cost: one script per slot and 256 ids.
   * @throws PartialFailureError if some were removed and others were not
   */
  deleteMany(ids: Iterable<Id>): Promise<Map<Id, boolean>> {
    return this.#operations.run("deleteMany", undefined, async () =>
      answersFor(this.#distinct(ids), IDS_PER_CHUNK, (chunk) => chunk.map((id) => this.#changes.delete(id))),
    );
  }

  /**
   * Ends the time of a value, but keeps it for its grace: the next one who asks loads, and gets it if that fails. A value without grace is removed.
   * Supersedes any load under way; returns false where there was none within its time. Idempotent. Cost: one script.
   */
  expire(id: Id): Promise<boolean> {
    return this.#operations.run("expire", id, () => this.#changes.expire(id));
  }

  /**
   * Invalidates every entry that has one of these tags, however many there are: once it resolves nobody is served what was loaded before it was called, from
   * another process's memory not later than is said in docs/cache.md. Idempotent. Cost: one script, whatever the number of entries.
   */
  invalidate(options: CacheInvalidateOptions): Promise<void> {
    return this.#operations.run("invalidate", undefined, async () => {
      const tags = invalidatedTags(this.#operations.where, options);
      if (tags.length > 0) await this.#changes.invalidate("cache.invalidate", { tags });
    });
  }

  /**
   * Invalidates all entries of this cache, or those whose ids begin with `prefix`, as `invalidate` does those of a tag. Idempotent.
   * Cost: one script, whatever the number of entries.
   */
  clear(options?: CacheClearOptions): Promise<void> {
    return this.#operations.run("clear", undefined, async () => {
      const prefix = prefixOf(this.#operations.where, options);
      await this.#changes.invalidate("cache.clear", prefix === undefined ? "all" : { prefix });
    });
  }

  /**
   * Returns the ids that have a value, in no order. What is stored or removed meanwhile may be among them or not.
   * Cost: one ZRANGE and as many GETRANGE per 256 ids, in a cluster one ZRANGE more per slot.
   * @throws HoldfastError `UNSUPPORTED` where the cache has no `index`
   */
  keys(options?: CacheKeysOptions): AsyncGenerator<string, void, undefined> {
    return this.#ids("keys").live(prefixOf(this.#operations.where, options));
  }

  /** Returns the entries with a value, as `keys` their ids. Each counts as a read. Cost: one ZRANGE and MGET per 256 ids, in a cluster one ZRANGE more per slot. */
  entries(options?: CacheKeysOptions): AsyncGenerator<readonly [string, V], void, undefined> {
    const ids = this.#ids("entries");
    return ids.found(prefixOf(this.#operations.where, options), (page) =>
      Promise.all(page.map((id) => this.#reader.get(id, true, PAST_MEMORY) as Promise<V | undefined>)),
    );
  }

  /** Returns how many ids have a value. Cost: as `keys`. */
  size(options?: CacheKeysOptions): Promise<number> {
    return this.#operations.run("size", undefined, async () => {
      let size = 0;
      for await (const _ of this.#ids("size").live(prefixOf(this.#operations.where, options))) size += 1;
      return size;
    });
  }

  /** What waits for the database, and what was put aside. @throws HoldfastError `UNSUPPORTED` where the cache has no `writer` */
  get writer(): CacheWriter<V> {
    return this.#writing().control;
  }

  /**
   * Writes a value to the database and stores it; undefined removes both. With a writer in mode `through` the database comes first, and what it refuses
   * rejects; in mode `behind` it resolves once the server has the value and knows that the database is to get it. Supersedes any load under way.
   * Cost: through: two scripts and the write; behind: one script.
   * @throws CodecError as `getOrSet`; HoldfastError `UNSUPPORTED` where the cache has no `writer`
   */
  write(id: Id, value: V | undefined, options?: CacheWriteOptions): Promise<CacheWriteResult> {
    return this.#operations.run("write", id, async () => {
      const ttlMs = ttlTerms(this.#operations.where, options);
      const writer = this.#writing();
      return this.#changes.make("cache.write", id, () => writer.accept(id, value, ttlMs));
    });
  }

  /**
   * As `write` for each entry; through, these are calls of the writer of one entry each. Cost: behind: one script per slot and 256 entries.
   * @throws PartialFailureError if some were written and others were not
   */
  writeMany(
    entries: Iterable<readonly [Id, V | undefined]>,
    options?: CacheWriteOptions,
  ): Promise<Map<Id, CacheWriteResult>> {
    return this.#operations.run("writeMany", undefined, async () => {
      const ttlMs = ttlTerms(this.#operations.where, options);
      const writer = this.#writing();
      const given = entriesByIds(entries);
      const ids = this.#distinct(given.keys());
      // All of them, before the first is written.
      for (const id of ids) if (given.get(id) !== undefined) this.#store.encode(this.#store.key(id), given.get(id));
      return answersFor(ids, IDS_PER_CHUNK, (chunk) =>
        chunk.map((id) => this.#changes.make("cache.write", id, () => writer.accept(id, given.get(id), ttlMs))),
      );
    });
  }

  /** Returns a snapshot of this process's counts. */
  stats(): CacheStats {
    const { l1 } = this.#reader;
    const { versions, recovery } = this.#store;
    const stats = { ...this.#outcomes.stats(), invalidationLag: versions.lag.times(), unsent: recovery.size };
    return l1 === undefined ? stats : { ...stats, l1: l1.stats() };
  }

  async #getMany(ids: readonly Id[], manner: ReadManner | undefined): Promise<(readonly [Id, V | undefined])[]> {
    const read = (chunk: readonly Id[]): Promise<(V | undefined)[]> =>
      Promise.all(chunk.map((id) => this.#reader.get(id, true, manner) as Promise<V | undefined>));
    const found = await inChunks(ids, read, { size: IDS_PER_CHUNK });
    return ids.map((id, at) => [id, found[at]]);
  }

  #distinct(ids: Iterable<Id>): Id[] {
    return distinctIds(ids, (id) => this.#store.nameOf(id));
  }

  #guarded(load: CacheLoad<unknown>): CacheLoad<unknown> {
    return this.#writer?.guarded(load) ?? load;
  }

  #ids(verb: string): Ids {
    if (this.#listed !== undefined) return this.#listed;
    const message = `${this.#operations.where}: it has no index of its ids, without which ${verb}() would have to search the server; set the option \`index: true\``;
    throw new HoldfastError("UNSUPPORTED", message, { op: `cache.${verb}` });
  }

  #writing(): Writer<V> {
    if (this.#writer !== undefined) return this.#writer;
    const message = `${this.#operations.where}: it has no option \`writer\`, which says how to write to the database`;
    throw new HoldfastError("UNSUPPORTED", message, { op: "cache.write" });
  }

  /** Returns what makes an entry of an encoded value. */
  #entry({ ttlMs, tags }: EntryTerms): (payload: Buffer) => NewEntry {
    const { graceMs } = this.#settings;
    const about = aboutWith(tags, undefined, undefined);
    return (payload) => ({ payload, ttlMs, graceMs, sequence: this.#store.versions.sequence, about });
  }

  /** However it ends, it is known by then whether it is to be loaded. */
  async #readOneOf(bulk: BulkLoad, id: Id, terms: ReadTerms | undefined): Promise<unknown> {
    const known = (): void => bulk.known(id);
    try {
      return await this.#reader.getOrSet(id, this.#guarded(bulk.load), terms, known);
    } finally {
      known();
    }
  }
}
