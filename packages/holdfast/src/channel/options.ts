import type { CodecOptions } from "../core/codec/codec.ts";
import { InvalidArgumentError } from "../base/errors.ts";
import { checkText } from "../core/keyspace/keyspace.ts";
import { type Duration, toTimerMs } from "../base/options.ts";

export interface ChannelPatternOptions<T> extends CodecOptions<T> {
  /** Deadline of each operation on the server. @default the handle's `timeout` */
  readonly timeout?: Duration;
}

export interface ChannelOptions<T> extends ChannelPatternOptions<T> {
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
export interface RawMessage {
  /** Name of the channel, without the handle's prefix. */
  readonly channel: string;
  readonly payload: Buffer;
}

export type OverflowPolicy = "drop-oldest" | "drop-newest" | "error";

export interface MessagesOptions {
  /** Messages that may wait for a slow consumer. One read of the socket alone can bring a thousand. @default 10_000 */
  readonly capacity?: number;
  /**
   * What happens to a message for which there is no room. `error`: the subscription ends; what had come before is still
   * delivered, then comes an OVERLOADED error.
   * @default "drop-oldest"
   */
  readonly onOverflow?: OverflowPolicy;
  /** Called where messages are missing; what it returns is awaited before the next message. @default not told */
  readonly onGap?: (gap: ChannelGap) => unknown;
  /**
   * Called with a message that could not be decoded (CodecError), or whose handler failed. The subscription goes on.
   * `message` is undefined where the error is not about one: an overflow, or an `onGap` that failed.
   * @default the first error of a subscription is emitted as a process warning
   */
  readonly onError?: (error: unknown, message: RawMessage | undefined) => void;
  /** Ends the subscription, as `close()` does. @default none */
  readonly signal?: AbortSignal;
}

export interface SubscribeOptions extends MessagesOptions {
  /** Handlers that may run at one time. With 1 messages are handled one after the other, in order. @default 1 */
  readonly concurrency?: number;
  /** How long `close()` waits for handlers in flight; then their signal fires. @default "5s" */
  readonly closeTimeout?: Duration;
}

export interface Consumption {
  readonly capacity: number;
  readonly onOverflow: OverflowPolicy;
  readonly onGap: MessagesOptions["onGap"];
  readonly onError: MessagesOptions["onError"];
  readonly signal: MessagesOptions["signal"];
}

const POLICIES: readonly OverflowPolicy[] = ["drop-oldest", "drop-newest", "error"];
const MAX_NAME_LENGTH = 1024;

export function consumption(options: MessagesOptions): Consumption {
  const { capacity = 10_000, onOverflow = "drop-oldest", onGap, onError, signal } = options;
  if (!POLICIES.includes(onOverflow)) {
    throw new InvalidArgumentError("onOverflow", POLICIES.map((policy) => `"${policy}"`).join(", "), onOverflow);
  }
  return {
    capacity: atLeastOne("capacity", capacity),
    onOverflow,
    onGap: optionalFunction("onGap", onGap),
    onError: optionalFunction("onError", onError),
    signal: optionalSignal(signal),
  };
}

export function handling(options: SubscribeOptions): { concurrency: number; closeTimeoutMs: number } {
  return {
    concurrency: atLeastOne("concurrency", options.concurrency ?? 1),
    closeTimeoutMs: toTimerMs("closeTimeout", options.closeTimeout ?? "5s", 0),
  };
}

export function checkName(field: string, name: string): string {
  return checkText(field, name, MAX_NAME_LENGTH);
}

export function isSharded({ sharded = false }: Pick<ChannelOptions<unknown>, "sharded">): boolean {
  if (typeof sharded === "boolean") return sharded;
  throw new InvalidArgumentError("sharded", "true or false", sharded);
}

function atLeastOne(field: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new InvalidArgumentError(field, "a whole number of at least 1", value);
}

function optionalFunction<F>(field: string, value: F | undefined): F | undefined {
  if (value === undefined || typeof value === "function") return value;
  throw new InvalidArgumentError(field, "a function", value);
}

function optionalSignal(signal: AbortSignal | undefined): AbortSignal | undefined {
  if (signal === undefined || signal instanceof AbortSignal) return signal;
  throw new InvalidArgumentError("signal", "an AbortSignal", signal);
}
