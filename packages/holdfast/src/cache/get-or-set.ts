/** What one `getOrSet` makes of its read. An object and not closures, because every hit pays for it and few use it. */
import { AbortedError, isOutage } from "../base/errors.ts";
import type { Id } from "../core/keyspace/keyspace.ts";
import type { Runtime } from "../base/runtime.ts";
import type { Load, Loader } from "./loader.ts";
import type { CacheSettings } from "./options.ts";
import type { CacheStats } from "./stats.ts";
import type { Reader } from "./store.ts";

/** What all calls of one cache share. */
export interface Loading<V> {
  readonly runtime: Runtime;
  readonly settings: CacheSettings;
  readonly stats: CacheStats;
  readonly loader: Loader<V>;
}

export class GetOrSet<V, R extends V | undefined> implements Reader<V, V | R> {
  readonly #shared: Loading<V>;
  readonly #id: Id;
  readonly #load: Load<R>;
  readonly #ttlMs: number;
  readonly #signal: AbortSignal | undefined;

  constructor(shared: Loading<V>, id: Id, load: Load<R>, ttlMs: number, signal: AbortSignal | undefined) {
    this.#shared = shared;
    this.#id = id;
    this.#load = load;
    this.#ttlMs = ttlMs;
    this.#signal = signal;
  }

  hit(value: V | undefined): V | R {
    this.#shared.stats.hits += 1;
    return value as V | R;
  }

  miss(): Promise<R> {
    const { runtime, settings, loader } = this.#counted();
    return loader.load(this.#id, this.#load, jittered(runtime, this.#ttlMs, settings.jitter));
  }

  /** With `onOutage: "load"` an outage is a miss. */
  failed(error: unknown): Promise<R> {
    if (this.#shared.settings.onOutage === "throw" || !isOutage(error)) throw error;
    return this.#counted().loader.loadAlone(this.#id, this.#load);
  }

  /** A miss; but a caller who has gone makes no load begin. */
  #counted(): Loading<V> {
    this.#shared.stats.misses += 1;
    if (this.#signal?.aborted === true) throw stoppedWaiting(this.#signal);
    return this.#shared;
  }
}

/** Up to the share `jitter` shorter, so that what was stored together does not expire together. */
export function jittered(runtime: Runtime, ttlMs: number, jitter: number): number {
  return Math.max(1, Math.round(ttlMs * (1 - runtime.random() * jitter)));
}

export function stoppedWaiting(signal: AbortSignal): AbortedError {
  return new AbortedError("the caller stopped waiting for the value", { op: "cache.getOrSet", cause: signal.reason });
}
