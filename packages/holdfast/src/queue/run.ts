/** One run of one job in this process: what its handler is given, and how the run is called off. */
import { AbortedError, TimeoutError } from "../base/errors.ts";
import type { Runtime, Timer } from "../base/runtime.ts";
import type { FailureRecord } from "./failure.ts";
import type { JobRecord } from "./record.ts";
import type { Done } from "./store.ts";

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

/** After its signal has aborted a handler may take this long to end, before its slot is given to another job. */
const GRACE_MS = 5_000;

export class Run implements Done {
  readonly id: string;
  readonly fence: number;
  readonly uniqueKey: string;
  readonly record: JobRecord;
  readonly failures: FailureRecord | undefined;
  readonly crashes: number;
  /** Made when it is asked for: most handlers never do, and it costs more than all the rest of a run. */
  #abort: AbortController | undefined;
  #calledOff: Error | undefined;

  constructor(id: string, fence: number, record: JobRecord, failures: FailureRecord | undefined, crashes: number) {
    this.id = id;
    this.fence = fence;
    this.uniqueKey = record.uniqueKey;
    this.record = record;
    this.failures = failures;
    this.crashes = crashes;
  }

  job<Payload>(payload: Payload): QueueJob<Payload> {
    return new JobView(this, payload);
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#calledOff !== undefined) this.#abort.abort(this.#calledOff);
    }
    return this.#abort.signal;
  }

  callOff(reason: Error): void {
    this.#calledOff ??= reason;
    this.#abort?.abort(reason);
  }

  /** The handler's own outcome; a TimeoutError where it is still under way after `limitMs` and some grace. */
  async within<T>(runtime: Runtime, limitMs: number | undefined, work: () => T | Promise<T>): Promise<T> {
    if (limitMs === undefined) return work();
    let timer: Timer | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = runtime.setTimeout(() => {
        const error = new TimeoutError(`job ${this.id}: ran for longer than its runTimeout of ${limitMs} ms`);
        this.callOff(error);
        timer = runtime.setTimeout(() => reject(error), GRACE_MS);
      }, limitMs);
    });
    const ended = (async () => work())();
    try {
      const value = await Promise.race([ended, late]);
      if (this.#calledOff !== undefined) throw this.#calledOff;
      return value;
    } finally {
      runtime.clearTimeout(timer);
    }
  }
}

class JobView<Payload> implements QueueJob<Payload> {
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

export function closedWhileRunning(id: string): AbortedError {
  return new AbortedError(`job ${id}: its worker was closed; the job waits again`, { op: "queue.work" });
}
