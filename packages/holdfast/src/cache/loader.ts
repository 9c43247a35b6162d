/**
 * One load for the whole fleet.
 *
 * In a process all callers of one key share a flight. Between processes the server hands out one lease per key; who
 * gets it loads and fills, the others wait for the wake-up and look again. What can go wrong:
 * - the loader's process dies: its lease is short and no longer renewed, so a waiter takes over;
 * - the entry is deleted or set while a load runs: the lease is gone, the fill is refused, and in this process the
 *   flight takes no new callers, so nobody who asks after the delete gets what was read before it;
 * - the wake-up is lost: a waiter also looks again when the lease it saw must have ended;
 * - the server is away: each process loads for itself (`onOutage`).
 */
import type { Core } from "../core/core.ts";
import { ClosedError, isOutage, OutcomeUnknownError, TimeoutError } from "../base/errors.ts";
import type { Id } from "../core/keyspace/keyspace.ts";
import type { Runtime, Timer } from "../base/runtime.ts";
import type { Wakeups } from "../core/wait/wakeups.ts";
import { type Flight, Flights, tokenOf } from "./flights.ts";
import type { CacheSettings } from "./options.ts";
import type { CacheStats } from "./stats.ts";
import type { CacheStore, Lookup } from "./store.ts";

export interface LoadContext {
  readonly id: Id;
  /** Fires when the load has exceeded `loadTimeout`. */
  readonly signal: AbortSignal;
}

export type Load<V> = (context: LoadContext) => V | Promise<V>;

export class Loader<V> {
  readonly #runtime: Runtime;
  readonly #store: CacheStore<V>;
  readonly #wakeups: Wakeups;
  readonly #settings: CacheSettings;
  readonly #stats: CacheStats;
  readonly #flights: Flights<V | undefined>;

  constructor(core: Core, store: CacheStore<V>, settings: CacheSettings, stats: CacheStats) {
    this.#runtime = core.driver.runtime;
    this.#store = store;
    this.#wakeups = core.wakeups;
    this.#settings = settings;
    this.#stats = stats;
    this.#flights = new Flights(this.#runtime, () => (stats.joined += 1));
  }

  /** The value from whoever loads it: this call, another of this process, or another process. */
  load<R extends V | undefined>(id: Id, load: Load<R>, ttlMs: number): Promise<R> {
    // Without a server nothing newer can be known here, so an outage lets callers share the load.
    const stillLeased = (token: string): Promise<boolean> => this.#store.extend(id, token).catch(() => true);
    const fly = (flight: Flight<V | undefined>): Promise<R> => this.#fly(id, load, ttlMs, flight);
    return this.#flights.board(this.#store.key(id), stillLeased, fly) as Promise<R>;
  }

  /** As `load`, for who has just asked the server in vain: asking it again would cost another deadline. */
  loadAlone<R extends V | undefined>(id: Id, load: Load<R>): Promise<R> {
    const fly = (flight: Flight<V | undefined>): Promise<R> => this.#flyAlone(id, load, flight);
    return this.#flights.board(this.#store.key(id), async () => true, fly) as Promise<R>;
  }

  /** The entry changes: who asks from now on must not get what a load in flight has read before. */
  detach(id: Id): void {
    this.#flights.detach(this.#store.key(id));
  }

  async #fly<R extends V | undefined>(id: Id, load: Load<R>, ttlMs: number, flight: Flight<V | undefined>): Promise<R> {
    let found;
    try {
      found = await this.#acquire(id, flight);
    } catch (error) {
      if (this.#settings.onOutage === "throw" || !isOutage(error)) throw error;
      return this.#flyAlone(id, load, flight);
    }
    if (found.status === "hit") return found.value as R;
    if (found.status === "timeout")
      throw this.#timeout(id, "another process was loading the entry for longer than loadTimeout");
    flight.leased = true;
    return this.#loadUnderLease(id, load, ttlMs, flight);
  }

  /** Nobody else is asked, and nothing is kept. */
  #flyAlone<R extends V | undefined>(id: Id, load: Load<R>, flight: Flight<V | undefined>): Promise<R> {
    this.#stats.outages += 1;
    return this.#run(id, load, flight.abort);
  }

  /** Until there is a value or this flight has the lease. */
  async #acquire(
    id: Id,
    flight: Flight<V | undefined>,
  ): Promise<Exclude<Lookup<V | undefined>, { status: "wait" }> | { status: "timeout" }> {
    const first = await this.#lookup(id, flight);
    if (first.status !== "wait") return first;
    this.#stats.waited += 1;
    const deadline = this.#runtime.now() + this.#settings.loadTimeoutMs;
    const waiter = await this.#wakeups.join(this.#store.key(id));
    try {
      for (;;) {
        const answer = await this.#lookup(id, flight);
        if (answer.status !== "wait") return answer;
        const leftMs = deadline - this.#runtime.now();
        if (leftMs <= 0) return { status: "timeout" };
        await waiter.next(Math.min(Math.max(answer.leaseMs, 1) + 1, leftMs));
      }
    } finally {
      waiter.leave();
    }
  }

  /** What was lost may still be carried out, so it is asked under another number. */
  async #lookup(id: Id, flight: Flight<V | undefined>): Promise<Lookup<V | undefined>> {
    const deadline = this.#runtime.now() + this.#settings.timeoutMs;
    for (;;) {
      try {
        return await this.#store.lookup(id, flight, false);
      } catch (error) {
        if (!(error instanceof OutcomeUnknownError) || this.#runtime.now() >= deadline) throw error;
        flight.attempt += 1;
      }
    }
  }

  async #loadUnderLease<R extends V | undefined>(
    id: Id,
    load: Load<R>,
    ttlMs: number,
    flight: Flight<V | undefined>,
  ): Promise<R> {
    const { abort } = flight;
    const token = tokenOf(flight);
    const renewal = this.#renew(id, token);
    try {
      const value = await this.#run(id, load, abort);
      await this.#keep(id, token, value, ttlMs);
      return value;
    } catch (error) {
      // The lease ends by itself; giving it back only lets the next caller try at once.
      await this.#store.abandon(id, token).catch(() => undefined);
      throw error;
    } finally {
      this.#runtime.clearInterval(renewal);
    }
  }

  /** The caller has its value whatever becomes of the copy for the others, so an outage here is only counted. */
  async #keep(id: Id, token: string, value: V | undefined, ttlMs: number): Promise<void> {
    const keepMs = value === undefined ? this.#settings.negativeTtlMs : ttlMs;
    try {
      if (keepMs === 0) await this.#store.abandon(id, token);
      else if (!(await this.#store.fill(id, token, value, keepMs))) this.#stats.superseded += 1;
    } catch (error) {
      if (error instanceof ClosedError) return;
      if (!isOutage(error)) throw error;
      this.#stats.outages += 1;
    }
  }

  #renew(id: Id, token: string): Timer {
    const stop = (): void => this.#runtime.clearInterval(timer);
    const renew = (): void => {
      // A lost lease is not taken again, and one that could not be renewed ends early: the fill is then refused.
      this.#store.extend(id, token).then(
        (held) => (held ? undefined : stop()),
        () => undefined,
      );
    };
    const timer = this.#runtime.setInterval(renew, this.#settings.loadLeaseMs / 3);
    timer.unref();
    return timer;
  }

  async #run<R>(id: Id, load: Load<R>, abort: AbortController): Promise<R> {
    this.#stats.loads += 1;
    let timer: Timer | undefined;
    const timeout = new Promise<never>((_, reject) => {
      timer = this.#runtime.setTimeout(() => {
        const error = this.#timeout(id, "the loader took longer than loadTimeout");
        abort.abort(error);
        reject(error);
      }, this.#settings.loadTimeoutMs);
    });
    try {
      return await Promise.race([load({ id, signal: abort.signal }), timeout]);
    } catch (error) {
      this.#stats.loadErrors += 1;
      throw error;
    } finally {
      this.#runtime.clearTimeout(timer);
    }
  }

  #timeout(id: Id, what: string): TimeoutError {
    return new TimeoutError(`${what} (${this.#settings.loadTimeoutMs} ms)`, { op: "cache.getOrSet", key: String(id) });
  }
}
