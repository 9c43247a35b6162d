/** Messages on their way into a topic's partitions. */
import { nextTick } from "../../base/runtime.ts";
import { LogAppender, type LogAnswer } from "../../core/log/appender.ts";
import { partitionOf } from "../partition.ts";
import type { TopicSource } from "../source.ts";
import { type Envelope, envelopeOf, type TopicPublishOptions, type TopicPublishResult } from "./options.ts";

const OP = "topic.publish";
const RADIX = 36;

export class Publisher<T> {
  readonly #source: TopicSource<T>;
  readonly #appenders: (LogAppender<TopicPublishResult> | undefined)[] = [];
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
    const partition = this.#partitionOf(envelope);
    const payload = codec.encodePart(message, logs[partition]!.aad);
    const appender = this.#appenders[partition] ?? this.#open(partition);
    if (options === undefined) return appender.append({ payload });
    const { key, id, headers, delayMs, ttlMs } = envelope;
    return appender.append({ payload, key, id, headers, delayMs, ttlMs });
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

  #open(partition: number): LogAppender<TopicPublishResult> {
    const { core, name, logs, settings } = this.#source;
    const terms = { op: OP, name, timeoutMs: settings.timeoutMs };
    const appender = new LogAppender<TopicPublishResult>(
      core,
      logs[partition]!,
      settings.retention,
      terms,
      (epoch, at) => answers(partition, epoch, at),
    );
    this.#appenders[partition] = appender;
    return appender;
  }
}

/** What the messages of one pack have in common is made text once. */
function answers(partition: number, epoch: number, at: number): LogAnswer<TopicPublishResult> {
  const [head, tail] = [`${epoch.toString(RADIX)}.${partition.toString(RADIX)}.`, at.toString(RADIX)];
  return (status, offset, itsAt) =>
    status === "full"
      ? { status, partition }
      : {
          status,
          partition,
          offset,
          position: `${head}${offset.toString(RADIX)}.${itsAt === at ? tail : itsAt.toString(RADIX)}`,
        };
}
