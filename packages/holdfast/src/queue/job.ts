/** A job as its handler sees it. */
import { checkChildren, type QueueChild } from "./flows/child.ts";
import type { QueueChildResult } from "./flows/fan-in.ts";
import type { JobHost } from "./job-host.ts";
import { checkName } from "./options.ts";
import type { Run } from "./run.ts";

/** What a handler is given. */
export interface QueueJob<Payload> {
  readonly id: string;
  readonly payload: Payload;
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
  /** Aborts when the run is over its `runTimeout`, when the job is no longer this worker's, and when the worker closes. */
  readonly signal: AbortSignal;
  /** How the jobs ended for which this one has waited, in their order. Cost: HGETALL. */
  children(): Promise<QueueChildResult[]>;
  /**
   * Adds jobs and waits for them without a slot: the run ends here, by an error that is not to be caught, and no attempt is used; when all of
   * them have ended the handler runs again from its start, and this call returns how they did. `name` is this call's among the job's calls.
   * Cost: HGETALL; when it adds, a script and one per 100 jobs and slot.
   */
  spawn(name: string, children: readonly QueueChild[]): Promise<QueueChildResult[]>;
}

export class JobView<Payload> implements QueueJob<Payload> {
  readonly id: string;
  readonly payload: Payload;
  readonly attempt: number;
  readonly crashes: number;
  readonly fence: number;
  readonly addedAt: number;
  readonly scheduledFor: number | undefined;
  readonly #run: Run;
  readonly #host: JobHost;

  constructor(run: Run, payload: Payload, host: JobHost) {
    this.id = run.id;
    this.payload = payload;
    this.attempt = (run.failures?.failures ?? 0) + 1;
    this.crashes = run.crashes;
    this.fence = run.fence;
    this.addedAt = run.record.addedAt;
    this.scheduledFor = run.record.scheduledFor;
    this.#run = run;
    this.#host = host;
  }

  get signal(): AbortSignal {
    return this.#run.signal;
  }

  children(): Promise<QueueChildResult[]> {
    return this.#host.children(this.#run);
  }

  spawn(name: string, children: readonly QueueChild[]): Promise<QueueChildResult[]> {
    return this.#host.spawn(this.#run, checkName("name", name), checkChildren("children", children));
  }
}
