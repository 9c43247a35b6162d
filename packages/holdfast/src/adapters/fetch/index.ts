/** `holdfast/fetch`: what Holdfast has for handlers of `Request` and `Response`, whatever runs them. */
export type { HttpCachePurge } from "../http-cache/http-cache.ts";
export type { HttpCacheOptions, HttpCacheRequest } from "../http-cache/options.ts";
export { httpCache } from "./http-cache.ts";
export type { FetchHandler, FetchHttpCache } from "./http-cache.ts";
