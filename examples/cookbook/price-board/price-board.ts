/**
 * A board of thousands of prices, of which a screen shows some. Each page follows what is on it and nothing else, and says so as it is scrolled:
 * by a WebSocket that is a frame, and not a request. A process subscribes to a symbol once, however many screens show it, and not at all where
 * none does. A row has the last price at once and then each new one; a price is not shown that may be an old one.
 */
import type { Server } from "node:http";
import type { Holdfast } from "holdfast";
import { type ExpressSse, sse } from "holdfast/express";
import { LiveClient, type LiveClientOptions, type LiveClientSubscription } from "holdfast/live-client";
import { WebSocketServer } from "ws";

export interface PriceBoard {
  /** For `server`, at `/prices`. */
  readonly live: ExpressSse;
  /** Returns how many processes have somebody who looks at it. */
  set(symbol: string, price: number): Promise<number>;
  /** For a page, by a request. */
  last(symbol: string): Promise<number | undefined>;
}

export function priceBoard(hf: Holdfast, server: Server): PriceBoard {
  const last = hf.cache<number>("last-price", { ttl: "1d" });
  const channelOf = (symbol: string) => hf.channel<number>(`price:${symbol}`);
  const live = sse(hf, {
    sources: { price: ({ id }) => (id === undefined || !/^[A-Z]{1,6}$/.test(id) ? undefined : channelOf(id)) },
    maxSubscriptions: 200,
    retry: "200ms",
  });
  live.webSocket(server, { path: "/prices", WebSocketServer });
  return {
    live,
    async set(symbol, price) {
      await last.set(symbol, price);
      return channelOf(symbol).publish(price);
    },
    last: (symbol) => last.get(symbol),
  };
}

/** The browser's side: the rows that are on the screen. */
export class PriceScreen {
  /** Empty for a row whose price is not known to be current. */
  readonly prices = new Map<string, number>();
  readonly #client: LiveClient;
  readonly #last: (symbol: string) => Promise<number | undefined>;
  readonly #rows = new Map<string, LiveClientSubscription>();

  /** @param last asks for the last price of a symbol */
  constructor(url: string, last: (symbol: string) => Promise<number | undefined>, options: LiveClientOptions = {}) {
    this.#last = last;
    this.#client = new LiveClient(url, { transport: "websocket", ...options });
  }

  /** To be called as it is scrolled: the rows that are to be seen now. What was on the screen before and still is goes on. */
  show(symbols: Iterable<string>): void {
    const shown = new Set(symbols);
    for (const [symbol, row] of this.#rows) {
      if (shown.has(symbol)) continue;
      row.close();
      this.#rows.delete(symbol);
      this.prices.delete(symbol);
    }
    for (const symbol of shown) if (!this.#rows.has(symbol)) this.#rows.set(symbol, this.#follow(symbol));
  }

  close(): void {
    this.#client.close();
  }

  #follow(symbol: string): LiveClientSubscription {
    return this.#client.subscribe<number>(`price:${symbol}`, {
      message: (price) => this.prices.set(symbol, price),
      gap: () => this.prices.delete(symbol),
      open: () => {
        this.prices.delete(symbol);
        void this.#read(symbol);
      },
    });
  }

  /** Each price from here on is seen, so the last one before it may be read: what comes meanwhile is newer. */
  async #read(symbol: string): Promise<void> {
    const row = this.#rows.get(symbol);
    const price = await this.#last(symbol);
    if (price !== undefined && this.#rows.get(symbol) === row && !this.prices.has(symbol))
      this.prices.set(symbol, price);
  }
}
