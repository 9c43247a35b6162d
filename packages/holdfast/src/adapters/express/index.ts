/** `holdfast/express`: what Holdfast has for Express. */
export type { HttpCachePurge } from "../http-cache/http-cache.ts";
export type { HttpCacheOptions, HttpCacheRequest } from "../http-cache/options.ts";
export { httpCache } from "./http-cache.ts";
export type { ExpressHttpCache, ExpressRequest } from "./http-cache.ts";
