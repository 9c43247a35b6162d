/** What goes into a client, and comes out of it. */

export interface LiveHandlers<T = unknown> {
  /** Called with each message, in order. */
  readonly message?: (message: T) => void;
  /** Messages are missing at this place; `count` is null where nobody knows how many. */
  readonly gap?: (gap: { readonly count: number | null }) => void;
  /** What was seen before is no part of what follows: fetch the state again. */
  readonly reset?: () => void;
  /** Of a topic with `latest`: all keys that there are have come, what follows are changes. */
  readonly live?: () => void;
  /** No more will come: a stream is complete, or broke off, or the subscription was denied or revoked. */
  readonly end?: (end: LiveEnd) => void;
  /** The server has confirmed it: messages from here on are seen. Called again after each reconnect. */
  readonly open?: () => void;
}

export interface LiveEnd {
  readonly status: "end" | "aborted" | "denied";
  /** Of `aborted`. */
  readonly reason?: string;
}

export interface LiveSubscribeOptions {
  /** Where to go on, as `cursor` of an earlier one. @default where the server begins a new one */
  readonly cursor?: string;
}

export interface LiveClientSubscription {
  readonly subscription: string;
  /** Of the last message that its handler was called with; undefined before the server has confirmed. */
  readonly cursor: string | undefined;
  /** Idempotent. */
  close(): void;
}

export type LiveClientState = "connecting" | "open" | "closed";

/** What of a WebSocket is needed, as browsers, Node 22, Deno, Bun and the package `ws` have it. */
export interface LiveWebSocket {
  addEventListener(type: "open" | "message" | "close" | "error", listener: (event: never) => void): void;
  send(text: string): void;
  close(code: number): void;
}

export type LiveWebSocketClass = new (url: string) => LiveWebSocket;

export interface LiveClientOptions {
  /**
   * `websocket` where the server takes them. `auto` tries a WebSocket and an event stream in turn, until one has worked, and keeps to that.
   * @default "sse"
   */
  readonly transport?: "sse" | "websocket" | "auto";
  /** @default the global one, which Node has from 22 on */
  readonly WebSocket?: LiveWebSocketClass;
  /** Sent with each request; asked for each time, so that a token may be renewed. A WebSocket sends none: `auto` is `sse` then. @default none */
  readonly headers?:
    | Readonly<Record<string, string>>
    | (() => Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>);
  /** As `fetch` has it. @default "same-origin" */
  readonly credentials?: "omit" | "same-origin" | "include";
  /** Nothing in so many milliseconds, not even a heartbeat: the connection counts as lost. @default 45_000 */
  readonly silence?: number;
  /** The longest pause before it comes back, in milliseconds. @default 30_000 */
  readonly maxRetry?: number;
  /** Called when the connection's state changes; with `closed`, why: `denied` also stands for 401 and 403. */
  readonly onState?: (state: LiveClientState, reason?: "denied" | "revoked" | "expired" | "refused") => void;
  /** @default the global one */
  readonly fetch?: typeof globalThis.fetch;
}

/** What the server says besides messages. */
export type LiveNotice =
  | { readonly type: "hello"; readonly connection: string }
  | { readonly type: "bye"; readonly reason: "revoked" | "expired" }
  | { readonly type: "open" | "denied" | "reset" | "live" | "end"; readonly subscription: string }
  | { readonly type: "gap"; readonly subscription: string; readonly count: number | null }
  | { readonly type: "aborted"; readonly subscription: string; readonly reason: string };
