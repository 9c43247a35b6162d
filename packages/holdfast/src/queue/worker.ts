/**
 * A worker: claims jobs, runs them, acknowledges them. Longer than other files, since its one loop is read as a whole.
 *
 * One loop does all talking to the server: each of its calls acknowledges what has ended since the last one, claims as many jobs as there
 * are free slots, and says that the worker lives. It is called off its rest by a wake-up, a job that has ended, a delayed job that is
 * due, or the tick of a timer that nothing can hold up. What can go wrong:
 *
 * - the process dies, or is cut off: its lease ends, and any other worker takes its jobs back (`crashes` counts);
 * - the lease ends here first, by this process's own clock: every run is called off, its result is discarded;
 * - the answer to a claim is lost: the jobs it may have brought are asked for (`held`), and run;
 * - the answer to an acknowledgement is lost: what is still held is acknowledged again;
 * - a run ends after its job was given to another: the acknowledgement has an old fence and changes nothing.
 */
import { HoldfastError, OutcomeUnknownError } from "../base/errors.ts";
import { sleep } from "../base/runtime.ts";
import type { Core } from "../core/core.ts";
import { usableMs } from "../core/lease/timed-lease.ts";
import { Attention } from "./attention.ts";
import type { Ending, Endings } from "./endings.ts";
import type { WorkerKeys } from "./keys.ts";
import type { WorkSettings } from "./options.ts";
import { Pause, warnUnlessOutage } from "./patience.ts";
import { decodeRecord } from "./record.ts";
import { closedWhileRunning, type QueueJob, Run } from "./run.ts";
import { Runs } from "./runs.ts";
import type { QueueStore } from "./store.ts";
import type { QueueValues } from "./values.ts";
import { WorkerLease } from "./worker-lease.ts";

export type QueueHandler<Payload, Result> = (job: QueueJob<Payload>) => Result | Promise<Result>;

/** Counts of one worker since it was made. */
export interface QueueWorkerStats {
  /** Acknowledged, and confirmed by the server. */
  readonly completed: number;
  readonly failed: number;
  /** Sent to the dead letters by this worker. */
  readonly dead: number;
  /** Runs whose job was no longer this worker's when they ended. */
  readonly lost: number;
  /** Jobs taken back from dead workers. */
  readonly recovered: number;
}

interface StoredJobs {
  readonly records: readonly (Buffer | null)[];
  readonly metas: readonly (Buffer | null)[];
  readonly crashed: readonly (string | null)[];
}

/** One call holds the server for about 300 microseconds with as many. */
const MAX_JOBS_PER_CALL = 250;

export interface WorkTerms extends WorkSettings {
  readonly timeoutMs: number | undefined;
  readonly runTimeoutMs: number | undefined;
}

export interface WorkerParts<Payload, Result> {
  readonly core: Core;
  readonly store: QueueStore;
  readonly values: QueueValues<Payload, Result>;
  readonly endings: Endings<Result>;
  readonly keys: WorkerKeys;
  readonly terms: WorkTerms;
  readonly handler: QueueHandler<Payload, Result>;
}

/**
 * @example
 * await using worker = emails.work((job) => send(job.payload), { concurrency: 20 });
 * process.once("SIGTERM", () => void worker.close());   // waits for what runs, gives back the rest
 */
export class QueueWorker<Payload, Result> implements AsyncDisposable {
  readonly #core: Core;
  readonly #store: QueueStore;
  readonly #values: QueueValues<Payload, Result>;
  readonly #endings: Endings<Result>;
  readonly #terms: WorkTerms;
  readonly #handler: QueueHandler<Payload, Result>;
  readonly #keys: WorkerKeys;
  readonly #runs = new Runs();
  readonly #disown: () => void;
  readonly #stopped = new AbortController();
  readonly #attention: Attention;
  readonly #lease: WorkerLease;
  readonly #stats = { completed: 0, failed: 0, dead: 0, lost: 0, recovered: 0 };
  #isPaused = false;
  #isClosing = false;
  readonly #ended: Promise<void>;
  #closing: Promise<void> | undefined;

  constructor(parts: WorkerParts<Payload, Result>) {
    this.#core = parts.core;
    this.#store = parts.store;
    this.#values = parts.values;
    this.#endings = parts.endings;
    this.#terms = parts.terms;
    this.#handler = parts.handler;
    this.#keys = parts.keys;
    this.#disown = parts.core.own(this);
    const tickMs = Math.min(parts.terms.pollMs, Math.floor(parts.terms.leaseMs / 3));
    this.#attention = new Attention(parts.core, parts.keys.wakeKey, tickMs, this.#stopped.signal);
    this.#lease = new WorkerLease(this.#runtime, parts.terms.leaseMs, () => {
      this.#stats.lost += this.#runs.callOffAll("its worker's lease could not be renewed in time");
      this.#attention.call();
    });
    this.#ended = this.#work();
  }

  /** Runs under way in this worker. */
  get running(): number {
    return this.#runs.running;
  }

  stats(): QueueWorkerStats {
    return { ...this.#stats };
  }

  /** Claims no more jobs; those that run go on. */
  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#attention.look();
  }

  /**
   * Claims no more jobs and waits for those that run, at most for `drain`; then their signals abort and their jobs wait
   * again, without the loss of an attempt. Idempotent.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  get #runtime(): Core["driver"]["runtime"] {
    return this.#core.driver.runtime;
  }

  async #close(): Promise<void> {
    this.#isClosing = true;
    this.#attention.call();
    const drained = new AbortController();
    const late = this.#stopIn(this.#terms.drainMs, drained.signal);
    await this.#ended;
    drained.abort();
    await late;
    this.#attention.close();
    this.#lease.close();
    this.#disown();
    // Where no server answers the lease ends by itself, and others take over what is left.
    await this.#store.leave(this.#keys).catch(() => undefined);
  }

  async #stopIn(ms: number, drained: AbortSignal): Promise<void> {
    await sleep(this.#runtime, ms, drained);
    this.#runs.stopAll(({ id }) => closedWhileRunning(id));
    this.#stopped.abort();
    this.#attention.call();
  }

  async #work(): Promise<void> {
    let pause = new Pause(this.#runtime, this.#stopped.signal);
    while (!this.#isOver()) {
      const slots = this.#freeSlots;
      const isHungry = this.#attention.isHungry && slots > 0;
      if (!isHungry && this.#runs.done === 0 && !this.#runs.isInDoubt && !this.#lease.wantsRenewal) {
        await this.#attention.rest();
        continue;
      }
      try {
        // First: what it brings takes slots.
        if (this.#runs.isInDoubt) await this.#reconcile();
        await this.#claim(this.#freeSlots);
        pause = new Pause(this.#runtime, this.#stopped.signal);
      } catch (error) {
        if (error instanceof HoldfastError && error.code === "CLOSED") return;
        warnUnlessOutage(error);
        await pause.next();
      }
    }
  }

  /** Where it closes: when nothing runs and nothing waits to be acknowledged, or when that has taken too long. */
  #isOver(): boolean {
    if (this.#isClosing && this.#runs.expected === 0) this.#stopped.abort();
    return this.#stopped.signal.aborted;
  }

  get #freeSlots(): number {
    if (this.#isPaused || this.#isClosing) return 0;
    return Math.min(this.#terms.concurrency - this.#runs.running, MAX_JOBS_PER_CALL);
  }

  async #claim(slots: number): Promise<void> {
    const done = this.#runs.takeDone(MAX_JOBS_PER_CALL);
    const isSettled = this.#runs.expected !== undefined;
    const sentAt = this.#runtime.now();
    this.#attention.isHungry = false;
    let answer;
    try {
      answer = await this.#store.claim(this.#keys, done, this.#termsOf(slots));
    } catch (error) {
      this.#attention.isHungry = true;
      if (error instanceof OutcomeUnknownError) this.#runs.doubt(done);
      else this.#runs.putBack(done);
      throw error;
    }
    this.#lease.renewed(sentAt);
    this.#stats.completed += done.length - answer.stale.length;
    this.#stats.lost += answer.stale.length;
    // Fewer than there were slots for: nothing more waits now.
    this.#attention.isHungry ||= answer.ids.length === slots && slots > 0;
    this.#attention.lookIn(answer.dueMs);
    for (const worker of answer.dead) await this.#recover(worker);
    this.#startAll(answer.ids, () => answer.fence, answer);
    // A claim whose answer was lost may have come late, a run may be called off here and held there, or the other way round.
    const { expected } = this.#runs;
    if (isSettled && expected !== undefined && expected !== answer.held) await this.#reconcile();
  }

  #termsOf(slots: number): { slots: number; leaseMs: number; idleMs: number; timeoutMs: number } {
    const { leaseMs, timeoutMs = this.#core.driver.timeoutMs } = this.#terms;
    const idleMs = slots > 0 ? 2 * this.#attention.tickMs : 0;
    // An answer after the lease is of no use.
    return { slots, leaseMs, idleMs, timeoutMs: Math.min(timeoutMs, Math.ceil(usableMs(leaseMs))) };
  }

  async #reconcile(): Promise<void> {
    const answer = await this.#store.held(this.#keys);
    const placeOf = new Map(answer.ids.map((id, at) => [id, at]));
    const fences = new Map(answer.ids.map((id, at) => [id, Number(answer.fences[at])]));
    const { unknown, lost } = this.#runs.agree(fences);
    this.#stats.lost += lost;
    const pick = <T>(list: readonly T[]): T[] => unknown.map((id) => list[placeOf.get(id)!]!);
    const { records, metas, crashed } = answer;
    this.#startAll(unknown, (id) => fences.get(id)!, {
      records: pick(records),
      metas: pick(metas),
      crashed: pick(crashed),
    });
  }

  /** Not after the lease: what an answer brought that came so late may be another worker's by now. */
  #startAll(ids: readonly string[], fenceOf: (id: string) => number, stored: StoredJobs): void {
    if (this.#lease.isOver) return;
    for (const [at, id] of ids.entries()) {
      const bytes = stored.records[at];
      // Removed while it waited.
      if (bytes === null || bytes === undefined) continue;
      const info = stored.metas[at] ?? null;
      const failures = info === null ? undefined : this.#values.failures.decode(info, this.#values.context);
      const run = new Run(id, fenceOf(id), decodeRecord(bytes), failures, Number(stored.crashed[at] ?? 0));
      this.#runs.begin(run);
      void this.#execute(run);
    }
  }

  async #execute(run: Run): Promise<void> {
    const { payload, context } = this.#values;
    try {
      const result = await run.within(this.#runtime, this.#terms.runTimeoutMs, () =>
        this.#handler(run.job(payload.decode(run.record.payload, context))),
      );
      if (!this.#isMine(run)) return;
      if (run.record.keepsResult) {
        const outcome = this.#endings.outcomeOf(result);
        return await this.#end(run, () => this.#endings.finish(run, outcome));
      }
      this.#runs.endWell(run);
      this.#attention.call();
    } catch (error) {
      if (this.#isMine(run)) await this.#end(run, () => this.#endings.fail(run, error));
    }
  }

  #isMine(run: Run): boolean {
    if (this.#runs.isCurrent(run) && !this.#stopped.signal.aborted) return true;
    this.#stats.lost += 1;
    return false;
  }

  /** Until the server has answered, or the lease is over and the job with it. */
  async #end(run: Run, ask: () => Promise<Ending>): Promise<void> {
    const pause = new Pause(this.#runtime, this.#stopped.signal);
    await this.#runs.ending(run, async () => {
      while (this.#runs.isCurrent(run) && !this.#stopped.signal.aborted) {
        try {
          return this.#count(await ask());
        } catch (error) {
          warnUnlessOutage(error);
          await pause.next();
        }
      }
    });
    this.#attention.look();
  }

  #count(ending: Ending): void {
    if (ending === "completed") this.#stats.completed += 1;
    if (ending === "failed" || ending === "dead") this.#stats.failed += 1;
    if (ending === "dead") this.#stats.dead += 1;
    if (ending === "stale") this.#stats.lost += 1;
  }

  async #recover(worker: string): Promise<void> {
    if (worker === this.#keys.worker) return;
    try {
      const { recovered } = await this.#store.recover(worker);
      this.#stats.recovered += recovered;
      if (recovered > 0) this.#attention.isHungry = true;
    } catch (error) {
      // Another worker, or the next call of this one, will.
      warnUnlessOutage(error);
    }
  }
}
