/** `streamResponse` for Fastify. */
import type { Stream } from "../../stream/stream.ts";
import type { StreamResponseOptions } from "../live/stream-response.ts";
import { sendStream } from "../node/stream-response.ts";
import { type FastifySseReply, type FastifySseRequest, takeOver } from "./sse.ts";

/**
 * Answers with server-sent events: the chunks of `stream` behind the request's `Last-Event-ID`, then live, then `end` or `aborted`.
 * With a `source` that is written into the stream, if nobody has done so yet. Resolves when the response is over.
 * Cost: as `stream.read`; with a source as `stream.pipe`.
 * @throws InvalidArgumentError for options that it does not know
 * @example
 * app.post("/answers/:id", (request, reply) =>
 *   streamResponse(request, reply, hf.stream<string>(`answer:${request.params.id}`), { source }),
 * );
 */
export function streamResponse<T>(
  request: Pick<FastifySseRequest, "raw">,
  reply: FastifySseReply,
  stream: Stream<T>,
  options?: StreamResponseOptions<T>,
): Promise<void> {
  return sendStream(request.raw, reply.raw, stream, options, () => takeOver(reply));
}
