/** A client that hands out the very bytes of each reply, as binary strings. */
import { once } from "node:events";
import { createConnection, type Socket } from "node:net";

interface Waiting {
  replies: number;
  readonly resolve: (bytes: string) => void;
  readonly reject: (error: Error) => void;
}

export class RawClient {
  readonly #socket: Socket;
  #received = "";
  #scanned = 0;
  readonly #waiting: Waiting[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true).setEncoding("latin1");
    socket.on("data", (text: string) => this.#receive(text));
    socket.on("error", (error) => this.#end(error));
    socket.on("close", () => this.#end(new Error("the connection was closed")));
  }

  static async connect(port: number): Promise<RawClient> {
    const socket = createConnection({ host: "127.0.0.1", port });
    await once(socket, "connect");
    return new RawClient(socket);
  }

  /** The bytes of a command's reply, with the messages that came before it. `replies` is for SUBSCRIBE to several channels. */
  send(args: readonly string[], replies = 1): Promise<string> {
    const words = args.map((arg) => `$${arg.length}\r\n${arg}\r\n`).join("");
    return this.sendRaw(`*${args.length}\r\n${words}`, replies);
  }

  sendRaw(bytes: string, replies = 1): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ replies, resolve, reject });
      this.#socket.write(bytes, "latin1");
    });
  }

  /** What the server says without being asked: the bytes of the next message. */
  message(): Promise<string> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ replies: 0, resolve, reject });
      this.#receive("");
    });
  }

  /** All bytes until the server closes the connection. */
  async untilClosed(bytes: string): Promise<string> {
    this.#socket.write(bytes, "latin1");
    await once(this.#socket, "close");
    return this.#received;
  }

  close(): void {
    this.#socket.destroy();
  }

  #receive(text: string): void {
    this.#received += text;
    for (let first = this.#waiting[0]; first !== undefined; first = this.#waiting[0]) {
      const end = replyEnd(this.#received, this.#scanned);
      if (end === -1) return;
      const isMessage = this.#received[this.#scanned] === ">";
      this.#scanned = end;
      if (first.replies > 0 && !isMessage) first.replies -= 1;
      if (first.replies > 0 || (isMessage && first.replies !== 0)) continue;
      this.#waiting.shift();
      first.resolve(this.#received.slice(0, end));
      this.#received = this.#received.slice(end);
      this.#scanned = 0;
    }
  }

  #end(error: Error): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }
}

const AGGREGATES = "*~>%";

/** Where the reply that begins at `start` ends, or -1 when it is not whole yet. */
function replyEnd(text: string, start: number): number {
  const lineEnd = text.indexOf("\r\n", start);
  if (lineEnd === -1) return -1;
  const marker = text.charAt(start);
  const length = Number(text.slice(start + 1, lineEnd));
  let at = lineEnd + 2;
  if (marker === "$" || marker === "=") {
    if (length >= 0) at += length + 2;
    return at <= text.length ? at : -1;
  }
  if (!AGGREGATES.includes(marker)) return at;
  for (let i = marker === "%" ? length * 2 : length; i > 0; i -= 1) {
    at = replyEnd(text, at);
    if (at === -1) return -1;
  }
  return at;
}
