/**
 * A TCP proxy in this process that stands between a client and a server and does what networks do: it delays, cuts,
 * resets, falls silent, loses answers, refuses. Its faults hold for the connections that are open and for new ones,
 * until heal().
 */
import { once } from "node:events";
import { createConnection, createServer, type Server, type Socket } from "node:net";
import { freePort } from "./ports.ts";
import { ProxyPipe, type Flow } from "./proxy-pipe.ts";
import { ProxyWatches, type Sought } from "./proxy-watches.ts";
import { until } from "./until.ts";

export interface ProxyTarget {
  /** @default "127.0.0.1" */
  readonly host?: string;
  readonly port: number;
}

interface Link {
  readonly client: Socket;
  readonly server: Socket;
  readonly requests: ProxyPipe;
  readonly replies: ProxyPipe;
}

/** Connections whose requests are held back. */
export interface Stranded {
  /** The clients find them reset; what they sent before is still under way. */
  cut(): void;
  /** It arrives. Resolves when the server has executed it, or had closed the connections before. */
  deliver(): Promise<void>;
}

export async function startProxy(target: ProxyTarget): Promise<Proxy> {
  const proxy = new Proxy(target, await freePort());
  await proxy.listen();
  return proxy;
}

export class Proxy implements AsyncDisposable {
  /** The same for the whole life of the proxy. */
  readonly port: number;
  #target: Required<ProxyTarget>;
  readonly #links = new Set<Link>();
  readonly #watches = new ProxyWatches();
  #listener: Server | undefined;
  #requests: Flow = "pass";
  #replies: Flow = "pass";
  #delayMs = 0;
  /** Connections of clients that lead nowhere. */
  #half = false;

  constructor(target: ProxyTarget, port: number) {
    this.port = port;
    this.#target = { host: "127.0.0.1", ...target };
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Open connections of clients. */
  get connections(): number {
    return [...this.#links].filter(({ client }) => !client.destroyed).length;
  }

  /** Every reply arrives `ms` later than the server sent it, in order; holds also for those on their way. */
  delay(ms: number): void {
    this.#delayMs = ms;
    this.#apply();
  }

  /** Closes all open connections on both sides. New ones are accepted. */
  cut(): void {
    for (const link of this.#links) destroy(link);
  }

  /** Like cut, but the clients get a RST (ECONNRESET) in place of a FIN. */
  reset(): void {
    for (const { client, server } of this.#links) {
      client.resetAndDestroy();
      server.destroy();
    }
  }

  /** Nothing moves, neither way, nobody is told. What was sent arrives after heal(), as after a network's silence. */
  freeze(): void {
    this.#requests = "hold";
    this.#replies = "hold";
    this.#apply();
  }

  /**
   * The server's end is gone, the client's stays open: what it sends is lost and nothing comes back. New connections
   * are accepted and lead nowhere. heal() closes them.
   */
  halfOpen(): void {
    this.#half = true;
    this.#requests = "drop";
    this.#replies = "drop";
    this.#apply();
    for (const { server } of this.#links) server.destroy();
  }

  /** The server gets and executes all requests, the answers are lost. heal() closes connections that lost some. */
  dropReplies(): void {
    this.#replies = "drop";
    this.#apply();
  }

  /** New connections lead elsewhere, as behind a name whose owner has changed. Open ones stay where they are. */
  redirect(target: ProxyTarget): void {
    this.#target = { host: "127.0.0.1", ...target };
  }

  /** What clients send from now on over the connections that are open is held back; new connections work. */
  strand(): Stranded {
    const links = [...this.#links];
    for (const { requests } of links) requests.set("hold", 0);
    return {
      cut: () => {
        for (const { client } of links) client.resetAndDestroy();
      },
      deliver: async () => {
        const [late, idle] = [
          links.filter(({ requests }) => requests.holds),
          links.filter((link) => !link.requests.holds),
        ];
        for (const link of idle) destroy(link);
        for (const { requests } of late) requests.set("pass", 0);
        await Promise.all(late.map(async ({ server }) => server.closed || once(server, "close")));
      },
    };
  }

  /**
   * New connections get ECONNREFUSED. Open ones stay as they are; see cut(). A child process that is just being started has
   * a copy of the listening socket until it runs its own program: so long a new connection is accepted, then reset.
   */
  refuse(): void {
    this.#listener?.close();
    this.#listener = undefined;
  }

  /** Ends every fault. Connections of which bytes were lost are closed: their streams cannot be read any more. */
  async heal(): Promise<void> {
    this.#requests = "pass";
    this.#replies = "pass";
    this.#delayMs = 0;
    this.#half = false;
    for (const link of this.#links) {
      if (link.server.destroyed || link.requests.lostBytes || link.replies.lostBytes) destroy(link);
    }
    this.#apply();
    await this.listen();
  }

  /** Resolves when a client has sent this, from now on, and it was passed on (or held, or dropped). */
  sawRequest(sought: Sought, timeoutMs = 10_000): Promise<void> {
    return this.#watches.wait("requests", sought, timeoutMs);
  }

  /** Resolves when the server has answered this, from now on, also if the answer is dropped: it *has* executed. */
  sawReply(sought: Sought, timeoutMs = 10_000): Promise<void> {
    return this.#watches.wait("replies", sought, timeoutMs);
  }

  async listen(): Promise<void> {
    if (this.#listener !== undefined) return;
    const listener = createServer((client) => this.#accept(client));
    this.#listener = listener;
    // The socket before it can still be open in a child process, see refuse().
    await until(`port ${this.port} is free`, async () => {
      listener.listen(this.port, "127.0.0.1");
      await once(listener, "listening");
      return true;
    });
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    const listener = this.#listener;
    this.refuse();
    this.cut();
    if (listener !== undefined) await once(listener, "close");
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #accept(client: Socket): void {
    const server = createConnection(this.#target);
    const requests = new ProxyPipe(client, server, (bytes) => this.#watches.saw("requests", client, bytes));
    const replies = new ProxyPipe(server, client, (bytes) => this.#watches.saw("replies", client, bytes));
    const link: Link = { client, server, requests, replies };
    this.#links.add(link);
    this.#configure(link);
    if (this.#half) server.destroy();
    for (const socket of [client, server]) {
      socket.setNoDelay(true);
      // An error of a socket is always followed by its close, which the pipes pass on.
      socket.on("error", () => {});
      socket.on("close", () => client.closed && server.closed && this.#links.delete(link));
    }
  }

  #apply(): void {
    for (const link of this.#links) this.#configure(link);
  }

  #configure({ requests, replies }: Link): void {
    requests.set(this.#requests, 0);
    replies.set(this.#replies, this.#delayMs);
  }
}

function destroy({ client, server }: Link): void {
  client.destroy();
  server.destroy();
}
