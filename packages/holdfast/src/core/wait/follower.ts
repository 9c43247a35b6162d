/**
 * Something on the server as it changes, for `for await`: its present state first, then newer ones.
 *
 * A message on a channel says that it has changed, and then it is read again: when it is asked for, so a slow consumer sees the
 * latest state and not each. A message is a hint, for pub/sub is at most once: what may have been missed with a connection
 * is read again, and so is what was read too long ago. What cannot be read while the server is away is said once.
 */
import { onAbort } from "../../base/abort.ts";
import { ClosedError, isOutage } from "../../base/errors.ts";
import { MAX_TIMER_MS } from "../../base/options.ts";
import { type Timer, within } from "../../base/runtime.ts";
import type { Driver, Subscription } from "../../driver/port.ts";

/** What a handle has for those who follow. */
export interface FollowHome {
  readonly driver: Driver;
  readonly isClosing: boolean;
  own(resource: { close(): Promise<void> }): () => void;
}

export interface Followed<State, Item> {
  /** `value.watch`, and the user's name for it. */
  readonly op: string;
  readonly key: string;
  readonly channel: string;
  /** Deadline of each request to the server. */
  readonly timeoutMs: number;
  /** Whether a message is news; without it, all are. Must not throw. */
  hears?(payload: Buffer): boolean;
  /** That messages may have been lost. Must not throw. */
  missed?(): void;
  read(): Promise<State>;
  /** How long a state that was read may be believed though no message came. */
  lastsMs(state: State): number;
  /** What the consumer gets for it; undefined: that is no news. */
  known(state: State): Item | undefined;
  /** What the consumer gets when the state cannot be read; undefined: it has got that before. */
  unknown(): Item | undefined;
}

/** Between two attempts while no server answers, before jitter. */
const OUTAGE_PAUSE_MS = 200;

/** Begins with its first `next()`, and ends without an error at `break`, `close()`, the signal, or the end of the handle. */
export class Follower<State, Item> implements AsyncIterableIterator<Item, undefined, undefined>, AsyncDisposable {
  readonly #home: FollowHome;
  readonly #followed: Followed<State, Item>;
  readonly #ends: (() => void)[];
  /** Calls of next() that do not wait for each other still get their items in order. */
  #turn: Promise<unknown> = Promise.resolve();
  #subscription: Promise<Subscription> | undefined;
  #changed = true;
  #lookAt = 0;
  #closed = false;
  #resume: (() => void) | undefined;

  constructor(home: FollowHome, followed: Followed<State, Item>, signal: AbortSignal | undefined) {
    this.#home = home;
    this.#followed = followed;
    const close = (): void => void this.close();
    this.#ends = [
      home.own(this),
      onAbort(signal, close),
      // Whatever it is: what was said about the server before may not hold any more.
      home.driver.onState(() => this.#missed()),
    ];
    if (signal?.aborted === true || home.isClosing) close();
  }

  /** @throws HoldfastError once, for a failure that is no outage, such as a CodecError; then it is closed */
  next(): Promise<IteratorResult<Item, undefined>> {
    const result = this.#turn.then(() => this.#next());
    this.#turn = result.catch(() => undefined);
    return result;
  }

  async return(): Promise<IteratorResult<Item, undefined>> {
    await this.close();
    return { value: undefined, done: true };
  }

  /** Ends it. Idempotent; never rejects. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const end of this.#ends) end();
    this.#resume?.();
    const subscription = this.#subscription?.then((opened) => opened.close()).catch(() => undefined);
    // A server that does not answer cannot hold up who closes: the connection's end is the subscription's too.
    if (subscription !== undefined) await within(this.#home.driver.runtime, this.#followed.timeoutMs, subscription);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #next(): Promise<IteratorResult<Item, undefined>> {
    for (;;) {
      await this.#untilDue();
      const item = this.#closed ? undefined : await this.#look();
      if (this.#closed) return { value: undefined, done: true };
      if (item !== undefined) return { value: item, done: false };
    }
  }

  async #look(): Promise<Item | undefined> {
    const { driver } = this.#home;
    const followed = this.#followed;
    try {
      await this.#subscribe();
      // It may have taken long; a barrier's reading enters, and must not once its caller has given up.
      if (this.#closed) return undefined;
      // Before it is read: what changes from here on is read once more.
      this.#changed = false;
      const state = await followed.read();
      this.#lookAt = driver.runtime.now() + followed.lastsMs(state);
      return followed.known(state);
    } catch (error) {
      if (this.#closed || error instanceof ClosedError) return undefined;
      if (!isOutage(error)) {
        void this.close();
        throw error;
      }
      this.#changed = false;
      this.#lookAt = driver.runtime.now() + OUTAGE_PAUSE_MS * (0.5 + driver.runtime.random());
      return followed.unknown();
    }
  }

  /** Live before the first reading, else a change after that could be missed. */
  async #subscribe(): Promise<void> {
    const { op, key, channel, timeoutMs } = this.#followed;
    const message = (payload: Buffer): void => {
      if (this.#followed.hears?.(payload) !== false) this.#notice();
    };
    const call = { op, key, class: "idempotent", timeoutMs } as const;
    this.#subscription ??= this.#home.driver.subscribe("exact", channel, { message, gap: () => this.#missed() }, call);
    try {
      await this.#subscription;
    } catch (error) {
      this.#subscription = undefined;
      throw error;
    }
  }

  #missed(): void {
    this.#followed.missed?.();
    this.#notice();
  }

  #notice(): void {
    this.#changed = true;
    this.#resume?.();
  }

  #untilDue(): Promise<void> {
    const { runtime } = this.#home.driver;
    const leftMs = this.#lookAt - runtime.now();
    if (this.#changed || this.#closed || leftMs <= 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer: Timer = runtime.setTimeout(() => this.#resume?.(), Math.min(leftMs, MAX_TIMER_MS));
      this.#resume = () => {
        this.#resume = undefined;
        runtime.clearTimeout(timer);
        resolve();
      };
    });
  }
}
