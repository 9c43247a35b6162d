/**
 * One load for the whole fleet.
 *
 * In a process all callers of one key share a flight (`flights.ts`). Between processes the server hands out one lease per
 * key; whoever gets it loads and fills, the others wait for the wake-up and look again. What can go wrong:
 * - the loader's process dies: its lease is short and no longer renewed, so a waiter takes over;
 * - the entry is deleted or set while a load runs: the lease is gone, the fill is refused, and in this process the
 *   flight takes no new callers, so no caller after the delete gets what was read before it;
 * - the wake-up is lost: a waiter also looks again when the lease it saw must have ended;
 * - the server is away: each process loads for itself (`onOutage`);
 * - the handle is closed: loads under way are called off.
 */
import { ClosedError, HoldfastError, isOutage, OutcomeUnknownError } from "../base/errors.ts";
import type { Timer } from "../base/runtime.ts";
import type { Core } from "../core/core.ts";
import type { Id } from "../core/keyspace/keyspace.ts";
import { aboutWith, hasGrace, hasSameHead, markOf, payloadOf, sequenceOf } from "./entry.ts";
import { type Flight, Flights, type Loaded, loadedOf, tokenOf } from "./flights.ts";
import { type CacheLoadMany, NOT_MODIFIED } from "./load.ts";
import { detailsOf, type LoadOutcome, type LoadRequest, LoadRuns, overdue } from "./load-runs.ts";
import type { ReadManner } from "./manner.ts";
import type { CacheSettings } from "./options.ts";
import type { Outcomes } from "./outcomes.ts";
import type { NewEntry } from "./entry-args.ts";
import type { CacheStore, Lookup } from "./store.ts";

/** What is to be loaded, for whom. */
export interface Loading extends LoadRequest {
  /** Undefined: the cache's. */
  readonly ttlMs: number | undefined;
  /** Whether `known` is to be replaced in any case, and not only if its time is over. */
  readonly reload: boolean;
  /** `Loader.now` when the caller asked. */
  readonly since: number;
  /** Whether the caller is the key's own loader. */
  readonly isOwn: boolean;
  /** Called when the load turns out to be another's, which is waited for. */
  readonly waits: (() => void) | undefined;
  readonly manner: ReadManner | undefined;
}

export class Loader {
  readonly #core: Core;
  readonly #store: CacheStore;
  readonly #settings: CacheSettings;
  readonly #counts: Outcomes["counts"];
  readonly #flights: Flights;
  readonly #runs: LoadRuns;

  constructor(core: Core, store: CacheStore, settings: CacheSettings, outcomes: Outcomes) {
    this.#core = core;
    this.#store = store;
    this.#settings = settings;
    this.#counts = outcomes.counts;
    this.#flights = new Flights(core.driver.runtime, () => (outcomes.counts.joined += 1));
    this.#runs = new LoadRuns(core, settings, outcomes, (key, stored) => store.decode(key, stored));
  }

  /** Whether the code that asks is a loader of that key. */
  isCaller(key: string): boolean {
    return this.#runs.doors.isCaller(key);
  }

  /** `loadMany`, known as the loader of all the entries that it is to load. */
  inside(loadMany: CacheLoadMany<unknown>): CacheLoadMany<unknown> {
    return (ids, context) =>
      this.#runs.doors.enter(
        ids.map((id) => this.#store.key(id)),
        () => loadMany(ids, context),
      );
  }

  get now(): number {
    return this.#flights.now;
  }

  /** Whether a load of that key is under way in this process. */
  isLoading(key: string): boolean {
    return this.#flights.has(key);
  }

  /**
   * The value, encoded, from whoever loads it: this call, another of this process, or another process.
   * @param reached false where the caller has just asked the server in vain: asking again would cost another deadline
   */
  async load(loading: Loading, reached: boolean): Promise<Loaded> {
    if (loading.isOwn) throw waitsForItself(loading.id);
    const boarding = {
      key: loading.key,
      since: loading.since,
      reached,
      stillLeased: (token: string) => this.#stillLeased(loading.id, token),
      waits: () => loading.waits?.(),
      fly: (flight: Flight) => (boarding.reached ? this.#fly(loading, flight) : this.#loadAlone(loading, flight)),
    };
    for (;;) {
      const flight = await this.#flights.board(boarding);
      const loaded = await flight.result;
      if (flight.began > boarding.since || (await this.#isValid(loading.key, loaded))) return loaded;
      // It was invalidated by tag, or the cache was cleared, after that load had begun.
      boarding.since = this.now;
    }
  }

  /** The entry changes: callers from now on must not get what a load under way has read before. */
  detach(key: string): void {
    this.#flights.detach(key);
  }

  /** Whether to go on without the server: it is away, or answers what no cache can use. */
  goesOn(error: unknown): boolean {
    return this.#settings.onOutage === "load" && isNoHelp(error);
  }

  async #isValid(key: string, { sequence, tags }: Loaded): Promise<boolean> {
    try {
      return await this.#store.validity.verify(key, sequence, tags);
    } catch (error) {
      if (this.goesOn(error)) return false;
      throw error;
    }
  }

  async #fly(loading: Loading, flight: Flight): Promise<Loaded> {
    let found;
    try {
      found = await this.#acquire(loading, flight);
    } catch (error) {
      if (!this.goesOn(error)) throw error;
      return this.#loadAlone(loading, flight);
    }
    if (found.status === "hit") return loadedOf(found.stored);
    if (found.status === "leased") return this.#loadUnderLease(loading, flight);
    throw overdue(
      loading.id,
      "another process was loading the entry for longer than loadTimeout",
      this.#settings.loadTimeoutMs,
    );
  }

  /** Until there is a value or this flight has the lease. */
  async #acquire(
    loading: Loading,
    flight: Flight,
  ): Promise<Exclude<Lookup, { status: "wait" }> | { status: "timeout" }> {
    const { key, waits } = loading;
    const first = await this.#lookup(loading, flight);
    if (first.status !== "wait") return first;
    this.#counts.waited += 1;
    waits?.();
    const { runtime } = this.#core.driver;
    const deadline = runtime.now() + this.#settings.loadTimeoutMs;
    const waiter = await this.#core.wakeups.join(key);
    try {
      for (;;) {
        const answer = await this.#lookup(loading, flight);
        if (answer.status !== "wait") return answer;
        const leftMs = deadline - runtime.now();
        if (leftMs <= 0) return { status: "timeout" };
        await waiter.next(Math.min(Math.max(answer.leaseMs, 1) + 1, leftMs));
      }
    } finally {
      waiter.leave();
    }
  }

  /** What was lost may still be carried out, so it is asked under another number. */
  async #lookup({ id, known, reload }: Loading, flight: Flight): Promise<Lookup> {
    const { runtime } = this.#core.driver;
    const deadline = runtime.now() + this.#settings.timeoutMs;
    for (;;) {
      try {
        return await this.#store.lookup(id, flight, known === undefined ? undefined : markOf(known), reload);
      } catch (error) {
        if (!(error instanceof OutcomeUnknownError) || runtime.now() >= deadline) throw error;
        flight.attempt += 1;
      }
    }
  }

  async #stillLeased(id: Id, token: string): Promise<boolean | undefined> {
    try {
      return await this.#store.extend(id, token);
    } catch (error) {
      if (this.goesOn(error)) return undefined;
      throw error;
    }
  }

  async #loadUnderLease(loading: Loading, flight: Flight): Promise<Loaded> {
    const { id } = loading;
    const token = tokenOf(flight);
    const renewal = this.#renew(id, token);
    this.#flights.loads(flight, "leased");
    const { sequence } = this.#store.versions;
    try {
      const outcome = await this.#runs.run(loading, flight.abort);
      const loaded = this.#loaded(loading, outcome, sequence);
      await this.#keep(loading, token, loaded, outcome);
      return loaded;
    } catch (error) {
      // Not waited for: the lease expires by itself, and giving it back only lets the next caller try at once.
      this.#giveBack(loading, token).catch(() => undefined);
      throw error;
    } finally {
      this.#core.driver.runtime.clearInterval(renewal);
    }
  }

  /** Nobody else is asked, and nothing is kept. */
  async #loadAlone(loading: Loading, flight: Flight): Promise<Loaded> {
    if (loading.manner?.asksServer !== false) this.#counts.outages += 1;
    this.#flights.loads(flight, "alone");
    const { sequence } = this.#store.versions;
    return this.#loaded(loading, await this.#runs.run(loading, flight.abort), sequence);
  }

  #loaded({ id, key, known }: Loading, { value, tags, isPending }: LoadOutcome, sequence: number): Loaded {
    if (value !== NOT_MODIFIED) return { bytes: this.#store.encode(key, value), sequence, tags, isPending };
    if (known !== undefined) return { bytes: payloadOf(known), sequence, tags, isPending };
    const message = `cache.getOrSet ${JSON.stringify(id)}: its loader returned notModified(), but had no previous value; see context.previous`;
    throw new HoldfastError("CONFLICT", message, detailsOf(id));
  }

  /** The caller has its value whatever becomes of the copy for the others, so an outage here is only counted. */
  async #keep(loading: Loading, token: string, loaded: Loaded, outcome: LoadOutcome): Promise<void> {
    const { id } = loading;
    try {
      const entry = this.#entryOf(loading, loaded, outcome);
      if (entry === undefined) return await this.#store.abandon(id, token);
      const isKept = await this.#put(loading, token, entry, outcome);
      if (!isKept) this.#counts.superseded += 1;
    } catch (error) {
      if (error instanceof ClosedError) return;
      if (!isNoHelp(error)) throw error;
      this.#counts.outages += 1;
      // Its waiters need not wait until the lease expires. Not awaited, as above.
      this.#store.abandon(id, token).catch(() => undefined);
    }
  }

  #put({ id, known }: Loading, token: string, entry: NewEntry, { value }: LoadOutcome): Promise<boolean> {
    const isSame = value === NOT_MODIFIED && known !== undefined && hasSameHead(known, entry.graceMs > 0, entry.about);
    if (!isSame) return this.#store.fill(id, token, entry);
    const freshMs = entry.ttlMs ?? this.#settings.ttlMs;
    return this.#store.renew(id, token, markOf(known), {
      freshMs,
      keepMs: freshMs + entry.graceMs,
      sequence: entry.sequence,
    });
  }

  /** What is stored of a load; undefined: nothing. */
  #entryOf({ ttlMs, manner }: Loading, { bytes, sequence, tags }: Loaded, outcome: LoadOutcome): NewEntry | undefined {
    const { negativeTtlMs, graceMs, refreshAhead } = this.#settings;
    if (outcome.isSkipped || manner?.stores === false) return undefined;
    const isNone = outcome.value === undefined;
    if (isNone && negativeTtlMs === 0) return undefined;
    const servedMs = isNone ? negativeTtlMs : (outcome.ttlMs ?? ttlMs);
    const lastsMs = servedMs ?? this.#settings.ttlMs;
    const isTimed = refreshAhead !== undefined && !isNone && lastsMs < Number.POSITIVE_INFINITY;
    const timing = isTimed ? { servedMs: lastsMs, tookMs: outcome.tookMs } : undefined;
    const about = aboutWith(tags, outcome.etag, timing);
    return { payload: bytes, ttlMs: servedMs, graceMs: isNone ? 0 : graceMs, sequence, about };
  }

  /** After a load that has failed: what is past its time is served for a while before the next one. */
  async #giveBack({ id, known, reload }: Loading, token: string): Promise<void> {
    if (known === undefined || reload || !hasGrace(known)) return this.#store.abandon(id, token);
    const terms = { freshMs: this.#settings.graceBackoffMs, keepMs: 0, sequence: sequenceOf(known) };
    await this.#store.renew(id, token, markOf(known), terms);
  }

  #renew(id: Id, token: string): Timer {
    const { runtime } = this.#core.driver;
    const renew = (): void => {
      // A lost lease is not taken again, and one that could not be renewed expires early: the fill is then refused.
      this.#store.extend(id, token).then(
        (held) => (held ? undefined : runtime.clearInterval(timer)),
        () => undefined,
      );
    };
    const timer = runtime.setInterval(renew, this.#settings.loadLeaseMs / 3);
    timer.unref();
    return timer;
  }
}

function waitsForItself(id: Id): HoldfastError {
  const message = `cache.getOrSet ${JSON.stringify(id)}: its loader asks for the same entry and would wait for itself; read the source there`;
  return new HoldfastError("CONFLICT", message, detailsOf(id));
}

/** An outage, or something under the cache's own keys that it did not put there. */
function isNoHelp(error: unknown): boolean {
  return isOutage(error) || (error instanceof HoldfastError && error.code === "WRONG_TYPE");
}
