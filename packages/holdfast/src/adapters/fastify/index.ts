/** `holdfast/fastify`: what Holdfast has for Fastify. */
export type { HttpCachePurge } from "../http-cache/http-cache.ts";
export type { HttpCacheOptions, HttpCacheRequest } from "../http-cache/options.ts";
export { httpCache } from "./http-cache.ts";
export type { FastifyApp, FastifyHttpCache } from "./http-cache.ts";
export { idempotencyRun } from "../idempotent/exchange.ts";
export type { IdempotentOptions, IdempotentRequest } from "../idempotent/options.ts";
export { idempotent } from "./idempotent.ts";
export type { FastifyIdempotent, FastifyIdempotentApp } from "./idempotent.ts";
export { sse } from "./sse.ts";
export type { FastifySse, FastifySseReply, FastifySseRequest } from "./sse.ts";
export { view } from "../live/view.ts";
export type { LiveReadable, LiveTopicViewOptions, LiveView, LiveViewOptions } from "../live/view.ts";
export type { LiveHandle } from "../live/handle.ts";
export type { LiveIdentity, LiveOptions, LiveRequested, LiveSource, LiveSources } from "../live/options.ts";
export type { LiveWebSocketOptions, LiveWebSocketServer } from "../node/upgrade.ts";
export { streamResponse } from "./stream-response.ts";
export type { StreamResponseOptions } from "../live/stream-response.ts";
