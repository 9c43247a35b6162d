/** How a topic is read. */
import { checkSignal } from "../../base/abort.ts";
import { InvalidArgumentError } from "../../base/errors.ts";
import { type OptionNames, parseOptions, timeOf } from "../../base/options.ts";
import { checkText, MAX_ID_LENGTH } from "../../core/keyspace/keyspace.ts";
import { parsePosition } from "../../core/log/position.ts";
import type { LogStart } from "../../core/log/reader.ts";
import type { TopicEnvelope } from "../message.ts";
import type { TopicGap } from "../subscription.ts";

/** What is published from now on, all that is kept, behind a message (its `position`), or what was published at `time` or later. */
export type TopicFrom = "now" | "start" | { readonly time: Date | number } | (string & {});

/** A message that could not be read. */
export interface TopicRawMessage extends TopicEnvelope {
  readonly partition: number;
  readonly offset: number;
  readonly payload: Buffer;
}

export interface TopicMessagesOptions {
  /** @default "now" */
  readonly from?: TopicFrom;
  /** Only messages of this key: only its partition is read. @default all */
  readonly key?: string;
  /** Only messages for which it returns true; it is asked before the payload is decoded. @default all */
  readonly filter?: (message: TopicEnvelope) => boolean;
  /** Called where messages are missing; what it returns is awaited before the next message. @default not called */
  readonly onGap?: (gap: TopicGap) => unknown;
  /**
   * Called with a message that could not be decoded (CodecError), which is left out, and with what `filter` and `onGap` throw.
   * @default the first error is emitted as a process warning
   */
  readonly onError?: (error: unknown, message: TopicRawMessage | undefined) => void;
  /** Ends it, as `close()` does. @default none */
  readonly signal?: AbortSignal;
}

export interface Reading {
  /** Where each partition is read from; undefined: not at all. */
  readonly starts: readonly (LogStart | undefined)[];
  readonly isWanted: ((message: TopicEnvelope) => boolean) | undefined;
  readonly onGap: TopicMessagesOptions["onGap"];
  readonly onError: TopicMessagesOptions["onError"];
  readonly signal: AbortSignal | undefined;
}

const NAMES: OptionNames<TopicMessagesOptions> = {
  from: true,
  key: true,
  filter: true,
  onGap: true,
  onError: true,
  signal: true,
};

/** @param partitionOf the partition of a key */
export function reading(
  label: string,
  partitions: number,
  partitionOf: (key: string) => number,
  given: TopicMessagesOptions | undefined,
): Reading {
  return parseOptions(label, given, NAMES, ({ from = "now", key, filter, onGap, onError, signal }) => {
    const only = key === undefined ? undefined : partitionOf(checkText("key", key, MAX_ID_LENGTH));
    const wanted = optionalFunction("filter", filter);
    return {
      starts: startsOf("from", from, partitions).map((start, at) =>
        only === undefined || at === only ? start : undefined,
      ),
      isWanted: key === undefined ? wanted : (message) => message.key === key && (wanted?.(message) ?? true),
      onGap: optionalFunction("onGap", onGap),
      onError: optionalFunction("onError", onError),
      signal: checkSignal(signal),
    };
  });
}

/** Partitions that a position does not name are read from its time on. */
function startsOf(field: string, from: TopicFrom, partitions: number): LogStart[] {
  const all = (start: LogStart): LogStart[] => Array.from({ length: partitions }, () => start);
  if (from === "now") return all("now");
  if (from === "start") return all("start");
  if (typeof from === "object" && from !== null && Object.keys(from).join() === "time")
    return all({ time: timeOf(`${field}.time`, from.time) });
  if (typeof from !== "string") throw new InvalidArgumentError(field, `"now", "start", a position or { time }`, from);
  const positions = parsePosition(field, from);
  const starts = all({ time: Math.min(...positions.map(({ point }) => point.at)) });
  for (const { partition, point } of positions) {
    if (partition >= partitions)
      throw new InvalidArgumentError(field, `a position of this topic, which has ${partitions} partitions`, partition);
    starts[partition] = { after: point };
  }
  return starts;
}

function optionalFunction<F>(field: string, value: F | undefined): F | undefined {
  if (value === undefined || typeof value === "function") return value;
  throw new InvalidArgumentError(field, "a function", value);
}
