/**
 * Channels: messages to everybody who listens at the moment.
 *
 * What they promise: a message reaches each subscription at most once. Messages of one publisher on one channel arrive
 * in the order in which they were sent. Where messages are missing, because the connection was lost or the consumer was
 * too slow, the subscription says so (`onGap`) at that place. What cannot be decoded, and handlers that fail, are
 * reported and never end a subscription. Nothing is stored: a message that nobody listens to is gone.
 *
 * Requests (`requests/`) go to one responder of a group: handled at most once, and a reply is never another request's.
 *
 * While the server is away: `publish` and `subscribe` reject by their deadline; subscriptions wait, are made again when a
 * server answers, and report the gap.
 */
import type { Core } from "../core/core.ts";
import type { Reply, Route } from "../driver/port.ts";
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
import {
  type ChannelRequestAllOptions,
  type ChannelRequestOptions,
  type ChannelRespondOptions,
  requestSettings,
} from "./requests/options.ts";
import { type ChannelRequestAllResult, type ChannelRequestResult, Requester } from "./requests/requester.ts";
import { type ChannelRequestHandler, type ChannelResponder, Responder } from "./requests/responder.ts";
import type { RequestSource } from "./requests/source.ts";
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
export class Channel<T, R = unknown> {
  readonly name: string;
  readonly #operations: Operations;
  readonly #source: Source<T>;
  readonly #requests: RequestSource<T, R>;
  #requester: Requester<T, R> | undefined;

  constructor(core: Core, name: string, given?: ChannelOptions<T, R>) {
    this.name = name;
    this.#operations = new Operations("channel", name);
    const label = this.#operations.where;
    const { codec, replies, failures, timeoutMs, sharded } = channelSettings(core, label, given);
    this.#source = { core, name, label, address: channelAddress(core, name, sharded), codec, timeoutMs };
    this.#requests = { core, name, label, requests: codec, replies, failures, timeoutMs };
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
   * Returns how many connections are subscribed to this channel by its name: one for each handle, however many
   * handlers it has. In a cluster those of all primaries; subscriptions to patterns and on replicas are not counted.
   * Cost: PUBSUB NUMSUB on each primary; of a sharded channel PUBSUB SHARDNUMSUB.
   */
  subscribers(): Promise<number> {
    return this.#operations.run("subscribers", this.name, async () => {
      const { core, address, timeoutMs } = this.#source;
      const { kind, target } = address;
      const call = { op: "channel.subscribers", class: "read", key: this.name, timeoutMs } as const;
      const count = async (how: string, route: Route): Promise<number> => {
        const reply = await core.driver.send(["PUBSUB", how, target], call, route);
        return Number((reply as Reply[])[1]);
      };
      if (kind === "sharded") return count("SHARDNUMSUB", target);
      const nodes = core.driver.caps.cluster ? core.driver.nodes() : [];
      if (nodes.length === 0) return count("NUMSUB", target);
      const counts = await Promise.all(nodes.map(({ id }) => count("NUMSUB", { node: id })));
      return counts.reduce((sum, each) => sum + each, 0);
    });
  }

  /**
   * Calls `handler` with each message from now on; resolves once the server has confirmed. Subscriptions of one handle to
   * one channel share one on the server. The URL of a module runs its default export in threads.
   * Cost: SUBSCRIBE or SSUBSCRIBE by the first.
   */
  subscribe(handler: ChannelHandler<T> | URL, options?: ChannelSubscribeOptions): Promise<ChannelSubscription> {
    return subscribe(this.#operations, this.#source, handler, options);
  }

  /**
   * Asks one responder of a group and waits for its reply. Without one, because nobody answers for the group (`no-responders`, at once), the
   * responder has too much to do (`busy`), or its handler refused or failed (`failed`), that is what it resolves with. Never sent twice: after
   * the deadline it may have been handled all the same. Requests and messages of a channel do not meet.
   * Cost: one script, which is one SPUBLISH to the responder; another SPUBLISH is the reply.
   * @throws OutcomeUnknownError when no reply came in time, or the answer to the request was lost
   * @throws AbortedError when its signal fired; the handler's fires then too
   */
  request(message: T, options?: ChannelRequestOptions): Promise<ChannelRequestResult<R>> {
    return this.#operations.run("request", this.name, () =>
      this.#asking.request(message, requestSettings(this.#source.label, options, this.#source.timeoutMs)),
    );
  }

  /**
   * Asks one responder of each group, and returns their replies by group once all have come or the deadline has passed (`unknown`). Empty
   * where nobody answers. At most 100 groups are asked.
   * Cost: ZRANGE, then as `request` for each group.
   * @throws AbortedError when its signal fired
   */
  requestAll(message: T, options?: ChannelRequestAllOptions): Promise<Map<string, ChannelRequestAllResult<R>>> {
    return this.#operations.run("requestAll", this.name, () => this.#asking.requestAll(message, options));
  }

  /**
   * Answers requests with what `handler` returns; resolves once it is registered. The URL of a module runs its default export in threads.
   * Cost: two SSUBSCRIBE and a script; a script each third of `lease`; an SPUBLISH for each reply.
   */
  respond(handler: ChannelRequestHandler<T, R> | URL, options?: ChannelRespondOptions): Promise<ChannelResponder> {
    return this.#operations.run("respond", this.name, async () => {
      const responder = new Responder(this.#requests, handler, options);
      await responder.open();
      return responder;
    });
  }

  get #asking(): Requester<T, R> {
    this.#requester ??= new Requester(this.#requests);
    return this.#requester;
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
  subscribe(handler: ChannelHandler<T> | URL, options?: ChannelSubscribeOptions): Promise<ChannelSubscription> {
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
  handler: ChannelHandler<T> | URL,
  options: ChannelSubscribeOptions | undefined,
): Promise<ChannelSubscription> {
  return operations.run("subscribe", source.name, async () => {
    const dispatcher = new Dispatcher(source, handler, options);
    await dispatcher.open();
    return dispatcher;
  });
}
