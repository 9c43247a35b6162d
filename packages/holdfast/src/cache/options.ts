import { InvalidArgumentError } from "../base/errors.ts";
import { type Duration, type OptionNames, toMs, toTimerMs, wholeBetween } from "../base/options.ts";
import { type CacheL1Options, l1Settings, type L1Settings } from "./l1/options.ts";
import type { CacheLoadMany } from "./load.ts";
import { type CacheWrite, type CacheWriterOptions, type WriterSettings, writerSettings } from "./writer/options.ts";
import { CODEC_OPTIONS, type CodecOptions } from "../core/codec/codec.ts";
import type { CacheLevels } from "./manner.ts";
import { type CacheTtl, ttlToMs } from "./ttl.ts";

export interface CacheOptions<V> extends CodecOptions<V> {
  /** Keeps entries in the memory of the process as well, as long as the server says what changes; `true` for the defaults. */
  readonly l1?: CacheL1Options | boolean;
  /** Loads what is missing where a call has no loader of its own: misses of the same tick in one call. */
  readonly loadMany?: CacheLoadMany<V>;
  /** Writes to the database what `write` is given; a function writes through. */
  readonly writer?: CacheWriterOptions<V> | CacheWrite<V>;
  /** How long a value is served; `"none"`: until it is replaced, removed or invalidated. @default "5m" */
  readonly ttl?: CacheTtl;
  /** Part of the ttl, 0 to 1, by which it is randomly shortened, so that what was stored together does not expire together; not that of a ttl of the call's own. @default 0.1 */
  readonly jitter?: number;
  /** How long "there is none" (a load that returned undefined) is remembered; 0 means never. @default 0 */
  readonly negativeTtl?: Duration;
  /** How long a value is kept past its ttl, to be served where its load fails or takes longer than `softTimeout`. @default 0: not at all */
  readonly grace?: Duration;
  /** How long a caller waits for a load while there is a value past its ttl; 0: not at all, it is loaded in the background. @default as long as the load takes */
  readonly softTimeout?: Duration;
  /** How long `getOrSet` waits for the server where this process has the value in memory past its ttl: then it loads as while the server is away. @default `timeout` */
  readonly serverSoftTimeout?: Duration;
  /** How long a value past its ttl is served without another load after one has failed. @default "10s" */
  readonly graceBackoff?: Duration;
  /**
   * Loads a value again before it expires, in the background, when it is read: after this part of its ttl (0 to 1), or `"xfetch"`: at random, the likelier the
   * nearer its end is and the longer its load took (Vattani, Chierichetti, Lowenstein: Optimal Probabilistic Cache Stampede Prevention, VLDB 2015).
   * @default never
   */
  readonly refreshAhead?: number | "xfetch";
  /** Loads of this cache that run in this process at a time; others wait, within their `loadTimeout`. @default no limit */
  readonly maxLoads?: number;
  /** Longest run of one load: then its callers get a TimeoutError and its AbortSignal fires. @default "10s" */
  readonly loadTimeout?: Duration;
  /** How long the right to load outlives a process that died while loading. Renewed while the load runs. @default "2s" */
  readonly loadLease?: Duration;
  /** Keeps an index of the ids, for `keys`, `entries` and `size`; entries that were stored without it are not in it. @default false */
  readonly index?: boolean;
  /**
   * What becomes of an id of more than 1,024 characters: it is refused, or it stands in its key as its first 256 characters and a SHA-256.
   * @default "refuse"
   */
  readonly longIds?: "refuse" | "hash";
  /** Deadline of each operation on the server. @default "1s" */
  readonly timeout?: Duration;
  /** Whether an invalidation that failed because the server was away is sent once it is back, though it rejects: `delete`, `deleteMany`, `expire`, `invalidate`, `clear`. @default true */
  readonly autoRecovery?: boolean;
  /** While no server answers: `load` calls the loader (once per process and key at a time), `throw` passes the error on. @default "load" */
  readonly onOutage?: "load" | "throw";
}

export const CACHE_OPTIONS: OptionNames<CacheOptions<unknown>> = {
  ...CODEC_OPTIONS,
  l1: true,
  loadMany: true,
  writer: true,
  ttl: true,
  jitter: true,
  negativeTtl: true,
  grace: true,
  softTimeout: true,
  serverSoftTimeout: true,
  graceBackoff: true,
  refreshAhead: true,
  maxLoads: true,
  loadTimeout: true,
  loadLease: true,
  index: true,
  longIds: true,
  timeout: true,
  autoRecovery: true,
  onOutage: true,
};

export interface CacheEntryOptions {
  /** For this entry instead of the cache's `ttl`, and without `jitter`. */
  readonly ttl?: CacheTtl;
  /** By which it can be invalidated: `invalidate({ tags })`. At most 100, of 256 characters each. */
  readonly tags?: Iterable<string>;
}

export interface CacheSetOptions extends CacheEntryOptions {
  /** Stores only where there is no value, or only where there is one. @default in any case */
  readonly only?: "absent" | "present";
}

export interface CacheTouchOptions {
  /** From now on, instead of the cache's `ttl`, and without `jitter`. */
  readonly ttl?: CacheTtl;
}

export interface CacheInvalidateOptions {
  /** Every entry that has one of them. At most 1,000. */
  readonly tags: Iterable<string>;
}

export interface CacheClearOptions {
  /** Only entries whose ids begin with it; at most 256 characters. @default all entries */
  readonly prefix?: string;
}

export interface CacheKeysOptions {
  /** Only those that begin with it; at most 256 characters. @default all ids */
  readonly prefix?: string;
}

export interface CacheWriteOptions {
  /** For this entry instead of the cache's `ttl`, and without `jitter`. */
  readonly ttl?: CacheTtl;
}

export interface CacheGetOptions extends Pick<CacheLevels, "l1"> {}

export interface CacheGetOrSetOptions extends CacheEntryOptions, CacheLevels {
  /** Loads also where there is a value, which is served if the load fails. */
  readonly refresh?: boolean;
  /** Stops this caller's waiting; a load that has begun goes on for the others. */
  readonly signal?: AbortSignal;
}

export const ENTRY_OPTIONS: OptionNames<CacheEntryOptions> = { ttl: true, tags: true };
export const TTL_OPTIONS: OptionNames<CacheTouchOptions & CacheWriteOptions> = { ttl: true };
export const SET_OPTIONS: OptionNames<CacheSetOptions> = { ...ENTRY_OPTIONS, only: true };
export const GET_OPTIONS: OptionNames<CacheGetOptions> = { l1: true };
export const GET_OR_SET_OPTIONS: OptionNames<CacheGetOrSetOptions> = {
  ttl: true,
  tags: true,
  refresh: true,
  signal: true,
  l1: true,
  server: true,
};
export const PREFIX_OPTIONS: OptionNames<CacheClearOptions & CacheKeysOptions> = { prefix: true };
export const INVALIDATE_OPTIONS: OptionNames<CacheInvalidateOptions> = { tags: true };

export interface CacheSettings {
  readonly l1: L1Settings | undefined;
  readonly loadMany: CacheLoadMany<unknown> | undefined;
  readonly writer: WriterSettings | undefined;
  readonly ttlMs: number;
  readonly jitter: number;
  readonly negativeTtlMs: number;
  readonly graceMs: number;
  readonly softTimeoutMs: number | undefined;
  readonly serverSoftTimeoutMs: number | undefined;
  readonly graceBackoffMs: number;
  readonly refreshAhead: number | "xfetch" | undefined;
  readonly maxLoads: number;
  readonly loadTimeoutMs: number;
  readonly loadLeaseMs: number;
  readonly index: boolean;
  readonly hashesLongIds: boolean;
  readonly timeoutMs: number;
  readonly autoRecovery: boolean;
  readonly onOutage: "load" | "throw";
}

export function cacheSettings<V>(options: CacheOptions<V>): CacheSettings {
  const { jitter = 0.1, autoRecovery = true, index = false, onOutage = "load", longIds = "refuse", loadMany } = options;
  for (const [name, given] of Object.entries({ autoRecovery, index }))
    if (typeof given !== "boolean") throw new InvalidArgumentError(name, "a boolean", given);
  if (loadMany !== undefined && typeof loadMany !== "function")
    throw new InvalidArgumentError("loadMany", "a function", loadMany);
  if (typeof jitter !== "number" || !(jitter >= 0 && jitter <= 1))
    throw new InvalidArgumentError("jitter", "a number from 0 to 1", jitter);
  const { refreshAhead, softTimeout, serverSoftTimeout } = options;
  const isPart = typeof refreshAhead === "number" && refreshAhead > 0 && refreshAhead < 1;
  if (refreshAhead !== undefined && refreshAhead !== "xfetch" && !isPart)
    throw new InvalidArgumentError("refreshAhead", 'a number between 0 and 1, or "xfetch"', refreshAhead);
  if (onOutage !== "load" && onOutage !== "throw")
    throw new InvalidArgumentError("onOutage", '"load" or "throw"', onOutage);
  if (longIds !== "refuse" && longIds !== "hash")
    throw new InvalidArgumentError("longIds", '"refuse" or "hash"', longIds);
  return {
    l1: l1Settings(options.l1),
    loadMany,
    writer: options.writer === undefined ? undefined : writerSettings(options.writer),
    ttlMs: ttlToMs("ttl", options.ttl ?? "5m"),
    jitter,
    negativeTtlMs: toMs("negativeTtl", options.negativeTtl ?? 0, 0),
    graceMs: toMs("grace", options.grace ?? 0, 0),
    softTimeoutMs: softTimeout === undefined ? undefined : toTimerMs("softTimeout", softTimeout, 0),
    serverSoftTimeoutMs:
      serverSoftTimeout === undefined ? undefined : toTimerMs("serverSoftTimeout", serverSoftTimeout),
    graceBackoffMs: toMs("graceBackoff", options.graceBackoff ?? "10s"),
    refreshAhead,
    maxLoads:
      options.maxLoads === undefined
        ? Number.POSITIVE_INFINITY
        : wholeBetween("maxLoads", options.maxLoads, 1, 1_000_000),
    loadTimeoutMs: toTimerMs("loadTimeout", options.loadTimeout ?? "10s"),
    loadLeaseMs: toTimerMs("loadLease", options.loadLease ?? "2s", 100),
    index,
    hashesLongIds: longIds === "hash",
    timeoutMs: toTimerMs("timeout", options.timeout ?? "1s"),
    autoRecovery,
    onOutage,
  };
}
