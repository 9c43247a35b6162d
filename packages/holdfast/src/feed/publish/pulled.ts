/** Authors whose entries are pulled as feeds are read. Every process knows them, as of a few seconds ago. */
import { decodeList, decodeText } from "../../core/script/decode.ts";
import type { Core } from "../../core/core.ts";
import type { FeedStore } from "../store.ts";

const REFRESH_MS = 5_000;
/** For so long an author's entries are pushed after the author was added: until everybody knows. */
export const GRACE_US: number = 60 * 1_000_000;
/** Authors beyond are pushed, whatever the number of their followers. */
const MAX_PULLED = 10_000;
const PAGE = 1_000;

const known = new WeakMap<Core, Map<string, PulledAuthors>>();

export class PulledAuthors {
  readonly #store: FeedStore;
  #authors: ReadonlySet<string> = new Set();
  #askAt = -Infinity;
  #asking: Promise<ReadonlySet<string>> | undefined;

  private constructor(store: FeedStore) {
    this.#store = store;
  }

  /** Those of all feeds of this name and handle. */
  static of(store: FeedStore): PulledAuthors {
    let ofHandle = known.get(store.core);
    if (ofHandle === undefined) known.set(store.core, (ofHandle = new Map()));
    let found = ofHandle.get(store.name);
    if (found === undefined) ofHandle.set(store.name, (found = new PulledAuthors(store)));
    return found;
  }

  all(): Promise<ReadonlySet<string>> {
    if (this.#store.driver.runtime.now() < this.#askAt) return Promise.resolve(this.#authors);
    this.#asking ??= this.#ask();
    return this.#asking;
  }

  /** False where there are as many as may be. */
  async add(author: string): Promise<boolean> {
    const authors = await this.all();
    if (!authors.has(author) && authors.size >= MAX_PULLED) return false;
    const key = this.#store.common("pulled");
    await this.#store.driver.send(["ZADD", key, "0", author], this.#store.call("publish", "idempotent"), key);
    this.#askAt = authors.has(author) ? this.#askAt : -Infinity;
    return true;
  }

  async remove(author: string): Promise<void> {
    const key = this.#store.common("pulled");
    await this.#store.driver.send(["ZREM", key, author], this.#store.call("publish", "idempotent"), key);
  }

  async #ask(): Promise<ReadonlySet<string>> {
    try {
      const askedAt = this.#store.driver.runtime.now();
      const key = this.#store.common("pulled");
      const call = this.#store.call("page", "read");
      const authors = new Set<string>();
      // By names, so that none is left out while others go; and all of them, as processes that add at once may add more than are allowed.
      for (let after = "-"; ;) {
        const command = ["ZRANGE", key, after, "+", "BYLEX", "LIMIT", "0", String(PAGE)];
        const page = decodeList(await this.#store.driver.send(command, call, key), decodeText);
        for (const author of page) authors.add(author);
        if (page.length < PAGE) break;
        after = `(${page.at(-1)!}`;
      }
      this.#authors = authors;
      this.#askAt = askedAt + REFRESH_MS;
      return authors;
    } finally {
      this.#asking = undefined;
    }
  }
}
