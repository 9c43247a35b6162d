/** `streamResponse` for Express, and for whatever takes handlers of Node's requests and responses. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Stream } from "../../stream/stream.ts";
import type { StreamResponseOptions } from "../live/stream-response.ts";
import { sendStream } from "../node/stream-response.ts";

/**
 * Answers with server-sent events: the chunks of `stream` behind the request's `Last-Event-ID`, then live, then `end` or `aborted`.
 * With a `source` that is written into the stream, if nobody has done so yet. Resolves when the response is over.
 * Cost: as `stream.read`; with a source as `stream.pipe`.
 * @throws InvalidArgumentError for options that it does not know
 * @example
 * app.post("/answers/:id", (request, response) =>
 *   streamResponse(request, response, hf.stream<string>(`answer:${request.params.id}`), { source }),
 * );
 */
export function streamResponse<T>(
  request: IncomingMessage,
  response: ServerResponse,
  stream: Stream<T>,
  options?: StreamResponseOptions<T>,
): Promise<void> {
  return sendStream(request, response, stream, options);
}
