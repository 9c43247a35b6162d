/** A job that is held by hand. */
import type { TraceContext } from "../../core/observe/trace.ts";
import { InvalidArgumentError } from "../../base/errors.ts";
import { type Duration, givenOptions, type OptionNames, toMs, toTimerMs } from "../../base/options.ts";
import type { Operations } from "../../core/observe/observe.ts";
import { AGAIN, type Ending } from "../endings.ts";
import type { Run } from "../run.ts";
import type { Fate } from "../worker-store.ts";
import type { Holder } from "./holder.ts";
import { encodeToken } from "./token.ts";

/**
 * `dead`: it was given up. `cancelled`: it was cancelled meanwhile, and is over. `stale`: the lease was over and the job was taken back, or it was
 * ended before; nothing has changed.
 */
export interface QueueHeldResult {
  readonly status: "ok" | "dead" | "cancelled" | "stale";
}

/** `cancelled`: it is held for so long, but how it ends is of no interest any more. */
export interface QueueExtendResult {
  readonly status: "ok" | "cancelled" | "stale";
}

export interface QueueReleaseOptions {
  /** Runs no sooner than this long after now. @default at once, in front */
  readonly delay?: Duration;
}

export interface HeldJobParts {
  readonly run: Run;
  readonly holder: Holder;
  readonly operations: Operations;
  readonly now: () => number;
}

const RELEASE_OPTIONS: OptionNames<QueueReleaseOptions> = { delay: true };
const MIN_LEASE_MS = 1_000;
const DONE: Fate = { ...AGAIN, fate: "done" };

/**
 * A job that was claimed with `queue.claim`, until it is completed, failed or released, or its lease is over. It may be ended by another process, or a
 * program in another language, that has its `token`: `queue.held(token)`. Leaving the scope of an `await using` releases it.
 * @example
 * const [job] = await videos.claim({ lease: "5m", wait: "20s" });
 * if (job !== undefined) await job.complete(await encode(job.payload, { signal: job.signal }));
 */
export class QueueHeldJob<Payload, Result = unknown> implements AsyncDisposable {
  readonly id: string;
  readonly payload: Payload;
  readonly name: string | undefined;
  /** 1 for the first run; counts failures, not crashes of workers. */
  readonly attempt: number;
  /** How often it was lost: its worker died, or its lease was over. */
  readonly crashes: number;
  /** Rises with each claim of the job: let what is written refuse a lower one than it has seen. */
  readonly fence: number;
  /** Milliseconds since 1970 by the server's clock. */
  readonly addedAt: number;
  readonly scheduledFor: number | undefined;
  readonly tags: readonly string[];
  /** Of who added it, or what was given to `add`. */
  readonly trace: TraceContext | undefined;
  /** By which `queue.held` finds it, in any process: as good as the right to end it. */
  readonly token: string;
  readonly #run: Run;
  readonly #holder: Holder;
  readonly #operations: Operations;
  readonly #begunAt: number;
  readonly #now: () => number;
  #isOver = false;

  constructor({ run, holder, operations, now }: HeldJobParts, payload: Payload) {
    this.id = run.id;
    this.payload = payload;
    this.name = run.record.name;
    this.attempt = run.attempt;
    this.crashes = run.crashes;
    this.fence = run.fence;
    this.addedAt = run.record.addedAt;
    this.scheduledFor = run.record.scheduledFor;
    this.tags = run.record.tags;
    this.trace = run.record.trace;
    this.token = encodeToken({ id: run.id, worker: holder.worker, fence: run.fence });
    this.#run = run;
    this.#holder = holder;
    this.#operations = operations;
    this.#now = now;
    this.#begunAt = now() - run.tookMs;
  }

  /** Aborts when the job is cancelled, and when its lease is over by this process's clock. Cost: a script when it is first asked for. */
  get signal(): AbortSignal {
    const { signal } = this.#run;
    if (!this.#isOver) this.#holder.listen();
    return signal;
  }

  /**
   * The job is done. Cost: one script; those of one claim and the same tick share it.
   * @throws OutcomeUnknownError if the answer was lost, and asking again did not tell whether the job has ended so
   */
  complete(result?: Result): Promise<QueueHeldResult> {
    return this.#operations.run("complete", this.id, async () => {
      const { endings } = this.#holder;
      const success = endings.successOf(this.#run, result) ?? DONE;
      return this.#settle(() => endings.finish(this.#run, success));
    });
  }

  /**
   * The job has failed, and is run again or is dead, as where a handler throws this: an Error, a text, or a `Discard`, `RetryAfter`,
   * `Snooze` or `Limited`. Cost: as `complete`.
   * @throws as `complete`
   */
  fail(error: unknown): Promise<QueueHeldResult> {
    return this.#operations.run("fail", this.id, async () => {
      if (error === undefined || error === null) throw new InvalidArgumentError("error", "an Error or a text", error);
      this.#run.thrown = error;
      return this.#settle(() => this.#holder.endings.fail(this.#run, error));
    });
  }

  /** The job waits again, without the loss of an attempt. Cost: as `complete`. @throws as `complete` */
  release(options?: QueueReleaseOptions): Promise<QueueHeldResult> {
    return this.#operations.run("release", this.id, async () => {
      const { delay } = givenOptions(options, RELEASE_OPTIONS);
      const fate = { ...AGAIN, delayMs: delay === undefined ? 0 : toMs("delay", delay, 0) };
      return this.#settle(async () => {
        const settled = await this.#holder.store.settle(this.#run, fate);
        return settled === "ok" || settled === "undone" ? "again" : settled;
      });
    });
  }

  /** Lets the lease last so long from now, or for longer where it does so already, for all jobs of one claim. Idempotent. Cost: one script. */
  extend(lease: Duration): Promise<QueueExtendResult> {
    return this.#operations.run("extend", this.id, async () => {
      const leaseMs = toTimerMs("lease", lease, MIN_LEASE_MS);
      return { status: await this.#holder.extend(this.#run, leaseMs) };
    });
  }

  /** As in a handler. @throws LeaseLostError if it is not held any more */
  progress(value: unknown): Promise<void> {
    return this.#operations.run("progress", this.id, () => this.#holder.reports.progress(this.#run, value));
  }

  /** As in a handler. @throws LeaseLostError if it is not held any more */
  log(text: string): Promise<void> {
    return this.#operations.run("log", this.id, () => this.#holder.reports.log(this.#run, text));
  }

  /** Releases it, unless it was ended here. Where the server is away, its lease ends by itself. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isOver) await this.release().catch(() => undefined);
  }

  async #settle(ask: () => Promise<Ending>): Promise<QueueHeldResult> {
    this.#run.tookMs = this.#now() - this.#begunAt;
    const ending = await this.#holder.settle(this.#run, ask);
    this.#isOver = true;
    if (ending === "dead" || ending === "cancelled" || ending === "stale") return { status: ending };
    return { status: "ok" };
  }
}
