/** `sse` for Express, and for whatever takes handlers of Node's requests and responses. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Holdfast } from "../../holdfast.ts";
import { handleOf, type LiveHandle } from "../live/handle.ts";
import { Live } from "../live/live.ts";
import type { LiveOptions } from "../live/options.ts";
import { requestOf, serve } from "../node/sse.ts";

/** What of Express's `Request` is needed. */
export interface ExpressSseRequest extends IncomingMessage {
  readonly originalUrl?: string;
}

/**
 * Answers with server-sent events.
 * @example
 * const live = sse(hf, { sources: { prices: hf.channel("prices") } });
 * app.route("/live").get(live).post(live);
 */
export type ExpressSse<R extends ExpressSseRequest = ExpressSseRequest> = ((
  request: R,
  response: ServerResponse,
  next?: (error?: unknown) => void,
) => void) &
  LiveHandle;

/**
 * Returns the handler of one path: GET `?subscribe=prices` opens a connection, POST changes it. No I/O.
 * @throws InvalidArgumentError for options that it does not know
 */
export function sse<R extends ExpressSseRequest = ExpressSseRequest>(
  hf: Holdfast,
  options: LiveOptions<R>,
): ExpressSse<R> {
  const live = new Live<R>(hf, options);
  return handleOf(live, (request: R, response: ServerResponse, next?: (error?: unknown) => void) => {
    const url = request.originalUrl ?? request.url ?? "/";
    const failed = (error: unknown): void => {
      if (next !== undefined) return next(error);
      // Nobody else would hear of it.
      live.report(error);
      response.destroy();
    };
    void serve(live, requestOf(request, url, request), request, response).then(undefined, failed);
  });
}
