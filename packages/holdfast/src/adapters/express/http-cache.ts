/** `httpCache` for Express, and for whatever takes middleware of Node's requests and responses. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Holdfast } from "../../holdfast.ts";
import { HttpCache, type HttpCachePurge } from "../http-cache/http-cache.ts";
import type { HttpCacheOptions } from "../http-cache/options.ts";
import { MARK, newMark } from "../http-cache/marks.ts";
import { NodeExchange } from "../node/exchange.ts";
import { afterChange, sendStored } from "../node/intercept.ts";
import { replayed } from "./replay.ts";

/** What of an Express app is needed: it handles requests, and may be part of another one. */
export interface ExpressApp {
  (request: never, response: never): unknown;
  readonly parent?: unknown;
}

/** What of Express's `Request` is needed. */
export interface ExpressRequest extends IncomingMessage {
  readonly app?: ExpressApp;
  readonly originalUrl?: string;
  readonly protocol?: string;
}

/**
 * Caches the responses of what is behind it as they say (RFC 9111), once for the fleet.
 * @example
 * const cache = httpCache(hf);
 * app.use(cache);
 * await cache.purge({ tags: ["article-7"] });
 */
export interface ExpressHttpCache {
  (request: ExpressRequest, response: ServerResponse, next: (error?: unknown) => void): void;
  /** Removes responses by their tags (`Cache-Tag`, `Surrogate-Key`), by their URLs, or all. Idempotent. Cost: as `cache.invalidate`. */
  purge(options: HttpCachePurge): Promise<void>;
}

/** No I/O. @throws InvalidArgumentError for options that it does not know */
export function httpCache(hf: Holdfast, options?: HttpCacheOptions): ExpressHttpCache {
  const cache = new HttpCache(hf, options);
  const mark = newMark(hf.driver.runtime);

  const answer = async (request: ExpressRequest, response: ServerResponse, next: () => void): Promise<void> => {
    if (request.headers[MARK] === mark) {
      delete request.headers[MARK];
      return next();
    }
    const rerun = request.app && replayed(rootOf(request.app), request, mark);
    const exchange = new NodeExchange(request, response, urlOf(request), next, rerun);
    const handled = await cache.handle(exchange);
    if (handled.by === "handler") return;
    if (handled.by === "cache") return sendStored(request, response, handled);
    if (handled.cacheStatus !== undefined) response.appendHeader("cache-status", handled.cacheStatus);
    if (exchange.method !== "GET" && exchange.method !== "HEAD")
      afterChange(response, (status, fields) => cache.changed(exchange, { status, fields }));
    next();
  };
  const middleware: ExpressHttpCache = Object.assign(
    (request: ExpressRequest, response: ServerResponse, next: (error?: unknown) => void) =>
      void answer(request, response, next).then(undefined, next),
    { purge: (given: HttpCachePurge) => cache.purge(given) },
  );
  return middleware;
}

function rootOf(app: ExpressApp): ExpressApp {
  let root = app;
  while (typeof root.parent === "function") root = root.parent as ExpressApp;
  return root;
}

function urlOf({ originalUrl, url = "/", protocol, headers, socket }: ExpressRequest): string {
  const scheme = protocol ?? ("encrypted" in socket ? "https" : "http");
  const path = originalUrl ?? url;
  const text = `${scheme}://${headers.host ?? "localhost"}${path.startsWith("/") ? path : `/${path}`}`;
  return URL.canParse(text) ? new URL(text).href : `${scheme}://localhost${path}`;
}
