/** `streamResponse` for Hono. */
import type { Stream } from "../../stream/stream.ts";
import { streamResponse as fetchResponse } from "../fetch/stream-response.ts";
import type { StreamResponseOptions } from "../live/stream-response.ts";

/**
 * Returns a response of server-sent events: the chunks of `stream` behind the request's `Last-Event-ID`, then live, then `end` or `aborted`.
 * With a `source` that is written into the stream, if nobody has done so yet.
 * Cost: as `stream.read`; with a source as `stream.pipe`.
 * @throws InvalidArgumentError for options that it does not know
 * @example
 * app.post("/answers/:id", (c) => streamResponse(c, hf.stream<string>(`answer:${c.req.param("id")}`), { source }));
 */
export function streamResponse<T>(
  context: { readonly req: { readonly raw: Request } },
  stream: Stream<T>,
  options?: StreamResponseOptions<T>,
): Response {
  return fetchResponse(context.req.raw, stream, options);
}
