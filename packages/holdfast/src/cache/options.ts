import { InvalidArgumentError } from "../base/errors.ts";
import { type Duration, type OptionNames, toMs, toTimerMs } from "../base/options.ts";
import { type CacheL1Options, l1Settings, type L1Settings } from "./l1/options.ts";
import type { CacheLoadMany } from "./load.ts";
import { CODEC_OPTIONS, type CodecOptions } from "../core/codec/codec.ts";

export interface CacheOptions<V> extends CodecOptions<V> {
  /** Keeps entries in the memory of the process as well, as long as the server says what changes; `true` for the defaults. */
  readonly l1?: CacheL1Options | boolean;
  /** Loads what is missing where a call has no loader of its own: misses of the same tick in one call. */
  readonly loadMany?: CacheLoadMany<V>;
  /** How long a value is served. @default "5m" */
  readonly ttl?: Duration;
  /** Part of the ttl, 0 to 1, by which it is randomly shortened, so that what was stored together does not expire together. @default 0.1 */
  readonly jitter?: number;
  /** How long "there is none" (a load that returned undefined) is remembered; 0 means never. @default 0 */
  readonly negativeTtl?: Duration;
  /** Longest run of one load: then its callers get a TimeoutError and its AbortSignal fires. @default "10s" */
  readonly loadTimeout?: Duration;
  /** How long the right to load outlives a process that died while loading. Renewed while the load runs. @default "2s" */
  readonly loadLease?: Duration;
  /** Deadline of each operation on the server. @default "1s" */
  readonly timeout?: Duration;
  /** While no server answers: `load` calls the loader (once per process and key at a time), `throw` passes the error on. @default "load" */
  readonly onOutage?: "load" | "throw";
}

export const CACHE_OPTIONS: OptionNames<CacheOptions<unknown>> = {
  ...CODEC_OPTIONS,
  l1: true,
  loadMany: true,
  ttl: true,
  jitter: true,
  negativeTtl: true,
  loadTimeout: true,
  loadLease: true,
  timeout: true,
  onOutage: true,
};

export interface CacheSetOptions {
  /** For this entry instead of the cache's `ttl`. */
  readonly ttl?: Duration;
}

export interface CacheGetOrSetOptions extends CacheSetOptions {
  /** Stops this caller's waiting; a load that has begun goes on for the others. */
  readonly signal?: AbortSignal;
}

export const SET_OPTIONS: OptionNames<CacheSetOptions> = { ttl: true };
export const GET_OR_SET_OPTIONS: OptionNames<CacheGetOrSetOptions> = { ttl: true, signal: true };

export interface CacheSettings {
  readonly l1: L1Settings | undefined;
  readonly loadMany: CacheLoadMany<unknown> | undefined;
  readonly ttlMs: number;
  readonly jitter: number;
  readonly negativeTtlMs: number;
  readonly loadTimeoutMs: number;
  readonly loadLeaseMs: number;
  readonly timeoutMs: number;
  readonly onOutage: "load" | "throw";
}

export function cacheSettings<V>(options: CacheOptions<V>): CacheSettings {
  const { jitter = 0.1, onOutage = "load", loadMany } = options;
  if (loadMany !== undefined && typeof loadMany !== "function")
    throw new InvalidArgumentError("loadMany", "a function", loadMany);
  if (typeof jitter !== "number" || !(jitter >= 0 && jitter <= 1))
    throw new InvalidArgumentError("jitter", "a number from 0 to 1", jitter);
  if (onOutage !== "load" && onOutage !== "throw")
    throw new InvalidArgumentError("onOutage", '"load" or "throw"', onOutage);
  return {
    l1: l1Settings(options.l1),
    loadMany,
    ttlMs: toMs("ttl", options.ttl ?? "5m"),
    jitter,
    negativeTtlMs: toMs("negativeTtl", options.negativeTtl ?? 0, 0),
    loadTimeoutMs: toTimerMs("loadTimeout", options.loadTimeout ?? "10s"),
    loadLeaseMs: toTimerMs("loadLease", options.loadLease ?? "2s", 100),
    timeoutMs: toTimerMs("timeout", options.timeout ?? "1s"),
    onOutage,
  };
}
