/** What of a source is sent, and as what. */
import { InvalidArgumentError } from "../../base/errors.ts";
import { givenOptions, type OptionNames } from "../../base/options.ts";
import type { AnyChannel } from "./fan-out.ts";
import { Channel, ChannelPattern, type ChannelPatternMessage } from "../../channel/channel.ts";
import { Stream } from "../../stream/stream.ts";
import type { TopicEnvelope, TopicMessage } from "../../topic/message.ts";
import type { TopicFrom } from "../../topic/read/options.ts";
import { Topic } from "../../topic/topic.ts";

/** What can be read by a browser. By their shapes, because a channel of numbers is no channel of `unknown`. */
export type LiveReadable =
  | Pick<Channel<unknown>, "name" | "subscribe">
  | Pick<ChannelPattern<unknown>, "pattern" | "subscribe">
  | Pick<Topic<unknown>, "name" | "messages">
  | Pick<Stream<unknown>, "id" | "read">;

export type AnyReadable = AnyChannel | Topic<unknown> | Stream<unknown>;

export interface LiveViewOptions<M> {
  /** Which messages are sent. What it leaves out is no gap. @default all */
  readonly filter?: (message: M) => boolean;
  /** What is sent of a message, as JSON. @default the message; of a topic its payload */
  readonly data?: (message: M) => unknown;
}

export interface LiveTopicViewOptions<T> extends LiveViewOptions<TopicMessage<T>> {
  /** Only messages of this key: only its partition is read. @default all */
  readonly key?: string;
  /** Asked before a message is decoded, by its key and headers. @default all */
  readonly envelope?: (message: TopicEnvelope) => boolean;
  /** Where a client without a cursor begins. @default "now" */
  readonly from?: TopicFrom;
}

/** For messages. */
export const SOURCE_KINDS = "a channel, a pattern of channels, a topic or a stream";
const NAMES: OptionNames<LiveViewOptions<unknown>> = { filter: true, data: true };
const TOPIC_NAMES: OptionNames<LiveTopicViewOptions<unknown>> = { ...NAMES, key: true, envelope: true, from: true };

/** Made by `view`. */
export class LiveView {
  readonly source: AnyReadable;
  readonly options: LiveTopicViewOptions<unknown>;

  constructor(source: AnyReadable, options: LiveTopicViewOptions<unknown> = {}) {
    this.source = source;
    this.options = options;
  }
}

/**
 * Returns a source of which only some messages are sent, or only a part of each. No I/O.
 * @throws InvalidArgumentError for what is no source, or options that it does not know
 * @example
 * sources: { mine: ({ identity }) => view(orders, { key: identity.user, data: ({ payload }) => payload.total }) }
 */
export function view<T>(source: Channel<T>, options: LiveViewOptions<T>): LiveView;
export function view<T>(source: ChannelPattern<T>, options: LiveViewOptions<ChannelPatternMessage<T>>): LiveView;
export function view<T>(source: Topic<T>, options: LiveTopicViewOptions<T>): LiveView;
export function view<T>(source: Stream<T>, options: LiveViewOptions<T>): LiveView;
export function view(source: LiveReadable, options: object): LiveView {
  if (!isReadable(source)) throw new InvalidArgumentError("source", SOURCE_KINDS, source, { where: "view" });
  const names = source instanceof Topic ? TOPIC_NAMES : (NAMES as typeof TOPIC_NAMES);
  const given = givenOptions<LiveTopicViewOptions<unknown>>(options, names);
  for (const field of ["filter", "data", "envelope"] as const)
    if (given[field] !== undefined && typeof given[field] !== "function")
      throw new InvalidArgumentError(field, "a function of a message", given[field], { where: "view" });
  return new LiveView(source, given);
}

export function isReadable(given: unknown): given is AnyReadable {
  return [Channel, ChannelPattern, Topic, Stream].some((kind) => given instanceof kind);
}
