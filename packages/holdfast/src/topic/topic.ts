/**
 * A topic: messages that are kept for a time, for everybody who reads them, now or later.
 *
 * What it promises, while the server keeps its data: a message that `publish` has answered is in the topic once, however often it was
 * sent. Messages of one key, and those of one process in one partition, are in the order in which they were published. Readers get each message
 * in this order; where messages are gone before they were read (retention, a lost server) they are told so in their place.
 *
 * While the server is away: `publish` waits for it until its deadline and then rejects; readers wait and go on where they were.
 */
import { InvalidArgumentError, PartialFailureError } from "../base/errors.ts";
import { givenOptions, listOf } from "../base/options.ts";
import type { Core } from "../core/core.ts";
import { Operations } from "../core/observe/observe.ts";
import { TopicDeadLetters } from "./dead/dead-letters.ts";
import type { TopicOptions } from "./options.ts";
import type {
  TopicOrderedHandler,
  TopicOrderedManyHandler,
  TopicTransactionalHandler,
  TopicTransactionalManyHandler,
} from "./ordered/handling.ts";
import type {
  TopicOrderedManyOptions,
  TopicOrderedOptions,
  TopicTransactionalManyOptions,
  TopicTransactionalOptions,
} from "./ordered/options.ts";
import {
  PUBLISH_ITEM,
  type TopicPublishItem,
  type TopicPublishOptions,
  type TopicPublishResult,
} from "./publish/options.ts";
import { TopicOutlet } from "./publish/outlet.ts";
import { Publisher } from "./publish/publisher.ts";
import { partitionOf } from "./partition.ts";
import { infoOf, type TopicInfo } from "./read/info.ts";
import { pageOf, type TopicPage, type TopicPageOptions } from "./read/page.ts";
import { reading, type TopicMessagesOptions } from "./read/options.ts";
import { TopicStream } from "./read/stream.ts";
import type { TopicSharedHandler, TopicSharedManyHandler } from "./shared/handler.ts";
import type { TopicSharedManyOptions, TopicSharedOptions } from "./shared/options.ts";
import { TopicSource } from "./source.ts";
import { TopicState } from "./state/state.ts";
import { subscribe, subscribeMany } from "./subscribe.ts";
import type { TopicSubscription } from "./subscription.ts";
import { TopicSubscriptions } from "./subscriptions/subscriptions.ts";

/**
 * @example
 * const orders = hf.topic<Order>("orders", { partitions: 8, keep: "7d" });
 * await orders.publish(order, { key: order.customer, id: order.id });
 */
export class Topic<T> {
  readonly name: string;
  readonly #operations: Operations;
  readonly #source: TopicSource<T>;
  readonly #publisher: Publisher<T>;
  #subscriptions: TopicSubscriptions | undefined;
  #outlet: TopicOutlet<T> | undefined;

  constructor(core: Core, name: string, options?: TopicOptions<T>) {
    this.name = name;
    this.#operations = new Operations("topic", name);
    this.#source = new TopicSource(core, name, this.#operations.where, options);
    this.#publisher = new Publisher(this.#source);
  }

  /** What a topic stands on, for what stands on topics; undefined for what is none. @internal */
  static sourceOf<T>(topic: Topic<T>): TopicSource<T>;
  static sourceOf(topic: unknown): TopicSource<unknown> | undefined;
  static sourceOf(topic: unknown): TopicSource<unknown> | undefined {
    return typeof topic === "object" && topic !== null && #source in topic ? topic.#source : undefined;
  }

  /** What sends its messages. @internal */
  static publisherOf<T>(topic: Topic<T>): Publisher<T> {
    return topic.#publisher;
  }

  /**
   * Appends a message and returns where it is. A lost answer is repeated: the message is there once all the same.
   * Cost: one script for all messages of the tick and the partition, and those that come while one is on its way.
   * @throws CodecError when the message does not match the schema or cannot be encoded
   * @throws OutcomeUnknownError when no answer came by the deadline: publish it again with the same `id`
   */
  publish(message: T, options?: TopicPublishOptions): Promise<TopicPublishResult> {
    return this.#operations.runAtOnce("publish", options?.key, () => this.#publisher.publish(message, options));
  }

  /**
   * Publishes these messages and returns the outcome of each in their order.
   * Cost: as `publish`.
   * @throws PartialFailureError when some failed; its ids are places in the list
   */
  publishMany(items: Iterable<TopicPublishItem<T>>): Promise<TopicPublishResult[]> {
    return this.#operations.run("publishMany", undefined, async () => {
      const list = listOf("items", items, "messages such as { message: ... }").map(parsed<T>);
      const outcomes = await Promise.allSettled(
        list.map(async ({ message, ...options }) => this.#publisher.publish(message, options)),
      );
      const results = new Map<number, TopicPublishResult>();
      const errors = new Map<number, Error>();
      for (const [at, outcome] of outcomes.entries()) {
        if (outcome.status === "fulfilled") results.set(at, outcome.value);
        else errors.set(at, outcome.reason as Error);
      }
      if (errors.size === 0) return [...results.values()];
      throw new PartialFailureError(errors, results, { op: "topic.publishMany" });
    });
  }

  /**
   * Returns the messages from `from` on, then those that are published meanwhile, without an end, for `for await`. Must be iterated or closed.
   * Readers of one handle share a subscription on the server, and what came last.
   * Cost: SSUBSCRIBE per partition by the first reader; of what is not recent an HMGET and an XRANGE per 16 packs, or a script for up to 512, about 128 KB.
   */
  messages(options?: TopicMessagesOptions): TopicStream<T> {
    const { label, settings } = this.#source;
    const { partitions } = settings;
    return new TopicStream(
      this.#source,
      reading(label, partitions, (key) => partitionOf(key, partitions), options),
    );
  }

  /**
   * Returns the newest messages, or those before or after a place, oldest first: history for a screen. Its `after` is where `messages()` goes on.
   * Where `key` or `filter` want few of many, at most about 10,000 messages of each partition are looked at, and a page may have fewer than `limit`.
   * Cost: per partition HMGET and two XRANGE per 256 messages that are looked at.
   */
  page(options?: TopicPageOptions): Promise<TopicPage<T>> {
    return this.#operations.run("page", options?.key, () => pageOf(this.#source, options));
  }

  /** Returns what the partitions have. Cost: HMGET and XRANGE of one pack per partition, in a pipeline. */
  info(): Promise<TopicInfo> {
    return this.#operations.run("info", undefined, () => infoOf(this.#source));
  }

  /**
   * Messages that a subscription has given up: to look at, to deliver again, to remove.
   * Cost: none.
   */
  dead(name: string): TopicDeadLetters<T> {
    try {
      return new TopicDeadLetters(this.#source, name);
    } catch (error) {
      throw this.#operations.refused("dead", undefined, error);
    }
  }

  /**
   * What a transactional subscription keeps beside its cursors.
   * Cost: none.
   */
  state(name: string): TopicState {
    try {
      return new TopicState(this.#source, name);
    } catch (error) {
      throw this.#operations.refused("state", undefined, error);
    }
  }

  /**
   * Handles messages in the background, together with all processes that subscribe under the same name. Of an `ordered` subscription each partition is owned by
   * one of them at a time, and messages of one key are handled one after the other. Of a `shared` one any of them gets any message, in no order.
   * Cost: `ordered`: of 500 messages, or 100 ms, one read and one commit per partition; one renewal per third of the lease. `shared`: one claim and one
   * settlement for what there is at a time, and a read where the feed has not brought it.
   */
  subscribe(name: string, handler: TopicOrderedHandler<T>, options?: TopicOrderedOptions): TopicSubscription;
  subscribe(name: string, handler: TopicTransactionalHandler<T>, options: TopicTransactionalOptions): TopicSubscription;
  subscribe(name: string, handler: TopicSharedHandler<T>, options: TopicSharedOptions): TopicSubscription;
  subscribe(
    name: string,
    handler: TopicOrderedHandler<T> | TopicTransactionalHandler<T> | TopicSharedHandler<T>,
    options?: TopicOrderedOptions | TopicTransactionalOptions | TopicSharedOptions,
  ): TopicSubscription {
    return subscribe(this.#source, name, handler, options);
  }

  /**
   * As `subscribe`, for a handler that is given several messages at once.
   * Cost: as `subscribe`.
   */
  subscribeMany(
    name: string,
    handler: TopicOrderedManyHandler<T>,
    options?: TopicOrderedManyOptions,
  ): TopicSubscription;
  subscribeMany(
    name: string,
    handler: TopicTransactionalManyHandler<T>,
    options: TopicTransactionalManyOptions,
  ): TopicSubscription;
  subscribeMany(name: string, handler: TopicSharedManyHandler<T>, options: TopicSharedManyOptions): TopicSubscription;
  subscribeMany(
    name: string,
    handler: TopicOrderedManyHandler<T> | TopicTransactionalManyHandler<T> | TopicSharedManyHandler<T>,
    options?: TopicOrderedManyOptions | TopicTransactionalManyOptions | TopicSharedManyOptions,
  ): TopicSubscription {
    return subscribeMany(this.#source, name, handler, options);
  }

  /** The way in for messages that are kept elsewhere first: for an outbox. */
  get outlet(): TopicOutlet<T> {
    this.#outlet ??= new TopicOutlet(this.#source);
    return this.#outlet;
  }

  /** Its subscriptions, whoever their members are. */
  get subscriptions(): TopicSubscriptions {
    this.#subscriptions ??= new TopicSubscriptions(this.#source);
    return this.#subscriptions;
  }
}

function parsed<T>(item: TopicPublishItem<T>): TopicPublishItem<T> {
  if (typeof item !== "object" || item === null || !("message" in item))
    throw new InvalidArgumentError("items", "messages such as { message: ... }", item);
  return givenOptions<TopicPublishItem<T>>(item, PUBLISH_ITEM, "items");
}
