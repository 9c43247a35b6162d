/** `holdfast/hono`: what Holdfast has for Hono. */
export type { HttpCachePurge } from "../http-cache/http-cache.ts";
export type { HttpCacheOptions, HttpCacheRequest } from "../http-cache/options.ts";
export { httpCache } from "./http-cache.ts";
export type { HonoContext, HonoHttpCache, HonoHttpCacheOptions } from "./http-cache.ts";
