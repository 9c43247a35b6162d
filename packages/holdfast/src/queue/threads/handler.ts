/** Handlers as users give them: functions, or a module that is run in threads. */
import { AbortedError, InvalidArgumentError } from "../../base/errors.ts";
import type { Runtime } from "../../base/runtime.ts";
import { isThreadModule, rebuilt, ThreadPool, type Thrown } from "../../core/threads/pool.ts";
import { Discard, RetryAfter, Snooze } from "../failure.ts";
import type { QueueJob } from "../job.ts";
import { Dispatch } from "../names.ts";
import type { WorkSettings } from "../work-options.ts";
import { GRACE_MS } from "../run.ts";

/** What a handler in a thread is given: what can be copied, and the signal. */
export type QueueThreadJob<Payload> = Pick<
  QueueJob<Payload>,
  "id" | "payload" | "name" | "attempt" | "crashes" | "fence" | "addedAt" | "scheduledFor" | "trace" | "signal"
>;

/** The default export of a module that is run in threads. */
export type QueueThreadHandler<Payload, Result = unknown> = (job: QueueThreadJob<Payload>) => Result | Promise<Result>;

export interface Handler {
  readonly work: WorkSettings;
  readonly dispatch: Dispatch;
  /** Ends its threads. */
  readonly release: () => Promise<void>;
}

export function handlerOf(runtime: Runtime, given: unknown, work: WorkSettings): Handler {
  if (!isThreadModule(given)) {
    if (work.threads !== undefined)
      throw new InvalidArgumentError("threads", "the URL of a module beside it, as the handler", work.threads);
    return { work, dispatch: new Dispatch(given, work.aliases), release: () => Promise.resolve() };
  }
  const threads = work.threads ?? 1;
  const pool = new ThreadPool({ runtime, url: given, threads, graceMs: GRACE_MS, closed, errorOf });
  const run = (job: QueueThreadJob<unknown>): Promise<unknown> => pool.run([copied(job)], job.signal);
  const dispatch = new Dispatch((job: QueueJob<unknown>) => run(job), work.aliases);
  return { work: { ...work, concurrency: threads }, dispatch, release: () => pool.close() };
}

function copied(job: QueueThreadJob<unknown>): Omit<QueueThreadJob<unknown>, "signal"> {
  const { id, payload, name, attempt, crashes, fence, addedAt, scheduledFor, trace } = job;
  return { id, payload, name, attempt, crashes, fence, addedAt, scheduledFor, trace };
}

function closed(): AbortedError {
  return new AbortedError("the worker is closed", { op: "queue.work" });
}

/** What a handler threw, as what it means to a queue. */
function errorOf(thrown: Thrown): Error {
  const { name, message, delayMs = 0 } = thrown;
  if (name === "Discard") return new Discard(message);
  if (name === "RetryAfter") return new RetryAfter(delayMs, message);
  if (name === "Snooze") return new Snooze(delayMs);
  return rebuilt(thrown);
}
