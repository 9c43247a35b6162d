/** A stream as a response on Node's `ServerResponse`: of Express and of Fastify. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { SSE_HEADERS } from "../live/answer.ts";
import { answerStream, type StreamResponseOptions } from "../live/stream-response.ts";
import type { Stream } from "../../stream/stream.ts";
import { headerOf } from "./intercept.ts";
import { drained } from "./sse.ts";

/**
 * Resolves when the response is over. Does not reject, but throws for options.
 * @param before called before anything is sent
 */
export function sendStream<T>(
  request: IncomingMessage,
  response: ServerResponse,
  stream: Stream<T>,
  options: StreamResponseOptions<T> | undefined,
  before: () => void = () => undefined,
): Promise<void> {
  const answer = answerStream(stream, headerOf(request, "last-event-id"), options);
  before();
  if (answer === undefined) {
    response.writeHead(204).end();
    return Promise.resolve();
  }
  for (const [name, value] of Object.entries(SSE_HEADERS)) response.setHeader(name, value);
  response.once("close", answer.abandon);
  response.on("error", answer.abandon);
  return send(response, answer.text);
}

async function send(response: ServerResponse, text: AsyncIterable<string>): Promise<void> {
  try {
    for await (const each of text) {
      if (response.destroyed) return;
      if (!response.write(each)) await drained(response);
    }
    response.end();
  } catch {
    // It was reported; the client comes back.
    response.destroy();
  }
}
