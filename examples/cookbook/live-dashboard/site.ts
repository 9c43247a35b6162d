/** For the tests: one process that serves the dashboard, and can be cut off or end while another takes its port. */
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Holdfast } from "holdfast";
import { WebSocketServer } from "ws";
import { freePort } from "../../../packages/holdfast/test/support/ports.ts";
import { until } from "../../../packages/holdfast/test/support/until.ts";
import { type Dashboard, dashboard } from "./live-dashboard.ts";

interface File {
  readonly type: string;
  readonly text: string;
}

export class Site implements AsyncDisposable {
  readonly dashboard: Dashboard;
  readonly port: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(shown: Dashboard, server: Server) {
    this.dashboard = shown;
    this.#server = server;
    server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once("close", () => this.#sockets.delete(socket));
    });
    this.port = (server.address() as AddressInfo).port;
  }

  static async open(hf: Holdfast, port?: number, files: Readonly<Record<string, File>> = {}): Promise<Site> {
    const shown = dashboard(hf, async (cookie) => /\buser=(\w+)/.exec(cookie)?.[1]);
    const server = createServer((request, response) => {
      const path = request.url!.split("?")[0]!;
      if (path === "/live") return shown.live(request, response);
      const file = files[path];
      response.writeHead(file === undefined ? 404 : 200, { "content-type": file?.type ?? "text/plain" });
      response.end(file?.text);
    });
    shown.live.webSocket(server, { path: "/live", WebSocketServer });
    // None that an outgoing connection may take in between; a child process that is just being started may still hold it.
    const wanted = port ?? (await freePort());
    await until(`port ${wanted} is free`, async () => {
      server.listen(wanted, "127.0.0.1");
      await once(server, "listening");
      return true;
    });
    return new Site(shown, server);
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** As a proxy does that is restarted. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, "close");
    this.#server.close();
    await this.dashboard.live.close();
    this.cut();
    await closed;
  }
}
