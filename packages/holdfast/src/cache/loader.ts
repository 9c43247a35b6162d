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
import { Deferred } from "../base/deferred.ts";
import { Doors } from "../base/door.ts";
import { ClosedError, HoldfastError, isOutage, OutcomeUnknownError, TimeoutError } from "../base/errors.ts";
import type { Timer } from "../base/runtime.ts";
import type { Core } from "../core/core.ts";
import type { Id } from "../core/keyspace/keyspace.ts";
import { type Flight, Flights, tokenOf } from "./flights.ts";
import type { CacheLoad, CacheLoadMany } from "./load.ts";
import type { CacheSettings } from "./options.ts";
import type { CacheStats } from "./stats.ts";
import type { CacheStore, Lookup } from "./store.ts";

type Store = Omit<CacheStore, "read" | "readMerged">;

/** What is to be loaded, for whom. */
export interface Loading {
  readonly id: Id;
  readonly key: string;
  readonly load: CacheLoad<unknown>;
  readonly ttlMs: number;
  /** `Loader.now` when the caller asked. */
  readonly since: number;
  /** Whether the caller is the key's own loader. */
  readonly isOwn: boolean;
  /** Called when the load turns out to be another's, which is waited for. */
  readonly waits: (() => void) | undefined;
}

/** Loaders under way, by their keys: two caches of one name in one handle share them. */
const loaders = new WeakMap<Core, Doors>();

export class Loader {
  readonly #core: Core;
  readonly #store: Store;
  readonly #settings: CacheSettings;
  readonly #stats: CacheStats;
  readonly #flights: Flights;
  readonly #doors: Doors;

  constructor(core: Core, store: Store, settings: CacheSettings, stats: CacheStats) {
    this.#core = core;
    this.#store = store;
    this.#settings = settings;
    this.#stats = stats;
    this.#flights = new Flights(core.driver.runtime, () => (stats.joined += 1));
    this.#doors = loaders.get(core) ?? new Doors();
    loaders.set(core, this.#doors);
  }

  /** Whether the code that asks is a loader of that key. */
  isCaller(key: string): boolean {
    return this.#doors.isCaller(key);
  }

  /** `loadMany`, known as the loader of all the entries that it is to load. */
  inside(loadMany: CacheLoadMany<unknown>): CacheLoadMany<unknown> {
    return (ids, context) =>
      this.#doors.enter(
        ids.map((id) => this.#store.key(id)),
        () => loadMany(ids, context),
      );
  }

  get now(): number {
    return this.#flights.now;
  }

  /**
   * The value, encoded, from whoever loads it: this call, another of this process, or another process.
   * @param reached false where the caller has just asked the server in vain: asking again would cost another deadline
   */
  load(loading: Loading, reached: boolean): Promise<Buffer> {
    if (loading.isOwn) throw waitsForItself(loading.id);
    const boarding = {
      key: loading.key,
      since: loading.since,
      reached,
      stillLeased: (token: string) => this.#stillLeased(loading.id, token),
      waits: () => loading.waits?.(),
      fly: (flight: Flight) => (boarding.reached ? this.#fly(loading, flight) : this.#loadAlone(loading, flight)),
    };
    return this.#flights.board(boarding);
  }

  /** The entry changes: callers from now on must not get what a load under way has read before. */
  detach(key: string): void {
    this.#flights.detach(key);
  }

  /** Whether to go on without the server: it is away, or answers what no cache can use. */
  goesOn(error: unknown): boolean {
    return this.#settings.onOutage === "load" && isNoHelp(error);
  }

  async #fly(loading: Loading, flight: Flight): Promise<Buffer> {
    let found;
    try {
      found = await this.#acquire(loading, flight);
    } catch (error) {
      if (!this.goesOn(error)) throw error;
      return this.#loadAlone(loading, flight);
    }
    if (found.status === "hit") return found.bytes;
    if (found.status === "leased") return this.#loadUnderLease(loading, flight);
    throw this.#timeout(loading.id, "another process was loading the entry for longer than loadTimeout");
  }

  /** Until there is a value or this flight has the lease. */
  async #acquire(
    { id, key, waits }: Loading,
    flight: Flight,
  ): Promise<Exclude<Lookup, { status: "wait" }> | { status: "timeout" }> {
    const first = await this.#lookup(id, flight);
    if (first.status !== "wait") return first;
    this.#stats.waited += 1;
    waits?.();
    const { runtime } = this.#core.driver;
    const deadline = runtime.now() + this.#settings.loadTimeoutMs;
    const waiter = await this.#core.wakeups.join(key);
    try {
      for (;;) {
        const answer = await this.#lookup(id, flight);
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
  async #lookup(id: Id, flight: Flight): Promise<Lookup> {
    const { runtime } = this.#core.driver;
    const deadline = runtime.now() + this.#settings.timeoutMs;
    for (;;) {
      try {
        return await this.#store.lookup(id, flight, false);
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

  async #loadUnderLease(loading: Loading, flight: Flight): Promise<Buffer> {
    const { id } = loading;
    const token = tokenOf(flight);
    const renewal = this.#renew(id, token);
    this.#flights.loads(flight, "leased");
    try {
      const value = await this.#run(loading, flight);
      const bytes = this.#store.encode(loading.key, value);
      await this.#keep(id, token, bytes, value === undefined ? this.#settings.negativeTtlMs : loading.ttlMs);
      return bytes;
    } catch (error) {
      // Not waited for: the lease expires by itself, and giving it back only lets the next caller try at once.
      this.#store.abandon(id, token).catch(() => undefined);
      throw error;
    } finally {
      this.#core.driver.runtime.clearInterval(renewal);
    }
  }

  /** Nobody else is asked, and nothing is kept. */
  async #loadAlone(loading: Loading, flight: Flight): Promise<Buffer> {
    this.#stats.outages += 1;
    this.#flights.loads(flight, "alone");
    return this.#store.encode(loading.key, await this.#run(loading, flight));
  }

  /** The caller has its value whatever becomes of the copy for the others, so an outage here is only counted. */
  async #keep(id: Id, token: string, bytes: Buffer, keepMs: number): Promise<void> {
    try {
      if (keepMs === 0) await this.#store.abandon(id, token);
      else if (!(await this.#store.fill(id, token, bytes, keepMs))) this.#stats.superseded += 1;
    } catch (error) {
      if (error instanceof ClosedError) return;
      if (!isNoHelp(error)) throw error;
      this.#stats.outages += 1;
      // Its waiters need not wait until the lease expires. Not awaited, as above.
      this.#store.abandon(id, token).catch(() => undefined);
    }
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

  async #run({ id, key, load }: Loading, { abort }: Flight): Promise<unknown> {
    const { runtime } = this.#core.driver;
    const ended = new Deferred<never>();
    const end = (error: HoldfastError): void => {
      abort.abort(error);
      ended.reject(error);
    };
    const overdue = (): void => end(this.#timeout(id, "the loader took longer than loadTimeout"));
    const timer = runtime.setTimeout(overdue, this.#settings.loadTimeoutMs);
    const disown = this.#core.own({ close: async () => end(new ClosedError(undefined, detailsOf(id))) });
    this.#stats.loads += 1;
    try {
      return await Promise.race([this.#doors.enter([key], () => load({ id, signal: abort.signal })), ended.promise]);
    } catch (error) {
      this.#stats.loadErrors += 1;
      throw error;
    } finally {
      runtime.clearTimeout(timer);
      disown();
    }
  }

  #timeout(id: Id, what: string): TimeoutError {
    return new TimeoutError(`${what} (${this.#settings.loadTimeoutMs} ms)`, detailsOf(id));
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

function detailsOf(id: Id): { op: string; key: string } {
  return { op: "cache.getOrSet", key: String(id) };
}
