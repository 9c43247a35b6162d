/** `httpCache` for Hono. */
import type { Holdfast } from "../../holdfast.ts";
import { FetchExchange, fieldsOf, noted, responseOf } from "../fetch/exchange.ts";
import { HttpCache, type HttpCachePurge } from "../http-cache/http-cache.ts";
import { MARK, newMark } from "../http-cache/marks.ts";
import type { HttpCacheOptions } from "../http-cache/options.ts";

/** What of Hono's `Context` is needed. */
export interface HonoContext {
  readonly req: { raw: Request };
  res: Response | undefined;
  readonly env: unknown;
}

export interface HonoHttpCacheOptions extends HttpCacheOptions {
  /** The app, by which a response is replaced while its stale one is served: without it `stale-while-revalidate` is not used. */
  readonly app?: { fetch(request: Request, env?: unknown): Response | Promise<Response> };
}

/**
 * Caches the responses of what is behind it as they say (RFC 9111), once for the fleet.
 * @example
 * const cache = httpCache(hf, { app });
 * app.use(cache);
 * await cache.purge({ tags: ["article-7"] });
 */
export interface HonoHttpCache {
  (context: HonoContext, next: () => Promise<void>): Promise<void>;
  /** Removes responses by their tags (`Cache-Tag`, `Surrogate-Key`), by their URLs, or all. Idempotent. Cost: as `cache.invalidate`. */
  purge(options: HttpCachePurge): Promise<void>;
}

/** No I/O. @throws InvalidArgumentError for options that it does not know */
export function httpCache(hf: Holdfast, options: HonoHttpCacheOptions = {}): HonoHttpCache {
  const { app, ...rest } = options;
  const cache = new HttpCache(hf, rest);
  const mark = newMark(hf.driver.runtime);

  const middleware = async (context: HonoContext, next: () => Promise<void>): Promise<void> => {
    const request = context.req.raw;
    if (request.headers.get(MARK) === mark) {
      const headers = new Headers(request.headers);
      headers.delete(MARK);
      context.req.raw = new Request(request, { headers });
      return next();
    }
    const run = async (given: Request): Promise<Response> => {
      context.req.raw = given;
      await next();
      context.req.raw = request;
      return context.res!;
    };
    const rerun = app && ((given: Request) => app.fetch(marked(given, mark), context.env));
    const exchange = new FetchExchange(request, run, rerun, (response) => replace(context, response));
    const handled = await cache.handle(exchange);
    if (handled.by === "cache") return replace(context, responseOf(handled, request.method));
    if (handled.by === "handler") return;
    await next();
    const response = context.res!;
    await cache.changed(exchange, { status: response.status, fields: fieldsOf(response.headers) });
    replace(context, noted(response, handled.cacheStatus));
  };
  return Object.assign(middleware, { purge: (given: HttpCachePurge) => cache.purge(given) });
}

/** Hono adds to a response the fields of the one that it takes the place of. */
export function replace(context: HonoContext, response: Response | undefined): void {
  context.res = undefined;
  context.res = response;
}

function marked(request: Request, mark: string): Request {
  const headers = new Headers(request.headers);
  headers.set(MARK, mark);
  return new Request(request, { headers });
}
