/**
 * A client of the embedded server with the face of node-redis, so that everything above one connection (reconnection,
 * leases, subscriptions, invalidation) is the same for both.
 *
 * As over a network nothing happens in the caller's turn: the commands of a turn are handed over together in the next
 * one, in their order, and a loop of awaited calls lets timers and sockets have their turns too.
 */
import { ClientClosedError, DisconnectsClientError, SimpleError } from "@redis/client";
import type { Reply as ServerReply } from "holdfast-embedded";
import { Deferred } from "../../base/deferred.ts";
import { type ClientSetup, type MessageListener, NeverWrittenError, type RawClient } from "../connection/raw-client.ts";
import type { Arg, Reply } from "../port.ts";
import { toBinary, toBytes } from "./bytes.ts";
import { Listeners, type MessageKind } from "./listeners.ts";
import { fromServer } from "./replies.ts";
import type { Dial, ServerMessage, Wire } from "./wire.ts";

const QUEUE_FULL = "too many commands are unanswered (maxInFlight)";

class Pending extends Deferred<Reply> {
  /** As the server takes them. Made before anything is scheduled, so that what cannot be sent is the caller's own error. */
  readonly args: readonly string[];

  /** @throws TypeError */
  constructor(args: readonly Arg[]) {
    super();
    this.args = args.map(toBinary);
  }

  settle(reply: ServerReply): void {
    if (typeof reply === "object" && "kind" in reply && reply.kind === "error") {
      this.reject(new SimpleError(reply.message));
    } else this.resolve(fromServer(reply));
  }
}

export class EmbeddedClient implements RawClient {
  readonly #setup: ClientSetup;
  readonly #dial: Dial;
  readonly #listeners = new Listeners();
  readonly #unanswered = new Set<Pending>();
  #unsent: Pending[] = [];
  #wire: Wire | undefined;
  #closing: Deferred<void> | undefined;
  #over = false;
  #onError: (error: unknown) => void = () => undefined;

  constructor(setup: ClientSetup, dial: Dial) {
    this.#setup = setup;
    this.#dial = dial;
  }

  /** A command was handed over and is not answered. */
  get isAwaiting(): boolean {
    return this.#unanswered.size > 0;
  }

  /** HELLO, and SELECT for another database than 0. */
  async connect(): Promise<void> {
    const { settings, credentials, database } = this.#setup;
    const login = await credentials?.();
    this.#wire = this.#dial({
      message: (message) => queueMicrotask(() => this.#receive(message)),
      closed: (cause) => this.#lose(cause),
    });
    const auth = login === undefined ? [] : ["AUTH", login.username ?? "default", login.password];
    const hello = this.#write(["HELLO", "3", ...auth, "SETNAME", settings.clientName]);
    await Promise.all([hello, database === 0 ? undefined : this.#write(["SELECT", String(database)])]);
  }

  sendCommand(args: readonly Arg[]): Promise<Reply> {
    if (this.#over || this.#closing !== undefined) return Promise.reject(new ClientClosedError());
    const waiting = this.#unsent.length + this.#unanswered.size;
    if (waiting >= this.#setup.settings.maxInFlight) return Promise.reject(new NeverWrittenError(QUEUE_FULL));
    try {
      return this.#write(args);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Resolves when everything under way is answered. */
  async close(): Promise<void> {
    this.#closing ??= new Deferred();
    this.#finishClosing();
    await this.#closing.promise;
  }

  destroy(): void {
    this.#end(new DisconnectsClientError());
  }

  on(event: "error" | "sharded-channel-moved", listener: (what: never) => void): void {
    // One server has all slots, so no channel ever moves.
    if (event === "error") this.#onError = listener as (error: unknown) => void;
  }

  SUBSCRIBE(channel: string, listener: MessageListener): Promise<void> {
    return this.#subscribe("message", "SUBSCRIBE", channel, listener);
  }

  UNSUBSCRIBE(channel: string, listener: MessageListener): Promise<void> {
    return this.#unsubscribe("message", "UNSUBSCRIBE", channel, listener);
  }

  PSUBSCRIBE(pattern: string, listener: MessageListener): Promise<void> {
    return this.#subscribe("pmessage", "PSUBSCRIBE", pattern, listener);
  }

  PUNSUBSCRIBE(pattern: string, listener: MessageListener): Promise<void> {
    return this.#unsubscribe("pmessage", "PUNSUBSCRIBE", pattern, listener);
  }

  SSUBSCRIBE(channel: string, listener: MessageListener): Promise<void> {
    return this.#subscribe("smessage", "SSUBSCRIBE", channel, listener);
  }

  SUNSUBSCRIBE(channel: string, listener: MessageListener): Promise<void> {
    return this.#unsubscribe("smessage", "SUNSUBSCRIBE", channel, listener);
  }

  async #subscribe(kind: MessageKind, command: string, channel: string, listener: MessageListener): Promise<void> {
    const name = toBinary(channel);
    this.#listeners.add(kind, name, listener);
    try {
      await this.sendCommand([command, channel]);
    } catch (error) {
      this.#listeners.delete(kind, name, listener);
      throw error;
    }
  }

  async #unsubscribe(kind: MessageKind, command: string, channel: string, listener: MessageListener): Promise<void> {
    if (this.#listeners.delete(kind, toBinary(channel), listener)) await this.sendCommand([command, channel]);
  }

  #write(args: readonly Arg[]): Promise<Reply> {
    const pending = new Pending(args);
    if (this.#unsent.length === 0) this.#setup.settings.runtime.setImmediate(() => this.#flush());
    this.#unsent.push(pending);
    return pending.promise;
  }

  #flush(): void {
    const pendings = this.#unsent;
    this.#unsent = [];
    for (const pending of pendings) this.#hand(pending);
    this.#finishClosing();
  }

  #hand(pending: Pending): void {
    // One of the commands before it has ended the connection.
    if (this.#over || this.#wire === undefined) return pending.reject(new NeverWrittenError(new ClientClosedError()));
    this.#unanswered.add(pending);
    this.#wire.send(pending.args, (reply) => {
      if (!this.#unanswered.delete(pending)) return;
      pending.settle(reply);
      if (this.#closing !== undefined) this.#finishClosing();
    });
  }

  #finishClosing(): void {
    if (this.#closing === undefined || this.#unsent.length > 0 || this.#unanswered.size > 0) return;
    this.#closing.resolve();
    this.#end(new ClientClosedError());
  }

  #receive({ kind, ...message }: ServerMessage): void {
    if (kind !== "push" || this.#over || !("items" in message)) return;
    const [type, about, ...rest] = message.items;
    if (type === "invalidate") this.#invalidate(about);
    else if (isMessage(type)) this.#deliver(type, about as string, rest.map(String));
  }

  #invalidate(keys: ServerReply | undefined): void {
    const { onInvalidate } = this.#setup;
    if (!Array.isArray(keys)) return onInvalidate?.(null);
    for (const key of keys as readonly string[]) onInvalidate?.(toBytes(key));
  }

  /** A pattern's message says after the pattern on which channel it came. */
  #deliver(kind: MessageKind, name: string, rest: readonly string[]): void {
    const [channel = "", payload = ""] = kind === "pmessage" ? rest : [name, rest[0]];
    for (const listener of this.#listeners.at(kind, name)) listener(toBytes(payload), toBytes(channel));
  }

  #lose(cause: Error): void {
    // While it can still be seen what is unanswered.
    this.#onError(cause);
    this.#end(cause);
  }

  /** What was handed over is lost, what was not is refused. */
  #end(cause: Error): void {
    if (this.#over) return;
    this.#over = true;
    this.#wire?.close();
    for (const pending of this.#unsent) pending.reject(new NeverWrittenError(cause));
    for (const pending of this.#unanswered) pending.reject(cause);
    this.#unsent = [];
    this.#unanswered.clear();
    this.#closing?.resolve();
  }
}

function isMessage(type: ServerReply | undefined): type is MessageKind {
  return type === "message" || type === "pmessage" || type === "smessage";
}
