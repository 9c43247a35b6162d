/** What ordered subscriptions may be given. */
import { InvalidArgumentError } from "../../base/errors.ts";
import {
  type Duration,
  type OptionNames,
  parseOptions,
  timeOf,
  toMs,
  toTimerMs,
  wholeBetween,
} from "../../base/options.ts";
import { type BackoffSettings, backoffSettings } from "../../core/retry/backoff.ts";
import { checkText } from "../../core/keyspace/keyspace.ts";
import type { TopicEnvelope } from "../message.ts";
import { type PaceSettings, paceSettings } from "../pace.ts";
import type { TopicGap, TopicSubscribeCommonOptions } from "../subscription.ts";

export interface TopicOrderedOptions extends TopicSubscribeCommonOptions {
  readonly kind?: "ordered";
  readonly transactional?: false;
  /** What becomes of a message whose deliveries are used up, or that cannot be decoded: `stop` ends this subscription in front of it. @default "dead" */
  readonly onExhausted?: "dead" | "skip" | "stop";
  /** Asked before a message is decoded: one that it refuses counts as done. It must not throw. */
  readonly filter?: (message: TopicEnvelope) => boolean;
  /** Name of this member, the same after a restart, so that it gets its partitions back at once. @default a new one */
  readonly id?: string;
  /** How long a process that is gone keeps its partitions. @default "30s" */
  readonly lease?: Duration;
  /** Messages of a partition that may be read and not committed: at most as many are delivered again after a crash. @default 1_000 */
  readonly window?: number;
  /** Called where messages are missing; what it returns is awaited before the next message. @default not called */
  readonly onGap?: (gap: TopicGap) => unknown;
  /** Called with what a handler, the filter or `onGap` threw. @default not called */
  readonly onError?: (error: unknown) => void;
}

/** A subscription with a state of its own, which is written together with its cursor. The same in all processes. */
export interface TopicTransactionalOptions extends Omit<TopicOrderedOptions, "transactional"> {
  /** Messages of a partition, with or without a key, are handled one after the other, and `context.state` is changed once by each. */
  readonly transactional: true;
  /** The most names that the state of a partition has, 1 to 10,000,000. @default 100_000 */
  readonly maxNames?: number;
}

export interface TopicTransactionalManyOptions extends TopicTransactionalOptions {
  /** How many messages a call of the handler is given, at most, 1 to 1,000; all of them of one partition. @default 100 */
  readonly size?: number;
  /** For how long a call waits for more messages, after the first one. @default 10 */
  readonly linger?: Duration;
}

export interface TopicOrderedManyOptions extends TopicOrderedOptions {
  /** How many messages a call of the handler is given, at most, 1 to 1,000; all of them of one partition. @default 100 */
  readonly size?: number;
  /** For how long a call waits for more messages, after the first one. @default 10 */
  readonly linger?: Duration;
}

export interface OrderedSettings {
  readonly start: "start" | "end" | { readonly timeMs: number };
  readonly concurrency: number;
  readonly rate: PaceSettings | undefined;
  readonly maxDeliveries: number;
  readonly backoff: BackoffSettings;
  readonly drainMs: number;
  /** 0: for ever. */
  readonly keepMs: number;
  readonly onExhausted: "dead" | "skip" | "stop";
  readonly filter: TopicOrderedOptions["filter"];
  readonly id: string | undefined;
  readonly leaseMs: number;
  readonly window: number;
  readonly onGap: TopicOrderedOptions["onGap"];
  readonly onError: TopicOrderedOptions["onError"];
  readonly size: number;
  readonly lingerMs: number;
  readonly transactional: boolean;
  readonly maxNames: number;
}

type AnyOptions = Omit<TopicOrderedOptions, "transactional"> & {
  readonly transactional?: boolean;
  readonly maxNames?: number;
};
type AnyManyOptions = AnyOptions & Pick<TopicOrderedManyOptions, "size" | "linger">;

const OPTIONS: OptionNames<AnyOptions> = {
  kind: true,
  transactional: true,
  maxNames: true,
  start: true,
  concurrency: true,
  rate: true,
  maxDeliveries: true,
  backoff: true,
  drain: true,
  expires: true,
  onExhausted: true,
  filter: true,
  id: true,
  lease: true,
  window: true,
  onGap: true,
  onError: true,
};
const MANY_OPTIONS: OptionNames<AnyManyOptions> = { ...OPTIONS, size: true, linger: true };

const MAX_CONCURRENCY = 10_000;
const MAX_WINDOW = 1_000_000;
const MAX_SIZE = 1_000;
const MAX_MAX_NAMES = 10_000_000;
const MAX_NAME_LENGTH = 256;
const EXHAUSTED: readonly string[] = ["dead", "skip", "stop"];

export function orderedSettings(where: string, given: AnyOptions | undefined): OrderedSettings {
  return parseOptions(where, given, OPTIONS, (options) => parsed(options));
}

export function orderedManySettings(where: string, given: AnyManyOptions | undefined): OrderedSettings {
  return parseOptions(where, given, MANY_OPTIONS, (options) => ({
    ...parsed({ concurrency: 1, ...options }),
    size: wholeBetween("size", options.size ?? 100, 1, MAX_SIZE),
    lingerMs: toTimerMs("linger", options.linger ?? 10, 0),
  }));
}

function parsed(options: AnyOptions): OrderedSettings {
  const { concurrency = 10, maxDeliveries = 10, onExhausted = "dead", window = 1_000 } = options;
  const { start = "end", expires = "30d", drain = "25s", lease = "30s", id } = options;
  if (!EXHAUSTED.includes(onExhausted))
    throw new InvalidArgumentError("onExhausted", '"dead", "skip" or "stop"', onExhausted);
  return {
    start: checkStart(start),
    concurrency: wholeBetween("concurrency", concurrency, 1, MAX_CONCURRENCY),
    rate: paceSettings(options.rate),
    maxDeliveries: wholeBetween("maxDeliveries", maxDeliveries, 1, Number.MAX_SAFE_INTEGER),
    backoff: backoffSettings(options.backoff),
    drainMs: toTimerMs("drain", drain, 0),
    keepMs: expires === false ? 0 : toMs("expires", expires, 60_000),
    onExhausted,
    filter: optionalFunction("filter", options.filter),
    id: id === undefined ? undefined : checkText("id", id, MAX_NAME_LENGTH),
    leaseMs: toTimerMs("lease", lease, 1_000),
    window: wholeBetween("window", window, 1, MAX_WINDOW),
    onGap: optionalFunction("onGap", options.onGap),
    onError: optionalFunction("onError", options.onError),
    size: 1,
    lingerMs: 0,
    ...transactionalSettings(options),
  };
}

function transactionalSettings({ transactional = false, maxNames }: AnyOptions) {
  if (typeof transactional !== "boolean")
    throw new InvalidArgumentError("transactional", "true or false", transactional);
  if (maxNames !== undefined && !transactional)
    throw new InvalidArgumentError("maxNames", "none without `transactional: true`", maxNames);
  return { transactional, maxNames: wholeBetween("maxNames", maxNames ?? 100_000, 1, MAX_MAX_NAMES) };
}

function checkStart(start: unknown): OrderedSettings["start"] {
  if (start === "start" || start === "end") return start;
  if (typeof start === "object" && start !== null && "time" in start)
    return { timeMs: timeOf("start.time", start.time as Date | number) };
  throw new InvalidArgumentError("start", '"start", "end" or { time }', start);
}

function optionalFunction<F>(field: string, value: F | undefined): F | undefined {
  if (value === undefined || typeof value === "function") return value;
  throw new InvalidArgumentError(field, "a function", value);
}
