/** Runs that wait for a limiter which they share with others: each takes its job's cost before its handler is called. */
import { InvalidArgumentError } from "../../base/errors.ts";
import { givenOptions, type OptionNames } from "../../base/options.ts";
import { checkName } from "../check-name.ts";
import { Limited } from "../failure.ts";
import type { QueueJob } from "../job.ts";

/** What is asked before a run: any limiter of `hf.limiter`. */
export interface QueueLimiterSource {
  consume(
    id: string,
    options?: { readonly cost?: number },
  ): Promise<{ readonly allowed: boolean; readonly retryAfterMs: number }>;
}

/** Of whom a limiter is asked before a run, and for how much. */
export interface QueueLimiter<Payload> {
  /** Shared with whatever else asks it, in all processes. */
  readonly use: QueueLimiterSource;
  /** Whose units are taken: a text, or a function of the job. @default the job's group, or the queue's name where it has none */
  readonly id?: string | ((job: QueueJob<Payload>) => string);
  /** How many units a run takes: a number, or a function of the job. @default 1 */
  readonly cost?: number | ((job: QueueJob<Payload>) => number);
  /**
   * What starts nothing more, by any worker, until the units are there: the job's group (of a job without one, the queue), or the queue.
   * @default "group"; beside an `id` that is a text, "queue"
   */
  readonly scope?: "group" | "queue";
}

export interface QueueLimiterOptions<Payload> {
  /**
   * Asked before each run. Where it denies, the job waits in front, without the loss of an attempt, and its group or the queue is paused in all processes for as
   * long as the limiter says. Runs that are repeated take their cost again. Not asked for what is claimed by hand, for runs that undo, nor for `onDead`.
   * @default none
   */
  readonly limiter?: QueueLimiter<Payload>;
}

export const LIMITER_OPTIONS: OptionNames<QueueLimiterOptions<never>> = { limiter: true };
const NAMES: OptionNames<QueueLimiter<never>> = { use: true, id: true, cost: true, scope: true };

/** @throws Limited where the run is not to begin now */
export type Admission = (job: QueueJob<never>) => Promise<void>;

export function admissionOf(
  queue: string,
  { limiter }: { readonly limiter?: QueueLimiter<never> },
): Admission | undefined {
  if (limiter === undefined) return undefined;
  const { use, id, cost = 1, scope } = givenOptions(limiter, NAMES, "limiter");
  if (typeof use?.consume !== "function")
    throw new InvalidArgumentError("limiter.use", "a limiter of hf.limiter(name, options)", use);
  if (id !== undefined && typeof id !== "function") checkName("limiter.id", id);
  if (typeof cost !== "function" && !(Number.isSafeInteger(cost) && cost >= 1))
    throw new InvalidArgumentError("limiter.cost", "a whole number from 1, or a function of the job", cost);
  if (scope !== undefined && scope !== "group" && scope !== "queue")
    throw new InvalidArgumentError("limiter.scope", '"group" or "queue"', scope);
  const paused = scope ?? (typeof id === "string" ? "queue" : "group");
  return async (job) => {
    const whose = typeof id === "function" ? id(job) : (id ?? job.group ?? queue);
    const { allowed, retryAfterMs } = await use.consume(whose, { cost: typeof cost === "function" ? cost(job) : cost });
    if (!allowed) throw new Limited(retryAfterMs, { scope: paused });
  };
}
