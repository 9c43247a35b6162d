/** One handler behind `idempotent` of each framework, on a real port. */
import { type AddressInfo } from "node:net";
import http from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { getRequestListener } from "@hono/node-server";
import express from "express";
import Fastify from "fastify";
import { Hono } from "hono";
import { idempotent as expressIdempotent } from "../../src/adapters/express/index.ts";
import { idempotent as fastifyIdempotent } from "../../src/adapters/fastify/index.ts";
import { idempotencyRun, idempotent as fetchIdempotent } from "../../src/adapters/fetch/index.ts";
import { idempotent as honoIdempotent } from "../../src/adapters/hono/index.ts";
import type { IdempotentOptions } from "../../src/adapters/idempotent/options.ts";
import type { Holdfast, IdempotencyRun } from "../../src/index.ts";
import type { HandlerResponse, Reply } from "./http-frameworks.ts";

export interface OnceRequest {
  readonly method: string;
  readonly path: string;
  /** Parsed. */
  readonly body: unknown;
  readonly run: IdempotencyRun | undefined;
}

export type OnceHandler = (request: OnceRequest) => HandlerResponse | Promise<HandlerResponse>;

export interface OnceServed {
  readonly url: string;
  close(): Promise<void>;
}

type Serve = (hf: Holdfast, handler: OnceHandler, options?: IdempotentOptions) => Promise<OnceServed>;

export const ONCE_FRAMEWORKS: Readonly<Record<string, Serve>> = {
  fetch: (hf, handler, options) => listening(serverOf(fetchIdempotent(hf, options)(fetchHandler(handler)))),
  hono: (hf, handler, options) => {
    const app = new Hono();
    app.use(honoIdempotent(hf, options));
    app.all("*", (c) => fetchHandler(handler)(c.req.raw));
    return listening(serverOf(app.fetch));
  },
  express: (hf, handler, options) => {
    const app = express();
    app.set("etag", false);
    app.use(express.json(), expressIdempotent(hf, options));
    const answer = async (request: express.Request, response: express.Response): Promise<void> => {
      const { method, originalUrl: path, body } = request;
      const {
        status = 200,
        headers = {},
        body: content = "",
      } = await handler({
        method,
        path,
        body: body as unknown,
        run: idempotencyRun(request),
      });
      response.status(status).set(headers);
      if (typeof content === "string") response.end(content);
      else await pipeline(Readable.from(content), response);
    };
    app.use((request, response, next) => void answer(request, response).then(undefined, next));
    app.use(onError);
    return listening(http.createServer(app));
  },
  async fastify(hf, handler, options) {
    const app = Fastify();
    await app.register(fastifyIdempotent(hf, options));
    app.all("/*", async (request, reply) => {
      const { method, originalUrl: path, body } = request;
      const answer = await handler({ method, path, body, run: idempotencyRun(request.raw) });
      const { status = 200, headers = {}, body: content = "" } = answer;
      reply.code(status).headers(headers);
      return reply.send(typeof content === "string" ? content : Readable.from(content));
    });
    await app.ready();
    const served = await listening(app.server);
    return {
      ...served,
      close: async () => {
        await served.close();
        await app.close();
      },
    };
  },
};

const onError: express.ErrorRequestHandler = (_error, _request, response, _next) => void response.sendStatus(500);

function serverOf(handler: (request: Request) => Response | Promise<Response>): http.Server {
  const listener = getRequestListener(handler);
  return http.createServer((request, response) => void listener(request, response));
}

async function listening(server: http.Server): Promise<OnceServed> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function fetchHandler(handler: OnceHandler): (request: Request) => Promise<Response> {
  return async (request) => {
    const { pathname, search } = new URL(request.url);
    const text = await request.text();
    const body: unknown = text === "" ? undefined : JSON.parse(text);
    const run = idempotencyRun(request);
    const answer = await handler({ method: request.method, path: pathname + search, body, run });
    const { status = 200, headers = {}, body: content = "" } = answer;
    const lines = Object.entries(headers).flatMap(([name, value]) =>
      [value].flat().map((line): [string, string] => [name, line]),
    );
    const sent = typeof content === "string" ? content : ReadableStream.from(encoded(content));
    return new Response(status === 204 ? null : sent, { status, headers: lines });
  };
}

async function* encoded(chunks: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) yield Buffer.from(chunk);
}

/** With a JSON body, unless it is undefined. */
export function post(
  url: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
  method = "POST",
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const content = body === undefined ? {} : { "content-type": "application/json" };
    const request = http.request(url, { method, headers: { ...content, ...headers }, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const { statusCode = 0, headers } = response;
        resolve({ status: statusCode, headers, body: Buffer.concat(chunks).toString() });
      });
    });
    request.on("error", reject);
    request.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
