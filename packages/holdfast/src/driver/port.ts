/**
 * The two faces of a server.
 *
 * `Transport` is what an adapter implements (node-redis, later ioredis, valkey-glide, embedded): one attempt per call,
 * no deadline, no retry, and an exact word on whether a failed attempt can have been executed.
 * `Driver` is what everything above uses: the same calls with deadlines, retries by operation class, a budget and a
 * breaker. It is written once, in `resilience/`, over any transport.
 */
import type { HoldfastError } from "../base/errors.ts";
import type { Runtime } from "../base/runtime.ts";

/** One argument of a command. Strings are sent as UTF-8, Buffers as they are. */
export type Arg = string | Buffer;

/** A decoded answer. Bulk strings are Buffers, status lines are strings, maps are flat arrays, sets are arrays. */
export type Reply = null | boolean | number | bigint | string | Buffer | Error | Reply[];

/**
 * What may be done when an answer is lost after the command was sent.
 * - `read`: changes nothing; repeat freely.
 * - `idempotent`: repeating leaves the same state (SET, DEL, PEXPIRE ...); repeat.
 * - `dedupable`: carries an operation id which its script stores; repeat, the script recognises it.
 * - `unsafe`: never repeated; the caller gets OutcomeUnknownError.
 */
export type OpClass = "read" | "idempotent" | "dedupable" | "unsafe";

/** What the driver must know of a call besides its arguments. Shared by all calls of an operation where it can be. */
export interface Call {
  /** As a user knows it: `cache.get`. For errors and for tracing. */
  readonly op: string;
  readonly class: OpClass;
  /** The user's name for the key; only for error messages. */
  readonly key?: string | undefined;
  /** Deadline for the whole call with its retries. Default: the handle's `timeout`. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** How long its node may have been silent before it fails at once, as its caller has another way to go on. Default: the handle's `timeout`. */
  readonly patienceMs?: number | undefined;
  /**
   * Called when an attempt that may have been executed was lost, before the write is sent again. For a script it may
   * return the arguments to send from then on. Must not throw.
   */
  readonly onRepeat?: (() => readonly Arg[] | undefined) | undefined;
}

/** Where a command goes: by a key, to a named node, or (undefined) to any primary. */
export type Route = Arg | { readonly node: string } | undefined;

export interface Capabilities {
  /** `unknown` until the first connection stands. */
  readonly engine: "redis" | "valkey" | "embedded" | "unknown";
  /** Version as the server says it, such as `7.0.15`; "" until the first connection stands. */
  readonly version: string;
  readonly cluster: boolean;
  /**
   * Whether a command that was given up can still be executed late.
   * - `connection`: no; the server closes a lost connection (CLIENT KILL) before the next one is used.
   * - `none`: yes, because the user may not (`+client|info`, `+client|kill`), or a proxy or the client hides who is who.
   */
  readonly fencing: "connection" | "none";
}

export interface NodeInfo {
  /** Stable while the node lives: `host:port`. */
  readonly id: string;
  readonly state: "up" | "down";
  /** Rises with each new connection to the node. */
  readonly epoch: number;
}

export interface StateEvent {
  readonly state: "up" | "down" | "closed";
  readonly node: string;
  readonly epoch: number;
  readonly cause?: unknown;
}

export type ChannelKind = "exact" | "pattern" | "sharded";

/** Must not throw; the adapters guard against it all the same, because it would desynchronise some clients' decoders. */
export interface ChannelListener {
  message(payload: Buffer, channel: string): void;
  /** Messages may have been lost: the subscription was re-established at `epoch` after a disconnect or a slot move. */
  gap(cause: unknown): void;
}

export interface InvalidationListener {
  /** These keys (full names) were changed by somebody. */
  keys(keys: readonly Buffer[]): void;
  /** Knowledge was lost (disconnect, FLUSHALL, slot move): forget everything. */
  flush(cause: unknown): void;
}

export interface Subscription {
  /** Idempotent. Resolves when the server confirmed or the connection is gone. */
  close(): Promise<void>;
}

export interface InvalidationSubscription extends Subscription {
  /** Whether every primary reports changes at this moment. */
  readonly isLive: boolean;
}

/** A connection for one borrower alone: WATCH, blocking commands, WAIT. */
export interface Lease {
  readonly node: string;
  send(args: readonly Arg[], call: Call): Promise<Reply>;
  /** Returns the connection to the pool; it is cleaned first, or destroyed where it cannot be cleaned. Idempotent. */
  release(): void;
  /** Closes the connection at once. Idempotent. */
  destroy(): void;
}

export interface ScriptSource {
  /** Name for messages and tracing: `lock.acquire`. */
  readonly name: string;
  readonly lua: string;
  readonly sha1: string;
}

/** Makes a call's answer of its outcome. */
export type Conclude<T> = (outcome: Reply | HoldfastError) => T | PromiseLike<T>;

export interface Driver {
  readonly caps: Capabilities;
  /** Default deadline of a call in milliseconds. */
  readonly timeoutMs: number;
  /** Where its deadlines come from, and the timers and chance of all that stands on it. */
  readonly runtime: Runtime;
  /** 0 for every key once the server is known to be no cluster. Work is grouped by it. */
  slotOf(key: Arg): number;
  send(args: readonly Arg[], call: Call, route?: Route): Promise<Reply>;
  /** As `send`, for what `conclude` makes of the outcome: a promise less than `send(...).then(...)`. It may throw. */
  ask<T>(args: readonly Arg[], call: Call, route: Route, conclude: Conclude<T>): Promise<T>;
  /** EVALSHA, loading once on NOSCRIPT. `keys` must be in the same slot. */
  script(script: ScriptSource, keys: readonly Arg[], args: readonly Arg[], call: Call): Promise<Reply>;
  /** A pipeline: each command has its own outcome, so one failure does not hide the others' results. */
  batch(commands: readonly (readonly Arg[])[], call: Call, route?: Route): Promise<(Reply | HoldfastError)[]>;
  /** Borrow an exclusive connection to the node that serves `route`; waits for a free one until the call's deadline. */
  lease(route: Route, call: Call): Promise<Lease>;
  /** A blocking command (BLPOP, XREAD BLOCK ...) on an exclusive connection; `blockMs` is added to the deadline. */
  blocking(args: readonly Arg[], blockMs: number, call: Call, route?: Route): Promise<Reply>;
  /** Resolves once the server has confirmed the subscription. */
  subscribe(kind: ChannelKind, channel: string, listener: ChannelListener, call: Call): Promise<Subscription>;
  /** Told of every change to keys that begin with `prefix`, by anybody, this connection's own writes excepted. */
  onInvalidate(prefix: string, listener: InvalidationListener, call: Call): Promise<InvalidationSubscription>;
  /** The primaries. */
  nodes(): readonly NodeInfo[];
  /** Returns the function that ends the listening. */
  onState(listener: (event: StateEvent) => void): () => void;
  /** Idempotent. Waits for calls in flight until their deadlines, then closes what this driver opened. */
  close(): Promise<void>;
}

/** The node behind a route. */
export interface Home {
  /** As failures and state events name it. */
  readonly id: string;
  /** The identity of its present connection: another object after each reconnect, undefined while there is none. */
  readonly connection: object | undefined;
}

/** Who is told how an attempt ended. One of the two is called, once, also in the same tick; neither may throw. */
export interface Caller {
  replied(reply: Reply): void;
  failed(error: TransportError): void;
}

/** One attempt at a time; the same shapes as Driver where the words are the same. */
export interface Transport {
  readonly caps: Capabilities;
  slotOf(key: Arg): number;
  /**
   * One attempt, redirections (MOVED, ASK) followed. Its outcome goes to the caller and not into a promise, because every
   * promise between the client's and the user's costs each command a tenth of a microsecond. Commands handed over in the
   * same tick for the same node are written in that order.
   */
  attempt(args: readonly Arg[], route: Route, caller: Caller): void;
  /** Who would be asked by an attempt with this route now; undefined where that is not known. Cheap. */
  home(route: Route): Home | undefined;
  /** A fresh or cleaned exclusive connection, at once or as soon as the pool has one. */
  lease(route: Route, signal: AbortSignal): Promise<TransportLease>;
  subscribe(kind: ChannelKind, channel: string, listener: ChannelListener): Promise<Subscription>;
  onInvalidate(prefix: string, listener: InvalidationListener): Promise<InvalidationSubscription>;
  nodes(): readonly NodeInfo[];
  onState(listener: (event: StateEvent) => void): () => void;
  close(): Promise<void>;
}

export interface TransportLease {
  readonly node: string;
  attempt(args: readonly Arg[]): Promise<Reply>;
  release(): void;
  destroy(): void;
}

/**
 * Why an attempt failed.
 * - `refused`: certainly not executed (no connection, LOADING, TRYAGAIN, CLUSTERDOWN, READONLY ...); may be repeated.
 * - `lost`: it was written, or may have been, and the answer will not come.
 * - `replied`: the server's final word; repeating is pointless.
 * - `closed`: this side is closed.
 */
export type FailureKind = "refused" | "lost" | "replied" | "closed";

export class TransportError extends Error {
  override readonly name: string = "TransportError";
  readonly kind: FailureKind;
  /** First word of the server's error, in capitals, or "" where no server spoke. */
  readonly prefix: string;
  /** The node that it is about, for the breaker; "" where none was reached. */
  readonly node: string;

  constructor(kind: FailureKind, message: string, details: { prefix?: string; node?: string; cause?: unknown } = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.kind = kind;
    this.prefix = details.prefix ?? "";
    this.node = details.node ?? "";
  }
}
