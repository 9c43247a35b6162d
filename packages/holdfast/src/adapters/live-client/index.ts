/**
 * `holdfast/live-client`: the browser's side of `sse`, without dependencies. It runs wherever there is `fetch`.
 *
 * One connection carries all subscriptions. It comes back by itself, with a cursor for each of them, so that what happened
 * meanwhile is seen then, once and in order; where that cannot be, `gap` or `reset` is called at that place.
 */
import { EventLines, type StreamEvent } from "./event-lines.ts";
import type {
  LiveClientOptions,
  LiveClientState,
  LiveClientSubscription,
  LiveHandlers,
  LiveNotice,
  LiveSubscribeOptions,
} from "./types.ts";

export type {
  LiveClientOptions,
  LiveClientState,
  LiveClientSubscription,
  LiveEnd,
  LiveHandlers,
  LiveSubscribeOptions,
} from "./types.ts";

interface Subscribed {
  readonly subscription: string;
  handlers: LiveHandlers<never>;
  cursor: string | undefined;
  /** Whether the server has confirmed it on the connection that stands. */
  isOpen: boolean;
}

/** How long a change may take to be confirmed, before the connection is made again with it. */
const CHANGE_MS = 5_000;

/**
 * A connection to an endpoint of `sse`.
 * @example
 * const client = new LiveClient("/live");
 * const chat = client.subscribe<Line>("chat:7", { message: show, gap: reload, reset: reload });
 */
export class LiveClient {
  readonly #url: string;
  readonly #options: LiveClientOptions;
  readonly #fetch: typeof globalThis.fetch;
  readonly #subscriptions = new Map<string, Subscribed>();
  /** What the connection that stands was asked for. */
  #carried = new Set<string>();
  #state: LiveClientState = "connecting";
  #connection: string | undefined;
  #attempt: AbortController | undefined;
  #retryMs = 1_000;
  #failures = 0;
  #isScheduled = false;
  #isRunning = false;
  #changing: Promise<void> = Promise.resolve();
  #watchdog: ReturnType<typeof setTimeout> | undefined;

  /** Connects with the first subscription. */
  constructor(url: string, options: LiveClientOptions = {}) {
    this.#url = url;
    this.#options = options;
    this.#fetch = options.fetch ?? globalThis.fetch.bind(globalThis);
  }

  get state(): LiveClientState {
    return this.#state;
  }

  /** Adds a subscription to the connection, which stays open meanwhile; for one that is there already, these are its handlers from now on. */
  subscribe<T = unknown>(
    subscription: string,
    handlers: LiveHandlers<T>,
    { cursor }: LiveSubscribeOptions = {},
  ): LiveClientSubscription {
    const known = this.#subscriptions.get(subscription);
    const subscribed: Subscribed = known ?? { subscription, handlers, cursor, isOpen: false };
    subscribed.handlers = handlers;
    this.#subscriptions.set(subscription, subscribed);
    this.#schedule();
    return {
      subscription,
      get cursor() {
        return subscribed.cursor;
      },
      close: () => {
        if (this.#subscriptions.get(subscription) !== subscribed || subscribed.handlers !== handlers) return;
        this.#subscriptions.delete(subscription);
        this.#schedule();
      },
    };
  }

  /** Ends all of it. Idempotent. */
  close(): void {
    this.#subscriptions.clear();
    this.#end(undefined);
  }

  /** Once for all changes of one piece of code. */
  #schedule(): void {
    if (this.#isScheduled || this.#isClosed) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      if (this.#isClosed) return;
      if (!this.#isRunning) void this.#run();
      else this.#changing = this.#changing.then(() => this.#change());
    });
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.#subscriptions.size > 0 && !this.#isClosed) {
      this.#say("connecting");
      await this.#connect();
      if (this.#subscriptions.size === 0 || this.#isClosed) break;
      const ms = Math.min(this.#retryMs * 2 ** this.#failures, this.#options.maxRetry ?? 30_000);
      this.#failures += 1;
      await new Promise((resolve) => setTimeout(resolve, ms * (0.5 + Math.random() / 2)));
    }
    this.#isRunning = false;
  }

  async #connect(): Promise<void> {
    const attempt = new AbortController();
    this.#attempt = attempt;
    const wanted = [...this.#subscriptions.values()];
    this.#carried = new Set(this.#subscriptions.keys());
    for (const each of wanted) each.isOpen = false;
    this.#watch(attempt);
    try {
      const response = await this.#request("GET", queryOf(wanted, [], { cursors: "own" }), attempt.signal);
      if (response.status === 401 || response.status === 403) return this.#end("denied");
      if (response.status >= 400 && response.status < 500 && response.status !== 429) return this.#end("refused");
      if (response.ok && response.body !== null) await this.#read(response.body, attempt);
    } catch {
      // It comes back.
    } finally {
      clearTimeout(this.#watchdog);
      attempt.abort();
      this.#connection = undefined;
    }
  }

  async #read(body: ReadableStream<Uint8Array>, attempt: AbortController): Promise<void> {
    const lines = new EventLines(
      (event) => this.#receive(event),
      (ms) => (this.#retryMs = ms),
    );
    const decoder = new TextDecoder();
    const reader = body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done || attempt.signal.aborted) return;
      this.#watch(attempt);
      lines.push(decoder.decode(value, { stream: true }));
    }
  }

  /** Nothing is heard for too long: the connection counts as lost. */
  #watch(attempt: AbortController): void {
    clearTimeout(this.#watchdog);
    this.#watchdog = setTimeout(() => attempt.abort(), this.#options.silence ?? 45_000);
  }

  #receive({ event, data, id }: StreamEvent): void {
    if (this.#isClosed) return;
    if (event === "live") return this.#notice(JSON.parse(data) as LiveNotice, id);
    const subscribed = this.#subscriptions.get(event);
    if (subscribed === undefined) return;
    moveOn(subscribed, id);
    call(() => subscribed.handlers.message?.(JSON.parse(data) as never));
  }

  #notice(notice: LiveNotice, id: string | undefined): void {
    if (notice.type === "hello") {
      this.#connection = notice.connection;
      this.#failures = 0;
      this.#say("open");
      // What was changed while it was being made.
      return this.#schedule();
    }
    if (notice.type === "bye") return this.#end(notice.reason);
    const subscribed = this.#subscriptions.get(notice.subscription);
    if (subscribed === undefined) return;
    moveOn(subscribed, id);
    const { handlers } = subscribed;
    if (notice.type === "gap") return call(() => handlers.gap?.({ count: notice.count }));
    if (notice.type === "reset") return call(() => handlers.reset?.());
    if (notice.type === "open") {
      subscribed.isOpen = true;
      return call(() => handlers.open?.());
    }
    this.#subscriptions.delete(notice.subscription);
    this.#carried.delete(notice.subscription);
    const { type: status } = notice;
    call(() => handlers.end?.(status === "aborted" ? { status, reason: notice.reason } : { status }));
    if (this.#subscriptions.size === 0) this.#attempt?.abort();
  }

  /** Says to the connection that stands what is wanted now; where that is not confirmed, it is made again. */
  async #change(): Promise<void> {
    const [connection, attempt] = [this.#connection, this.#attempt];
    if (connection === undefined || attempt === undefined || attempt.signal.aborted) return;
    if (this.#subscriptions.size === 0) return attempt.abort();
    const added = [...this.#subscriptions.values()].filter(({ subscription }) => !this.#carried.has(subscription));
    const removed = [...this.#carried].filter((each) => !this.#subscriptions.has(each));
    if (added.length === 0 && removed.length === 0) return;
    this.#carried = new Set(this.#subscriptions.keys());
    try {
      const response = await this.#request("POST", queryOf(added, removed, { connection }), attempt.signal);
      if (!response.ok) return attempt.abort();
    } catch {
      return attempt.abort();
    }
    setTimeout(() => {
      const isLate = added.some((each) => !each.isOpen && this.#subscriptions.get(each.subscription) === each);
      if (isLate) attempt.abort();
    }, CHANGE_MS);
  }

  async #request(method: "GET" | "POST", query: URLSearchParams, signal: AbortSignal): Promise<Response> {
    const { headers, credentials = "same-origin" } = this.#options;
    const given = typeof headers === "function" ? await headers() : headers;
    const url = `${this.#url}${this.#url.includes("?") ? "&" : "?"}${query.toString()}`;
    const accept = method === "GET" ? { accept: "text/event-stream" } : {};
    return this.#fetch(url, { method, signal, credentials, headers: { ...accept, ...given } });
  }

  get #isClosed(): boolean {
    return this.#state === "closed";
  }

  #end(reason: "denied" | "revoked" | "expired" | "refused" | undefined): void {
    if (this.#isClosed) return;
    this.#say("closed", reason);
    this.#attempt?.abort();
  }

  #say(state: LiveClientState, reason?: "denied" | "revoked" | "expired" | "refused"): void {
    if (this.#state === state && state !== "connecting") return;
    this.#state = state;
    call(() => this.#options.onState?.(state, reason));
  }
}

function queryOf(
  added: readonly Subscribed[],
  removed: readonly string[],
  more: Record<string, string>,
): URLSearchParams {
  const query = new URLSearchParams(more);
  for (const { subscription } of added) query.append("subscribe", subscription);
  for (const subscription of removed) query.append("unsubscribe", subscription);
  const known = added.filter(({ cursor }) => cursor !== undefined);
  const cursors = known.map(({ subscription, cursor }) => `${encodeURIComponent(subscription)}=${cursor}`);
  if (cursors.length > 0) query.set("lastEventId", cursors.join("&"));
  return query;
}

function moveOn(subscribed: Subscribed, id: string | undefined): void {
  if (id === undefined) return;
  subscribed.cursor = new URLSearchParams(id).get(subscribed.subscription) ?? subscribed.cursor;
}

/** What a handler throws is the page's: it is reported as any error of it is, and the connection goes on. */
function call(handler: () => void): void {
  try {
    handler();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
