/** `sse` for handlers of `Request` and `Response`. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Holdfast } from "../../holdfast.ts";
import type { LiveConnection } from "../live/connection.ts";
import { handleOf, type LiveHandle } from "../live/handle.ts";
import { type LiveAnswer, type LiveHttpRequest, SSE_HEADERS } from "../live/answer.ts";
import { Live } from "../live/live.ts";
import type { LiveOptions } from "../live/options.ts";
import { answerUpgrade, takeUpgrade } from "../node/upgrade.ts";

/**
 * Answers a request with server-sent events.
 * @example
 * const live = sse(hf, { sources: { prices: hf.channel("prices") } });
 * export default { fetch: (request) => live(request) };
 */
export type FetchSse = ((request: Request, bindings?: object) => Promise<Response>) & LiveHandle;

/**
 * Returns the handler of one path: GET `?subscribe=prices` opens a connection, POST changes it. No I/O.
 * @throws InvalidArgumentError for options that it does not know
 */
export function sse(hf: Holdfast, options: LiveOptions<Request>): FetchSse {
  const live = new Live<Request>(hf, options);
  return handleOf(live, (request: Request, bindings?: object) => respond(live, request, request, bindings));
}

/** What `@hono/node-server` gives its handlers besides the request. */
interface NodeBindings {
  readonly incoming?: IncomingMessage;
  readonly outgoing?: ServerResponse;
}

/** @param bindings as they are given to a fetch handler, whatever they are */
export async function respond<R>(live: Live<R>, request: Request, raw: R, bindings: unknown): Promise<Response> {
  const { incoming, outgoing } = Object(bindings) as NodeBindings;
  const upgrade = takeUpgrade(incoming);
  const answer = await live.handle(requestOf(request, raw), upgrade === undefined ? "sse" : "websocket");
  if (upgrade === undefined) return sseResponse(answer, outgoing);
  return answerUpgrade(live, upgrade, answer) ? new Response(null, { headers: ALREADY_SENT }) : sseResponse(answer);
}

/** So that `@hono/node-server` sends nothing. */
const ALREADY_SENT = { "x-hono-already-sent": "true" };

function requestOf<R>({ method, url, headers }: Request, raw: R): LiveHttpRequest<R> {
  return { method, url, header: (name) => headers.get(name) ?? undefined, raw };
}

function sseResponse(answer: LiveAnswer, outgoing?: ServerResponse): Response {
  if (answer.connection === undefined)
    return new Response(null, { status: answer.status, headers: answer.headers ?? {} });
  return new Response(bodyOf(answer.connection, outgoing), { headers: SSE_HEADERS });
}

/** Read as fast as the client reads. */
function bodyOf(connection: LiveConnection, outgoing: ServerResponse | undefined): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const drop = (): void => {
          if (outgoing === undefined) controller.error(new Error("the client has read nothing for too long"));
          else outgoing.destroy();
        };
        connection.carriedBy({ drop });
        outgoing?.once("close", () => connection.abandon());
      },
      async pull(controller) {
        const text = await connection.next();
        if (text !== undefined) return controller.enqueue(encoder.encode(text));
        controller.close();
        if (outgoing === undefined) connection.abandon();
      },
      cancel: () => connection.abandon(),
    },
    { highWaterMark: 0 },
  );
}
