/** One handler behind the HTTP cache of each framework, on a real port. */
import { type AddressInfo } from "node:net";
import http from "node:http";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { getRequestListener } from "@hono/node-server";
import express from "express";
import Fastify from "fastify";
import { Hono } from "hono";
import { httpCache as expressCache } from "../../src/adapters/express/index.ts";
import { httpCache as fastifyCache } from "../../src/adapters/fastify/index.ts";
import { httpCache as fetchCache } from "../../src/adapters/fetch/index.ts";
import { httpCache as honoCache } from "../../src/adapters/hono/index.ts";
import type { HttpCachePurge } from "../../src/adapters/http-cache/http-cache.ts";
import type { HttpCacheOptions } from "../../src/adapters/http-cache/options.ts";
import type { Holdfast } from "../../src/index.ts";

export interface HandlerRequest {
  readonly method: string;
  readonly path: string;
  readonly header: (name: string) => string | undefined;
}

export interface HandlerResponse {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  /** A list: one chunk after the other. */
  readonly body?: string | AsyncIterable<string>;
}

export type Handler = (request: HandlerRequest) => HandlerResponse | Promise<HandlerResponse>;

export interface Served {
  readonly url: string;
  purge(options: HttpCachePurge): Promise<void>;
  close(): Promise<void>;
}

type Serve = (hf: Holdfast, handler: Handler, options?: HttpCacheOptions) => Promise<Served>;

export const FRAMEWORKS: Readonly<Record<string, Serve>> = {
  async fetch(hf, handler, options) {
    const cache = fetchCache(hf, options);
    return listening(serverOf(cache(fetchHandler(handler))), cache);
  },
  async hono(hf, handler, options) {
    const app = new Hono();
    const cache = honoCache(hf, { ...options, app });
    app.use(cache);
    app.all("*", (c) => fetchHandler(handler)(c.req.raw));
    return listening(serverOf(app.fetch), cache);
  },
  async express(hf, handler, options) {
    const app = express();
    app.set("etag", false);
    const cache = expressCache(hf, options);
    app.use(cache);
    const answer = async (request: express.Request, response: express.Response): Promise<void> => {
      const { method, originalUrl: path } = request;
      const header = (name: string): string | undefined => request.get(name);
      const { status = 200, headers = {}, body = "" } = await handler({ method, path, header });
      response.status(status).set(headers);
      if (typeof body === "string") response.end(body);
      else await pipeline(Readable.from(body), response);
    };
    app.use((request, response, next) => void answer(request, response).then(undefined, next));
    return listening(http.createServer(app), cache);
  },
  async fastify(hf, handler, options) {
    const app = Fastify();
    const cache = fastifyCache(hf, options);
    await app.register(cache);
    app.addHttpMethod("M-SEARCH");
    app.all("/*", async (request, reply) => {
      const { method, originalUrl: path } = request;
      const header = (name: string): string | undefined => request.headers[name] as string | undefined;
      const { status = 200, headers = {}, body = "" } = await handler({ method, path, header });
      reply.code(status).headers(headers);
      return reply.send(typeof body === "string" ? body : Readable.from(body));
    });
    await app.ready();
    const served = await listening(app.server, cache);
    return {
      ...served,
      close: async () => {
        await served.close();
        await app.close();
      },
    };
  },
};

function serverOf(handler: (request: Request) => Response | Promise<Response>): http.Server {
  const listener = getRequestListener(handler);
  return http.createServer((request, response) => void listener(request, response));
}

async function listening(server: http.Server, cache: Pick<Served, "purge">): Promise<Served> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    purge: (options) => cache.purge(options),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function fetchHandler(handler: Handler): (request: Request) => Promise<Response> {
  return async (request) => {
    const { pathname, search } = new URL(request.url);
    const header = (name: string): string | undefined => request.headers.get(name) ?? undefined;
    const {
      status = 200,
      headers = {},
      body = "",
    } = await handler({ method: request.method, path: pathname + search, header });
    const lines = Object.entries(headers).flatMap(([name, value]) =>
      [value].flat().map((line): [string, string] => [name, line]),
    );
    const isEmpty = status === 204 || status === 304 || request.method === "HEAD";
    const content = typeof body === "string" ? body : ReadableStream.from(encoded(body));
    return new Response(isEmpty ? null : content, { status, headers: lines });
  };
}

async function* encoded(chunks: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) yield Buffer.from(chunk);
}

export interface Reply {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

/** A request as it is: Node's fetch adds fields to conditional ones. */
export function send(
  url: string,
  {
    method = "GET",
    headers = {},
  }: { readonly method?: string; readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const { statusCode = 0, headers } = response;
        resolve({ status: statusCode, headers, body: Buffer.concat(chunks).toString() });
      });
    });
    request.on("error", reject);
    request.end();
  });
}
