/** A job as its handler sees it. */
import { type Duration, givenOptions, type OptionNames } from "../base/options.ts";
import type { TraceContext } from "../core/observe/trace.ts";
import type { QueueCommit, QueueCommitOptions, QueueCommitResult } from "./commit.ts";
import { checkChildren, type QueueChild } from "./flows/child.ts";
import type { QueueChildResult } from "./flows/fan-in.ts";
import type { JobHost } from "./job-host.ts";
import { checkName } from "./check-name.ts";
import type { Run } from "./run.ts";
import type { QueueSignalResult, QueueSource } from "./steps/steps.ts";

/** What a handler is given. */
export interface QueueJob<Payload> {
  readonly id: string;
  readonly payload: Payload;
  /** What the job was added with. */
  readonly name: string | undefined;
  readonly group: string | undefined;
  /** 1 for the first run; counts failures, not crashes of workers. */
  readonly attempt: number;
  /** How often a worker died while it ran this job. */
  readonly crashes: number;
  /** Rises with each claim of the job: let what the handler writes refuse a lower one than it has seen. */
  readonly fence: number;
  /** Milliseconds since 1970 by the server's clock. */
  readonly addedAt: number;
  /** Of a schedule's job: the time of its tick, whenever it was added. */
  readonly scheduledFor: number | undefined;
  readonly tags: readonly string[];
  /** Of who added it, or what was given to `add`. */
  readonly trace: TraceContext | undefined;
  /** Aborts when the job is cancelled, when the run is over its `runTimeout`, when the job is no longer this worker's, and when the worker closes. */
  readonly signal: AbortSignal;
  /** How the jobs ended for which this one has waited, in their order. Cost: HGETALL. */
  children(): Promise<QueueChildResult[]>;
  /**
   * Does something once over all runs of the job: what it returns is stored with the job, and a later run gets that instead. It may be done twice if
   * the process dies before the result is stored. `name` is this call's among the job's steps. Cost: HGETALL for the first step of a run; a script.
   * @throws LeaseLostError when the job is no longer this worker's
   */
  step<T>(name: string, act: () => T | Promise<T>): Promise<T>;
  /**
   * What undoes the steps before this call, should the job be given up: all of them then run in reverse, in a run of their own in which only
   * finished steps return. It survives the death of the worker, and may be done twice. Cost: two scripts.
   */
  compensate(name: string, act: () => unknown): Promise<void>;
  /** Lets the job sleep without a slot, by an error that is not to be caught; uses no attempt. Cost: a script. */
  sleep(name: string, delay: Duration): Promise<void>;
  /**
   * Waits without a slot, as `sleep` does, for `queue.signal(id, name, value)`; one that came before is there at once.
   * @returns `expired` when it has not come within `timeout`
   */
  waitFor<Value = unknown>(name: string, options?: QueueWaitOptions): Promise<QueueSignalResult<Value>>;
  /**
   * Goes through a long source and remembers, about once a second and when its worker closes, how far it has come; a later run goes on there. An item may
   * be handled twice.
   */
  iterate<Cursor, Item>(name: string, source: QueueSource<Cursor, Item>, each: (item: Item) => unknown): Promise<void>;
  /**
   * Adds jobs and waits for them without a slot: the run ends here, by an error that is not to be caught, and no attempt is used; when all of
   * them have ended the handler runs again from its start, and this call returns how they did. `name` is this call's among the job's calls.
   * Cost: HGETALL; when it adds, a script and one per 100 jobs and slot.
   */
  spawn(name: string, children: readonly QueueChild[]): Promise<QueueChildResult[]>;
  /** A name of yours as a key in the job's slot, for `commit`: `job.key("done:42")`. */
  key(name: string): string;
  /**
   * Acknowledges the job and carries out the writes that `write` queues, in one step, if this run still holds the job: exactly once, however
   * often the job is run. What the handler returns or throws afterwards changes nothing. A repetition after a lost answer is recognised.
   * Cost: one script.
   * @throws LeaseLostError if the job is no longer this run's, HoldfastError `WRONG_TYPE` if a key holds something else; nothing is written then
   */
  commit(write: (commit: QueueCommit) => void, options?: QueueCommitOptions): Promise<QueueCommitResult>;
  /**
   * Says how far the run is: a number, or any value that can be stored. Of those that come within 100 ms the last one is written.
   * Cost: one script; those of the same tick share it.
   * @throws LeaseLostError if the job is no longer this run's
   */
  progress(value: unknown): Promise<void>;
  /**
   * Adds a line to the job's logs: the last 100 lines and 32 KiB are kept, while the job is. Cost: as `progress`.
   * @throws LeaseLostError if the job is no longer this run's, OutcomeUnknownError if the answer was lost
   */
  log(text: string): Promise<void>;
}

export interface QueueWaitOptions {
  /** @default none */
  readonly timeout?: Duration;
}

const WAIT_OPTIONS: OptionNames<QueueWaitOptions> = { timeout: true };
/** What a job asks of the consumer that runs it. */
export interface JobTools {
  key(name: string): string;
  commit(run: Run, write: (commit: QueueCommit) => void, result: unknown): Promise<QueueCommitResult>;
}

const COMMIT_OPTIONS: OptionNames<QueueCommitOptions> = { result: true };

export class JobView<Payload> implements QueueJob<Payload> {
  readonly id: string;
  readonly payload: Payload;
  readonly name: string | undefined;
  readonly group: string | undefined;
  readonly attempt: number;
  readonly crashes: number;
  readonly fence: number;
  readonly addedAt: number;
  readonly scheduledFor: number | undefined;
  readonly tags: readonly string[];
  readonly trace: TraceContext | undefined;
  readonly #run: Run;
  readonly #host: JobHost;
  readonly #tools: JobTools;

  constructor(run: Run, payload: Payload, host: JobHost, tools: JobTools) {
    this.id = run.id;
    this.payload = payload;
    this.name = run.record.name;
    this.group = run.record.group;
    this.attempt = run.attempt;
    this.crashes = run.crashes;
    this.fence = run.fence;
    this.addedAt = run.record.addedAt;
    this.scheduledFor = run.record.scheduledFor;
    this.tags = run.record.tags;
    this.trace = run.record.trace;
    this.#run = run;
    this.#host = host;
    // Its steps undo, also where the handler comes to none of them.
    if (run.isGivenUp) host.steps(run);
    this.#tools = tools;
  }

  get signal(): AbortSignal {
    return this.#run.signal;
  }

  step<T>(name: string, act: () => T | Promise<T>): Promise<T> {
    return this.#host.steps(this.#run).step(name, act);
  }

  compensate(name: string, act: () => unknown): Promise<void> {
    return this.#host.steps(this.#run).compensate(name, act);
  }

  sleep(name: string, delay: Duration): Promise<void> {
    return this.#host.steps(this.#run).sleep(name, delay);
  }

  async waitFor<Value>(name: string, options?: QueueWaitOptions): Promise<QueueSignalResult<Value>> {
    const { timeout } = givenOptions(options, WAIT_OPTIONS);
    return this.#host.steps(this.#run).waitFor<Value>(name, timeout);
  }

  iterate<Cursor, Item>(name: string, source: QueueSource<Cursor, Item>, each: (item: Item) => unknown): Promise<void> {
    return this.#host.steps(this.#run).iterate(name, source, each);
  }

  children(): Promise<QueueChildResult[]> {
    return this.#host.children(this.#run);
  }

  spawn(name: string, children: readonly QueueChild[]): Promise<QueueChildResult[]> {
    return this.#host.spawn(this.#run, checkName("name", name), checkChildren("children", children));
  }

  key(name: string): string {
    return this.#tools.key(name);
  }

  async commit(write: (commit: QueueCommit) => void, options?: QueueCommitOptions): Promise<QueueCommitResult> {
    const { result } = givenOptions(options, COMMIT_OPTIONS);
    return this.#tools.commit(this.#run, write, result);
  }

  progress(value: unknown): Promise<void> {
    return this.#host.reports.progress(this.#run, value);
  }

  log(text: string): Promise<void> {
    return this.#host.reports.log(this.#run, text);
  }
}
