/** `holdfast/fastify`: what Holdfast has for Fastify. */
export type { HttpCachePurge } from "../http-cache/http-cache.ts";
export type { HttpCacheOptions, HttpCacheRequest } from "../http-cache/options.ts";
export { httpCache } from "./http-cache.ts";
export type { FastifyApp, FastifyHttpCache } from "./http-cache.ts";
