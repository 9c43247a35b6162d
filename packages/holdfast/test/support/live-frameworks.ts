/** `sse` of each framework at `/live`, on a real port, by event streams and by WebSockets. */
import type { AddressInfo, Socket } from "node:net";
import http from "node:http";
import { getRequestListener } from "@hono/node-server";
import express from "express";
import Fastify from "fastify";
import { Hono } from "hono";
import { WebSocket, WebSocketServer } from "ws";
import { type ExpressSseRequest, sse as expressSse } from "../../src/adapters/express/index.ts";
import { type FastifySseRequest, sse as fastifySse } from "../../src/adapters/fastify/index.ts";
import { sse as fetchSse } from "../../src/adapters/fetch/index.ts";
import { type HonoSseContext, sse as honoSse } from "../../src/adapters/hono/index.ts";
import type { LiveHandle } from "../../src/adapters/live/handle.ts";
import type { LiveOptions } from "../../src/adapters/live/options.ts";
import {
  LiveClient,
  type LiveClientOptions,
  type LiveHandlers,
  type LiveWebSocketClass,
} from "../../src/adapters/live-client/index.ts";
import type { LiveWebSocketOptions } from "../../src/adapters/node/upgrade.ts";
import type { Holdfast } from "../../src/index.ts";

export interface LiveServed {
  readonly url: string;
  readonly live: LiveHandle;
  readonly server: http.Server;
  /** Breaks all its connections, as a proxy does that is restarted. */
  readonly cut: () => void;
  close(): Promise<void>;
}

export type LiveTransport = "sse" | "websocket";
export const LIVE_TRANSPORTS: readonly LiveTransport[] = ["sse", "websocket"];

/** Of a client by this transport that sends its user's name as the header `x-user`. */
export function clientBy(transport: LiveTransport, user?: string): LiveClientOptions {
  const headers = user === undefined ? {} : { "x-user": user };
  return transport === "sse" ? { headers } : { transport, WebSocket: webSocketWith(headers) };
}

/** A browser's WebSocket has no headers of one's own; the tests' has. */
export function webSocketWith(headers: Record<string, string>): LiveWebSocketClass {
  return class extends WebSocket {
    constructor(url: string) {
      super(url, { headers });
    }
  } as unknown as LiveWebSocketClass;
}

/** `identifyBy` says by a request's headers whose it is. */
export type LiveCommon = Omit<LiveOptions<unknown>, "identify"> & {
  readonly webSocket?: Partial<LiveWebSocketOptions>;
  readonly identifyBy?: (
    header: (name: string) => string | undefined,
  ) => ReturnType<NonNullable<LiveOptions<unknown>["identify"]>>;
};

type Serve = (hf: Holdfast, options: LiveCommon) => Promise<LiveServed>;

function optionsFor<R>(
  { identifyBy, ...given }: LiveCommon,
  headerOf: (request: R, name: string) => string | undefined,
): LiveOptions<R> {
  const identify = identifyBy && ((request: R) => identifyBy((name) => headerOf(request, name)));
  const { webSocket, ...options } = given;
  void webSocket;
  return { ...options, ...(identify === undefined ? {} : { identify }) };
}

export const LIVE_FRAMEWORKS: Readonly<Record<string, Serve>> = {
  fetch: (hf, options) => {
    const live = fetchSse(
      hf,
      optionsFor(options, (request: Request, name) => request.headers.get(name) ?? undefined),
    );
    return listening(serverOf(live), live, options);
  },
  hono: (hf, options) => {
    const app = new Hono();
    const live = honoSse(
      hf,
      optionsFor(options, ({ req }: HonoSseContext, name) => req.raw.headers.get(name) ?? undefined),
    );
    app.on(["GET", "POST"], "/live", live);
    return listening(serverOf(app.fetch), live, options);
  },
  express: (hf, options) => {
    const app = express();
    const live = expressSse(
      hf,
      optionsFor(options, (request: ExpressSseRequest, name) => request.headers[name] as string | undefined),
    );
    app.all("/live", live);
    return listening(http.createServer(app), live, options);
  },
  async fastify(hf, options) {
    const app = Fastify();
    const live = fastifySse(
      hf,
      optionsFor(options, ({ raw }: FastifySseRequest, name) => raw.headers[name] as string | undefined),
    );
    app.route({ method: ["GET", "POST"], url: "/live", handler: live });
    await app.ready();
    const served = await listening(app.server, live, options);
    return {
      ...served,
      close: async () => {
        await served.close();
        await app.close();
      },
    };
  },
};

function serverOf(handler: Parameters<typeof getRequestListener>[0]): http.Server {
  const listener = getRequestListener(handler);
  return http.createServer((request, response) => void listener(request, response));
}

async function listening(server: http.Server, live: LiveHandle, { webSocket }: LiveCommon): Promise<LiveServed> {
  live.webSocket(server, { path: "/live", WebSocketServer, ...webSocket });
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/live`,
    live,
    server,
    cut,
    close: async () => {
      await live.close();
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** What a client has been told, in order. */
export class Told {
  readonly client: LiveClient;
  readonly events: unknown[] = [];
  readonly #waiting = new Set<() => void>();

  constructor(url: string, options: LiveClientOptions = {}) {
    this.client = new LiveClient(url, {
      maxRetry: 200,
      ...options,
      onState: (state, reason) => {
        if (reason !== undefined) this.#tell({ closed: reason });
        options.onState?.(state, reason);
      },
    });
  }

  subscribe(subscription: string, cursor?: string) {
    const handlers: LiveHandlers = {
      open: () => this.#tell({ open: subscription }),
      message: (message) => this.#tell({ [subscription]: message }),
      gap: ({ count }) => this.#tell({ gap: subscription, count }),
      reset: () => this.#tell({ reset: subscription }),
      live: () => this.#tell({ live: subscription }),
      end: (end) => this.#tell({ end: subscription, ...end }),
    };
    return this.client.subscribe(subscription, handlers, cursor === undefined ? {} : { cursor });
  }

  /** Resolves when it has been told so often of what matches. */
  async until(matches: (event: unknown) => boolean, times = 1): Promise<void> {
    while (this.events.filter(matches).length < times) await new Promise<void>((resolve) => this.#waiting.add(resolve));
  }

  #tell(event: unknown): void {
    this.events.push(event);
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}

/** Whether an event has this field. */
export const has =
  (field: string) =>
  (event: unknown): boolean =>
    Object.hasOwn(event as object, field);
