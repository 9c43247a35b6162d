/** Hands messages to a handler: `concurrency` workers, each takes the next message when its last is done with. */
import { Door } from "../base/door.ts";
import { AbortedError } from "../base/errors.ts";
import { type Runtime, within } from "../base/runtime.ts";
import { type Delivery, Feed, type Source } from "./feed.ts";
import { type Invoked, invoked } from "./handlers.ts";
import { type ChannelGap, handling, type ChannelSubscribeOptions } from "./options.ts";

export interface ChannelMessageContext {
  /** Name of the channel that it came by. */
  readonly channel: string;
  /** Fires when the subscription was closed and `closeTimeout` is over: nobody waits for this handler any more. */
  readonly signal: AbortSignal;
}

/** What it returns is awaited. What it throws goes to `onError`; the subscription goes on. Also the default export of a module that is run in threads. */
export type ChannelHandler<T> = (message: T, context: ChannelMessageContext) => unknown;

export interface ChannelSubscription extends AsyncDisposable {
  /** Name of the channel, or the pattern. */
  readonly name: string;
  /**
   * Ends it: no handler begins any more, and those in flight are waited for, at most `closeTimeout`. Messages that had to
   * wait are given up. Idempotent; never rejects. For a handler of this subscription it resolves at once.
   */
  close(): Promise<void>;
}

export class Dispatcher<T> implements ChannelSubscription {
  readonly name: string;
  readonly #runtime: Runtime;
  readonly #feed: Feed<T>;
  readonly #handler: Invoked<T, ChannelMessageContext>;
  readonly #closeTimeoutMs: number;
  readonly #door: Door;
  readonly #late = new AbortController();
  #workers: Promise<unknown> = Promise.resolve();

  constructor(source: Source<T>, handler: ChannelHandler<T> | URL, options?: ChannelSubscribeOptions) {
    const settings = handling(source.label, options);
    this.name = source.name;
    this.#runtime = source.core.driver.runtime;
    this.#handler = invoked(handler, { ...settings, runtime: this.#runtime, op: "channel.subscribe" });
    this.#closeTimeoutMs = settings.closeTimeoutMs;
    this.#door = new Door(source.core.handlers);
    const { onGap } = settings;
    const inside = { onGap: onGap && ((gap: ChannelGap) => this.#door.enter(() => onGap(gap))) };
    this.#feed = new Feed(source, { ...settings, ...inside }, () => this.#drain());
  }

  /** Resolves once the server has confirmed. @throws AbortedError or ClosedError when it was ended before */
  async open(): Promise<void> {
    await this.#feed.open();
    this.#feed.throwIfClosed();
    // Not in this turn: the caller has to have the subscription in hand before its handler runs.
    this.#runtime.setImmediate(() => this.#start());
  }

  close(): Promise<void> {
    return this.#door.waiting(this.#feed.close());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #start(): void {
    this.#workers = Promise.all(Array.from({ length: this.#handler.concurrency }, () => this.#work()));
  }

  async #work(): Promise<void> {
    try {
      for (let next = await this.#feed.next(); next !== undefined; next = await this.#feed.next()) {
        await this.#handle(next);
      }
    } catch (error) {
      this.#feed.reports.error(error, undefined);
    }
  }

  async #handle({ message, raw }: Delivery<T>): Promise<void> {
    try {
      await this.#door.enter(() => this.#handler.invoke(message, { channel: raw.channel, signal: this.#late.signal }));
    } catch (error) {
      this.#feed.reports.error(error, raw);
    }
  }

  async #drain(): Promise<void> {
    if ((await within(this.#runtime, this.#closeTimeoutMs, this.#workers)) === "late")
      this.#late.abort(new AbortedError("the subscription was closed", { op: "channel.subscribe", key: this.name }));
    await this.#handler.release();
  }
}
