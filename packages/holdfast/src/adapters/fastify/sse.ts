/** `sse` for Fastify, a route's handler. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Holdfast } from "../../holdfast.ts";
import { handleOf, type LiveHandle } from "../live/handle.ts";
import { Live } from "../live/live.ts";
import type { LiveOptions } from "../live/options.ts";
import { requestOf, serve } from "../node/sse.ts";

/** What of Fastify's request is needed. */
export interface FastifySseRequest {
  readonly raw: IncomingMessage;
  readonly originalUrl: string;
}

/** What of Fastify's reply is needed. */
export interface FastifySseReply {
  readonly raw: ServerResponse;
  getHeaders(): Readonly<Record<string, number | string | string[] | undefined>>;
  hijack(): unknown;
}

/**
 * Answers with server-sent events.
 * @example
 * const live = sse(hf, { sources: { prices: hf.channel("prices") } });
 * app.route({ method: ["GET", "POST"], url: "/live", handler: live });
 */
export type FastifySse<R extends FastifySseRequest = FastifySseRequest> = ((
  request: R,
  reply: FastifySseReply,
) => Promise<void>) &
  LiveHandle;

/**
 * Returns the handler of one path: GET `?subscribe=prices` opens a connection, POST changes it. No I/O.
 * @throws InvalidArgumentError for options that it does not know
 */
export function sse<R extends FastifySseRequest = FastifySseRequest>(
  hf: Holdfast,
  options: LiveOptions<R>,
): FastifySse<R> {
  const live = new Live<R>(hf, options);
  return handleOf(live, async (request: R, reply: FastifySseReply) => {
    const asked = requestOf(request.raw, request.originalUrl, request);
    await serve(live, asked, request.raw, reply.raw, () => takeOver(reply));
  });
}

/** The response is written without Fastify from now on, with what its hooks have set, such as CORS. */
export function takeOver(reply: FastifySseReply): void {
  reply.hijack();
  for (const [name, value] of Object.entries(reply.getHeaders()))
    if (value !== undefined) reply.raw.setHeader(name, value);
}
