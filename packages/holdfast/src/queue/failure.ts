/** How a run ends otherwise than well: what a handler may throw, and when a job runs again. */
import { InvalidArgumentError } from "../base/errors.ts";
import { type Duration, givenOptions, type OptionNames, toMs } from "../base/options.ts";

/** Thrown by a handler: this job can never succeed. It goes to the dead letters at once, whatever attempts are left. */
export class Discard extends Error {
  override readonly name: string = "Discard";
}

/** Thrown by a handler: a failure like any other, but the job runs again after this long. */
export class RetryAfter extends Error {
  override readonly name: string = "RetryAfter";
  readonly delayMs: number;
  constructor(delay: Duration, message = "the handler asked to be run again later") {
    super(message);
    this.delayMs = toMs("delay", delay, 0);
  }
}

/** Thrown by a handler: not now. The job runs again after this long, and no attempt is used. */
export class Snooze extends Error {
  override readonly name: string = "Snooze";
  readonly delayMs: number;
  constructor(delay: Duration) {
    super("the handler asked for a later run");
    this.delayMs = toMs("delay", delay, 0);
  }
}

/** Thrown inside a handler by what lets its job wait for others: the run ends, and another one begins when they have ended. */
export class Blocked extends Error {
  override readonly name: string = "Blocked";
}

export interface LimitedOptions {
  /** What is paused; `group`, of a job without one, is the queue. @default "group" */
  readonly scope?: "group" | "queue";
}

const LIMITED_OPTIONS: OptionNames<LimitedOptions> = { scope: true };

/**
 * Thrown by a handler: too many requests. Nothing of the job's group, or of the queue, is started for so long, by any worker. The job waits in front
 * meanwhile, and no attempt is used. In a queue of several partitions `queue` is the job's partition.
 */
export class Limited extends Error {
  override readonly name: string = "Limited";
  readonly delayMs: number;
  readonly scope: "group" | "queue";
  constructor(delay: Duration, options?: LimitedOptions) {
    super("the handler asked for a pause");
    this.delayMs = toMs("delay", delay, 0);
    const { scope = "group" } = givenOptions(options, LIMITED_OPTIONS);
    if (scope !== "group" && scope !== "queue") throw new InvalidArgumentError("scope", '"group" or "queue"', scope);
    this.scope = scope;
  }
}

/** Thrown where a worker has no handler for jobs of this name: the job waits for a worker that has. */
export class Unhandled extends Error {
  override readonly name: string = "Unhandled";
}

/** One failed run, as the dead letters show it. */
export interface QueueFailure {
  readonly attempt: number;
  /** Milliseconds since 1970 by the server's clock. */
  readonly at: number;
  readonly message: string;
  readonly stack?: string;
}

/** What is remembered of a job that has failed: kept small, as it lies on the server. */
export interface FailureRecord {
  /** Runs that failed. */
  readonly failures: number;
  readonly last: readonly QueueFailure[];
}

const MAX_KEPT = 5;
const MAX_MESSAGE = 500;
const MAX_STACK = 2_000;

export function recordFailure(before: FailureRecord | undefined, error: unknown, at: number): FailureRecord {
  const failures = (before?.failures ?? 0) + 1;
  const { message, stack } = wordsOf(error);
  const shown = stack === undefined ? {} : { stack: stack.slice(0, MAX_STACK) };
  const failure = { attempt: failures, at, message: message.slice(0, MAX_MESSAGE), ...shown };
  return { failures, last: [...(before?.last ?? []), failure].slice(-MAX_KEPT) };
}

/** A handler may throw anything: an error of another realm, an object that refuses to become a string. */
function wordsOf(error: unknown): { readonly message: string; readonly stack: string | undefined } {
  try {
    const { message, stack } = Object(error) as { readonly message?: unknown; readonly stack?: unknown };
    return {
      message: typeof message === "string" ? message : String(error),
      stack: typeof stack === "string" ? stack : undefined,
    };
  } catch {
    return { message: "the handler threw a value that cannot be shown", stack: undefined };
  }
}
