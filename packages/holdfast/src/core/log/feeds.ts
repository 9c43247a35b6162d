/** The feeds of one handle: whoever reads a log shares one with all others who do. */
import type { Driver } from "../../driver/port.ts";
import { LogFeed } from "./feed.ts";
import type { LogKeys } from "./keys.ts";

export class LogFeeds {
  readonly #driver: Driver;
  /** By key, those to join. */
  readonly #feeds = new Map<string, LogFeed>();
  /** All with members: one that all had left may be joined again when there is another of its key. */
  readonly #used = new Set<LogFeed>();

  constructor(driver: Driver) {
    this.#driver = driver;
  }

  /** Ask for it each time: the one that nobody reads any more is forgotten. */
  feed(keys: LogKeys): LogFeed {
    return this.#feeds.get(keys.key) ?? new LogFeed(this.#driver, keys, this.#onMembers);
  }

  /** Ends all readers. */
  close(): void {
    for (const feed of this.#used) feed.close();
  }

  readonly #onMembers = (feed: LogFeed, some: boolean): void => {
    const { key } = feed.keys;
    if (some) {
      this.#used.add(feed);
      if (!this.#feeds.has(key)) this.#feeds.set(key, feed);
    } else {
      this.#used.delete(feed);
      if (this.#feeds.get(key) === feed) this.#feeds.delete(key);
    }
  };
}
