/**
 * WebSockets on a server of Node's. A request for one takes the way of any request, through whatever the application has before its
 * handler, which then answers by a WebSocket instead of an event stream:
 *
 *     upgrade -> origin checked -> "request" -> routes, sessions, ... -> the handler of `sse` -> handshake
 */
import { type IncomingMessage, type Server, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { InvalidArgumentError } from "../../base/errors.ts";
import { type OptionNames, parseOptions, wholeBetween } from "../../base/options.ts";
import type { LiveAnswer } from "../live/answer.ts";
import type { Live } from "../live/live.ts";
import { type LiveSocket, REFUSED, refusedCode } from "../live/socket.ts";

/** What of `WebSocketServer` of the package `ws` is needed. */
export type LiveWebSocketServer = new (options: {
  noServer: true;
  clientTracking: false;
  perMessageDeflate: false;
  maxPayload: number;
  closeTimeout: number;
}) => {
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer, done: (socket: LiveSocket) => void): void;
};

export interface LiveWebSocketOptions {
  /** Of the package `ws`: `import { WebSocketServer } from "ws"`. */
  readonly WebSocketServer: LiveWebSocketServer;
  /** The path of the handler, such as "/live"; other paths are left to others. */
  readonly path: string;
  /**
   * Pages of which other origins may connect, such as `["https://app.example.com"]`: a browser sends its cookies with every page's request for a WebSocket.
   * @default those of the server's own host, and what is no browser
   */
  readonly origins?: readonly string[] | ((origin: string) => boolean);
  /** Of what a client sends at once, in bytes. @default 65536 */
  readonly maxMessage?: number;
}

const OPTIONS: OptionNames<LiveWebSocketOptions> = {
  WebSocketServer: true,
  path: true,
  origins: true,
  maxMessage: true,
};
/** How long a client may take to answer the end of a connection. */
const CLOSE_MS = 5_000;

/** A request for a WebSocket, on its way to its handler. */
export interface Upgrade {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly socket: Socket;
  readonly head: Buffer;
  readonly server: InstanceType<LiveWebSocketServer>;
}

/** The paths of those that take upgrades here. */
const taking = new WeakMap<object, string>();
const upgrades = new WeakMap<object, Upgrade>();

/** The upgrade that this request is for, once; undefined where it is an ordinary one. */
export function takeUpgrade(request: object | undefined): Upgrade | undefined {
  if (request === undefined) return undefined;
  const upgrade = upgrades.get(request);
  upgrades.delete(request);
  return upgrade;
}

/** Passes requests for WebSockets of one path on to the handlers of `server`. Returns the function that ends it. */
export function acceptUpgrades<R>(live: Live<R>, server: Server, given: LiveWebSocketOptions): () => void {
  const { where } = live;
  const { webSockets, path, isAllowed } = parseOptions(where, given, OPTIONS, parse);
  if (typeof Object(server).on !== "function")
    throw new InvalidArgumentError("server", "a server of node:http or node:https", server, { where });
  const accept = (request: IncomingMessage, socket: Duplex, head: Buffer): void => {
    socket.on("error", () => socket.destroy());
    const asked = request.url?.split("?")[0];
    if (asked !== path) {
      // Where all of them are of here nobody else would end it: the last does.
      const all = server.listeners("upgrade");
      const isNobodys = all.every((each) => taking.has(each) && taking.get(each) !== asked);
      if (isNobodys && all.at(-1) === accept) refuse(socket, "404 Not Found");
      return;
    }
    if (request.method !== "GET" || request.headers.upgrade?.toLowerCase() !== "websocket")
      return refuse(socket, "400 Bad Request");
    try {
      if (!isAllowed(request)) return refuse(socket, "403 Forbidden");
    } catch (error) {
      live.report(error);
      return refuse(socket, "500 Internal Server Error");
    }
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.on("finish", () => socket.end(() => socket.destroy()));
    try {
      response.assignSocket(socket as Socket);
    } catch {
      // It has not been answered what it asked before.
      return void socket.destroy();
    }
    upgrades.set(request, { request, response, socket: socket as Socket, head, server: webSockets });
    server.emit("request", request, response);
  };
  taking.set(accept, path);
  server.on("upgrade", accept);
  return () => server.off("upgrade", accept);
}

/** Makes the handshake. An answer that is to be tried again is left to HTTP, whose status a client need not know: false then. */
export function answerUpgrade<R>(live: Live<R>, upgrade: Upgrade, answer: LiveAnswer): boolean {
  const { connection, status } = answer;
  const refused = REFUSED[status];
  if (connection === undefined && refused === undefined) return false;
  const { request, response, socket, head, server } = upgrade;
  response.detachSocket(socket);
  if (connection !== undefined) {
    if (socket.destroyed) {
      connection.abandon();
      return true;
    }
    socket.once("close", () => connection.abandon());
  }
  server.handleUpgrade(request, socket, head, (webSocket) => {
    if (connection !== undefined) return live.carry(connection, webSocket);
    webSocket.on("error", () => undefined);
    webSocket.close(refusedCode(status), refused!);
  });
  return true;
}

function parse({ WebSocketServer, path, origins, maxMessage = 65_536 }: LiveWebSocketOptions): {
  webSockets: InstanceType<LiveWebSocketServer>;
  path: string;
  isAllowed: (request: IncomingMessage) => boolean;
} {
  if (typeof WebSocketServer !== "function")
    throw new InvalidArgumentError("WebSocketServer", "the class of that name of the package ws", WebSocketServer);
  if (typeof path !== "string" || !path.startsWith("/") || path.includes("?"))
    throw new InvalidArgumentError("path", 'a path such as "/live"', path);
  const isListed = listOf(origins);
  return {
    path,
    isAllowed: ({ headers, socket }) => {
      const { origin, host } = headers;
      return origin === undefined || isOwn(origin, host, "encrypted" in socket) || isListed(origin);
    },
    webSockets: new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: wholeBetween("maxMessage", maxMessage, 128, 2 ** 24),
      closeTimeout: CLOSE_MS,
    }),
  };
}

function listOf(origins: LiveWebSocketOptions["origins"] = []): (origin: string) => boolean {
  // Whatever else a function in JavaScript returns, it allows nothing.
  if (typeof origins === "function") return (origin) => (origins(origin) as unknown) === true;
  const isList = Array.isArray(origins) && origins.every((each: unknown) => typeof each === "string");
  if (!isList) throw new InvalidArgumentError("origins", 'a list such as ["https://example.com"]', origins);
  const set = new Set<string>(origins);
  return (origin) => set.has(origin);
}

/** Behind a proxy nobody knows here whether the page's scheme is the server's. */
function isOwn(origin: string, host: string | undefined, isEncrypted: boolean): boolean {
  if (host === undefined || !URL.canParse(origin)) return false;
  const { host: ofPage, protocol } = new URL(origin);
  if (isEncrypted && protocol !== "https:") return false;
  return ofPage === host.toLowerCase().replace(protocol === "https:" ? /:443$/ : /:80$/, "");
}

function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`, () => socket.destroy());
}
