import { InvalidArgumentError } from "../../base/errors.ts";
import { type Duration, type OptionNames, toMs, wholeBetween } from "../../base/options.ts";
import type { CacheOptions } from "../../cache/options.ts";

/** A request as the options' functions see it. */
export interface HttpCacheRequest {
  readonly method: string;
  /** Absolute. */
  readonly url: string;
  /** A field by its name in lower case. */
  readonly header: (name: string) => string | undefined;
}

type HttpCacheStoreOptions = Pick<
  CacheOptions<unknown>,
  "l1" | "loadTimeout" | "loadLease" | "timeout" | "compress" | "encrypt" | "maxLoads"
>;

/** Those of the cache that holds the responses, and: */
export interface HttpCacheOptions extends HttpCacheStoreOptions {
  /** Of the cache that holds the responses. @default "http" */
  readonly name?: string;
  /** What the response is stored by, instead of its whole URL: without the parts that change nothing. */
  readonly key?: (request: HttpCacheRequest) => string;
  /** Requests that go past the cache. @default none */
  readonly skip?: (request: HttpCacheRequest) => boolean;
  /** The longest body that is stored, in bytes. @default 1048576 (1 MiB) */
  readonly maxBody?: number;
  /** Variants of one URL (`Vary`) that each process stores; those beyond it are not stored. @default 64 */
  readonly maxVariants?: number;
  /** How long a stale response is kept, to be validated or served as `stale-while-revalidate` and `stale-if-error` allow. @default "1h" */
  readonly keep?: Duration;
  /** Part of the time since `Last-Modified` for which a response without a lifetime of its own is fresh, 0 to 1, at most a day. @default 0 */
  readonly heuristic?: number;
  /** Whether a client's `Cache-Control: no-cache` and the like are obeyed. @default true */
  readonly clientDirectives?: boolean;
  /** What this cache is called in `Cache-Status`; false: it is not sent. @default "Holdfast" */
  readonly cacheStatus?: string | false;
}

export const HTTP_CACHE_OPTIONS: OptionNames<HttpCacheOptions> = {
  l1: true,
  loadTimeout: true,
  loadLease: true,
  timeout: true,
  compress: true,
  encrypt: true,
  maxLoads: true,
  name: true,
  key: true,
  skip: true,
  maxBody: true,
  maxVariants: true,
  keep: true,
  heuristic: true,
  clientDirectives: true,
  cacheStatus: true,
};

export interface HttpCacheSettings {
  readonly key: ((request: HttpCacheRequest) => string) | undefined;
  readonly skip: ((request: HttpCacheRequest) => boolean) | undefined;
  readonly maxBody: number;
  readonly maxVariants: number;
  readonly keepMs: number;
  readonly heuristic: number;
  readonly clientDirectives: boolean;
  readonly cacheStatus: string | undefined;
  readonly cache: HttpCacheStoreOptions;
}

export function httpCacheSettings(options: HttpCacheOptions): HttpCacheSettings {
  const { name: _, key, skip, maxBody = 2 ** 20, maxVariants = 64, keep = "1h", heuristic = 0, ...rest } = options;
  const { clientDirectives = true, cacheStatus = "Holdfast", ...cache } = rest;
  for (const [field, given] of Object.entries({ key, skip }))
    if (given !== undefined && typeof given !== "function")
      throw new InvalidArgumentError(field, "a function of the request", given);
  if (typeof heuristic !== "number" || !(heuristic >= 0 && heuristic <= 1))
    throw new InvalidArgumentError("heuristic", "a number from 0 to 1", heuristic);
  if (typeof clientDirectives !== "boolean")
    throw new InvalidArgumentError("clientDirectives", "true or false", clientDirectives);
  if (cacheStatus !== false && (typeof cacheStatus !== "string" || !/^[\x20-\x7e]+$/.test(cacheStatus)))
    throw new InvalidArgumentError("cacheStatus", "a name, or false", cacheStatus);
  return {
    key,
    skip,
    maxBody: wholeBetween("maxBody", maxBody, 0, 2 ** 29),
    maxVariants: wholeBetween("maxVariants", maxVariants, 1, 100_000),
    keepMs: toMs("keep", keep, 0),
    heuristic,
    clientDirectives,
    cacheStatus: cacheStatus === false ? undefined : cacheStatus,
    cache: { loadTimeout: "30s", ...cache },
  };
}
