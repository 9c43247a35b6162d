/** How each kind of source is read for one subscription. */
import { InvalidArgumentError } from "../../base/errors.ts";
import type { StreamEvent } from "../../stream/reader.ts";
import { Stream } from "../../stream/stream.ts";
import { LatestTopic } from "../../topic/latest/latest-topic.ts";
import type { TopicFrom } from "../../topic/read/options.ts";
import type { TopicStream } from "../../topic/read/stream.ts";
import { Topic } from "../../topic/topic.ts";
import { type AnyChannel, type FanOut, type FannedMessage, jsonOf } from "./fan-out.ts";
import { NO_HISTORY } from "./cursors.ts";
import type { LiveNotice } from "./event-text.ts";
import type { LiveSource } from "./options.ts";
import { type AnyReadable, type LiveTopicViewOptions, LiveView, type LiveViewOptions } from "./view.ts";

/** The subscription that is read for. */
export interface FeedReceiver {
  readonly subscription: string;
  /** The last that its client has seen; undefined for a new one. */
  readonly cursor: string | undefined;
  /** Fires when nothing more is wanted. */
  readonly signal: AbortSignal;
  /** Messages from here on are seen. */
  opened(cursor: string | undefined): void;
  /** Waits until the client has read enough of what it has got. */
  room(): Promise<void>;
  message(json: string, cursor: string): void;
  /** For what cannot wait: dropped, or the end of the connection, where there is no room. */
  push(json: string, cursor: string): void;
  /** Messages that could not wait are missing, and nobody has a cursor to them; null where nobody knows how many. */
  lost(count: number | null): void;
  /** @param cursor where it has got to by that */
  notice(notice: LiveNotice, cursor?: string): void;
  /** Something that is not to be sent went wrong; what it is about is missing. */
  failed(error: unknown): void;
}

/** Reads `source` until the signal fires, or it has come to its end. */
export function readSource(source: LiveSource, receiver: FeedReceiver, fans: FanOut): Promise<void> {
  const { source: from, options } = source instanceof LiveView ? source : new LiveView(source as AnyReadable);
  const view = options as View;
  if (from instanceof LatestTopic && isOfState(view)) return readLatest(view, from, receiver);
  if (from instanceof Topic) return readTopic(view, from, receiver);
  if (from instanceof Stream) return readStream(view, from, receiver);
  return readChannel(view, from, receiver, fans);
}

/** As the reader of any kind calls them. */
type View = LiveTopicViewOptions<unknown> & LiveViewOptions<unknown>;

async function readChannel(
  { filter, data }: View,
  channel: AnyChannel,
  receiver: FeedReceiver,
  fans: FanOut,
): Promise<void> {
  /** What others of this process are sent while this one is not open yet. */
  let early: FannedMessage[] | undefined = [];
  const send = (message: FannedMessage): void => {
    try {
      if (filter !== undefined && !filter(message.value)) return;
      receiver.push(data === undefined ? message.json : jsonOf(data(message.value)), NO_HISTORY);
    } catch (error) {
      receiver.failed(error);
    }
  };
  const listener = {
    message: (message: FannedMessage) => (early === undefined ? send(message) : void early.push(message)),
    gap: (count: number | null) => receiver.lost(count),
  };
  const leave = await fans.join(receiver.subscription, channel, listener);
  try {
    receiver.opened(NO_HISTORY);
    // It keeps nothing, so who was away has missed what nobody counted.
    if (receiver.cursor !== undefined) receiver.lost(null);
    const before = early;
    early = undefined;
    for (const message of before) send(message);
    await fired(receiver.signal);
  } finally {
    leave();
  }
}

/** It fetches what comes next when its client has room for it, so nothing of it waits here. */
async function readTopic(
  { filter, data, key, envelope, from = "now" }: LiveTopicViewOptions<unknown>,
  topic: Topic<unknown>,
  receiver: FeedReceiver,
): Promise<void> {
  const { subscription, signal, cursor } = receiver;
  const open = (at: TopicFrom): TopicStream<unknown> =>
    topic.messages({
      from: at,
      signal,
      onGap: ({ kind, count }) =>
        receiver.notice(
          kind === "reset" ? { type: "reset", subscription } : { type: "gap", subscription, count: count ?? null },
        ),
      onError: (error) => receiver.failed(error),
      ...(key === undefined ? {} : { key }),
      ...(envelope === undefined ? {} : { filter: envelope }),
    });
  const messages = cursor === undefined ? open(from) : (resumed(() => open(cursor), receiver) ?? open(from));
  await messages.ready;
  receiver.opened(messages.position);
  for (;;) {
    await receiver.room();
    const { done, value } = await messages.next();
    if (done === true) return;
    try {
      if (filter !== undefined && !filter(value)) continue;
      receiver.message(jsonOf(data === undefined ? value.payload : data(value)), value.position);
    } catch (error) {
      receiver.failed(error);
    }
  }
}

/** A filter, and a place to begin at, are of messages: such a view reads the log. */
function isOfState({ filter, envelope, from }: View): boolean {
  return filter === undefined && envelope === undefined && from === undefined;
}

/** The keys that there are, `live`, then their changes. */
async function readLatest({ data, key }: View, topic: LatestTopic<unknown>, receiver: FeedReceiver): Promise<void> {
  const { subscription, signal, cursor } = receiver;
  const filter = key === undefined ? {} : { filter: (each: string) => each === key };
  const open = (from: string): ReturnType<typeof topic.follow> =>
    topic.follow({ from, signal, onError: (error) => receiver.failed(error), ...filter });
  const again = cursor === undefined ? undefined : resumed(() => open(cursor), receiver);
  const changes = again ?? open("snapshot");
  receiver.opened(again === undefined ? undefined : cursor);
  for (;;) {
    await receiver.room();
    const { done, value: change } = await changes.next();
    if (done === true) return;
    const { type, position } = change;
    if (type === "live" || type === "reset") receiver.notice({ type, subscription }, position);
    else if (type === "delete") receiver.message(jsonOf({ key: change.key, deleted: true }), position);
    else {
      try {
        const sent = data === undefined ? { key: change.key, value: change.value } : data(change.message);
        receiver.message(jsonOf(sent), position);
      } catch (error) {
        receiver.failed(error);
      }
    }
  }
}

async function readStream(
  { filter, data }: LiveViewOptions<unknown>,
  stream: Stream<unknown>,
  receiver: FeedReceiver,
): Promise<void> {
  const { subscription, signal, cursor } = receiver;
  const open = (from: string): AsyncGenerator<StreamEvent<unknown>> => stream.read({ from, signal });
  const again = cursor === undefined ? undefined : resumed(() => open(cursor), receiver);
  const events = again ?? open("start");
  receiver.opened(again === undefined ? undefined : cursor);
  for (;;) {
    await receiver.room();
    const { done, value: event } = await events.next();
    if (done === true) return;
    if (event.type === "missing") receiver.notice({ type: "aborted", subscription, reason: "there is no such stream" });
    else if (event.type !== "chunk") receiver.notice({ subscription, ...event });
    else {
      try {
        if (filter !== undefined && !filter(event.value)) continue;
        receiver.message(jsonOf(data === undefined ? event.value : data(event.value)), event.position);
      } catch (error) {
        receiver.failed(error);
      }
    }
  }
}

/** Undefined, with a word of it, where the client's cursor is none of this source. */
function resumed<T>(open: () => T, receiver: FeedReceiver): T | undefined {
  try {
    return open();
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    receiver.notice({ type: "reset", subscription: receiver.subscription });
    return undefined;
  }
}

function fired(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
