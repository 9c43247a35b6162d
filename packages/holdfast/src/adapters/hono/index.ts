/** `holdfast/hono`: what Holdfast has for Hono. */
export type { HttpCachePurge } from "../http-cache/http-cache.ts";
export type { HttpCacheOptions, HttpCacheRequest } from "../http-cache/options.ts";
export { httpCache } from "./http-cache.ts";
export type { HonoContext, HonoHttpCache, HonoHttpCacheOptions } from "./http-cache.ts";
export { idempotencyRun } from "../idempotent/exchange.ts";
export type { IdempotentOptions, IdempotentRequest } from "../idempotent/options.ts";
export { idempotent } from "./idempotent.ts";
export type { HonoIdempotent, HonoIdempotentContext } from "./idempotent.ts";
export { sse } from "./sse.ts";
export type { HonoSse, HonoSseContext } from "./sse.ts";
export { view } from "../live/view.ts";
export type { LiveReadable, LiveTopicViewOptions, LiveView, LiveViewOptions } from "../live/view.ts";
export type { LiveHandle } from "../live/handle.ts";
export type { LiveIdentity, LiveOptions, LiveRequested, LiveSource, LiveSources } from "../live/options.ts";
export type { LiveWebSocketOptions, LiveWebSocketServer } from "../node/upgrade.ts";
export { streamResponse } from "./stream-response.ts";
export type { StreamResponseOptions } from "../live/stream-response.ts";
