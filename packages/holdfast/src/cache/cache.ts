/**
 * A cache of values with a time to live.
 *
 * Promises: of all callers in all processes that miss the same key, one loads (while a server answers); a value loaded
 * before a `delete` or `set` is never stored after it; a value is the same whether it was loaded just now, waited for or
 * read: what its stored bytes decode to, each caller's own; a server that is away costs a cache its hits, not its
 * callers their answers (`onOutage`); a stored value that this version cannot read is loaded again, never half-understood.
 * Longer than other files because it is all that a cache offers, each with what it costs; what is behind it stands in files of its own.
 */
import { checkSignal } from "../base/abort.ts";
import { HoldfastError, InvalidArgumentError } from "../base/errors.ts";
import { type Duration, parseOptions, toMs } from "../base/options.ts";
import { inChunks } from "../core/batch/in-chunks.ts";
import type { Core } from "../core/core.ts";
import type { Id } from "../core/keyspace/keyspace.ts";
import { Operations } from "../core/observe/observe.ts";
import { BulkLoad } from "./bulk-load.ts";
import { entryCodec } from "./entry-codec.ts";
import { aboutWith, MISS } from "./entry.ts";
import { type CacheExplanation, explain } from "./explain.ts";
import { type CacheLoad, type CacheLoadMany, tagsOf } from "./load.ts";
import type { Loader } from "./loader.ts";
import { answersFor, distinctIds, entriesByIds } from "./many.ts";
import {
  CACHE_OPTIONS,
  type CacheEntryOptions,
  type CacheGetOrSetOptions,
  type CacheInvalidateOptions,
  type CacheOptions,
  type CacheSetOptions,
  type CacheTouchOptions,
  cacheSettings,
  type CacheSettings,
  type CacheWriteOptions,
  ENTRY_OPTIONS,
  GET_OR_SET_OPTIONS,
  INVALIDATE_OPTIONS,
  SET_OPTIONS,
  TOUCH_OPTIONS,
  WRITE_OPTIONS,
} from "./options.ts";
import { type CacheRead, Reader, type ReadTerms } from "./reader.ts";
import { type CacheL1Stats, type CacheStats, emptyStats } from "./stats.ts";
import type { CacheStore, NewEntry } from "./store.ts";
import type { CacheWriter } from "./writer/cache-writer.ts";
import type { WriterCache } from "./writer/port.ts";
import { type CacheWriteResult, Writer } from "./writer/writer.ts";

/** What `getOrSet` returns: the cache's type, or the loader's where the cache was given none. */
export type CacheLoaded<V, R> = unknown extends V ? R : V | Extract<R, undefined>;

/** Ids of `getMany` in flight at a time are four times as many. */
const IDS_PER_CHUNK = 512;
/** Tags of one `invalidate`. */
const MAX_INVALIDATED = 1_000;
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
  readonly #reader: Reader;
  readonly #store: CacheStore<CacheRead>;
  readonly #loader: Loader;
  readonly #bulk: BulkLoad | undefined;
  readonly #writer: Writer<V> | undefined;
  readonly #stats: CacheStats = emptyStats();

  constructor(core: Core, name: string, options?: CacheOptions<V>) {
    this.name = name;
    this.#operations = new Operations("cache", name);
    const [settings, codec] = parseOptions(this.#operations.where, options, CACHE_OPTIONS, (given) => [
      cacheSettings(given),
      entryCodec(core, given),
    ]);
    this.#settings = settings;
    this.#reader = new Reader(core, name, codec, settings, this.#stats);
    this.#store = this.#reader.store;
    this.#loader = this.#reader.loader;
    this.#bulk = settings.loadMany === undefined ? undefined : new BulkLoad(this.#loader.inside(settings.loadMany));
    this.#writer = settings.writer === undefined ? undefined : new Writer(core, this.#forWriter(), settings.writer);
  }

  /**
   * Returns the stored value, or undefined where there is none.
   * Cost: GET; calls made in the same tick, in the same slot, share an MGET.
   */
  get(id: Id): Promise<V | undefined> {
    return this.#operations.run("get", id, () => this.#get(id, false));
  }

  /** Returns what this process has in memory, at once: undefined also where the server has it. Counts as no hit. No I/O. */
  peek(id: Id): V | undefined {
    if (this.#reader.l1 === undefined) return undefined;
    const found = this.#reader.l1.get(this.#store.key(id));
    return found === MISS ? undefined : (found as V | undefined);
  }

  /** Returns the stored values of these ids; the Map has those that exist. Cost: one MGET per slot and 512 ids. */
  getMany(ids: Iterable<Id>): Promise<Map<Id, V>> {
    return this.#operations.run("getMany", undefined, async () => {
      const wanted = distinctIds(ids);
      const read = (chunk: readonly Id[]): Promise<(V | undefined)[]> =>
        Promise.all(chunk.map((id) => this.#get(id, true)));
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
    load?: CacheLoad<R, V>,
    options?: CacheGetOrSetOptions,
  ): Promise<CacheLoaded<V, R>> {
    return this.#operations.run("getOrSet", id, () => {
      const loads = (load as CacheLoad<unknown> | undefined) ?? this.#bulk?.load;
      if (typeof loads !== "function") throw new InvalidArgumentError("load", "a function", loads);
      const read = this.#reader.loading(
        id,
        this.#guarded(loads),
        options === undefined ? undefined : this.#readTerms(options),
      );
      return this.#reader.read(read) as Promise<CacheLoaded<V, R>>;
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
      const terms = options === undefined ? undefined : this.#readTerms(options);
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

  /**
   * Stores a value and supersedes any load under way. Returns whether it was stored, which `only` decides. Idempotent. Cost: one script; with `only` a GET
   * more.
   * @throws CodecError as `getOrSet`
   */
  set(id: Id, value: V, options?: CacheSetOptions): Promise<boolean> {
    return this.#operations.run("set", id, async () => {
      const { where } = this.#operations;
      const { only, ...terms } = parseOptions(where, options, SET_OPTIONS, (given) => given);
      if (only !== undefined && only !== "absent" && only !== "present")
        throw new InvalidArgumentError("only", '"absent" or "present"', only);
      const entry = this.#setTerms(terms);
      const payload = this.#store.encode(this.#store.key(id), value);
      return this.#change(id, () => this.#store.set(id, entry(payload), only));
    });
  }

  /** Returns the stored value and removes it, for one caller only; supersedes any load under way. Cost: one script. @throws OutcomeUnknownError if the answer was lost */
  take(id: Id): Promise<V | undefined> {
    return this.#operations.run("take", id, () =>
      this.#change(id, async () => {
        const stored = await this.#store.take(id);
        const value = stored === undefined ? undefined : this.#store.decode(this.#store.key(id), stored);
        return value === MISS ? undefined : (value as V);
      }),
    );
  }

  /** Begins the time of a value again, with `ttl` or the cache's; returns false where there was none within its time. Idempotent. Cost: one script. */
  touch(id: Id, options?: CacheTouchOptions): Promise<boolean> {
    return this.#operations.run("touch", id, async () => {
      const ttlMs = parseOptions(
        this.#operations.where,
        options,
        TOUCH_OPTIONS,
        ({ ttl }) => this.#entryTerms(ttl, undefined).ttlMs,
      );
      if (!this.#store.versions.isReady) await this.#store.versions.ready("cache.touch");
      return this.#store.touch(id, ttlMs);
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
      const entry = this.#setTerms(options);
      const given = entriesByIds(entries);
      const ids = distinctIds(given.keys());
      const payloads = new Map(ids.map((id) => [id, this.#store.encode(this.#store.key(id), given.get(id))]));
      await answersFor(ids, IDS_PER_CHUNK, (chunk) =>
        chunk.map((id) => this.#change(id, () => this.#store.set(id, entry(payloads.get(id)!)))),
      );
    });
  }

  /** Removes a value and supersedes any load under way; returns false where there was none. Idempotent. Cost: one script. */
  delete(id: Id): Promise<boolean> {
    return this.#operations.run("delete", id, () => this.#change(id, () => this.#store.delete(id), "cache.delete"));
  }

  /**
   * As `delete` for each id; returns for each whether there was a value. Idempotent. Cost: one script per slot and 256 ids.
   * @throws PartialFailureError if some were removed and others were not
   */
  deleteMany(ids: Iterable<Id>): Promise<Map<Id, boolean>> {
    return this.#operations.run("deleteMany", undefined, async () =>
      answersFor(distinctIds(ids), IDS_PER_CHUNK, (chunk) =>
        chunk.map((id) => this.#change(id, () => this.#store.delete(id), "cache.delete")),
      ),
    );
  }

  /**
   * Ends the time of a value, but keeps it for its grace: the next one who asks loads, and gets it if that fails. A value without grace is removed.
   * Supersedes any load under way; returns false where there was none within its time. Idempotent. Cost: one script.
   */
  expire(id: Id): Promise<boolean> {
    return this.#operations.run("expire", id, () => this.#change(id, () => this.#store.expire(id), "cache.expire"));
  }

  /**
   * Invalidates every entry that has one of these tags, however many there are: once it resolves nobody is served what was loaded before it was called, from
   * another process's memory not later than is said in docs/cache.md. Idempotent. Cost: one script, whatever the number of entries.
   */
  invalidate(options: CacheInvalidateOptions): Promise<void> {
    return this.#operations.run("invalidate", undefined, async () => {
      const tags = parseOptions(this.#operations.where, options, INVALIDATE_OPTIONS, (given) =>
        tagsOf("tags", given.tags, MAX_INVALIDATED),
      );
      if (tags.length > 0) await this.#invalidate("cache.invalidate", tags);
    });
  }

  /** Invalidates all entries of this cache, as `invalidate` does those of a tag. Idempotent. Cost: one script, whatever the number of entries. */
  clear(): Promise<void> {
    return this.#operations.run("clear", undefined, () => this.#invalidate("cache.clear", undefined));
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
      const ttlMs = parseOptions(this.#operations.where, options, WRITE_OPTIONS, givenTtl);
      const writer = this.#writing();
      return this.#change(id, () => writer.accept(id, value, ttlMs));
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
      const ttlMs = parseOptions(this.#operations.where, options, WRITE_OPTIONS, givenTtl);
      const writer = this.#writing();
      const given = entriesByIds(entries);
      const ids = distinctIds(given.keys());
      // All of them, before the first is written.
      for (const id of ids) if (given.get(id) !== undefined) this.#store.encode(this.#store.key(id), given.get(id));
      return answersFor(ids, IDS_PER_CHUNK, (chunk) =>
        chunk.map((id) => this.#change(id, () => writer.accept(id, given.get(id), ttlMs))),
      );
    });
  }

  /** Returns a snapshot of this process's counts. */
  stats(): Readonly<CacheStats & { readonly l1?: CacheL1Stats }> {
    const { l1 } = this.#reader;
    return l1 === undefined ? { ...this.#stats } : { ...this.#stats, l1: l1.stats() };
  }

  #get(id: Id, isMerged: boolean): Promise<V | undefined> {
    const found = this.#reader.read(this.#reader.plain(id), isMerged) as Promise<V | undefined>;
    const writer = this.#writer;
    if (writer?.isBehind !== true) return found;
    return found.then((value) => (value === undefined ? (writer.pendingValue(id) as Promise<V | undefined>) : value));
  }

  #guarded(load: CacheLoad<unknown>): CacheLoad<unknown> {
    return this.#writer?.guarded(load) ?? load;
  }

  #writing(): Writer<V> {
    if (this.#writer !== undefined) return this.#writer;
    const message = `${this.#operations.where}: it has no option \`writer\`, which says how to write to the database`;
    throw new HoldfastError("UNSUPPORTED", message, { op: "cache.write" });
  }

  #forWriter(): WriterCache {
    const [store, settings] = [this.#store, this.#settings];
    return {
      name: this.name,
      timeoutMs: settings.timeoutMs,
      loadLeaseMs: settings.loadLeaseMs,
      goesOn: settings.onOutage === "load",
      lane: store.lane,
      key: (id) => store.key(id),
      leaseKey: (id) => store.leaseKey(id),
      encode: (key, value) => store.encode(key, value),
      decode: (key, payload) => store.decodeOrThrow(key, payload),
      entry: (ttlMs) => store.entry(ttlMs),
      changed: (key) => {
        this.#loader.detach(key);
        store.coherence.changed(key);
      },
      delete: (id) => store.delete(id),
      fill: (id, token, payload, ttlMs, sequence) =>
        store.fill(id, token, { payload, ttlMs, graceMs: settings.graceMs, sequence, about: undefined }),
      sequence: () => store.versions.sequence,
      extend: (id, token) => store.extend(id, token),
      abandon: (id, token) => store.abandon(id, token),
    };
  }

  #readTerms(options: CacheGetOrSetOptions): ReadTerms {
    return parseOptions(
      this.#operations.where,
      options,
      GET_OR_SET_OPTIONS,
      ({ ttl, tags, refresh = false, signal }) => {
        checkSignal(signal);
        if (typeof refresh !== "boolean") throw new InvalidArgumentError("refresh", "a boolean", refresh);
        return { ...this.#entryTerms(ttl, tags), refresh, signal };
      },
    );
  }

  /** Returns what makes an entry of an encoded value. */
  #setTerms(options: CacheEntryOptions | undefined): (payload: Buffer) => NewEntry {
    const { where } = this.#operations;
    const { ttlMs, tags } = parseOptions(where, options, ENTRY_OPTIONS, ({ ttl, tags: by }) =>
      this.#entryTerms(ttl, by),
    );
    const { graceMs } = this.#settings;
    const about = aboutWith(tags, undefined, undefined);
    return (payload) => ({ payload, ttlMs, graceMs, sequence: this.#store.versions.sequence, about });
  }

  #entryTerms(ttl: Duration | undefined, tags: Iterable<string> | undefined): Pick<ReadTerms, "ttlMs" | "tags"> {
    return {
      ttlMs: ttl === undefined ? undefined : toMs("ttl", ttl),
      tags: tags === undefined ? undefined : tagsOf("tags", tags),
    };
  }

  /** However it ends, it is known by then whether it is to be loaded. */
  async #readOneOf(bulk: BulkLoad, id: Id, terms: ReadTerms | undefined): Promise<unknown> {
    const known = (): void => bulk.known(id);
    try {
      return await this.#reader.read(this.#reader.loading(id, this.#guarded(bulk.load), terms, known), true);
    } finally {
      known();
    }
  }

  /** Callers from now on do not join a load that has read what is changed here. */
  async #change<R>(id: Id, change: () => Promise<R>, op = "cache.set"): Promise<R> {
    this.#loader.detach(this.#store.key(id));
    if (!this.#store.versions.isReady) await this.#store.versions.ready(op);
    return change();
  }

  async #invalidate(op: string, tags: readonly string[] | undefined): Promise<void> {
    const { versions } = this.#store;
    if (!versions.isReady) await versions.ready(op);
    await versions.invalidate(op, tags);
  }
}

function givenTtl({ ttl }: CacheWriteOptions): number | undefined {
  return ttl === undefined ? undefined : toMs("ttl", ttl);
}

function withoutAbsent<V>(found: Iterable<readonly [Id, V | undefined]>): Map<Id, V> {
  const values = new Map<Id, V>();
  for (const [id, value] of found) if (value !== undefined) values.set(id, value);
  return values;
}
