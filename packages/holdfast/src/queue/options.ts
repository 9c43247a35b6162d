/** What a queue may be given. */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { type Duration, givenOptions, type OptionNames, toMs, toTimerMs, wholeBetween } from "../base/options.ts";
import type { CodecOptions } from "../core/codec/codec.ts";
import { type BackoffSettings, backoffSettings } from "../core/retry/backoff.ts";
import type { QueueBackoff, QueueBackoffFunction } from "./backoff.ts";
import { type DurabilitySettings, durabilitySettings, type QueueDurability } from "./durability.ts";
import { type KeepSettings, keepSettings, type QueueKeep } from "./jobs/keep.ts";

export interface QueueOptions<Payload, Result> extends Pick<
  CodecOptions<unknown>,
  "serializer" | "compress" | "encrypt"
> {
  /** Checks payloads as they are added and as they are read. Any synchronous Standard Schema. @default no check */
  readonly payload?: StandardSchemaV1<unknown, Payload>;
  /** Checks results. @default no check */
  readonly result?: StandardSchemaV1<unknown, Result>;
  /** How often a job is run before it is dead, the first time included; failures count, crashes of workers do not. @default 5 */
  readonly attempts?: number;
  readonly backoff?: QueueBackoff | QueueBackoffFunction;
  /** A job whose worker died this often while it ran is dead: it may be what kills them. @default 3 */
  readonly maxCrashes?: number;
  /** Longest run of a handler: then the job's signal aborts and the run counts as a failure. @default none */
  readonly runTimeout?: Duration;
  /** How long a result waits for `job.result()`. @default "1m" */
  readonly resultTtl?: Duration;
  /** Which jobs that are over are kept. @default none that ended well, the last 100,000 dead ones */
  readonly keep?: QueueKeep;
  /**
   * Over how many slots the queue is spread, 1 to 1,024: in a cluster so many primaries may share it. The same in all processes; to change
   * it, let the queue run empty first. Order holds within a partition. @default 1
   */
  readonly partitions?: number;
  /** How many jobs may wait or be delayed, counted exactly as jobs are added; in a queue of several partitions each has its part. @default no limit */
  readonly maxWaiting?: number;
  /** Notes what happens to jobs for `queue.events()`; the same in all processes. @default none */
  readonly events?: QueueEventsNoted;
  /** Of each job that is added, unless its `add` says otherwise. @default none */
  readonly durability?: QueueDurability;
  /** Deadline of each operation on the server. @default the handle's `timeout` */
  readonly timeout?: Duration;
}

export interface QueueEventsNoted {
  /** About how many events are kept, in each partition: 100 to 10,000,000. @default 10,000 */
  readonly max?: number;
}

export interface QueueSettings {
  readonly attempts: number;
  readonly backoff: BackoffSettings;
  readonly maxCrashes: number;
  readonly runTimeoutMs: number | undefined;
  readonly resultTtlMs: number;
  readonly keep: KeepSettings;
  readonly partitions: number;
  /** 0: any number. */
  readonly maxWaiting: number;
  /** How many are kept; 0: none are noted. */
  readonly events: number;
  readonly durability: DurabilitySettings | undefined;
  readonly timeoutMs: number | undefined;
}

export const QUEUE_OPTIONS: OptionNames<QueueOptions<unknown, unknown>> = {
  payload: true,
  result: true,
  serializer: true,
  compress: true,
  encrypt: true,
  attempts: true,
  backoff: true,
  maxCrashes: true,
  runTimeout: true,
  resultTtl: true,
  keep: true,
  partitions: true,
  maxWaiting: true,
  events: true,
  durability: true,
  timeout: true,
};
const EVENTS_NOTED: OptionNames<QueueEventsNoted> = { max: true };

export const MAX_ATTEMPTS = 1_000;
const MAX_PARTITIONS = 1_024;
const MAX_WAITING = 1_000_000_000;
const MIN_EVENTS = 100;
const MAX_EVENTS = 10_000_000;
const EVENTS = 10_000;

export function queueSettings(options: QueueOptions<never, never>): QueueSettings {
  const { attempts = 5, maxCrashes = 3, partitions = 1, maxWaiting, runTimeout, timeout } = options;
  return {
    attempts: wholeBetween("attempts", attempts, 1, MAX_ATTEMPTS),
    backoff: backoffSettings(options.backoff),
    maxCrashes: wholeBetween("maxCrashes", maxCrashes, 0, MAX_ATTEMPTS),
    runTimeoutMs: runTimeout === undefined ? undefined : toTimerMs("runTimeout", runTimeout),
    resultTtlMs: toMs("resultTtl", options.resultTtl ?? "1m"),
    events: options.events === undefined ? 0 : eventsNoted(options.events),
    durability: options.durability === undefined ? undefined : durabilitySettings(options.durability),
    keep: keepSettings(options.keep),
    partitions: wholeBetween("partitions", partitions, 1, MAX_PARTITIONS),
    maxWaiting: maxWaiting === undefined ? 0 : wholeBetween("maxWaiting", maxWaiting, partitions, MAX_WAITING),
    timeoutMs: timeout === undefined ? undefined : toTimerMs("timeout", timeout),
  };
}

function eventsNoted(given: QueueEventsNoted): number {
  const { max = EVENTS } = givenOptions(given, EVENTS_NOTED, "events");
  return wholeBetween("events.max", max, MIN_EVENTS, MAX_EVENTS);
}
