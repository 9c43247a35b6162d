/** What a shared subscription may be given. */
import { InvalidArgumentError } from "../../base/errors.ts";
import { type Duration, type OptionNames, parseOptions, toMs, toTimerMs, wholeBetween } from "../../base/options.ts";
import { type BackoffSettings, backoffSettings } from "../../core/retry/backoff.ts";
import type { TopicEnvelope } from "../message.ts";
import { type PaceSettings, paceSettings } from "../pace.ts";
import type { TopicBackoff, TopicBackoffFunction, TopicGap, TopicSubscribeCommonOptions } from "../subscription.ts";

export interface TopicSharedOptions extends Omit<TopicSubscribeCommonOptions, "backoff"> {
  readonly kind: "shared";
  /** How long a message that a consumer has is with no other; extended while its handler runs. @default "30s" */
  readonly visibility?: Duration;
  /** How many messages a consumer may hold beside those that its handlers have. It holds fewer while they are slow. @default 500 */
  readonly prefetch?: number;
  /** How often a consumer with nothing to do asks for messages of consumers that died. @default "5s" */
  readonly poll?: Duration;
  /** How long after a failure a message is delivered again; of a list one for each failure, the last for all that follow. */
  readonly backoff?: TopicBackoff | TopicBackoffFunction | readonly Duration[];
  /** Asked before a message is decoded: one that it refuses counts as handled. Where it throws, the handler gets the message. @default none */
  readonly filter?: (message: TopicEnvelope) => boolean;
  /** Called where messages are gone that nobody has handled. @default not called */
  readonly onGap?: (gap: TopicGap) => unknown;
  /** Called with what a handler, the filter, a back-off or `onGap` threw. @default not called */
  readonly onError?: (error: unknown) => void;
}

/** For a handler of many messages. */
export interface TopicSharedManyOptions extends TopicSharedOptions {
  /** Messages that a call is given, at most. @default 100 */
  readonly size?: number;
  /** For how long a call waits for more. @default 10 */
  readonly linger?: Duration;
}

export interface SharedSettings {
  readonly start: "start" | "end" | { readonly timeMs: number };
  readonly concurrency: number;
  readonly rate: PaceSettings | undefined;
  readonly maxDeliveries: number;
  readonly backoff: BackoffSettings;
  readonly drainMs: number;
  /** 0: never. */
  readonly expiresMs: number;
  readonly visibilityMs: number;
  readonly prefetch: number;
  readonly pollMs: number;
  readonly size: number;
  readonly lingerMs: number;
  readonly filter: ((message: TopicEnvelope) => boolean) | undefined;
  readonly onGap: TopicSharedOptions["onGap"];
  readonly onError: TopicSharedOptions["onError"];
}

const OPTIONS: OptionNames<TopicSharedOptions> = {
  kind: true,
  start: true,
  concurrency: true,
  rate: true,
  maxDeliveries: true,
  backoff: true,
  drain: true,
  expires: true,
  visibility: true,
  prefetch: true,
  poll: true,
  filter: true,
  onGap: true,
  onError: true,
};
const MANY_OPTIONS: OptionNames<TopicSharedManyOptions> = { ...OPTIONS, size: true, linger: true };

const MAX_CONCURRENCY = 10_000;
/** A delivery is a byte of a message's state on the server. */
const MAX_DELIVERIES = 200;
const MAX_VISIBILITY_MS = 12 * 3_600_000;
const MIN_EXPIRES_MS = 60_000;

export function sharedSettings(where: string, given: TopicSharedOptions): SharedSettings {
  return parseOptions(where, given, OPTIONS, (options) => settings(options, 1, 0, 10));
}

export function sharedManySettings(where: string, given: TopicSharedManyOptions): SharedSettings {
  return parseOptions(where, given, MANY_OPTIONS, ({ size = 100, linger = 10, ...options }) =>
    settings(options, wholeBetween("size", size, 1, 1_000), toTimerMs("linger", linger, 0), 1),
  );
}

function settings(options: TopicSharedOptions, size: number, lingerMs: number, calls: number): SharedSettings {
  const { concurrency = calls, maxDeliveries = 10, drain = "25s", expires = "30d", prefetch = 500 } = options;
  const { visibility = "30s", poll = "5s", backoff } = options;
  const visibilityMs = toTimerMs("visibility", visibility, 100);
  if (visibilityMs > MAX_VISIBILITY_MS)
    throw new InvalidArgumentError("visibility", "at most 12 hours: it is extended while a handler runs", visibility);
  return {
    start: startOf(options.start ?? "end"),
    concurrency: wholeBetween("concurrency", concurrency, 1, MAX_CONCURRENCY / size),
    rate: paceSettings(options.rate),
    maxDeliveries: wholeBetween("maxDeliveries", maxDeliveries, 1, MAX_DELIVERIES),
    backoff: isList(backoff) ? listed(backoff) : backoffSettings(backoff),
    drainMs: toTimerMs("drain", drain, 0),
    expiresMs: expires === false ? 0 : toMs("expires", expires, MIN_EXPIRES_MS),
    visibilityMs,
    prefetch: wholeBetween("prefetch", prefetch, 0, 10_000),
    pollMs: toTimerMs("poll", poll, 10),
    size,
    lingerMs,
    filter: checkFunction("filter", options.filter),
    onGap: checkFunction("onGap", options.onGap),
    onError: checkFunction("onError", options.onError),
  };
}

function startOf(start: NonNullable<TopicSharedOptions["start"]>): SharedSettings["start"] {
  if (start === "start" || start === "end") return start;
  const time = Object(start) as { readonly time?: unknown };
  const timeMs = time.time instanceof Date ? time.time.getTime() : time.time;
  if (typeof timeMs === "number" && Number.isFinite(timeMs)) return { timeMs };
  throw new InvalidArgumentError("start", '"start", "end" or { time }', start);
}

function isList(backoff: TopicSharedOptions["backoff"]): backoff is readonly Duration[] {
  return Array.isArray(backoff);
}

function listed(delays: readonly Duration[]): BackoffSettings {
  const all = delays.map((delay) => toMs("backoff", delay, 0));
  if (all.length === 0) throw new InvalidArgumentError("backoff", "at least one duration", delays);
  return backoffSettings((failures) => all[Math.min(failures, all.length) - 1]!);
}

function checkFunction<F>(field: string, given: F | undefined): F | undefined {
  if (given === undefined || typeof given === "function") return given;
  throw new InvalidArgumentError(field, "a function", given);
}
