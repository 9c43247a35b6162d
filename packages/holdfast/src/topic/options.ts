/** What a topic may be given. */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { InvalidArgumentError } from "../base/errors.ts";
import { type Duration, type OptionNames, parseOptions, toMs, toTimerMs, wholeBetween } from "../base/options.ts";
import type { CodecOptions } from "../core/codec/codec.ts";
import type { LogRetention } from "../core/log/appender.ts";

/** What `publish` does when a partition has as many messages as it may have. */
export type TopicOnFull = "drop-oldest" | "refuse" | "wait";

export interface TopicOptions<T> extends Pick<
  CodecOptions<T>,
  "serializer" | "strict" | "reads" | "compress" | "encrypt"
> {
  /** Checks messages as they are published and as they are read. Any synchronous Standard Schema. @default no check */
  readonly message?: StandardSchemaV1<unknown, T>;
  /**
   * Over how many slots the topic is spread, 1 to 1,024: in a cluster so many primaries may share it, and so many members of an ordered
   * subscription work at once. Order holds within a partition. The same in all processes, and for good: another number puts keys elsewhere.
   * @default 1
   */
  readonly partitions?: number;
  /** How long messages are kept. @default "7d" */
  readonly keep?: Duration;
  /** About how many messages each partition keeps, 1 to 1,000,000,000. @default 1_000_000 */
  readonly maxMessages?: number;
  /** Whether what a subscription has not passed outlives `keep`; up to `maxMessages`. @default false */
  readonly keepUnread?: boolean;
  /**
   * What becomes of a message for which a partition has no room: the oldest go; it is refused (`status: "full"`); or it waits for room until its
   * deadline, and is refused then. With `refuse` and `wait` there is room where all subscriptions have passed the oldest, or where it is too old.
   * @default "drop-oldest"
   */
  readonly onFull?: TopicOnFull;
  /** How long the `id` of a message is known. @default "10m" */
  readonly dedupeFor?: Duration;
  /** Whether messages may have a `delay` or a `ttl`; then the topic has no `ordered` subscriptions. @default false */
  readonly delays?: boolean;
  /**
   * Whether the newest message of each key is kept for as long as the topic is: each message has a key, keys can be deleted, and readers may begin
   * with what there is. The same in all processes.
   * @default false
   */
  readonly latest?: boolean;
  /** With `latest`: how many keys each partition has at most, 1 to 100,000,000. @default 100_000 */
  readonly maxKeys?: number;
  /** With `latest`: how long the newest messages outlive the last one that was published; `false`: for ever. @default false */
  readonly expires?: Duration | false;
  /** Deadline of each operation on the server. @default the handle's `timeout` */
  readonly timeout?: Duration;
}

/** Of a topic that keeps the newest message of each key. */
export interface LatestSettings {
  readonly maxKeys: number;
  /** 0: for ever. */
  readonly expiresMs: number;
}

export interface TopicSettings {
  readonly partitions: number;
  readonly retention: LogRetention;
  readonly delays: boolean;
  readonly latest: LatestSettings | undefined;
  readonly timeoutMs: number | undefined;
}

const NAMES: OptionNames<TopicOptions<unknown>> = {
  serializer: true,
  strict: true,
  reads: true,
  compress: true,
  encrypt: true,
  message: true,
  partitions: true,
  keep: true,
  maxMessages: true,
  keepUnread: true,
  onFull: true,
  dedupeFor: true,
  delays: true,
  latest: true,
  maxKeys: true,
  expires: true,
  timeout: true,
};

const MAX_PARTITIONS = 1_024;
const MAX_MESSAGES = 1_000_000_000;
const MAX_KEYS = 100_000_000;
const ON_FULL: readonly TopicOnFull[] = ["drop-oldest", "refuse", "wait"];

/** @param open makes what needs the codec's options */
export function topicOptions<T, Made>(
  where: string,
  given: TopicOptions<T> | undefined,
  open: (options: TopicOptions<T>, settings: TopicSettings) => Made,
): Made {
  const names: OptionNames<TopicOptions<T>> = NAMES;
  return parseOptions(where, given, names, (options) => open(options, settings(options as TopicOptions<unknown>)));
}

function settings(options: TopicOptions<unknown>): TopicSettings {
  const { partitions = 1, maxMessages = 1_000_000, onFull = "drop-oldest", timeout } = options;
  if (!ON_FULL.includes(onFull))
    throw new InvalidArgumentError("onFull", ON_FULL.map((each) => `"${each}"`).join(", "), onFull);
  return {
    partitions: wholeBetween("partitions", partitions, 1, MAX_PARTITIONS),
    retention: {
      keepMs: toMs("keep", options.keep ?? "7d", 1_000),
      maxMessages: wholeBetween("maxMessages", maxMessages, 1, MAX_MESSAGES),
      keepUnread: flag("keepUnread", options.keepUnread),
      onFull,
      dedupeMs: toMs("dedupeFor", options.dedupeFor ?? "10m"),
    },
    delays: flag("delays", options.delays),
    latest: latestSettings(options),
    timeoutMs: timeout === undefined ? undefined : toTimerMs("timeout", timeout),
  };
}

function latestSettings({ latest, maxKeys, expires, delays }: TopicOptions<unknown>): LatestSettings | undefined {
  if (!flag("latest", latest)) {
    for (const [field, given] of Object.entries({ maxKeys, expires }))
      if (given !== undefined) throw new InvalidArgumentError(field, "none in a topic without `latest: true`", given);
    return undefined;
  }
  // What is delivered later is not the newest yet.
  if (delays === true) throw new InvalidArgumentError("delays", "false in a topic with `latest`", delays);
  return {
    maxKeys: wholeBetween("maxKeys", maxKeys ?? 100_000, 1, MAX_KEYS),
    expiresMs: expires === undefined || expires === false ? 0 : toMs("expires", expires, 60_000),
  };
}

function flag(field: string, value: boolean | undefined): boolean {
  if (value === undefined || typeof value === "boolean") return value ?? false;
  throw new InvalidArgumentError(field, "true or false", value);
}
