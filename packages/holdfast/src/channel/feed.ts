/**
 * One subscription and its consumer's side: what comes in waits in an inbox, and is decoded when it is asked for, so
 * that what is dropped costs nothing. User code never runs in the connection's own stack.
 */
import type { Codec } from "../core/codec/codec.ts";
import type { Core } from "../core/core.ts";
import type { Call, Subscription } from "../driver/port.ts";
import { onAbort } from "../base/abort.ts";
import { AbortedError, ClosedError, HoldfastError } from "../base/errors.ts";
import { within } from "../base/runtime.ts";
import type { ChannelAddress } from "./address.ts";
import { Inbox } from "./inbox.ts";
import type { ChannelGap, ChannelRawMessage, Consumption } from "./options.ts";
import { Reports } from "../core/observe/reports.ts";

/** Where messages come from and how they are read. */
export interface Source<T> {
  readonly core: Core;
  readonly address: ChannelAddress;
  readonly codec: Codec<T>;
  /** The channel's name or the pattern. */
  readonly name: string;
  /** As messages name it. */
  readonly label: string;
  readonly timeoutMs: number;
}

export interface Delivery<T> {
  readonly message: T;
  readonly raw: ChannelRawMessage;
}

interface Received {
  readonly payload: Buffer;
  /** The channel as the server knows it: an encrypted message opens only there. */
  readonly origin: string;
}

export class Feed<T> {
  readonly reports: Reports<ChannelGap, ChannelRawMessage>;
  readonly #source: Source<T>;
  readonly #signal: AbortSignal | undefined;
  readonly #drain: () => Promise<void>;
  readonly #inbox: Inbox<Received>;
  readonly #stop = new AbortController();
  readonly #waiting = new Set<() => void>();
  readonly #disown: () => void;
  #unfollow: (() => void) | undefined;
  #subscription: Promise<Subscription> | undefined;
  #closing: Promise<void> | undefined;

  /** @param drain called when it closes; resolves when its consumer has ended */
  constructor(source: Source<T>, settings: Consumption, drain: () => Promise<void> = async () => undefined) {
    this.reports = new Reports(source.label, "HOLDFAST_CHANNEL", settings);
    this.#source = source;
    this.#signal = settings.signal;
    this.#drain = drain;
    this.#inbox = new Inbox(settings.capacity, settings.onOverflow);
    this.#disown = source.core.own(this);
    if (this.#signal?.aborted === true) this.#onAbort();
    else this.#unfollow = onAbort(this.#signal, this.#onAbort);
  }

  get isClosed(): boolean {
    return this.#stop.signal.aborted;
  }

  /** Resolves once the server has confirmed, or when it was closed meanwhile. Where it rejects, it is closed. */
  async open(): Promise<void> {
    if (this.isClosed) return;
    try {
      this.#subscription = this.#subscribe();
      await this.#subscription;
    } catch (error) {
      if (this.isClosed) return;
      void this.close();
      throw error;
    }
  }

  throwIfClosed(): void {
    this.#stop.signal.throwIfAborted();
  }

  /** The next message, once there is one; undefined when the feed is closed. Rejects once, where it has failed. */
  async next(): Promise<Delivery<T> | undefined> {
    while (!this.isClosed) {
      const item = this.#inbox.take();
      if (item === undefined) await this.#arrival();
      else if (item.kind === "gap") await this.reports.gap(item.gap);
      else if (item.kind === "failure") this.#throw(item.error);
      else {
        const delivery = this.#decoded(item.message);
        if (delivery !== undefined) return delivery;
      }
    }
    return undefined;
  }

  /** Idempotent. What has not been consumed is given up; resolves when the server confirmed and the consumer has ended. */
  close(reason: HoldfastError = new ClosedError("the subscription was closed", this.#details())): Promise<void> {
    this.#closing ??= this.#close(reason);
    return this.#closing;
  }

  async #close(reason: HoldfastError): Promise<void> {
    this.#stop.abort(reason);
    this.#unfollow?.();
    this.#inbox.clear();
    for (const resume of this.#waiting) resume();
    this.#waiting.clear();
    await Promise.all([this.#unsubscribe(), this.#drain()]);
    this.#disown();
  }

  #subscribe(): Promise<Subscription> {
    const { core, address, timeoutMs } = this.#source;
    const call: Call = { ...this.#details(), class: "idempotent", timeoutMs, signal: this.#stop.signal };
    const listener = {
      message: (payload: Buffer, origin: string) => this.#receive(payload, origin),
      gap: (cause: unknown) => this.#gap(cause),
    };
    return core.driver.subscribe(address.kind, address.target, listener, call);
  }

  /** A server that does not answer cannot hold up who closes: the connection's end is the subscription's too. */
  async #unsubscribe(): Promise<void> {
    const { core, timeoutMs } = this.#source;
    const subscription = await this.#subscription?.catch(() => undefined);
    const closed = subscription?.close().catch(() => undefined);
    if (closed !== undefined) await within(core.driver.runtime, timeoutMs, closed);
  }

  #receive(payload: Buffer, origin: string): void {
    if (this.isClosed) return;
    if (!this.#inbox.put({ payload, origin })) this.#overflow();
    this.#wake();
  }

  #gap(cause: unknown): void {
    if (this.isClosed) return;
    this.#inbox.disconnected(cause);
    this.#wake();
  }

  #overflow(): void {
    const message = "messages came faster than they were consumed, and the buffer is full";
    this.#inbox.fail(new HoldfastError("OVERLOADED", message, this.#details()));
    void this.#unsubscribe();
  }

  #decoded({ payload, origin }: Received): Delivery<T> | undefined {
    const raw: ChannelRawMessage = { channel: this.#source.address.nameOf(origin), payload };
    try {
      return { message: this.#source.codec.decode(payload, { aad: origin }), raw };
    } catch (error) {
      this.reports.error(error, raw);
      return undefined;
    }
  }

  #throw(error: HoldfastError): never {
    void this.close();
    throw error;
  }

  #arrival(): Promise<void> {
    return new Promise((resolve) => this.#waiting.add(resolve));
  }

  /** One for each item: who is not waiting looks for the next by itself. */
  #wake(): void {
    const [resume] = this.#waiting;
    if (resume === undefined) return;
    this.#waiting.delete(resume);
    resume();
  }

  readonly #onAbort = (): void => {
    const cause: unknown = this.#signal?.reason;
    void this.close(new AbortedError("the subscription was ended by its signal", { ...this.#details(), cause }));
  };

  #details(): { op: string; key: string } {
    return { op: "channel.subscribe", key: this.#source.name };
  }
}
