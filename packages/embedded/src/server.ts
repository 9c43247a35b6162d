/** An embedded server: an engine behind a TCP port, a Unix socket, or calls in this process. */
import { lstat, rm } from "node:fs/promises";
import {
  createConnection,
  createServer as createNetServer,
  type ListenOptions,
  type Server,
  type Socket,
} from "node:net";
import { commandTable } from "./commands/index.ts";
import { Engine, type EngineOptions } from "./engine/engine.ts";
import { Connection } from "./net/connection.ts";
import { InProcessConnection, type InProcessListener } from "./net/in-process.ts";
import { directNetwork, type Network } from "./net/network.ts";
import { loadSnapshot } from "./persistence/snapshot.ts";

export interface ServerOptions extends EngineOptions {
  /** 0 takes a free one. @default 0 */
  readonly port?: number | undefined;
  /** @default "127.0.0.1" */
  readonly host?: string | undefined;
  /** A Unix socket instead of a port; what a killed process left there is replaced. @default none */
  readonly path?: string | undefined;
  /** Whether listening keeps the process alive. @default false */
  readonly keepAlive?: boolean | undefined;
  /** What lies between the sockets' clients and the server. @default nothing */
  readonly network?: Network | undefined;
}

export interface EmbeddedServer extends AsyncDisposable {
  /** Another one after `restart`. */
  readonly engine: Engine;
  /** The port it listens on, once `listen` has resolved; 0 on a Unix socket. */
  readonly port: number;
  /**
   * Opens the port or the socket; in-process connections need none. Rejects where somebody else listens there, and where the
   * server is closed meanwhile; it may be called again then.
   */
  listen(): Promise<void>;
  /** @param network what lies between this client and the server; nothing by default */
  connectInProcess(listener?: InProcessListener, network?: Network): InProcessConnection;
  /**
   * As if the process had died and come back: every connection ends, scripts and settings are as at the beginning, and the
   * keys are those of the snapshot; without one there are none. It goes on listening where it did.
   */
  restart(snapshot?: Buffer): void;
  /** Ends every connection and the listening. Idempotent. */
  close(): Promise<void>;
}

/** A server of its own, with empty databases. It does nothing until something connects to it or `listen` is called. */
export function createServer(options: ServerOptions = {}): EmbeddedServer {
  return new NetServer(options);
}

class NetServer implements EmbeddedServer {
  engine: Engine;
  port = 0;
  readonly #options: ServerOptions;
  readonly #sockets = new Set<Socket>();
  #server: Server | undefined;
  #listening: Promise<void> | undefined;
  /** Connections so far, also before a restart. */
  #inProcess = 0;

  constructor(options: ServerOptions) {
    this.#options = options;
    this.engine = this.#createEngine();
  }

  listen(): Promise<void> {
    this.#listening ??= this.#open().catch((error: unknown) => {
      this.#listening = undefined;
      this.#server = undefined;
      throw error;
    });
    return this.#listening;
  }

  async #open(): Promise<void> {
    const { port = 0, keepAlive = false } = this.#options;
    const path = given(this.#options.path);
    // To Node an empty one is every interface.
    const host = given(this.#options.host) ?? "127.0.0.1";
    if (path !== undefined) await removeDeadSocket(path);
    const server = createNetServer({ noDelay: true }, (socket) => this.#accept(socket));
    this.#server = server;
    await listening(server, path === undefined ? { port, host } : { path });
    if (!keepAlive) server.unref();
    const address = server.address();
    this.port = typeof address === "object" && address !== null ? address.port : 0;
    this.engine.config.assign("port", String(this.port));
  }

  connectInProcess(listener?: InProcessListener, network?: Network): InProcessConnection {
    this.#inProcess += 1;
    return new InProcessConnection(this.engine, listener, network, this.#inProcess);
  }

  restart(snapshot?: Buffer): void {
    const next = this.#createEngine();
    if (snapshot !== undefined) loadSnapshot(next, snapshot);
    const last = this.engine;
    this.engine = next;
    last.close();
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    this.#listening = undefined;
    this.engine.close();
    for (const socket of this.#sockets) socket.destroy();
    if (server === undefined) return;
    await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #createEngine(): Engine {
    const engine = new Engine(commandTable, this.#options);
    engine.onShutdown = () => void this.close();
    if (this.port !== 0) engine.config.assign("port", String(this.port));
    return engine;
  }

  #accept(socket: Socket): void {
    if (this.#options.keepAlive !== true) socket.unref();
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    Connection.open(this.engine, socket, this.#options.network ?? directNetwork, given(this.#options.path));
  }
}

/** What is empty, such as a variable of the environment that is not set, is not given. */
function given(text: string | undefined): string | undefined {
  return text === "" ? undefined : text;
}

function listening(server: Server, options: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const closed = (): void => reject(new Error("the server was closed before it listened"));
    server.once("error", reject).once("close", closed);
    server.listen(options, () => {
      server.off("error", reject).off("close", closed);
      resolve();
    });
  });
}

/** A process that was killed leaves its socket's file behind, at which nobody can listen any more. */
async function removeDeadSocket(path: string): Promise<void> {
  const refused = await new Promise((resolve) => {
    const socket = createConnection(path);
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code === "ECONNREFUSED"));
    socket.once("connect", () => {
      socket.destroy();
      resolve(false);
    });
  });
  if (refused === true && (await lstat(path)).isSocket()) await rm(path, { force: true });
}
