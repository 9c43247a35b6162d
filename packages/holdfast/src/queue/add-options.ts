/** What a job may be given as it is added. */
import { InvalidArgumentError } from "../base/errors.ts";
import { type Duration, type OptionNames, timeOf, toMs, toTimerMs, wholeBetween } from "../base/options.ts";
import { type TraceContext, traceText } from "../core/observe/trace.ts";
import { checkName } from "./check-name.ts";
import { type DurabilitySettings, durabilitySettings, type QueueDurability } from "./durability.ts";
import { checkChildren, type QueueChild, type QueueOnDead } from "./flows/child.ts";
import { expiryOf, type QueueUnique, tagsOf, uniqueSettings, type UniqueSettings } from "./jobs/adding.ts";
import { MAX_ATTEMPTS } from "./options.ts";

export type QueuePriority = "high" | "normal" | "low";

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

const LANES = { high: 1, normal: 2, low: 3 } as const;
/** What is added to the lane of a job that has a group. */
const IN_GROUP = 3;

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
  return at === undefined ? "" : String(timeOf("at", at));
}

export function checkGroup(group: unknown): string {
  if (group === "*")
    throw new InvalidArgumentError("group", 'another name than "*", which stands for all groups', group);
  return checkName("group", group);
}
