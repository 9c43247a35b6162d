/** Messages as an async iterator. */
import { type Delivery, Feed, type Source } from "./feed.ts";
import { consumption, type ChannelMessagesOptions } from "./options.ts";

/**
 * Messages in their order, from the moment at which the server confirmed the subscription (`ready`). It begins with the
 * call that made it, not with the first `next()`, and ends without an error at `break`, `return()`, `close()`, the
 * signal, or the end of the handle.
 */
export class ChannelStream<T, Item = T> implements AsyncIterableIterator<Item, undefined, undefined>, AsyncDisposable {
  /**
   * Resolves once the server has confirmed (what is published after that is seen), or when the stream was ended before.
   * Rejects as the first `next()` does.
   */
  readonly ready: Promise<void>;
  readonly #feed: Feed<T>;
  readonly #itemOf: (delivery: Delivery<T>) => Item;
  /** Calls of next() that do not wait for each other still get their messages in order. */
  #turn: Promise<unknown>;

  constructor(source: Source<T>, options: ChannelMessagesOptions | undefined, itemOf: (delivery: Delivery<T>) => Item) {
    this.#itemOf = itemOf;
    this.#feed = new Feed(source, consumption(source.label, options));
    this.ready = this.#feed.open();
    this.#turn = this.ready;
    this.ready.catch(() => undefined);
  }

  /** @throws HoldfastError once: the subscription was refused, or OVERLOADED with `onOverflow: "error"` */
  next(): Promise<IteratorResult<Item, undefined>> {
    const result = this.#turn.then(() => this.#next());
    this.#turn = result.catch(() => undefined);
    return result;
  }

  async return(): Promise<IteratorResult<Item, undefined>> {
    await this.#feed.close();
    return { value: undefined, done: true };
  }

  /** Ends it. Idempotent; never rejects. */
  close(): Promise<void> {
    return this.#feed.close();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #next(): Promise<IteratorResult<Item, undefined>> {
    const delivery = await this.#feed.next();
    return delivery === undefined ? { value: undefined, done: true } : { value: this.#itemOf(delivery), done: false };
  }
}
