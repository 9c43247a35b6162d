/** One socket: bytes in, requests to the session, answers out. Answers of one turn leave in one write. */
import { system } from "../base/system.ts";
import type { Socket } from "node:net";
import type { Engine } from "../engine/engine.ts";
import { encode } from "../protocol/encode.ts";
import { ProtocolError, RequestParser } from "../protocol/request-parser.ts";
import { isTooLong } from "../base/errors.ts";
import { ErrorReply, type Push, type Reply, type Status } from "../base/reply.ts";
import type { Outlet, Session } from "../engine/session.ts";
import type { Network, Path } from "./network.ts";

/** Answers are written early beyond this many characters, so that a long pipeline does not pile them up. */
const EARLY_WRITE = 256 * 1024;
/** A client that leaves more bytes of answers unread is not listened to until it has read them. */
const UNREAD_ANSWERS = 1024 * 1024;
/** A client that leaves more bytes of messages unread is cut off: Redis's own limit for subscribers. */
const UNREAD_MESSAGES = 32 * 1024 * 1024;
/** A browser that a web page has sent to this port: it must not be able to run commands, as with Redis. */
const HTTP: ReadonlySet<string> = new Set(["post", "host:"]);
const TOO_LONG = new ErrorReply("ERR the reply has more than 512 MB, which the embedded server cannot send at once");

const LOOPBACK = /^(?:::ffff:)?127\.|^::1$/;
const DENIED =
  "-DENIED The server is in protected mode: it has no password and accepts connections from its own machine only. " +
  "Give the default user a password, or call CONFIG SET protected-mode no on a connection from there.\r\n";

export class Connection implements Outlet {
  readonly address: string;
  readonly localAddress: string;
  readonly #engine: Engine;
  readonly #socket: Socket;
  readonly #session: Session;
  readonly #parser: RequestParser;
  readonly #path: Path;
  #output = "";
  /** The output is not only messages. */
  #hasAnswer = false;
  #flushing = false;
  #working = false;
  #closing = false;
  #stalled = false;

  /** It lives until its socket closes. @param file the Unix socket that it came by */
  static open(engine: Engine, socket: Socket, network: Network, file: string | undefined): void {
    let connection: Connection | undefined;
    const path = network.open({
      endClient: () => reset(socket),
      endServer: () => {
        if (connection !== undefined) connection.#leave();
      },
      areOver: () => socket.destroyed,
    });
    if (path === undefined) reset(socket);
    else if (file === undefined && isDenied(engine, socket)) socket.end(DENIED, "latin1");
    else connection = new Connection(engine, socket, path, file);
  }

  private constructor(engine: Engine, socket: Socket, path: Path, file: string | undefined) {
    this.#engine = engine;
    this.#socket = socket;
    this.#path = path;
    this.address = file === undefined ? endpoint(socket.remoteAddress, socket.remotePort) : `${file}:0`;
    this.localAddress = file === undefined ? endpoint(socket.localAddress, socket.localPort) : `${file}:0`;
    this.#session = engine.connect(this);
    this.#parser = new RequestParser({
      authenticated: () => this.#session.authenticated,
      maxBulk: () => engine.maxBulkLength,
    });
    socket.on("data", (chunk: Buffer) => this.#path.toServer(() => this.#receive(chunk)));
    socket.on("error", () => socket.destroy());
    socket.on("close", () => this.#path.toServer(() => this.#leave()));
  }

  reply(reply: Reply): void {
    this.#write(this.#encoded(reply), "answer");
  }

  push(message: Push | Status): void {
    this.#write(this.#encoded(message), "message");
  }

  resume(): void {
    system.queueMicrotask(() => this.#work());
  }

  close(): void {
    this.#closing = true;
    this.#flush();
    this.#path.toClient(() => {
      this.#socket.end();
      this.#socket.destroySoon();
    }, "end");
  }

  /** Nobody is at the other end any more. */
  #leave(): void {
    this.#closing = true;
    this.#session.close();
  }

  #receive(chunk: Buffer): void {
    if (this.#closing) return;
    this.#parser.feed(chunk);
    this.#work();
    if (this.#parser.bufferedBytes > this.#engine.config.number("client-query-buffer-limit")) this.#socket.destroy();
  }

  /** Runs what was received, until the session blocks or the input ends. */
  #work(): void {
    this.#working = true;
    try {
      while (!this.#closing && !this.#stalled && !this.#session.isBlocked) {
        const args = this.#parser.next();
        if (args === undefined) break;
        if (HTTP.has(args[0]?.toLowerCase() ?? "")) return void this.#socket.destroy();
        this.#session.execute(args);
      }
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#write(`-ERR Protocol error: ${error.message}\r\n`, "answer");
      this.close();
    } finally {
      this.#working = false;
      this.#flush();
    }
  }

  #encoded(reply: Reply): string {
    try {
      return encode(reply, this.#session.resp);
    } catch (error) {
      if (!isTooLong(error)) throw error;
      return encode(TOO_LONG, this.#session.resp);
    }
  }

  #write(text: string, what: "answer" | "message"): void {
    if (this.#output.length + text.length > EARLY_WRITE) this.#flush();
    this.#output += text;
    this.#hasAnswer ||= what === "answer";
    if (this.#working) {
      if (this.#output.length > EARLY_WRITE) this.#flush();
    } else if (!this.#flushing) {
      this.#flushing = true;
      system.queueMicrotask(() => this.#flush());
    }
  }

  #flush(): void {
    this.#flushing = false;
    if (this.#output === "") return;
    const output = this.#output;
    this.#output = "";
    const what = this.#hasAnswer ? "answer" : "message";
    this.#hasAnswer = false;
    this.#path.toClient(() => this.#transmit(output, what), what);
  }

  /** Messages nobody has asked for, so that they cannot be held back. */
  #transmit(output: string, what: "answer" | "message"): void {
    if (!this.#socket.writable) return;
    this.#socket.write(output, "latin1");
    const unread = this.#socket.writableLength;
    if (unread > UNREAD_MESSAGES && what === "message") this.#socket.destroy();
    else if (unread > UNREAD_ANSWERS && !this.#stalled) this.#stall();
  }

  /** Until the client has read what it asked for. */
  #stall(): void {
    this.#stalled = true;
    this.#socket.pause();
    this.#socket.once("drain", () => {
      this.#stalled = false;
      this.#socket.resume();
      this.#work();
    });
  }
}

/** CONFIG's `protected-mode`: a server without a password is for its own machine. */
function isDenied(engine: Engine, { remoteAddress = "" }: Socket): boolean {
  return engine.users.default.open && engine.config.flag("protected-mode") && !LOOPBACK.test(remoteAddress);
}

/** A Unix socket knows no reset. */
function reset(socket: Socket): void {
  if (socket.remoteAddress === undefined) socket.destroy();
  else socket.resetAndDestroy();
}

function endpoint(address: string | undefined, port: number | undefined): string {
  const host = address?.startsWith("::ffff:") === true ? address.slice(7) : (address ?? "?");
  return host.includes(":") ? `[${host}]:${port ?? 0}` : `${host}:${port ?? 0}`;
}
