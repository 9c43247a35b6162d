/** Messages on their way into a topic's partitions. */
import { InvalidArgumentError } from "../../base/errors.ts";
import { nextTick } from "../../base/runtime.ts";
import { LogAppender, type LogAnswer } from "../../core/log/appender.ts";
import type { LogMessage } from "../../core/log/frame.ts";
import { appendLatest } from "../latest/append.ts";
import { partitionOf } from "../partition.ts";
import type { TopicSource } from "../source.ts";
import { type Envelope, envelopeOf, type TopicPublishOptions, type TopicPublishResult } from "./options.ts";

/** Of `publish`, `set` and `delete`. */
export type PublishAnswer =
  | TopicPublishResult
  | { readonly status: "conflict" | "missing"; readonly partition: number };

const OP = "topic.publish";
const RADIX = 36;

export class Publisher<T> {
  readonly #source: TopicSource<T>;
  readonly #appenders: (LogAppender<PublishAnswer> | undefined)[] = [];
  /** Where messages without a key go in this tick. */
  #turn = 0;
  #turnIsTaken = false;

  constructor(source: TopicSource<T>) {
    this.#source = source;
    // Each process begins elsewhere.
    this.#turn = Math.floor(source.core.driver.runtime.random() * source.settings.partitions);
  }

  /** Throws what is bad input at once. */
  publish(message: T, options: TopicPublishOptions | undefined): Promise<TopicPublishResult> {
    const { codec, logs, settings } = this.#source;
    const envelope = envelopeOf(options, settings.delays);
    const { key, id, headers, delayMs, ttlMs } = envelope;
    if (settings.latest !== undefined && key === undefined)
      throw new InvalidArgumentError("key", "a key, as the topic keeps the newest message of each", key);
    const partition = this.#partitionOf(envelope);
    const payload = codec.encodePart(message, logs[partition]!.aad);
    const appender = this.#appenders[partition] ?? this.#open(partition);
    // Nothing is expected of its key.
    if (options === undefined) return appender.append({ payload }) as Promise<TopicPublishResult>;
    return appender.append({ payload, key, id, headers, delayMs, ttlMs }) as Promise<TopicPublishResult>;
  }

  append(partition: number, message: LogMessage): Promise<PublishAnswer> {
    return (this.#appenders[partition] ?? this.#open(partition)).append(message);
  }

  #partitionOf({ key, id }: Envelope): number {
    const { partitions } = this.#source.settings;
    if (partitions === 1) return 0;
    const binding = key ?? id;
    if (binding !== undefined) return partitionOf(binding, partitions);
    if (!this.#turnIsTaken) {
      this.#turnIsTaken = true;
      nextTick(this.#nextTurn);
    }
    return this.#turn;
  }

  readonly #nextTurn = (): void => {
    this.#turnIsTaken = false;
    this.#turn = (this.#turn + 1) % this.#source.settings.partitions;
  };

  #open(partition: number): LogAppender<PublishAnswer> {
    const { core, name, logs, settings } = this.#source;
    const { latest, retention } = settings;
    const terms = { op: OP, name, timeoutMs: settings.timeoutMs };
    const appender = new LogAppender<PublishAnswer>(
      core,
      logs[partition]!,
      retention,
      terms,
      (epoch, at) => answers(partition, epoch, at),
      latest === undefined ? undefined : appendLatest(core.driver, logs[partition]!, latest, retention),
    );
    this.#appenders[partition] = appender;
    return appender;
  }
}

/** What the messages of one pack have in common is made text once. */
function answers(partition: number, epoch: number, at: number): LogAnswer<PublishAnswer> {
  const [head, tail] = [`${epoch.toString(RADIX)}.${partition.toString(RADIX)}.`, at.toString(RADIX)];
  return (status, offset, itsAt) =>
    status !== "ok" && status !== "duplicate"
      ? { status, partition }
      : {
          status,
          partition,
          offset,
          position: `${head}${offset.toString(RADIX)}.${itsAt === at ? tail : itsAt.toString(RADIX)}`,
        };
}
