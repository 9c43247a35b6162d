/**
 * Channels: messages to everybody who listens at the moment.
 *
 * What they promise: a message reaches each subscription at most once. Messages of one publisher on one channel arrive
 * in the order in which they were sent. Where messages are missing, because the connection was lost or the consumer was
 * too slow, the subscription says so (`onGap`) at that place. What cannot be decoded, and handlers that fail, are
 * reported and never end a subscription. Nothing is stored: a message that nobody listens to is gone.
 *
 * While the server is away: `publish` and `subscribe` reject by their deadline; subscriptions wait, are made again when a
 * server answers, and report the gap.
 */
import type { Core } from "../core/core.ts";
import { InvalidArgumentError } from "../base/errors.ts";
import { Operations } from "../core/observe/observe.ts";
import { channelAddress, patternAddress } from "./address.ts";
import { type ChannelHandler, type ChannelSubscription, Dispatcher } from "./dispatcher.ts";
import type { Source } from "./feed.ts";
import {
  type ChannelMessagesOptions,
  type ChannelOptions,
  type ChannelPatternOptions,
  channelSettings,
  type ChannelSubscribeOptions,
  patternSettings,
} from "./options.ts";
import { ChannelStream } from "./stream.ts";

/** A message of a pattern's channels. */
export interface ChannelPatternMessage<T> {
  /** Name of the channel that it came by. */
  readonly channel: string;
  readonly message: T;
}

/**
 * A channel to publish to and to subscribe to.
 * @example
 * const flights = hf.channel<Flight>("flights");
 * await using subscription = await flights.subscribe((flight) => show(flight), { onGap: reload });
 * await flights.publish(flight);
 */
export class Channel<T> {
  readonly name: string;
  readonly #operations: Operations;
  readonly #source: Source<T>;

  constructor(core: Core, name: string, given?: ChannelOptions<T>) {
    this.name = name;
    this.#operations = new Operations("channel", name);
    const label = this.#operations.where;
    const { codec, timeoutMs, sharded } = channelSettings(core, label, given);
    this.#source = { core, name, label, address: channelAddress(core, name, sharded), codec, timeoutMs };
  }

  /**
   * Sends a message to all who listen. Resolves with the number of subscriptions (connections, not handlers) that the
   * answering server knows of: in a cluster those of one node only, so 0 does not mean that nobody got it. Never repeated
   * once it was sent: a lost answer is an OutcomeUnknownError.
   * Cost: PUBLISH or SPUBLISH.
   * @throws CodecError when the message does not match the schema or cannot be encoded
   */
  publish(message: T): Promise<number> {
    return this.#operations.run("publish", this.name, async () => {
      const { core, address, codec, timeoutMs } = this.#source;
      const { kind, target } = address;
      const payload = codec.encode(message, { aad: target });
      const call = { op: "channel.publish", class: "unsafe", key: this.name, timeoutMs } as const;
      const command = kind === "sharded" ? "SPUBLISH" : "PUBLISH";
      // By the channel's name also where any node would do: over one node messages keep their order.
      return Number(await core.driver.send([command, target, payload], call, target));
    });
  }

  /**
   * Calls `handler` with each message from now on; resolves once the server has confirmed. Subscriptions of one handle to
   * one channel share one on the server.
   * Cost: SUBSCRIBE or SSUBSCRIBE by the first.
   */
  subscribe(handler: ChannelHandler<T>, options?: ChannelSubscribeOptions): Promise<ChannelSubscription> {
    return subscribe(this.#operations, this.#source, handler, options);
  }

  /**
   * Returns the messages from now on, for `for await`. Must be iterated or closed: until then its buffer fills.
   * Cost: as `subscribe`.
   */
  messages(options?: ChannelMessagesOptions): ChannelStream<T> {
    return new ChannelStream(this.#source, options, ({ message }) => message);
  }
}

/**
 * All channels, sharded ones excepted, whose names match a glob pattern. Names in it are escaped by `escapeGlob`.
 * @example
 * for await (const { channel, message } of hf.channels<Flight>("flights.*").messages()) show(channel, message);
 */
export class ChannelPattern<T> {
  readonly pattern: string;
  readonly #operations: Operations;
  readonly #source: Source<T>;

  constructor(core: Core, pattern: string, given?: ChannelPatternOptions<T>) {
    this.pattern = pattern;
    this.#operations = new Operations("channel", pattern);
    const label = this.#operations.where;
    const { codec, timeoutMs } = patternSettings(core, label, given);
    this.#source = { core, name: pattern, label, address: patternAddress(core, pattern), codec, timeoutMs };
  }

  /**
   * As for a channel; `context.channel` says which one a message came by.
   * Cost: PSUBSCRIBE by the first.
   */
  subscribe(handler: ChannelHandler<T>, options?: ChannelSubscribeOptions): Promise<ChannelSubscription> {
    return subscribe(this.#operations, this.#source, handler, options);
  }

  /**
   * As for a channel, each message with the name of its channel.
   * Cost: PSUBSCRIBE by the first.
   */
  messages(options?: ChannelMessagesOptions): ChannelStream<T, ChannelPatternMessage<T>> {
    return new ChannelStream(this.#source, options, ({ message, raw }) => ({ channel: raw.channel, message }));
  }
}

function subscribe<T>(
  operations: Operations,
  source: Source<T>,
  handler: ChannelHandler<T>,
  options: ChannelSubscribeOptions | undefined,
): Promise<ChannelSubscription> {
  return operations.run("subscribe", source.name, async () => {
    if (typeof handler !== "function") throw new InvalidArgumentError("handler", "a function", handler);
    const dispatcher = new Dispatcher(source, handler, options);
    await dispatcher.open();
    return dispatcher;
  });
}
