/** `sse` for handlers of `Request` and `Response`. */
import type { Holdfast } from "../../holdfast.ts";
import type { LiveConnection } from "../live/connection.ts";
import { handleOf, type LiveHandle } from "../live/handle.ts";
import { type LiveAnswer, type LiveHttpRequest, SSE_HEADERS } from "../live/answer.ts";
import { Live } from "../live/live.ts";
import type { LiveOptions } from "../live/options.ts";

/**
 * Answers a request with server-sent events.
 * @example
 * const live = sse(hf, { sources: { prices: hf.channel("prices") } });
 * export default { fetch: (request) => live(request) };
 */
export type FetchSse = ((request: Request) => Promise<Response>) & LiveHandle;

/**
 * Returns the handler of one path: GET `?subscribe=prices` opens a connection, POST changes it. No I/O.
 * @throws InvalidArgumentError for options that it does not know
 */
export function sse(hf: Holdfast, options: LiveOptions<Request>): FetchSse {
  const live = new Live<Request>(hf, options);
  return handleOf(live, async (request: Request) => sseResponse(await live.handle(requestOf(request, request))));
}

export function requestOf<R>({ method, url, headers }: Request, raw: R): LiveHttpRequest<R> {
  return { method, url, header: (name) => headers.get(name) ?? undefined, raw };
}

export function sseResponse(answer: LiveAnswer): Response {
  if (answer.connection === undefined)
    return new Response(null, { status: answer.status, headers: answer.headers ?? {} });
  return new Response(bodyOf(answer.connection), { headers: SSE_HEADERS });
}

/** Read as fast as the client reads. */
function bodyOf(connection: LiveConnection): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const text = await connection.next();
        if (text === undefined) controller.close();
        else controller.enqueue(encoder.encode(text));
      },
      cancel: () => connection.abandon(),
    },
    { highWaterMark: 0 },
  );
}
