/** Server-sent events on Node's `ServerResponse`: of Express and of Fastify. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { LiveConnection } from "../live/connection.ts";
import { type LiveAnswer, type LiveHttpRequest, SSE_HEADERS } from "../live/answer.ts";
import type { Live } from "../live/live.ts";
import { headerOf } from "./intercept.ts";
import { answerUpgrade, takeUpgrade } from "./upgrade.ts";

export function requestOf<R>(request: IncomingMessage, url: string, raw: R): LiveHttpRequest<R> {
  return { method: request.method ?? "GET", url, header: (name) => headerOf(request, name), raw };
}

/** @param before called when it is known what the answer is, before any of it is sent */
export async function serve<R>(
  live: Live<R>,
  request: LiveHttpRequest<R>,
  incoming: IncomingMessage,
  response: ServerResponse,
  before: () => void = () => undefined,
): Promise<void> {
  const upgrade = takeUpgrade(incoming);
  const answer = await live.handle(request, upgrade === undefined ? "sse" : "websocket");
  before();
  if (upgrade === undefined || !answerUpgrade(live, upgrade, answer)) sendAnswer(response, answer);
}

function sendAnswer(response: ServerResponse, answer: LiveAnswer): void {
  const { status, connection } = answer;
  const headers = connection === undefined ? { ...answer.headers, "content-length": "0" } : SSE_HEADERS;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.writeHead(status);
  if (connection === undefined) response.end();
  else void send(response, connection);
}

/** Writes as fast as the client reads. */
async function send(response: ServerResponse, connection: LiveConnection): Promise<void> {
  // It may have gone while it was found out whose it is.
  if (response.destroyed || response.socket?.destroyed === true) return connection.abandon();
  connection.carriedBy({ drop: () => response.destroy() });
  response.once("close", () => connection.abandon());
  response.on("error", () => connection.abandon());
  response.flushHeaders();
  for (let text = await connection.next(); text !== undefined; text = await connection.next())
    if (!response.write(text)) await drained(response);
  response.end();
}

/** Resolves when there is room, or the response is over. */
export function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      response.off("drain", end);
      response.off("close", end);
      resolve();
    };
    response.on("drain", end);
    response.on("close", end);
  });
}
