/** What a worker may be given. */
import { InvalidArgumentError } from "../base/errors.ts";
import { type Duration, type OptionNames, toTimerMs, wholeBetween } from "../base/options.ts";
import { checkName } from "./check-name.ts";

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

const MAX_THREADS = 256;
export const MAX_CONCURRENCY = 10_000;

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

export function checkAliases(given: unknown): Readonly<Record<string, string>> {
  if (given === undefined) return {};
  if (typeof given !== "object" || given === null || Array.isArray(given))
    throw new InvalidArgumentError("aliases", 'an object such as { old: "new" }', given);
  return Object.fromEntries(Object.entries(given).map(([old, name]) => [old, checkName(`aliases.${old}`, name)]));
}
