/** A job as its handler sees it. */
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
  /** Aborts when the run is over its `runTimeout`, when the job is no longer this worker's, and when the worker closes. */
  readonly signal: AbortSignal;
}

export class JobView<Payload> implements QueueJob<Payload> {
  readonly id: string;
  readonly payload: Payload;
  readonly attempt: number;
  readonly crashes: number;
  readonly fence: number;
  readonly addedAt: number;
  readonly #run: Run;

  constructor(run: Run, payload: Payload) {
    this.id = run.id;
    this.payload = payload;
    this.attempt = (run.failures?.failures ?? 0) + 1;
    this.crashes = run.crashes;
    this.fence = run.fence;
    this.addedAt = run.record.addedAt;
    this.#run = run;
  }

  get signal(): AbortSignal {
    return this.#run.signal;
  }
}
