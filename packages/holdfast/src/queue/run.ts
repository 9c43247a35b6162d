/** One run of one job in this process, and how it is called off. */
import { AbortedError, LeaseLostError, TimeoutError } from "../base/errors.ts";
import type { Runtime, Timer } from "../base/runtime.ts";
import type { FailureRecord } from "./failure.ts";
import type { JobRecord } from "./record.ts";
import type { Steps } from "./steps/steps.ts";
import { GIVEN_UP } from "./steps/suspension.ts";
import type { Done } from "./worker-store.ts";

/** After its signal has aborted a handler may take this long to end, before its slot is given to another job. */
export const GRACE_MS = 5_000;

export class Run implements Done {
  readonly id: string;
  readonly fence: number;
  readonly uniqueKey: string;
  readonly record: JobRecord;
  readonly failures: FailureRecord | undefined;
  readonly crashes: number;
  /** It only undoes what its job has done. */
  readonly isGivenUp: boolean;
  /** Of a handler that has called one. */
  steps: Steps | undefined;
  /** Its worker closes: what can stop and go on elsewhere does so. */
  isToStop = false;
  /** How long the handler took, once it has ended, and what it threw. */
  tookMs = 0;
  thrown: unknown;
  /** Made when it is asked for: most handlers never do, and it costs more than all the rest of a run. */
  #abort: AbortController | undefined;
  #calledOff: Error | undefined;
  #suspended: Error | undefined;
  /** Acknowledged by its handler: what that returns or throws changes nothing any more. */
  isCommitted = false;
  #isCancelled = false;

  constructor(id: string, fence: number, record: JobRecord, failures: FailureRecord | undefined, crashes: number) {
    this.id = id;
    this.fence = fence;
    this.uniqueKey = record.uniqueKey;
    this.record = record;
    this.failures = failures;
    this.crashes = crashes % GIVEN_UP;
    this.isGivenUp = crashes >= GIVEN_UP;
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController();
      if (this.#calledOff !== undefined) this.#abort.abort(this.#calledOff);
    }
    return this.#abort.signal;
  }

  get suspended(): Error | undefined {
    return this.#suspended;
  }

  /** The run is to end by `reason`, whatever the handler makes of it; returns it to be thrown. */
  suspend<Reason extends Error>(reason: Reason): Reason {
    this.#suspended ??= reason;
    return reason;
  }

  /** The handler's outcome, unless the run was to end otherwise. */
  async through<T>(work: () => T | Promise<T>): Promise<T> {
    try {
      return await work();
    } finally {
      await this.steps?.undoIfGivenUp();
      // oxlint-disable-next-line no-unsafe-finally
      if (this.#suspended !== undefined) throw this.#suspended;
    }
  }

  /** 1 for the first run; counts failures, not crashes of workers. */
  get attempt(): number {
    return (this.failures?.failures ?? 0) + 1;
  }

  /** It was claimed later than it may start, and no run of it has failed before. */
  get isExpired(): boolean {
    const { expiresAt } = this.record;
    if (expiresAt === undefined || this.failures !== undefined || this.crashes > 0) return false;
    return this.fence / 1_000 >= expiresAt;
  }

  /** However it ends, its job is not run again. */
  get isCancelled(): boolean {
    return this.#isCancelled;
  }

  /** Why it was called off, if so. */
  get reason(): Error | undefined {
    return this.#calledOff;
  }

  /** Why the job is no longer this run's, if so. */
  get lost(): LeaseLostError | undefined {
    return this.#calledOff instanceof LeaseLostError ? this.#calledOff : undefined;
  }

  cancel(reason: string | undefined): void {
    if (this.#isCancelled) return;
    this.#isCancelled = true;
    this.callOff(
      new AbortedError(`job ${this.id}: it was cancelled`, { op: "queue.work", key: this.id, cause: reason }),
    );
  }

  callOff(reason: Error): void {
    this.#calledOff ??= reason;
    this.#abort?.abort(reason);
  }

  /** The handler's own outcome; a TimeoutError where it is still under way after `limitMs` and some grace. */
  async within<T>(
    runtime: Runtime,
    limitMs: number | undefined,
    work: () => T | Promise<T>,
    onStuck?: (ended: Promise<unknown>) => void,
  ): Promise<T> {
    const begunAt = runtime.now();
    try {
      return await (limitMs === undefined ? work() : this.#limited(runtime, limitMs, work, onStuck));
    } catch (error) {
      this.thrown = error;
      throw error;
    } finally {
      this.tookMs = runtime.now() - begunAt;
    }
  }

  async #limited<T>(
    runtime: Runtime,
    limitMs: number,
    work: () => T | Promise<T>,
    onStuck?: (ended: Promise<unknown>) => void,
  ): Promise<T> {
    let timer: Timer | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = runtime.setTimeout(() => {
        const error = new TimeoutError(`job ${this.id}: ran for longer than its runTimeout of ${limitMs} ms`);
        this.callOff(error);
        timer = runtime.setTimeout(() => {
          reject(error);
          onStuck?.(ended);
        }, GRACE_MS);
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

export function closedWhileRunning(id: string): AbortedError {
  return new AbortedError(`job ${id}: its worker was closed; the job waits again`, { op: "queue.work" });
}
