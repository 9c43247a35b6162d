import type { StandardSchemaV1 } from "@standard-schema/spec";
import { type Codec, CODEC_OPTIONS, type CodecOptions } from "../core/codec/codec.ts";
import type { Core } from "../core/core.ts";
import { checkSignal } from "../base/abort.ts";
import { InvalidArgumentError } from "../base/errors.ts";
import { checkText } from "../core/keyspace/keyspace.ts";
import { type Duration, type OptionNames, parseOptions, toTimerMs, wholeBetween } from "../base/options.ts";

export interface ChannelPatternOptions<T> extends CodecOptions<T> {
  /** Deadline of each operation on the server. @default the handle's `timeout` */
  readonly timeout?: Duration;
}

export interface ChannelOptions<T, R = unknown> extends ChannelPatternOptions<T> {
  /** A synchronous Standard Schema of the replies to requests, checked where they are sent and where they arrive. @default no validation */
  readonly reply?: StandardSchemaV1<unknown, R>;
  /**
   * SPUBLISH and SSUBSCRIBE: in a cluster a message goes only to the nodes of the channel's slot, not to all. Publishers
   * and subscribers must agree on it, and patterns do not see such a channel.
   * @default false
   */
  readonly sharded?: boolean;
}

/** Messages are missing at this place. Told in its order among the messages. */
export interface ChannelGap {
  /** Messages given up here because the buffer was full. */
  readonly dropped: number;
  /** The subscription was lost for a time: nobody knows how many messages were missed. */
  readonly disconnected: boolean;
  /** Why the subscription was lost; undefined where only the buffer was full. */
  readonly cause: unknown;
}

/** A message as it came. */
export interface ChannelRawMessage {
  /** Name of the channel, without the handle's prefix. */
  readonly channel: string;
  readonly payload: Buffer;
}

export type ChannelOverflow = "drop-oldest" | "drop-newest" | "error";

export interface ChannelMessagesOptions {
  /** Messages that may wait for a slow consumer. One read of the socket alone can bring a thousand. @default 10_000 */
  readonly capacity?: number;
  /**
   * What happens to a message for which there is no room. `error`: the subscription ends; what had come before is still
   * delivered, then comes an OVERLOADED error.
   * @default "drop-oldest"
   */
  readonly onOverflow?: ChannelOverflow;
  /** Called where messages are missing; what it returns is awaited before the next message. @default not called */
  readonly onGap?: (gap: ChannelGap) => unknown;
  /**
   * Called with a message that could not be decoded (CodecError), or whose handler failed. The subscription goes on.
   * `message` is undefined where the error is not about one: an overflow, or an `onGap` that failed.
   * @default the first error of a subscription is emitted as a process warning
   */
  readonly onError?: (error: unknown, message: ChannelRawMessage | undefined) => void;
  /** Ends the subscription, as `close()` does. @default none */
  readonly signal?: AbortSignal;
}

export interface ChannelSubscribeOptions extends ChannelMessagesOptions {
  /** Handlers that may run at one time. With 1 messages are handled one after the other, in order. @default 1 */
  readonly concurrency?: number;
  /** How long `close()` waits for handlers in flight; then their signal fires, and threads are ended. @default "5s" */
  readonly closeTimeout?: Duration;
  /** With a module instead of a handler: how many threads run it, each one message at a time; `concurrency` is then the same. @default 1 */
  readonly threads?: number;
}

/** A channel's or a pattern's own options. */
export interface ChannelSettings<T, R = unknown> {
  readonly codec: Codec<T>;
  readonly replies: Codec<R>;
  /** Of refusals: without anybody's schema. */
  readonly failures: Codec<{ readonly code: string; readonly message: string }>;
  readonly timeoutMs: number;
  readonly sharded: boolean;
}

/** What a subscription does with what comes in. */
export interface Consumption {
  readonly capacity: number;
  readonly onOverflow: ChannelOverflow;
  readonly onGap: ChannelMessagesOptions["onGap"];
  readonly onError: ChannelMessagesOptions["onError"];
  readonly signal: ChannelMessagesOptions["signal"];
}

export interface Handling {
  readonly concurrency: number;
  readonly threads: number | undefined;
  readonly closeTimeoutMs: number;
}

const PATTERN_OPTIONS: OptionNames<ChannelPatternOptions<unknown>> = { ...CODEC_OPTIONS, timeout: true };
const OPTIONS: OptionNames<ChannelOptions<unknown>> = { ...PATTERN_OPTIONS, sharded: true, reply: true };
const MESSAGES_OPTIONS: OptionNames<ChannelMessagesOptions> = {
  capacity: true,
  onOverflow: true,
  onGap: true,
  onError: true,
  signal: true,
};
const SUBSCRIBE_OPTIONS: OptionNames<ChannelSubscribeOptions> = {
  ...MESSAGES_OPTIONS,
  concurrency: true,
  closeTimeout: true,
  threads: true,
};

const OVERFLOWS: readonly ChannelOverflow[] = ["drop-oldest", "drop-newest", "error"];
const MAX_NAME_LENGTH = 1024;
const MAX_THREADS = 256;

export function channelSettings<T, R>(core: Core, label: string, given?: ChannelOptions<T, R>): ChannelSettings<T, R> {
  return settings(core, label, given, OPTIONS);
}

export function patternSettings<T>(core: Core, label: string, given?: ChannelPatternOptions<T>): ChannelSettings<T> {
  return settings(core, label, given, PATTERN_OPTIONS as typeof OPTIONS);
}

export function consumption(label: string, given?: ChannelMessagesOptions): Consumption {
  return parseOptions(label, given, MESSAGES_OPTIONS, consuming);
}

export function handling(label: string, given?: ChannelSubscribeOptions): Consumption & Handling {
  return parseOptions(label, given, SUBSCRIBE_OPTIONS, (options) => ({
    ...consuming(options),
    concurrency: atLeastOne("concurrency", options.concurrency ?? 1),
    threads: options.threads === undefined ? undefined : wholeBetween("threads", options.threads, 1, MAX_THREADS),
    closeTimeoutMs: toTimerMs("closeTimeout", options.closeTimeout ?? "5s", 0),
  }));
}

export function checkName(field: string, name: string): string {
  return checkText(field, name, MAX_NAME_LENGTH);
}

function settings<T, R>(
  core: Core,
  label: string,
  given: ChannelOptions<T, R> | undefined,
  names: OptionNames<ChannelOptions<unknown>>,
): ChannelSettings<T, R> {
  return parseOptions(label, given as ChannelOptions<unknown> | undefined, names, (options) => {
    const { sharded = false, timeout, reply, ...codec } = options;
    if (typeof sharded !== "boolean") throw new InvalidArgumentError("sharded", "true or false", sharded);
    return {
      codec: core.codec<T>(codec as ChannelOptions<T>),
      replies: core.codec<R>({ ...codec, schema: reply } as CodecOptions<R>),
      failures: core.codec({ encrypt: codec.encrypt, serializer: "json" }),
      timeoutMs: timeout === undefined ? core.driver.timeoutMs : toTimerMs("timeout", timeout),
      sharded,
    };
  });
}

function consuming(options: ChannelMessagesOptions): Consumption {
  const { capacity = 10_000, onOverflow = "drop-oldest", onGap, onError, signal } = options;
  if (!OVERFLOWS.includes(onOverflow)) {
    throw new InvalidArgumentError("onOverflow", OVERFLOWS.map((each) => `"${each}"`).join(", "), onOverflow);
  }
  return {
    capacity: atLeastOne("capacity", capacity),
    onOverflow,
    onGap: optionalFunction("onGap", onGap),
    onError: optionalFunction("onError", onError),
    signal: checkSignal(signal),
  };
}

function atLeastOne(field: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new InvalidArgumentError(field, "a whole number of at least 1", value);
}

function optionalFunction<F>(field: string, value: F | undefined): F | undefined {
  if (value === undefined || typeof value === "function") return value;
  throw new InvalidArgumentError(field, "a function", value);
}
