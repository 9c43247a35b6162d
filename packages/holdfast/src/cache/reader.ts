/**
 * How an entry is read: from memory, from the server, or from a load, and what of it may be served.
 *
 *     in memory, and still right ........................ served
 *     on the server, valid, within its time ............. served; near its end perhaps loaded again, in the background
 *     past its time, kept for its grace ................. loaded; served if that fails or is slow
 *     invalidated, not decodable, or not there .......... loaded
 *     the server is away ................................ loaded for this process alone
 */
import { HoldfastError } from "../base/errors.ts";
import { ServerClock } from "../core/clock/server-clock.ts";
import type { Codec } from "../core/codec/codec.ts";
import type { Core } from "../core/core.ts";
import type { Id } from "../core/keyspace/keyspace.ts";
import type { Operations } from "../core/observe/observe.ts";
import type { Reply } from "../driver/port.ts";
import { aboutOf, aheadOf, freshUntil, hasAbout, hasGrace, isEntry, MISS, sequenceOf } from "./entry.ts";
import { L1, type Late } from "./l1/l1.ts";
import type { CacheLoad } from "./load.ts";
import { Loader } from "./loader.ts";
import type { Found, ReadManner } from "./manner.ts";
import type { CacheSettings } from "./options.ts";
import type { Outcomes, ReadStatus } from "./outcomes.ts";
import { type CacheRead, NO_TERMS, type ReadTerms } from "./read.ts";
import { Reads } from "./reads.ts";
import { CacheStore } from "./store.ts";
import type { Versions } from "./versions/versions.ts";
import { abortable, inTime, notBytes, stoppedWaiting } from "./waiting.ts";

/** An entry that is not served as it is. */
interface Unserved {
  readonly stored: Buffer;
  /** Whether it is loaded in any case, and not only if the server says that its time is over. */
  readonly reload: boolean;
  /** Whether it may be served if its load fails. */
  readonly isFallback: boolean;
}

export class Reader {
  readonly store: CacheStore;
  readonly loader: Loader;
  readonly l1: L1 | undefined;
  readonly #core: Core;
  readonly #operations: Operations;
  readonly #settings: CacheSettings;
  readonly #outcomes: Outcomes;
  readonly #versions: Versions;
  readonly #reads: Reads;
  readonly clock: ServerClock;
  /** Where a write may wait for the database: its value, or undefined. */
  pendingValue: ((id: Id) => Promise<unknown>) | undefined;

  constructor(
    core: Core,
    name: string,
    operations: Operations,
    codec: Codec<unknown>,
    settings: CacheSettings,
    outcomes: Outcomes,
  ) {
    this.#core = core;
    this.#operations = operations;
    this.#settings = settings;
    this.#outcomes = outcomes;
    this.store = new CacheStore(core, name, codec, settings);
    const answer = (outcome: Reply | HoldfastError, read: CacheRead) => this.#answer(outcome, read);
    this.#reads = new Reads(core.driver, this.store.lane, settings, answer);
    this.#versions = this.store.versions;
    this.clock = ServerClock.of(core.driver);
    const decode = (id: Id, bytes: Buffer) => this.store.decodeOrThrow(this.store.key(id), bytes);
    this.l1 = settings.l1 === undefined ? undefined : new L1(core, this.store, settings.l1, settings.graceMs, decode);
    this.loader = new Loader(core, this.store, settings, outcomes);
  }

  /** What there is. @param isMerged whether the call is known to have company */
  get(id: Id, isMerged = false, manner?: ReadManner): Promise<unknown> {
    const found = manner?.readsL1 === false ? MISS : this.#fromMemory(id);
    if (found !== MISS) return Promise.resolve(found);
    return this.#read(this.#readOf(id, undefined, manner === undefined ? NO_TERMS : { ...NO_TERMS, manner }), isMerged);
  }

  /** What there is, or is loaded then. @param waits where the call is known to have company: called when the load turns out to be another's */
  getOrSet(id: Id, load: CacheLoad<unknown>, terms: ReadTerms = NO_TERMS, waits?: () => void): Promise<unknown> {
    const { refresh, signal, manner } = terms;
    if (signal?.aborted === true) throw stoppedWaiting(signal);
    const found = refresh || manner?.readsL1 === false ? MISS : this.#fromMemory(id);
    if (found !== MISS) return Promise.resolve(found);
    const read = this.#readOf(id, load, terms, waits);
    const value = this.#within(read) ?? this.#read(read, waits !== undefined);
    return signal === undefined ? value : abortable(value, signal);
  }

  #readOf(
    id: Id,
    load: CacheLoad<unknown> | undefined,
    { ttlMs, tags, refresh, signal, manner }: ReadTerms,
    waits?: () => void,
  ): CacheRead {
    const key = this.store.key(id);
    const isOwn = load !== undefined && this.loader.isCaller(key);
    const [since, changes, upToDate] = [this.loader.now, this.l1?.changes ?? 0, undefined];
    return { id, key, load, ttlMs, tags, refresh, signal, manner, since, changes, isOwn, waits, upToDate };
  }

  #fromMemory(id: Id): unknown {
    if (this.l1 === undefined) return MISS;
    const found = this.l1.get(id);
    if (found !== MISS) this.#outcomes.memoryHit(id, found);
    return found;
  }

  #read(read: CacheRead, isMerged: boolean): Promise<unknown> {
    if (read.manner?.asksServer === false) return this.#missed(read, false);
    if (!this.store.validity.isOpen(read.key)) return this.#readWhenOpen(read, isMerged);
    const asked = this.#asked(read);
    return isMerged ? this.#reads.merged(asked) : this.#reads.one(asked);
  }

  #asked(read: CacheRead): CacheRead {
    return this.#versions.isExact ? read : { ...read, upToDate: this.#upToDate() };
  }

  /** Where memory has the value past its time, and the caller is to wait for the server so long only. */
  #within(read: CacheRead): Promise<unknown> | undefined {
    const { serverSoftTimeoutMs } = this.#settings;
    if (serverSoftTimeoutMs === undefined || this.l1?.late(read.id) === undefined) return undefined;
    const isPlain = read.manner === undefined && this.store.validity.isOpen(read.key);
    return isPlain ? this.#reads.oneWithin(this.#asked(read), serverSoftTimeoutMs) : undefined;
  }

  async #readWhenOpen(read: CacheRead, isMerged: boolean): Promise<unknown> {
    const { id, key, load } = read;
    const op = load === undefined ? "cache.get" : "cache.getOrSet";
    try {
      const { validity } = this.store;
      await validity.ready(op);
      if (validity.concerns(key)) await validity.settled(op, id, key);
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
      return this.#answer(error, read);
    }
    return isMerged ? this.#reads.merged(read) : this.#reads.one(read);
  }

  #upToDate(): Promise<void> {
    const upToDate = this.store.validity.catchUp();
    // Whoever needs it awaits it.
    upToDate.catch(() => undefined);
    return upToDate;
  }

  /** What the caller of a read gets, from what came back. */
  #answer(outcome: Reply | HoldfastError, read: CacheRead): unknown {
    if (outcome === null) return this.#missed(read, true);
    if (!Buffer.isBuffer(outcome)) {
      const failure = outcome instanceof HoldfastError ? outcome : notBytes(outcome, read.id);
      if (read.load === undefined || !this.loader.goesOn(failure)) throw this.#unanswered(failure, read);
      return this.#missed(read, false);
    }
    if (!isEntry(outcome)) return this.#missed(read, true);
    const tags = hasAbout(outcome) ? aboutOf(outcome)!.t : undefined;
    const isValid = this.#versions.isExact ? this.#versions.judge(sequenceOf(outcome), tags, read.key) : undefined;
    return isValid === undefined ? this.#verified(outcome, tags, read) : this.#judged(outcome, isValid, read);
  }

  async #verified(stored: Buffer, tags: readonly string[] | undefined, read: CacheRead): Promise<unknown> {
    let isValid;
    try {
      isValid = await this.store.validity.verify(read.key, sequenceOf(stored), tags, read.upToDate);
    } catch (error) {
      if (read.load === undefined || !this.loader.goesOn(error)) throw this.#unanswered(error, read);
      return this.#missed(read, false);
    }
    return this.#judged(stored, isValid, read);
  }

  #judged(stored: Buffer, isValid: boolean, read: CacheRead): unknown {
    if (!isValid) return this.#missed(read, true, { stored, reload: true, isFallback: false });
    if (read.refresh) return this.#missed(read, true, { stored, reload: true, isFallback: true });
    if (!hasGrace(stored)) return this.#serve(stored, read);
    const now = this.clock.now();
    return now === undefined ? this.#servedLater(stored, read) : this.#served(stored, now, read);
  }

  async #servedLater(stored: Buffer, read: CacheRead): Promise<unknown> {
    // Where the time cannot be had, the server is asked whether it is over.
    return this.#served(stored, (await this.clock.known()) ?? Number.POSITIVE_INFINITY, read);
  }

  #served(stored: Buffer, now: number, read: CacheRead): unknown {
    if (freshUntil(stored) > now) return this.#serve(stored, read);
    return this.#missed(read, true, { stored, reload: false, isFallback: true });
  }

  #serve(stored: Buffer, read: CacheRead): unknown {
    const value = this.store.decode(read.key, stored);
    if (value === MISS) return this.#missed(read, true, { stored, reload: true, isFallback: false });
    this.#outcomes.serverHit(read.id, value);
    const { refreshAhead } = this.#settings;
    const aheadMs =
      refreshAhead === undefined ? 0 : aheadOf(aboutOf(stored), refreshAhead, this.#core.driver.runtime.random());
    const { manner } = read;
    if (manner?.keepsL1 !== false) this.l1?.keep(read.id, read.changes, stored, value, aheadMs);
    if (aheadMs > 0) this.#refreshAhead(stored, aheadMs, read);
    const given = this.#given(value);
    return manner?.isDetailed === true ? ({ value: given, stored } satisfies Found) : given;
  }

  #refreshAhead(stored: Buffer, aheadMs: number, read: CacheRead): void {
    const { load, isOwn } = read;
    const now = this.clock.now();
    if (load === undefined || isOwn || now === undefined || freshUntil(stored) - aheadMs > now) return;
    if (this.loader.isLoading(read.key)) return;
    this.#outcomes.counts.refreshes += 1;
    const loading = { ...read, load, known: stored, reload: true, waits: undefined, since: this.loader.now };
    // The next one who reads it tries again.
    this.loader.load(loading, true).catch(() => undefined);
  }

  async #missed(read: CacheRead, reached: boolean, unserved?: Unserved): Promise<unknown> {
    const { id, load, signal } = read;
    if (load === undefined) return this.#withoutLoad(read);
    let status: ReadStatus = "miss";
    const fallback = this.#fallback(read, reached, unserved);
    try {
      // A caller that has gone makes no load begin.
      if (signal?.aborted === true) throw stoppedWaiting(signal);
      if (fallback?.isResting === true && !read.refresh) {
        status = "stale";
        return this.#given(fallback.value);
      }
      const loading = { ...read, load, known: unserved?.stored, reload: unserved?.reload ?? false };
      const loaded = this.loader.load(loading, reached).then((of) => {
        if (of.isPending) status = "pending";
        return this.#decoded(read.key, of.bytes);
      });
      if (fallback === undefined) return await loaded;
      loaded.catch(() => fallback.rest(this.#settings.graceBackoffMs));
      const softTimeoutMs = read.refresh ? undefined : this.#settings.softTimeoutMs;
      const value = await inTime(this.#core.driver.runtime, loaded, softTimeoutMs, this.#outcomes);
      if (value !== MISS) return value;
      status = "stale";
      return this.#given(fallback.value);
    } catch (error) {
      throw this.#operations.refused("getOrSet", id, error);
    } finally {
      this.#outcomes.read(id, status);
    }
  }

  /** What is served if the load fails, or is slow: what the server has past its time, or where it does not answer what is in memory. */
  #fallback({ id, key, manner }: CacheRead, reached: boolean, unserved?: Unserved): Late | undefined {
    if (unserved === undefined) return reached || manner?.readsL1 === false ? undefined : this.l1?.late(id);
    const value = unserved.isFallback ? this.store.decode(key, unserved.stored) : MISS;
    // The server knows when the next load is tried.
    return value === MISS ? undefined : { value, isResting: false, rest: () => undefined };
  }

  #given(value: unknown): unknown {
    return this.l1 === undefined ? value : this.l1.given(value);
  }

  async #withoutLoad(read: CacheRead): Promise<unknown> {
    const value = await this.#outcomes.answered(read.id, Promise.resolve(this.pendingValue?.(read.id)));
    this.#outcomes.read(read.id, value === undefined ? "miss" : "pending");
    return read.manner?.isDetailed === true ? ({ value, stored: undefined } satisfies Found) : value;
  }

  #unanswered(error: unknown, { id }: CacheRead): unknown {
    this.#outcomes.read(id, "unanswered");
    return error;
  }

  #decoded(key: string, bytes: Buffer): unknown {
    return this.#given(this.store.decodeOrThrow(key, bytes));
  }
}
