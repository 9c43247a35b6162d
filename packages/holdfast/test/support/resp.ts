/**
 * A small RESP2 client for the fixtures, so that what they do to a server never goes through the code under test.
 * Protocol: https://redis.io/docs/latest/develop/reference/protocol-spec/
 */
import { once } from "node:events";
import { createConnection, type Socket } from "node:net";
import { connect as connectTls, type ConnectionOptions } from "node:tls";

export type RespValue = null | number | string | Error | RespValue[];
export type RespBytes = null | number | Buffer | string | Error | RespBytes[];

export interface RespOptions {
  /** @default "127.0.0.1" */
  readonly host?: string;
  readonly port: number;
  readonly username?: string;
  readonly password?: string;
  readonly tls?: ConnectionOptions;
  /** Deadline for connecting and for each command, in milliseconds. @default 20000 */
  readonly timeoutMs?: number;
}

interface Pending {
  resolve(value: RespBytes): void;
  reject(error: Error): void;
  readonly timer: NodeJS.Timeout;
}

/** One connection. When it fails or a command misses its deadline, it is gone with everything that waits on it. */
export class RespClient {
  readonly #socket: Socket;
  readonly #timeoutMs: number;
  readonly #pending: Pending[] = [];
  #unread: Buffer = Buffer.alloc(0);
  #failure: Error | undefined;

  private constructor(socket: Socket, timeoutMs: number) {
    this.#socket = socket;
    this.#timeoutMs = timeoutMs;
    socket.setNoDelay(true);
    socket.on("data", (chunk) => this.#read(chunk));
    socket.on("error", (error) => this.#fail(error));
    socket.on("close", () => this.#fail(new Error("the connection was closed")));
  }

  static async connect(options: RespOptions): Promise<RespClient> {
    const { host = "127.0.0.1", port, tls, username = "default", password, timeoutMs = 20_000 } = options;
    const socket = tls === undefined ? createConnection({ host, port }) : connectTls({ host, port, ...tls });
    try {
      await once(socket, tls === undefined ? "connect" : "secureConnect", { signal: AbortSignal.timeout(timeoutMs) });
    } catch (error) {
      socket.destroy();
      throw new Error(`cannot connect to ${host}:${port}`, { cause: error });
    }
    const client = new RespClient(socket, timeoutMs);
    if (password !== undefined) await client.command("AUTH", username, password);
    return client;
  }

  /** The reply with its bulk strings as UTF-8. An error reply rejects; inside an array it is an Error in its place. */
  async command(...args: (string | Buffer | number)[]): Promise<RespValue> {
    return toText(await this.bytes(...args));
  }

  /** Like command, with bulk strings as Buffers. */
  bytes(...args: (string | Buffer | number)[]): Promise<RespBytes> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      const late = (): void => this.#fail(new Error(`no reply to ${String(args[0])} within ${this.#timeoutMs} ms`));
      this.#pending.push({ resolve, reject, timer: setTimeout(late, this.#timeoutMs) });
      this.#socket.write(encode(args));
    });
  }

  close(): void {
    this.#fail(new Error("this client was closed"));
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #read(chunk: Buffer): void {
    this.#unread = this.#unread.length === 0 ? chunk : Buffer.concat([this.#unread, chunk]);
    for (let reply = parse(this.#unread, 0); reply !== undefined; reply = parse(this.#unread, 0)) {
      this.#unread = this.#unread.subarray(reply.next);
      const pending = this.#pending.shift();
      if (pending === undefined) return this.#fail(new Error("a reply came that no command waited for"));
      clearTimeout(pending.timer);
      if (reply.value instanceof Error) pending.reject(reply.value);
      else pending.resolve(reply.value);
    }
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    this.#socket.destroy();
    for (const pending of this.#pending.splice(0)) {
      clearTimeout(pending.timer);
      pending.reject(error);
    }
  }
}

/** One command on a connection of its own. */
export async function respCommand(options: RespOptions, ...args: (string | Buffer | number)[]): Promise<RespValue> {
  const client = await RespClient.connect(options);
  try {
    return await client.command(...args);
  } finally {
    client.close();
  }
}

function encode(args: readonly (string | Buffer | number)[]): Buffer {
  const parts: Buffer[] = [Buffer.from(`*${args.length}\r\n`)];
  for (const arg of args) {
    const bytes = Buffer.isBuffer(arg) ? arg : Buffer.from(String(arg));
    parts.push(Buffer.from(`$${bytes.length}\r\n`), bytes, Buffer.from("\r\n"));
  }
  return Buffer.concat(parts);
}

interface Parsed {
  readonly value: RespBytes;
  readonly next: number;
}

/** The reply that begins at `from`, or undefined while it has not arrived whole. */
function parse(bytes: Buffer, from: number): Parsed | undefined {
  const end = bytes.indexOf("\r\n", from);
  if (end === -1) return undefined;
  const line = bytes.toString("utf8", from + 1, end);
  const next = end + 2;
  switch (String.fromCharCode(bytes[from]!)) {
    case "+":
      return { value: line, next };
    case "-":
      return { value: new Error(line), next };
    case ":":
      return { value: Number(line), next };
    case "$":
      return parseBulk(bytes, next, Number(line));
    case "*":
      return parseArray(bytes, next, Number(line));
    default:
      return { value: new Error(`not a RESP2 reply: ${line.slice(0, 40)}`), next: bytes.length };
  }
}

function parseBulk(bytes: Buffer, from: number, length: number): Parsed | undefined {
  if (length === -1) return { value: null, next: from };
  if (bytes.length < from + length + 2) return undefined;
  return { value: bytes.subarray(from, from + length), next: from + length + 2 };
}

function parseArray(bytes: Buffer, from: number, length: number): Parsed | undefined {
  if (length === -1) return { value: null, next: from };
  const values: RespBytes[] = [];
  let next = from;
  while (values.length < length) {
    const item = parse(bytes, next);
    if (item === undefined) return undefined;
    values.push(item.value);
    next = item.next;
  }
  return { value: values, next };
}

function toText(value: RespBytes): RespValue {
  if (Buffer.isBuffer(value)) return value.toString("utf8");
  return Array.isArray(value) ? value.map(toText) : value;
}
