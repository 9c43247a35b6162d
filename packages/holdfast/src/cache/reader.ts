/**
 * How an entry is read: from memory, from the server, or from a load, and what of it may be served.
 *
 *     in memory, and still right ........................ served
 *     on the server, valid, within its time ............. served; near its end perhaps loaded again, in the background
 *     past its time, kept for its grace ................. loaded; served if that fails or is slow
 *     invalidated, not decodable, or not there .......... loaded
 *     the server is away ................................ loaded for this process alone
 */
import { onAbort } from "../base/abort.ts";
import { AbortedError, ClosedError, HoldfastError } from "../base/errors.ts";
import type { KeyRead } from "../core/batch/read-kind.ts";
import { ServerClock } from "../core/clock/server-clock.ts";
import type { Codec } from "../core/codec/codec.ts";
import type { Core } from "../core/core.ts";
import type { Id } from "../core/keyspace/keyspace.ts";
import type { Reply } from "../driver/port.ts";
import { type About, aboutOf, freshUntil, hasAbout, hasGrace, isEntry, MISS, sequenceOf } from "./entry.ts";
import { L1 } from "./l1/l1.ts";
import type { CacheLoad } from "./load.ts";
import { Loader } from "./loader.ts";
import type { CacheSettings } from "./options.ts";
import type { CacheStats } from "./stats.ts";
import { CacheStore } from "./store.ts";
import type { Versions } from "./versions/versions.ts";

/** What a call asks for, besides the entry. */
export interface ReadTerms {
  readonly ttlMs: number | undefined;
  readonly tags: readonly string[] | undefined;
  readonly refresh: boolean;
  readonly signal: AbortSignal | undefined;
}

/** One call that reads an entry, and what it wants where there is none. */
export interface CacheRead extends KeyRead, ReadTerms {
  readonly load: CacheLoad<unknown> | undefined;
  /** `Loader.now` when it was called. */
  readonly since: number;
  /** Whether it was called by the key's own loader. */
  readonly isOwn: boolean;
  /** `L1.changes` then. */
  readonly changes: number;
  /** Called when the load turns out to be another's, which is waited for. */
  readonly waits: (() => void) | undefined;
  /** Resolves when it is known what was invalidated before the call; undefined where that is known anyhow. */
  readonly upToDate: Promise<void> | undefined;
}

/** An entry that is not served as it is. */
interface Unserved {
  readonly stored: Buffer;
  /** Whether it is loaded in any case, and not only if the server says that its time is over. */
  readonly reload: boolean;
  /** Whether it may be served if its load fails. */
  readonly isFallback: boolean;
}

const NO_TERMS: ReadTerms = { ttlMs: undefined, tags: undefined, refresh: false, signal: undefined };

export class Reader {
  readonly store: CacheStore<CacheRead>;
  readonly loader: Loader;
  readonly l1: L1 | undefined;
  readonly #core: Core;
  readonly #settings: CacheSettings;
  readonly #stats: CacheStats;
  readonly #versions: Versions;
  readonly clock: ServerClock;

  constructor(core: Core, name: string, codec: Codec<unknown>, settings: CacheSettings, stats: CacheStats) {
    this.#core = core;
    this.#settings = settings;
    this.#stats = stats;
    this.store = new CacheStore<CacheRead>(core, name, codec, settings, (outcome, read) => this.#answer(outcome, read));
    this.#versions = this.store.versions;
    this.clock = ServerClock.of(core.driver);
    const decode = (key: string, bytes: Buffer) => this.store.decodeOrThrow(key, bytes);
    this.l1 = settings.l1 === undefined ? undefined : new L1(core, this.store, settings.l1, decode);
    this.loader = new Loader(core, this.store, settings, stats);
  }

  /** A read of what there is. */
  plain(id: Id): CacheRead {
    const none = { load: undefined, isOwn: false, waits: undefined, upToDate: undefined };
    return { id, key: this.store.key(id), since: 0, changes: this.l1?.changes ?? 0, ...NO_TERMS, ...none };
  }

  /** A read that loads where there is nothing. */
  loading(id: Id, load: CacheLoad<unknown>, terms: ReadTerms = NO_TERMS, waits?: () => void): CacheRead {
    const { ttlMs, tags, refresh, signal } = terms;
    const key = this.store.key(id);
    const isOwn = this.loader.isCaller(key);
    const [since, changes] = [this.loader.now, this.l1?.changes ?? 0];
    return { id, key, load, ttlMs, tags, refresh, signal, since, changes, isOwn, waits, upToDate: undefined };
  }

  /** @param isMerged whether it is known to have company */
  read(read: CacheRead, isMerged = false): Promise<unknown> {
    const { signal } = read;
    if (signal === undefined) return this.#read(read, isMerged);
    if (signal.aborted) throw stoppedWaiting(signal);
    return abortable(this.#read(read, isMerged), signal);
  }

  #read(read: CacheRead, isMerged: boolean): Promise<unknown> {
    if (this.l1 !== undefined && !read.refresh) {
      const found = this.l1.get(read.key);
      if (found !== MISS) {
        this.#stats.hits += 1;
        this.#stats.l1Hits += 1;
        return Promise.resolve(found);
      }
    }
    if (!this.#versions.isReady) return this.#readWhenReady(read, isMerged);
    const asked = this.#versions.isExact ? read : { ...read, upToDate: this.#upToDate() };
    return isMerged ? this.store.readMerged(asked) : this.store.read(asked);
  }

  async #readWhenReady(read: CacheRead, isMerged: boolean): Promise<unknown> {
    try {
      await this.#versions.ready(read.load === undefined ? "cache.get" : "cache.getOrSet");
    } catch (error) {
      if (!this.loader.goesOn(error)) throw error;
      return this.#answer(error as HoldfastError, read);
    }
    return isMerged ? this.store.readMerged(read) : this.store.read(read);
  }

  #upToDate(): Promise<void> {
    const upToDate = this.#versions.catchUp();
    // Whoever needs it awaits it.
    upToDate.catch(() => undefined);
    return upToDate;
  }

  /** What the caller of a read gets, from what came back. */
  #answer(outcome: Reply | HoldfastError, read: CacheRead): unknown {
    if (outcome === null) return this.#missed(read, true);
    if (!Buffer.isBuffer(outcome)) {
      const failure = outcome instanceof HoldfastError ? outcome : notBytes(outcome, read.id);
      if (read.load === undefined || !this.loader.goesOn(failure)) throw failure;
      return this.#missed(read, false);
    }
    if (!isEntry(outcome)) return this.#missed(read, true);
    const tags = hasAbout(outcome) ? aboutOf(outcome)!.t : undefined;
    const isValid = this.#versions.isExact ? this.#versions.judge(sequenceOf(outcome), tags) : undefined;
    return isValid === undefined ? this.#verified(outcome, tags, read) : this.#judged(outcome, isValid, read);
  }

  async #verified(stored: Buffer, tags: readonly string[] | undefined, read: CacheRead): Promise<unknown> {
    let isValid;
    try {
      isValid = await this.#versions.verify(sequenceOf(stored), tags, read.upToDate);
    } catch (error) {
      if (read.load === undefined || !this.loader.goesOn(error)) throw error;
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
    this.#stats.hits += 1;
    const { refreshAhead } = this.#settings;
    const aheadMs =
      refreshAhead === undefined ? 0 : aheadOf(aboutOf(stored), refreshAhead, this.#core.driver.runtime.random());
    this.l1?.keep(read.key, read.changes, stored, value, aheadMs);
    if (aheadMs > 0) this.#refreshAhead(stored, aheadMs, read);
    return this.l1 === undefined ? value : this.l1.given(value);
  }

  #refreshAhead(stored: Buffer, aheadMs: number, read: CacheRead): void {
    const { load, isOwn } = read;
    const now = this.clock.now();
    if (load === undefined || isOwn || now === undefined || freshUntil(stored) - aheadMs > now) return;
    if (this.loader.isLoading(read.key)) return;
    this.#stats.refreshes += 1;
    const loading = { ...read, load, known: stored, reload: true, waits: undefined, since: this.loader.now };
    // The next one who reads it tries again.
    this.loader.load(loading, true).catch(() => undefined);
  }

  async #missed(read: CacheRead, reached: boolean, unserved?: Unserved): Promise<unknown> {
    const { load, signal } = read;
    this.#stats.misses += 1;
    if (load === undefined) return undefined;
    // A caller that has gone makes no load begin.
    if (signal?.aborted === true) throw stoppedWaiting(signal);
    const loading = { ...read, load, known: unserved?.stored, reload: unserved?.reload ?? false };
    const loaded = this.loader.load(loading, reached).then((bytes) => this.#decoded(read.key, bytes));
    return unserved?.isFallback === true ? this.#withGrace(loaded, unserved, read) : loaded;
  }

  /** What is loaded, or what is past its time: if that fails, or takes too long. */
  async #withGrace(loaded: Promise<unknown>, { stored, reload }: Unserved, read: CacheRead): Promise<unknown> {
    const late = this.store.decode(read.key, stored);
    if (late === MISS) return loaded;
    const { runtime } = this.#core.driver;
    const softTimeoutMs = reload ? undefined : this.#settings.softTimeoutMs;
    let timer;
    const waited = new Promise<typeof MISS>((resolve) => {
      if (softTimeoutMs === 0) resolve(MISS);
      else if (softTimeoutMs !== undefined) timer = runtime.setTimeout(() => resolve(MISS), softTimeoutMs);
    });
    try {
      const value = await Promise.race([waited, loaded]);
      if (value !== MISS) return value;
      // It goes on for those who come later.
      loaded.catch(() => undefined);
    } catch (error) {
      if (error instanceof ClosedError) throw error;
    } finally {
      runtime.clearTimeout(timer);
    }
    this.#stats.stale += 1;
    return this.l1 === undefined ? late : this.l1.given(late);
  }

  #decoded(key: string, bytes: Buffer): unknown {
    const value = this.store.decodeOrThrow(key, bytes);
    return this.l1 === undefined ? value : this.l1.given(value);
  }
}

/** How long before its end an entry is loaded again, in milliseconds; 0: not at all. */
function aheadOf(about: About | undefined, refreshAhead: number | "xfetch", chance: number): number {
  if (about?.l === undefined) return 0;
  return refreshAhead === "xfetch" ? -Math.max(1, about.d ?? 0) * Math.log(1 - chance) : about.l * (1 - refreshAhead);
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
