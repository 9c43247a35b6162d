/**
 * What a framework's `sse` stands on: connections of browsers, and in each of them subscriptions to channels, topics and streams.
 *
 * What it promises: a client sees the messages of each subscription in order; where some are missing it is told at that
 * place. It comes back with where it has got to, to any process of the fleet. Nothing waits for a slow client without a bound.
 * Who is revoked is disconnected in the whole fleet at once, and within `revalidate` also where that word was lost.
 *
 * While the server is away connections stay open, as channels do, and new ones are answered 503.
 */
import { InvalidArgumentError, isOutage } from "../../base/errors.ts";
import { parseOptions, toMs } from "../../base/options.ts";
import type { Runtime } from "../../base/runtime.ts";
import { checkText } from "../../core/keyspace/keyspace.ts";
import { Holdfast } from "../../holdfast.ts";
import { Access } from "./access.ts";
import { type LiveAnswer, type LiveHttpRequest, queryOf } from "./answer.ts";
import { FRAMES, LiveConnection, type LiveFormat, SSE } from "./connection.ts";
import { Connections, type Open } from "./connections.ts";
import { type ControlMessage, Control, isMeant } from "./control.ts";
import { parseCursors } from "./cursors.ts";
import { FanOut } from "./fan-out.ts";
import type { LiveChange } from "./frame-text.ts";
import { type LiveSocket, SocketCarrier } from "./socket.ts";
import {
  LIVE_OPTIONS,
  type LiveIdentity,
  type LiveOptions,
  type LiveSettings,
  liveSettings,
  type LiveSource,
} from "./options.ts";
import { Turns } from "./turns.ts";
import { Reports } from "../../core/observe/reports.ts";

export class Live<R> {
  /** For messages. */
  readonly where: string;
  readonly #runtime: Runtime;
  readonly #settings: LiveSettings<R>;
  readonly #warnings: Reports<never, never>;
  readonly #fans = new FanOut();
  readonly #control: Control;
  readonly #access: Access<R>;
  readonly #connections: Connections<R>;
  readonly #disown: () => void;
  #opening = 0;
  readonly #closings: (() => void)[] = [];
  #closed: Promise<void> | undefined;

  constructor(hf: Holdfast, options: LiveOptions<R>) {
    const core = Holdfast.coreOf(hf);
    if (core === undefined)
      throw new InvalidArgumentError("hf", "what `connect` or `holdfast` returned", hf, { where: "sse" });
    const { name = "live" } = options ?? {};
    this.where = typeof name === "string" ? `live ${JSON.stringify(name)}` : "live";
    this.#settings = parseOptions(this.where, options, LIVE_OPTIONS, (given) => {
      checkText("name", name, 512);
      return liveSettings(given);
    });
    this.#runtime = hf.driver.runtime;
    const { heartbeatMs, stallMs, revalidateMs, onError } = this.#settings;
    const sweepMs = Math.max(Math.min(heartbeatMs, stallMs, revalidateMs) / 2, 1);
    const terms = { sweepMs, heartbeatMs, stallMs };
    this.#connections = new Connections(this.#runtime, terms, (open) => void this.#check(open));
    this.#warnings = new Reports(this.where, "HOLDFAST_LIVE", { onError });
    this.#control = new Control(hf, name, {
      message: (message) => this.#controlled(message),
      gap: () => this.#checkAll(),
    });
    this.#access = new Access(hf, this.where, this.#settings, this.#control);
    this.#disown = core.own(this);
  }

  /**
   * Answers a request: GET opens a connection, POST changes the subscriptions of one.
   * @param carried `websocket` where the request asks for one; an answer of 200 goes to `carry` then
   */
  async handle(request: LiveHttpRequest<R>, carried: "sse" | "websocket" = "sse"): Promise<LiveAnswer> {
    const query = queryOf(request.url);
    if (request.method === "POST") return this.#change(query);
    if (request.method !== "GET") return { status: 405, headers: { allow: "GET, POST" } };
    const cursors = parseCursors(request.header("last-event-id") ?? query.get("lastEventId") ?? undefined);
    return this.#connect(request.raw, {
      subscriptions: query.getAll("subscribe"),
      cursors,
      ownCursors: carried === "websocket" || query.get("cursors") === "own",
      format: carried === "websocket" ? FRAMES : SSE,
    });
  }

  /** Brings a connection's events to a WebSocket, and hears what its client says there. */
  carry(connection: LiveConnection, socket: LiveSocket): void {
    const { maxSubscriptions } = this.#settings;
    void new SocketCarrier(connection, socket, {
      runtime: this.#runtime,
      maxSubscriptions,
      change: async ({ id }, change) => {
        const open = this.#connections.get(id);
        if (open !== undefined) await this.#changed(open, change);
      },
    });
  }

  async #connect(
    request: R,
    asked: {
      readonly subscriptions: readonly string[];
      readonly cursors: ReadonlyMap<string, string>;
      readonly ownCursors: boolean;
      readonly format: LiveFormat;
    },
  ): Promise<LiveAnswer> {
    const { maxSubscriptions, maxConnections, retryMs, buffer, onSlow } = this.#settings;
    const subscriptions = [...new Set(asked.subscriptions)];
    if (subscriptions.length > maxSubscriptions) return { status: 400 };
    if (this.#isClosed || this.#connections.count + this.#opening >= maxConnections) return this.#busy();
    let connection: LiveConnection | undefined;
    try {
      const identity = await this.#identified(request);
      if (identity === undefined) return { status: 401 };
      if (this.#isClosed) return this.#busy();
      connection = new LiveConnection(identity, this.#fans, {
        id: this.#runtime.randomBytes(16).toString("base64url"),
        buffer,
        onSlow,
        format: asked.format,
        ownCursors: asked.ownCursors,
        cursors: asked.cursors,
        onError: (error) => this.#warnings.error(error),
        onEnd: (ended) => this.#connections.ended(ended),
        onGone: (gone) => this.#connections.gone(gone),
      });
      // It is among the others from here on: an `end` that comes while its sources are found ends it.
      this.#add(connection, request);
      const found = await this.#access.found(subscriptions, identity, request);
      if (subscriptions.length > 0 && found.size === 0) {
        connection.abandon();
        return { status: 403 };
      }
      connection.begin(this.#retryMs(retryMs));
      for (const subscription of subscriptions) this.#subscribe(connection, subscription, found.get(subscription));
      return { status: 200, connection };
    } catch (error) {
      connection?.abandon();
      this.#warnings.error(error);
      return isOutage(error) ? this.#busy() : { status: 500 };
    }
  }

  async #identified(request: R): Promise<LiveIdentity | undefined> {
    this.#opening += 1;
    try {
      return await this.#access.identified(request);
    } finally {
      this.#opening -= 1;
    }
  }

  /**
   * Ends the connections of a user, or of one of its sessions, in the whole fleet: at once where the processes hear of it, and within `revalidate`
   * where `identify` refuses them. Cost: PUBLISH.
   */
  async end(whose: { readonly user?: string; readonly session?: string }): Promise<void> {
    const { user, session } = Object(whose) as { user?: string; session?: string };
    if ((user === undefined) === (session === undefined))
      throw new InvalidArgumentError("whose", "{ user } or { session }", whose, { where: this.where, op: "live.end" });
    const named =
      user === undefined ? { session: checkText("session", session!, 1_024) } : { user: checkText("user", user, 512) };
    await this.#control.send({ type: "end", ...named });
  }

  /** Sends to all connections of a user that have subscribed to `user`, at most once. Cost: PUBLISH. */
  async toUser(user: string, message: unknown): Promise<void> {
    await this.#access.userChannel(user).publish(message);
  }

  /** What is nobody's answer. */
  report(error: unknown): void {
    this.#warnings.error(error);
  }

  get #isClosed(): boolean {
    return this.#closed !== undefined;
  }

  get connections(): number {
    return this.#connections.openCount;
  }

  /** Called when it closes. */
  onClose(closing: () => void): void {
    this.#closings.push(closing);
  }

  /** Ends all connections; their clients come back, to another process. Those that have not read it within seconds are cut off. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    for (const closing of this.#closings) closing();
    for (const { connection } of this.#connections) connection.end("closing", this.#retryMs(this.#settings.retryMs));
    await this.#connections.drain();
    await this.#control.close();
    this.#disown();
  }

  #subscribe(connection: LiveConnection, subscription: string, source: LiveSource | undefined, cursor?: string): void {
    if (source === undefined) connection.notice({ type: "denied", subscription });
    else connection.add(subscription, source, cursor);
  }

  #add(connection: LiveConnection, request: R): void {
    const now = this.#runtime.now();
    const open = {
      connection,
      request,
      checkAt: now + this.#settings.revalidateMs,
      endAt: Infinity,
      isChecked: false,
      turns: new Turns(),
    };
    this.#connections.add(open);
    this.#expire(open, connection.identity, now);
  }

  #expire(open: Open<R>, { expiresIn }: LiveIdentity, now: number): void {
    if (expiresIn === undefined) return void (open.endAt = Infinity);
    // A token's may be over already.
    const ms = toMs("expiresIn", typeof expiresIn === "number" ? Math.max(expiresIn, 0) : expiresIn, 0);
    open.endAt = now + ms;
    if (ms === 0) open.connection.bye("expired");
  }

  /** Words of an end may have been missed. */
  #checkAll(): void {
    for (const open of this.#connections) void this.#check(open);
  }

  /** Asks again whose it is, and whether that one may have what is subscribed. */
  async #check(open: Open<R>): Promise<void> {
    open.isChecked = true;
    const { connection, request } = open;
    try {
      const identity = await this.#access.identified(request);
      if (identity === undefined || identity.user !== connection.identity.user) return connection.bye("revoked");
      connection.identity = identity;
      this.#expire(open, identity, this.#runtime.now());
      // What is added meanwhile was asked for by itself.
      const asked = connection.subscriptions;
      const found = await this.#access.found(asked, identity, request);
      for (const subscription of asked)
        if (!found.has(subscription)) connection.remove(subscription, { type: "denied", subscription });
    } catch (error) {
      // What cannot be found out is not allowed any more; the client comes back and asks.
      this.#warnings.error(error);
      connection.end("failed", this.#retryMs(this.#settings.retryMs));
    } finally {
      open.checkAt = this.#runtime.now() + this.#settings.revalidateMs;
      open.isChecked = false;
    }
  }

  async #change(query: URLSearchParams): Promise<LiveAnswer> {
    const { maxSubscriptions } = this.#settings;
    const connection = query.get("connection");
    const [add, remove] = [query.getAll("subscribe"), query.getAll("unsubscribe")];
    if (connection === null || Math.max(add.length, remove.length) > maxSubscriptions) return { status: 400 };
    const cursors = parseCursors(query.get("lastEventId") ?? undefined);
    const open = this.#connections.get(connection);
    if (open !== undefined) {
      const done = open.turns.take(() => this.#changed(open, { add, remove, cursors }));
      if (done === undefined) return { status: 429 };
      await done;
    } else {
      try {
        await this.#control.send({ type: "change", connection, add, remove, cursors: [...cursors] });
      } catch (error) {
        this.#warnings.error(error);
        return this.#busy();
      }
    }
    return { status: 202 };
  }

  #controlled(message: ControlMessage): void {
    if (message.type === "change") {
      const open = this.#connections.get(message.connection);
      const change = { ...message, cursors: new Map(message.cursors) };
      // Where too much waits it is not done, and its client comes back.
      if (open !== undefined) void open.turns.take(() => this.#changed(open, change));
      return;
    }
    for (const { connection } of this.#connections)
      if (isMeant(message, connection.identity)) connection.bye("revoked");
  }

  async #changed({ connection, request }: Open<R>, change: LiveChange): Promise<void> {
    // Who asks for more than it reads is told no faster than it reads.
    await connection.room();
    if (this.#connections.get(connection.id) === undefined) return;
    try {
      for (const subscription of change.remove) connection.remove(subscription, undefined);
      const added = [...new Set(change.add)].filter((each) => !connection.has(each));
      const found = await this.#access.found(added, connection.identity, request);
      for (const subscription of added) {
        const isOver = connection.subscriptions.length >= this.#settings.maxSubscriptions;
        this.#subscribe(
          connection,
          subscription,
          isOver ? undefined : found.get(subscription),
          change.cursors.get(subscription),
        );
      }
    } catch (error) {
      this.#warnings.error(error);
      connection.end("failed", this.#retryMs(this.#settings.retryMs));
    }
  }

  #busy(): LiveAnswer {
    return {
      status: 503,
      headers: { "retry-after": String(Math.ceil(this.#retryMs(this.#settings.retryMs) / 1_000)) },
    };
  }

  /** So that not all clients of a process that ends come back at one moment. */
  #retryMs(ms: number): number {
    return Math.round(ms * (1 + this.#runtime.random()));
  }
}
