/** `streamResponse` for handlers of `Request` and `Response`. */
import type { Stream } from "../../stream/stream.ts";
import { SSE_HEADERS } from "../live/answer.ts";
import { answerStream, type StreamResponseOptions } from "../live/stream-response.ts";

/**
 * Returns a response of server-sent events: the chunks of `stream` behind the request's `Last-Event-ID`, then live, then `end` or `aborted`.
 * With a `source` that is written into the stream, if nobody has done so yet.
 * Cost: as `stream.read`; with a source as `stream.pipe`.
 * @throws InvalidArgumentError for options that it does not know
 * @example
 * const answer = hf.stream<string>(`answer:${id}`);
 * return streamResponse(request, answer, { source: () => model.answer(prompt) });
 */
export function streamResponse<T>(request: Request, stream: Stream<T>, options?: StreamResponseOptions<T>): Response {
  const answer = answerStream(stream, request.headers.get("last-event-id") ?? undefined, options);
  if (answer === undefined) return new Response(null, { status: 204 });
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await answer.text.next();
        if (done === true) controller.close();
        else controller.enqueue(encoder.encode(value));
      },
      cancel: () => answer.abandon(),
    },
    { highWaterMark: 0 },
  );
  return new Response(body, { headers: SSE_HEADERS });
}
