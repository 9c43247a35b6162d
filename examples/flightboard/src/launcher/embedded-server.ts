/**
 * The embedded server in the launcher's own process, on a free port for the services. It cannot be killed without the
 * launcher, so a blow to it cuts all its connections and lets another one take its place, with its data and on its port.
 */
import { createServer, type EmbeddedServer, loadSnapshot, takeSnapshot } from "holdfast-embedded";
import { pause } from "../service.ts";
import type { OwnServer } from "./own-server.ts";

/** How long clients find nobody there. */
const RESTART_MS = 200;

export async function startEmbeddedServer(report: (text: string) => void): Promise<OwnServer> {
  const server = createServer();
  await server.listen();
  return new Embedded(server, report);
}

class Embedded implements OwnServer {
  readonly kind = "embedded";
  readonly url: string;
  readonly program: string;
  readonly #port: number;
  readonly #report: (text: string) => void;
  readonly #stop = new AbortController();
  #server: EmbeddedServer;
  #restart: Promise<void> | undefined;

  constructor(server: EmbeddedServer, report: (text: string) => void) {
    this.#server = server;
    this.#report = report;
    this.#port = server.port;
    this.url = `redis://127.0.0.1:${server.port}`;
    this.program = `the embedded server, ${this.url}`;
  }

  strike(): boolean {
    if (this.#restart !== undefined || this.#stop.signal.aborted) return false;
    this.#restart = this.#replace().finally(() => (this.#restart = undefined));
    return true;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#restart;
    await this.#server.close();
  }

  async #replace(): Promise<void> {
    // In the same tick: nothing that is acknowledged can be missing in the snapshot.
    const snapshot = takeSnapshot(this.#server.engine);
    const closed = this.#server.close();
    this.#report(`the server cut its connections, starting it again with its ${snapshot.length} bytes of data`);
    await closed;
    const next = createServer({ port: this.#port });
    loadSnapshot(next.engine, snapshot);
    this.#server = next;
    await this.#open();
  }

  /** Tries again where somebody has taken the port meanwhile. */
  async #open(): Promise<void> {
    for (;;) {
      await pause(RESTART_MS, this.#stop.signal);
      if (this.#stop.signal.aborted) return;
      try {
        return await this.#server.listen();
      } catch (error) {
        this.#report(`the server cannot listen: ${String(error)}`);
      }
    }
  }
}
