/**
 * A connection carried by a WebSocket: its events to the client, and what the client wants back.
 *
 *     server -> client   lines of events, a heartbeat where there is nothing else; a ping where the client says nothing
 *     client -> server   changes, each answered `changed`; pongs, which a WebSocket sends by itself
 *
 * A client that has not been heard of for `heartbeat` and `stall` is given up, also where its socket takes all that is written to it.
 * Nothing is written before the kernel has taken what was: what waits stays in the connection's own buffer, with its bound.
 */
import type { Runtime } from "../../base/runtime.ts";
import { LiveChanges } from "./changes.ts";
import type { LiveCarrier, LiveConnection, LiveEnding, SweepTerms } from "./connection.ts";
import { type LiveChange, parseChange } from "./frame-text.ts";

/** What of a WebSocket of the package `ws` is needed. */
export interface LiveSocket {
  send(data: string, done: (error?: Error) => void): void;
  ping(): void;
  close(code: number, reason: string): void;
  terminate(): void;
  on(event: string, listener: (...args: never[]) => void): unknown;
}

export interface SocketTerms {
  readonly runtime: Runtime;
  readonly maxSubscriptions: number;
  /** Does not reject. */
  change(connection: LiveConnection, change: LiveChange): Promise<void>;
}

/** Of a handshake that is answered so, as browsers do not say why one has failed: 4000 and the status. */
export const REFUSED: Readonly<Record<number, string>> = { 400: "refused", 401: "denied", 403: "denied" };
export const refusedCode = (status: number): number => 4_000 + status;

/** After 1011 to 1013 a client comes back; after the others not as it is. */
const CODES: Readonly<Record<LiveEnding, readonly [code: number, reason: string]>> = {
  closing: [1012, "closing: come back"],
  failed: [1011, "failed: come back"],
  slow: [1013, "too slow: come back"],
  revoked: [4_410, "revoked"],
  expired: [4_419, "expired"],
  binary: [1003, "text only"],
  malformed: [4_400, "refused"],
  flood: [1008, "too much at once"],
};

export class SocketCarrier implements LiveCarrier {
  readonly #connection: LiveConnection;
  readonly #socket: LiveSocket;
  readonly #terms: SocketTerms;
  readonly #changes: LiveChanges;
  #heardAt: number;

  constructor(connection: LiveConnection, socket: LiveSocket, terms: SocketTerms) {
    this.#connection = connection;
    this.#socket = socket;
    this.#terms = terms;
    this.#heardAt = terms.runtime.now();
    this.#changes = new LiveChanges(terms.runtime, (change) => this.#change(change));
    socket.on("message", (data: { toString(): string }, isBinary: boolean) => this.#receive(data, isBinary));
    socket.on("pong", () => this.#hear());
    // The end follows it.
    socket.on("error", () => undefined);
    socket.on("close", () => connection.abandon());
    connection.carriedBy(this);
    void this.#send();
  }

  sweep(now: number, { sweepMs, heartbeatMs, stallMs }: SweepTerms): void {
    const silentMs = now - this.#heardAt;
    if (silentMs >= heartbeatMs + stallMs) this.#connection.abandon();
    else if (silentMs + sweepMs >= heartbeatMs) this.#socket.ping();
  }

  drop(): void {
    this.#changes.close();
    this.#socket.terminate();
  }

  async #send(): Promise<void> {
    const connection = this.#connection;
    for (let text = await connection.next(); text !== undefined; text = await connection.next())
      await new Promise<void>((resolve) => this.#socket.send(text, () => resolve()));
    this.#changes.close();
    const [code, reason] = CODES[connection.ending ?? "closing"];
    this.#socket.close(code, reason);
  }

  #hear(): void {
    this.#heardAt = this.#terms.runtime.now();
  }

  #receive(data: { toString(): string }, isBinary: boolean): void {
    this.#hear();
    const connection = this.#connection;
    if (isBinary) return connection.refuse("binary");
    const change = parseChange(data.toString());
    const { maxSubscriptions } = this.#terms;
    if (change === undefined || Math.max(change.add.length, change.remove.length) > maxSubscriptions)
      return connection.refuse("malformed");
    if (!this.#changes.add(change)) connection.refuse("flood");
  }

  async #change(change: LiveChange): Promise<void> {
    await this.#terms.change(this.#connection, change);
    this.#connection.notice({ type: "changed" });
  }
}
