/** `httpCache` for handlers of `Request` and `Response`. */
import type { Holdfast } from "../../holdfast.ts";
import { HttpCache, type HttpCachePurge } from "../http-cache/http-cache.ts";
import type { HttpCacheOptions } from "../http-cache/options.ts";
import { FetchExchange, fieldsOf, noted, responseOf } from "./exchange.ts";

export type FetchHandler<Rest extends unknown[] = []> = (
  request: Request,
  ...rest: Rest
) => Response | Promise<Response>;

/**
 * Makes of a handler one whose responses are cached as they say (RFC 9111), once for the fleet.
 * @example
 * const cached = httpCache(hf);
 * export default { fetch: cached(handler) };
 * await cached.purge({ tags: ["article-7"] });
 */
export interface FetchHttpCache {
  <Rest extends unknown[]>(handler: FetchHandler<Rest>): (request: Request, ...rest: Rest) => Promise<Response>;
  /** Removes responses by their tags (`Cache-Tag`, `Surrogate-Key`), by their URLs, or all. Idempotent. Cost: as `cache.invalidate`. */
  purge(options: HttpCachePurge): Promise<void>;
}

/** No I/O. @throws InvalidArgumentError for options that it does not know */
export function httpCache(hf: Holdfast, options?: HttpCacheOptions): FetchHttpCache {
  const cache = new HttpCache(hf, options);
  const wrap = <Rest extends unknown[]>(handler: FetchHandler<Rest>) => {
    return async (request: Request, ...rest: Rest): Promise<Response> => {
      let own: Response | undefined;
      const run = (given: Request): Response | Promise<Response> => handler(given, ...rest);
      const exchange = new FetchExchange(request, run, run, (response) => {
        own = response;
      });
      const handled = await cache.handle(exchange);
      if (handled.by === "cache") return responseOf(handled, request.method);
      if (handled.by === "handler") return own!;
      const response = await handler(request, ...rest);
      await cache.changed(exchange, { status: response.status, fields: fieldsOf(response.headers) });
      return noted(response, handled.cacheStatus);
    };
  };
  return Object.assign(wrap, { purge: (options: HttpCachePurge) => cache.purge(options) });
}
