/** What a queue, a job, a worker and a call may be given. Longer than other files because each option says what it does. */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { InvalidArgumentError } from "../base/errors.ts";
import { type Duration, givenOptions, type OptionNames, toMs, toTimerMs, wholeBetween } from "../base/options.ts";
import type { CodecOptions } from "../core/codec/codec.ts";
import { type DurabilitySettings, durabilitySettings, type QueueDurability } from "./durability.ts";
import { checkChildren, type QueueChild, type QueueOnDead } from "./flows/child.ts";
import { expiryOf, type QueueUnique, tagsOf, uniqueSettings, type UniqueSettings } from "./jobs/adding.ts";
import { type KeepSettings, keepSettings, type QueueKeep } from "./jobs/keep.ts";
import { type TraceContext, traceText } from "../core/observe/trace.ts";
import { checkName } from "./check-name.ts";

export { checkName } from "./check-name.ts";

export type QueuePriority = "high" | "normal" | "low";

/**
 * A back-off of your own: how long after the failure the job runs again. `failures` is 1 after the first one. Where it throws, or returns no duration, it is as
 * by default.
 */
export type QueueBackoffFunction = (failures: number, error: unknown) => Duration;

/** How long after a failure a job runs again. */
export interface QueueBackoff {
  /** `exponential` doubles the delay with each failure. @default "exponential" */
  readonly type?: "fixed" | "exponential";
  /** After the first failure. @default "1s" */
  readonly delay?: Duration;
  /** The longest one. @default "1h" */
  readonly max?: Duration;
  /** Part of the delay, 0 to 1, by which it is randomly shortened, so that what failed together does not come back together. @default 0.2 */
  readonly jitter?: number;
}

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

export interface QueueAddOptions<Name extends string = string> {
  /** Which of a worker's handlers runs it, 1 to 200 characters. @default none */
  readonly name?: Name;
  /** 1 to 200 characters. A job with this id that is not over is left as it is: `duplicate`. @default a random one */
  readonly id?: string;
  /** In a queue of several partitions: jobs of one key are in the same partition, in their order. */
  readonly key?: string;
  /** Whose job it is, 1 to 200 characters: groups share the workers by their weights, and may have limits (`queue.groups`). @default none */
  readonly group?: string;
  /** Where a limit on what waits is reached: for how long to wait for room, before the answer is `full`. @default not at all */
  readonly wait?: Duration;
  /** Runs no sooner than this long after now, by the server's clock. */
  readonly delay?: Duration;
  /** Runs no sooner than this: a Date, or milliseconds since 1970. */
  readonly at?: Date | number;
  /** Lanes, each emptied before the next one. @default "normal" */
  readonly priority?: QueuePriority;
  /** While a job with this key is not over, no other one is added; with `for`, for so long after it was added. */
  readonly unique?: string | QueueUnique;
  /** Instead of the queue's. */
  readonly attempts?: number;
  /** Keeps the handler's result for `job.result()`. @default false */
  readonly result?: boolean;
  /** A job that has not started by then ends `expired` and never runs: a duration from when it was added, or a Date. @default never */
  readonly expires?: Duration | Date;
  /** What `queue.where({ tag })` finds it by; up to 10. */
  readonly tags?: readonly string[];
  /** The trace that its handler goes on with: W3C headers. @default the caller's, by the handle's `trace` hooks; else none */
  readonly trace?: TraceContext;
  /** Made by `queue.child()`, of this queue or others: they run first, and this job waits for them. At most 10,000 in all. */
  readonly children?: readonly QueueChild[];
  /** Waits until replicas or the disk have the job; what was reached is the result's `durability`. @default the queue's */
  readonly durability?: QueueDurability;
}

/** Of a job that another one waits for. */
export interface QueueChildOptions extends Omit<QueueAddOptions, "id" | "unique" | "wait" | "durability"> {
  /**
   * What those that wait for this job do when it is dead: `fail` (are dead too), `ignore` (go on when all have ended) or
   * `continue` (start at once, though others have not ended). @default "fail"
   */
  readonly onDead?: QueueOnDead;
}

/** One `id` cannot be that of many jobs. */
export type QueueAddManyOptions = Omit<QueueAddOptions, "id" | "children">;

export interface QueueWorkOptions {
  /** How many jobs run at once in this worker. @default 10 */
  readonly concurrency?: number;
  /** How long a worker's jobs outlive its process, or its connection. Renewed while it lives. @default "30s" */
  readonly lease?: Duration;
  /** How often a worker with nothing to do looks by itself, should a wake-up be lost. @default "5s" */
  readonly poll?: Duration;
  /** How long `close()` waits for running handlers, before their signals abort and their jobs wait again. @default "25s" */
  readonly drain?: Duration;
  /** What jobs of an old name are called now: `{ old: "new" }`; the handler for "new" runs both. */
  readonly aliases?: Readonly<Record<string, string>>;
  /** `empty`: the worker closes by itself once no job waits and it runs none; delayed ones, and retries that are not due yet, are left. */
  readonly until?: "empty";
  /** With a module instead of a handler: how many threads run it, each one job at a time; `concurrency` is then the same. @default 1 */
  readonly threads?: number;
}

export interface QueueWorkManyOptions extends Omit<QueueWorkOptions, "concurrency" | "aliases" | "threads"> {
  /** How many jobs a call of the handler is given, at most, 1 to 1,000. @default 100 */
  readonly size?: number;
  /** For how long a call waits for more jobs, after the first one; 0: for none but those that are claimed with it. @default 10 */
  readonly linger?: Duration;
  /** How many calls of the handler run at once; times `size` at most 10,000. @default 1 */
  readonly concurrency?: number;
  /** The jobs of one call have the same group, or none. @default false */
  readonly oneGroup?: boolean;
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

export interface BackoffSettings {
  readonly factor: 1 | 2;
  readonly delayMs: number;
  readonly maxMs: number;
  readonly jitter: number;
  readonly custom: QueueBackoffFunction | undefined;
}

export interface WorkSettings {
  readonly concurrency: number;
  readonly leaseMs: number;
  readonly pollMs: number;
  readonly drainMs: number;
  readonly aliases: Readonly<Record<string, string>>;
  readonly untilEmpty: boolean;
  /** Undefined: not given. */
  readonly threads: number | undefined;
}

export interface AddSettings extends UniqueSettings {
  readonly name: string | undefined;
  readonly id: string | undefined;
  readonly key: string | undefined;
  /** 1 to 3; 4 to 6 in a group. */
  readonly lane: number;
  readonly group: string | undefined;
  readonly waitMs: number;
  /** Empty, `+milliseconds` from now, or milliseconds since 1970. */
  readonly due: string;
  readonly attempts: number | undefined;
  readonly result: boolean;
  readonly children: readonly QueueChild[];
  readonly durability: DurabilitySettings | undefined;
  /** A number: milliseconds after it was added; a text: milliseconds since 1970. */
  readonly expires: number | string | undefined;
  readonly tags: readonly string[];
  readonly trace: string | undefined;
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
export const ADD_MANY_OPTIONS: OptionNames<QueueAddManyOptions> = {
  name: true,
  key: true,
  group: true,
  wait: true,
  delay: true,
  at: true,
  priority: true,
  unique: true,
  attempts: true,
  result: true,
  durability: true,
  expires: true,
  tags: true,
  trace: true,
};
export const ADD_OPTIONS: OptionNames<QueueAddOptions> = { id: true, children: true, ...ADD_MANY_OPTIONS };
export const CHILD_OPTIONS: OptionNames<QueueChildOptions> = {
  children: true,
  onDead: true,
  name: true,
  key: true,
  group: true,
  delay: true,
  at: true,
  priority: true,
  attempts: true,
  result: true,
  expires: true,
  tags: true,
  trace: true,
};
const EVENTS_NOTED: OptionNames<QueueEventsNoted> = { max: true };
const BACKOFF_OPTIONS: OptionNames<QueueBackoff> = { type: true, delay: true, max: true, jitter: true };
export const WORK_OPTIONS: OptionNames<QueueWorkOptions> = {
  concurrency: true,
  lease: true,
  poll: true,
  drain: true,
  aliases: true,
  until: true,
  threads: true,
};

export const WORK_MANY_OPTIONS: OptionNames<QueueWorkManyOptions> = {
  size: true,
  linger: true,
  concurrency: true,
  oneGroup: true,
  lease: true,
  poll: true,
  drain: true,
  until: true,
};

const LANES = { high: 1, normal: 2, low: 3 } as const;
const MAX_ATTEMPTS = 1_000;
const MAX_THREADS = 256;
export const MAX_CONCURRENCY = 10_000;
const MAX_PARTITIONS = 1_024;
const MAX_WAITING = 1_000_000_000;
const MIN_EVENTS = 100;
const MAX_EVENTS = 10_000_000;
const EVENTS = 10_000;
/** What is added to the lane of a job that has a group. */
const IN_GROUP = 3;

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

function backoffSettings(options: QueueBackoff | QueueBackoffFunction | undefined): BackoffSettings {
  const custom = typeof options === "function" ? options : undefined;
  const given = typeof options === "function" ? undefined : options;
  const {
    type = "exponential",
    delay = "1s",
    max = "1h",
    jitter = 0.2,
  } = givenOptions(given, BACKOFF_OPTIONS, "backoff");
  if (type !== "fixed" && type !== "exponential")
    throw new InvalidArgumentError("backoff.type", '"fixed" or "exponential"', type);
  if (typeof jitter !== "number" || !(jitter >= 0 && jitter <= 1))
    throw new InvalidArgumentError("backoff.jitter", "a number from 0 to 1", jitter);
  return {
    factor: type === "fixed" ? 1 : 2,
    delayMs: toMs("backoff.delay", delay, 0),
    maxMs: toMs("backoff.max", max, 0),
    jitter,
    custom,
  };
}

export function workSettings({
  concurrency = 10,
  lease = "30s",
  poll = "5s",
  drain = "25s",
  aliases,
  until,
  threads,
}: QueueWorkOptions): WorkSettings {
  if (until !== undefined && until !== "empty") throw new InvalidArgumentError("until", '"empty"', until);
  return {
    concurrency: wholeBetween("concurrency", concurrency, 1, MAX_CONCURRENCY),
    leaseMs: toTimerMs("lease", lease, 1_000),
    pollMs: toTimerMs("poll", poll, 10),
    drainMs: toTimerMs("drain", drain, 0),
    aliases: checkAliases(aliases),
    untilEmpty: until === "empty",
    threads: threads === undefined ? undefined : wholeBetween("threads", threads, 1, MAX_THREADS),
  };
}

export function addSettings(options: QueueAddOptions): AddSettings {
  const { name, id, key, group, wait, priority = "normal", unique, attempts, result = false } = options;
  if (typeof result !== "boolean") throw new InvalidArgumentError("result", "a boolean", result);
  const children = options.children === undefined ? [] : checkChildren("children", options.children);
  const due = dueOf(options);
  const taken = uniqueSettings(unique, due !== "" || group !== undefined);
  if (options.durability !== undefined && taken.uniqueMode !== "" && taken.uniqueMode !== "s")
    throw new InvalidArgumentError(
      "durability",
      "nothing beside a mode of `unique` that changes other jobs",
      undefined,
    );
  if (children.length > 0 && due !== "")
    throw new InvalidArgumentError("children", "no time beside it: the job runs when they have ended", undefined);
  if (children.length > 0 && wait !== undefined)
    throw new InvalidArgumentError("wait", "nothing beside `children`: a flow is not counted against limits", wait);
  if (children.length > 0 && options.durability !== undefined)
    throw new InvalidArgumentError("children", "no `durability` beside it", undefined);
  if (children.length > 0 && unique !== undefined)
    throw new InvalidArgumentError("children", "an `id` beside it, rather than `unique`", undefined);
  return {
    name: name === undefined ? undefined : checkName("name", name),
    ...taken,
    id: id === undefined ? undefined : checkName("id", id),
    key: key === undefined ? undefined : checkName("key", key),
    lane: laneOf(priority) + (group === undefined ? 0 : IN_GROUP),
    group: group === undefined ? undefined : checkGroup(group),
    waitMs: wait === undefined ? 0 : toTimerMs("wait", wait, 0),
    due,
    attempts: attempts === undefined ? undefined : wholeBetween("attempts", attempts, 1, MAX_ATTEMPTS),
    result,
    expires: expiryOf(options.expires),
    tags: tagsOf(options.tags),
    trace: options.trace === undefined ? undefined : traceText(options.trace),
    children,
    durability: options.durability === undefined ? undefined : durabilitySettings(options.durability),
  };
}

export function laneOf(priority: QueuePriority): 1 | 2 | 3 {
  if (Object.hasOwn(LANES, priority)) return LANES[priority];
  throw new InvalidArgumentError("priority", '"high", "normal" or "low"', priority);
}

export function dueOf({ delay, at }: Pick<QueueAddOptions, "delay" | "at">): string {
  if (delay !== undefined && at !== undefined)
    throw new InvalidArgumentError("at", "nothing beside `delay`, which says the same", at);
  if (delay !== undefined) return `+${toMs("delay", delay, 0)}`;
  if (at === undefined) return "";
  const ms = at instanceof Date ? at.getTime() : at;
  if (Number.isFinite(ms) && ms >= 0 && ms <= Number.MAX_SAFE_INTEGER) return String(Math.round(ms));
  throw new InvalidArgumentError("at", "a Date or milliseconds since 1970", at);
}

export function checkGroup(group: unknown): string {
  if (group === "*")
    throw new InvalidArgumentError("group", 'another name than "*", which stands for all groups', group);
  return checkName("group", group);
}

export function checkAliases(given: unknown): Readonly<Record<string, string>> {
  if (given === undefined) return {};
  if (typeof given !== "object" || given === null || Array.isArray(given))
    throw new InvalidArgumentError("aliases", 'an object such as { old: "new" }', given);
  return Object.fromEntries(Object.entries(given).map(([old, name]) => [old, checkName(`aliases.${old}`, name)]));
}
