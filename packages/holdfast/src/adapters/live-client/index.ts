/**
 * `holdfast/live-client`: the browser's side of `sse`, without dependencies. It runs wherever there is `fetch`, or a WebSocket.
 *
 * One connection carries all subscriptions. It comes back by itself, with a cursor for each of them, so that what happened
 * meanwhile is seen then, once and in order; where that cannot be, `gap` or `reset` is called at that place.
 */
import type { Link, LinkEnd, LinkListener } from "./link.ts";
import { SocketLink } from "./socket-link.ts";
import { SseLink } from "./sse-link.ts";
import type {
  LiveClientOptions,
  LiveClientState,
  LiveClientSubscription,
  LiveHandlers,
  LiveNotice,
  LiveSubscribeOptions,
  LiveWebSocketClass,
} from "./types.ts";

export type {
  LiveClientOptions,
  LiveClientState,
  LiveClientSubscription,
  LiveEnd,
  LiveHandlers,
  LiveSubscribeOptions,
  LiveWebSocket,
  LiveWebSocketClass,
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
  readonly #url: () => string | Promise<string>;
  readonly #options: LiveClientOptions;
  readonly #WebSocket: LiveWebSocketClass | undefined;
  readonly #subscriptions = new Map<string, Subscribed>();
  /** What the connection that stands was asked for. */
  #carried = new Map<string, Subscribed>();
  #state: LiveClientState = "connecting";
  #link: Link | undefined;
  /** Whether the connection that stands has said hello. */
  #isGreeted = false;
  /** How the next one is made; for `auto` the first way that has worked is kept. */
  #transport: "sse" | "websocket";
  #isProven: boolean;
  #retryMs = 1_000;
  #failures = 0;
  #isScheduled = false;
  #isRunning = false;
  #changing: Promise<void> = Promise.resolve();
  #watchdog: ReturnType<typeof setTimeout> | undefined;
  /** Before it comes back. */
  #pause: ReturnType<typeof setTimeout> | undefined;
  #resume: () => void = () => undefined;

  /**
   * Connects with the first subscription.
   * @param url a function is asked before each request and connection: for a ticket that is used once
   */
  constructor(url: string | (() => string | Promise<string>), options: LiveClientOptions = {}) {
    this.#url = typeof url === "function" ? url : () => url;
    this.#options = options;
    const { transport = "sse", headers, WebSocket = globalThis.WebSocket as LiveWebSocketClass | undefined } = options;
    this.#WebSocket = WebSocket;
    if (transport === "websocket" && headers !== undefined)
      throw new TypeError("a WebSocket sends no headers of yours: use a cookie, or a function as url for a ticket");
    if (transport === "websocket" && WebSocket === undefined)
      throw new TypeError("there is no WebSocket here: give its class as `WebSocket`");
    this.#isProven = transport !== "auto" || headers !== undefined || WebSocket === undefined;
    this.#transport = transport === "websocket" || !this.#isProven ? "websocket" : "sse";
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
      await new Promise<void>((resolve) => {
        this.#resume = resolve;
        this.#pause = setTimeout(resolve, ms * (0.5 + Math.random() / 2));
      });
    }
    this.#isRunning = false;
  }

  async #connect(): Promise<void> {
    const wanted = [...this.#subscriptions.values()];
    this.#carried = new Map(this.#subscriptions);
    for (const each of wanted) each.isOpen = false;
    this.#isGreeted = false;
    const link: Link =
      this.#transport === "sse"
        ? new SseLink(this.#url, this.#options, this.#listener())
        : new SocketLink(this.#url, this.#WebSocket!, this.#listener());
    this.#link = link;
    this.#watch(link);
    const end = await link.run(wanted);
    clearTimeout(this.#watchdog);
    if (end !== "again") return this.#end(end);
    // Something on the way may know no WebSockets.
    if (!this.#isProven) this.#transport = this.#transport === "sse" ? "websocket" : "sse";
  }

  #listener(): LinkListener {
    return {
      heard: () => this.#watch(this.#link!),
      retry: (ms) => (this.#retryMs = ms),
      message: (subscription, id, json) => {
        const subscribed = this.#carriedBy(subscription);
        if (subscribed?.isOpen !== true || this.#isClosed) return;
        moveOn(subscribed, id);
        call(() => subscribed.handlers.message?.((typeof json === "string" ? JSON.parse(json) : json.value) as never));
      },
      notice: (notice, id) => {
        if (!this.#isClosed) this.#notice(notice, id);
      },
    };
  }

  /** Nothing is heard for too long: the connection counts as lost. */
  #watch(link: Link): void {
    clearTimeout(this.#watchdog);
    if (!link.isOver) this.#watchdog = setTimeout(() => link.close(), this.#options.silence ?? 45_000);
  }

  #notice(notice: LiveNotice, id: string | undefined): void {
    if (notice.type === "hello") {
      this.#isGreeted = true;
      this.#isProven = true;
      this.#failures = 0;
      this.#say("open");
      // What was changed while it was being made.
      return this.#schedule();
    }
    if (notice.type === "bye") return this.#end(notice.reason);
    const subscribed = this.#carried.get(notice.subscription);
    if (subscribed === undefined) return;
    const { handlers } = subscribed;
    const isWanted = this.#carriedBy(notice.subscription) !== undefined;
    if (notice.type === "open") subscribed.isOpen = true;
    // Of one that is not open yet only these are said; all else is of one of that name that was closed before.
    else if (!subscribed.isOpen && notice.type !== "denied" && notice.type !== "reset" && notice.type !== "gap") return;
    if (notice.type === "denied" || notice.type === "end" || notice.type === "aborted")
      this.#carried.delete(notice.subscription);
    // It was closed while it was being opened: now it can be left.
    if (!isWanted) return this.#schedule();
    if (subscribed.isOpen) moveOn(subscribed, id);
    if (notice.type === "gap") return call(() => handlers.gap?.({ count: notice.count }));
    if (notice.type === "reset") return call(() => handlers.reset?.());
    if (notice.type === "live") return call(() => handlers.live?.());
    if (notice.type === "open") return call(() => handlers.open?.());
    this.#subscriptions.delete(notice.subscription);
    const { type: status } = notice;
    call(() => handlers.end?.(status === "aborted" ? { status, reason: notice.reason } : { status }));
    if (this.#subscriptions.size === 0) this.#link?.close();
  }

  /** What the connection was asked for, unless somebody has closed it, and maybe made it again, since. */
  #carriedBy(subscription: string): Subscribed | undefined {
    const carried = this.#carried.get(subscription);
    return carried === this.#subscriptions.get(subscription) ? carried : undefined;
  }

  /** Says to the connection that stands what is wanted now; where that is not confirmed, it is made again. */
  async #change(): Promise<void> {
    const link = this.#link;
    if (link === undefined || link.isOver || !this.#isGreeted) return;
    if (this.#subscriptions.size === 0) return link.close();
    // One that was closed and made again is both, and begins again only once the server has opened the old one: what is said of that one would otherwise be taken for its own.
    const removed = [...this.#carried.values()].filter(
      (each) => each.isOpen && this.#subscriptions.get(each.subscription) !== each,
    );
    for (const { subscription } of removed) this.#carried.delete(subscription);
    const added = [...this.#subscriptions.values()].filter(({ subscription }) => !this.#carried.has(subscription));
    if (added.length === 0 && removed.length === 0) return;
    for (const each of added) this.#carried.set(each.subscription, each);
    let isTaken = false;
    setTimeout(() => {
      const isLate = added.some((each) => !each.isOpen && this.#carried.get(each.subscription) === each);
      if (!isTaken || isLate) link.close();
    }, CHANGE_MS);
    isTaken = await link.change(
      added,
      removed.map(({ subscription }) => subscription),
    );
    if (!isTaken) link.close();
  }

  get #isClosed(): boolean {
    return this.#state === "closed";
  }

  #end(reason: Exclude<LinkEnd, "again"> | undefined): void {
    if (this.#isClosed) return;
    this.#say("closed", reason);
    this.#link?.close();
    clearTimeout(this.#pause);
    this.#resume();
  }

  #say(state: LiveClientState, reason?: Exclude<LinkEnd, "again">): void {
    if (this.#state === state && state !== "connecting") return;
    this.#state = state;
    call(() => this.#options.onState?.(state, reason));
  }
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
