/**
 * Channels: messages to everybody who listens at the moment.
 *
 * What they promise: a message reaches each subscription at most once. Messages of one publisher on one channel arrive
 * in the order in which they were sent. Where messages are missing, because the connection was lost or the consumer was
 * too slow, the subscription says so (`onGap`) at that place. What cannot be decoded, and handlers that fail, are
 * reported and never end a subscription. Nothing is stored: who is not there misses it.
 *
 * While the server is away: `publish` and `subscribe` reject by their deadline; subscriptions wait, are made anew when a
 * server answers, and report the gap.
 */
import type { Codec } from "../core/codec/codec.ts";
import type { Core } from "../core/core.ts";
import { InvalidArgumentError } from "../base/errors.ts";
import { observed } from "../core/observe/observe.ts";
import { toTimerMs } from "../base/options.ts";
import { type Address, channelAddress, patternAddress } from "./address.ts";
import { type ChannelSubscription, Dispatcher, type MessageHandler } from "./dispatcher.ts";
import type { Source } from "./feed.ts";
import {
  type ChannelOptions,
  type ChannelPatternOptions,
  isSharded,
  type MessagesOptions,
  type SubscribeOptions,
} from "./options.ts";
import { MessageStream } from "./stream.ts";

/** A message of a pattern's channels. */
export interface PatternMessage<T> {
  /** Name of the channel that it came by. */
  readonly channel: string;
  readonly message: T;
}

export class Channel<T> {
  readonly name: string;
  readonly #core: Core;
  readonly #address: Address;
  readonly #codec: Codec<T>;
  readonly #source: Source<T>;

  constructor(core: Core, name: string, options: ChannelOptions<T> = {}) {
    this.name = name;
    this.#core = core;
    this.#address = channelAddress(core, name, isSharded(options));
    this.#codec = core.codec(options);
    this.#source = sourceOf(core, name, this.#address, this.#codec, options);
  }

  /**
   * Sends a message to all who listen. Resolves with the number of subscriptions (connections, not handlers) that the
   * answering server knows of: in a cluster those of one node only, so 0 does not mean that nobody got it. Never repeated
   * once it was sent: a lost answer is an OutcomeUnknownError. Cost: PUBLISH or SPUBLISH.
   * @throws CodecError when the message does not match the schema or cannot be encoded
   */
  publish(message: T): Promise<number> {
    return observed("channel.publish", this.name, async () => {
      const { kind, target } = this.#address;
      const payload = this.#codec.encode(message, { aad: target });
      const call = {
        op: "channel.publish",
        class: "unsafe",
        key: this.name,
        timeoutMs: this.#source.timeoutMs,
      } as const;
      // By the channel's name also where any node would do: over one node messages keep their order.
      return Number(
        await this.#core.driver.send([kind === "sharded" ? "SPUBLISH" : "PUBLISH", target, payload], call, target),
      );
    });
  }

  /**
   * Calls `handler` with each message from now on; resolves once the server has confirmed. Subscriptions of one handle to
   * one channel share one on the server. Cost: SUBSCRIBE or SSUBSCRIBE by the first.
   */
  subscribe(handler: MessageHandler<T>, options: SubscribeOptions = {}): Promise<ChannelSubscription> {
    return subscribe(this.#source, handler, options);
  }

  /**
   * Messages from now on, for `for await`. Must be iterated or closed: until then its buffer fills. Cost: as `subscribe`.
   */
  messages(options: MessagesOptions = {}): MessageStream<T> {
    return new MessageStream(this.#source, options, ({ message }) => message);
  }
}

/** All channels, sharded ones excepted, whose names match a glob pattern. Names in it are escaped by `escapeGlob`. */
export class ChannelPattern<T> {
  readonly pattern: string;
  readonly #source: Source<T>;

  constructor(core: Core, pattern: string, options: ChannelPatternOptions<T> = {}) {
    this.pattern = pattern;
    this.#source = sourceOf(core, pattern, patternAddress(core, pattern), core.codec(options), options);
  }

  /** As for a channel; `context.channel` says which one a message came by. Cost: PSUBSCRIBE by the first. */
  subscribe(handler: MessageHandler<T>, options: SubscribeOptions = {}): Promise<ChannelSubscription> {
    return subscribe(this.#source, handler, options);
  }

  /** As for a channel, each message with the name of its channel. Cost: PSUBSCRIBE by the first. */
  messages(options: MessagesOptions = {}): MessageStream<T, PatternMessage<T>> {
    return new MessageStream(this.#source, options, ({ message, raw }) => ({ channel: raw.channel, message }));
  }
}

function sourceOf<T>(
  core: Core,
  name: string,
  address: Address,
  codec: Codec<T>,
  { timeout }: ChannelPatternOptions<T>,
): Source<T> {
  const timeoutMs = timeout === undefined ? core.driver.timeoutMs : toTimerMs("timeout", timeout);
  return { core, name, address, codec, timeoutMs };
}

function subscribe<T>(
  source: Source<T>,
  handler: MessageHandler<T>,
  options: SubscribeOptions,
): Promise<ChannelSubscription> {
  return observed("channel.subscribe", source.name, async () => {
    if (typeof handler !== "function") throw new InvalidArgumentError("handler", "a function", handler);
    const dispatcher = new Dispatcher(source, handler, options);
    await dispatcher.open();
    return dispatcher;
  });
}
