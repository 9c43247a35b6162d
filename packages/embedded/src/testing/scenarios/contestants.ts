/** The two servers that a scenario runs on, each behind the same few operations. */
import { once } from "node:events";
import { createConnection, type Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { startStandalone, type Standalone } from "../../../../holdfast/test/support/servers.ts";
import type { InProcessConnection } from "../../net/in-process.ts";
import { encode } from "../../protocol/encode.ts";
import { createServer, type EmbeddedServer } from "../../server.ts";
import { RawClient } from "../raw-client.ts";

/** A client of which everything that it receives is collected. */
export interface Client {
  /** On this server. */
  readonly id: number;
  readonly closed: boolean;
  /** Whether anything came since the last `take`. */
  readonly hasReceived: boolean;
  send(line: readonly string[]): void;
  /** The bytes that came since the last call. */
  take(): string;
  close(): void;
}

interface Contestant {
  /** Asks the observer, an idle RESP2 client of its own. */
  ask(line: readonly string[]): Promise<string>;
  /** Resolves when everything that was sent has been handled and everything that it caused has arrived. */
  settle(): Promise<void>;
  stop(): Promise<void>;
}

/** How long a server may take to answer, and to read what it was sent. */
const PATIENCE_MS = 10_000;

function encodeLine(line: readonly string[]): string {
  return `*${line.length}\r\n${line.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`;
}

async function inTime<T>(answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error("a server does not answer")), PATIENCE_MS);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * It says itself how many bytes it has read. A server reads and runs a command at once and writes the answers before it
 * sleeps: once it has read everything and answered one more command, whatever was caused has been written.
 */
export class RealServer implements Contestant {
  readonly #server: Standalone;
  readonly #observer: RawClient;
  #sentBytes = 0;

  private constructor(server: Standalone, observer: RawClient) {
    this.#server = server;
    this.#observer = observer;
  }

  static async start(): Promise<RealServer> {
    const server = await startStandalone();
    const real = new RealServer(server, await RawClient.connect(server.port));
    const first = await real.#readBytes();
    real.#sentBytes = first;
    return real;
  }

  async connect(): Promise<Client> {
    const socket = createConnection({ host: "127.0.0.1", port: this.#server.port });
    await once(socket, "connect");
    const client = new RealClient(socket, (bytes) => (this.#sentBytes += bytes));
    client.send(["CLIENT", "ID"]);
    await this.settle();
    client.id = Number(client.take().slice(1));
    return client;
  }

  ask(line: readonly string[]): Promise<string> {
    this.#sentBytes += encodeLine(line).length;
    return inTime(this.#observer.send(line));
  }

  async settle(): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS;
    while ((await this.#readBytes()) < this.#sentBytes) {
      if (Date.now() > deadline) throw new Error("the real server does not read what it was sent");
    }
    await this.ask(["PING"]);
    // What arrived together with the answer is handed out within the same turn.
    await nextTurn();
  }

  async stop(): Promise<void> {
    this.#observer.close();
    await this.#server.stop();
  }

  async #readBytes(): Promise<number> {
    const info = await this.ask(["INFO", "stats"]);
    return Number(/total_net_input_bytes:(\d+)/.exec(info)?.[1]);
  }
}

class RealClient implements Client {
  id = 0;
  closed = false;
  readonly #socket: Socket;
  readonly #sent: (bytes: number) => void;
  #received = "";

  constructor(socket: Socket, sent: (bytes: number) => void) {
    this.#socket = socket;
    this.#sent = sent;
    socket.setNoDelay(true).setEncoding("latin1");
    socket.on("data", (text: string) => (this.#received += text));
    for (const event of ["end", "close", "error"]) socket.on(event, () => (this.closed = true));
  }

  send(line: readonly string[]): void {
    const bytes = encodeLine(line);
    this.#sent(bytes.length);
    this.#socket.write(bytes, "latin1");
  }

  get hasReceived(): boolean {
    return this.#received !== "";
  }

  take(): string {
    const received = this.#received;
    this.#received = "";
    return received;
  }

  close(): void {
    this.#socket.destroy();
  }
}

/** In process: it answers while it is asked, and at the latest by the next `setImmediate`. */
export class Embedded implements Contestant {
  readonly #server: EmbeddedServer = createServer();
  readonly #observer: InProcessConnection = this.#server.connectInProcess();

  /** A client whose number is the real one's, so that numbers need not be distinguished in answers. */
  connectAs(id: number): Client {
    for (;;) {
      const client = new EmbeddedClient(this.#server);
      if (client.id >= id) return client;
      client.close();
    }
  }

  ask(line: readonly string[]): Promise<string> {
    return inTime(new Promise((resolve) => this.#observer.send(line, (reply) => resolve(encode(reply, 2)))));
  }

  async settle(): Promise<void> {
    await this.ask(["PING"]);
    await nextTurn();
  }

  stop(): Promise<void> {
    return this.#server.close();
  }
}

class EmbeddedClient implements Client {
  closed = false;
  readonly #connection: InProcessConnection;
  #received = "";

  constructor(server: EmbeddedServer) {
    this.#connection = server.connectInProcess({
      push: (message) => (this.#received += encode(message, this.#connection.session.resp)),
      closed: () => (this.closed = true),
    });
  }

  get id(): number {
    return this.#connection.session.id;
  }

  send(line: readonly string[]): void {
    this.#connection.send(line, (reply) => (this.#received += encode(reply, this.#connection.session.resp)));
  }

  get hasReceived(): boolean {
    return this.#received !== "";
  }

  take(): string {
    const received = this.#received;
    this.#received = "";
    return received;
  }

  close(): void {
    this.#connection.disconnect();
  }
}
