/**
 * A worker: claims jobs, runs them, acknowledges them.
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
import { HoldfastError, isOutage, LeaseLostError, OutcomeUnknownError } from "../base/errors.ts";
import { sleep, type Timer } from "../base/runtime.ts";
import type { Core } from "../core/core.ts";
import { usableMs } from "../core/lease/timed-lease.ts";
import { backoffMs, Discard, recordFailure, RetryAfter, Snooze } from "./failure.ts";
import type { QueueSettings, WorkSettings } from "./options.ts";
import { decodeRecord } from "./record.ts";
import { closedWhileRunning, type QueueJob, Run } from "./run.ts";
import type { Done, QueueStore, WorkerKeys } from "./store.ts";
import type { QueueValues } from "./values.ts";

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

/** One call holds the server for some 300 microseconds with as many. */
const MAX_JOBS_PER_CALL = 250;
const RETRY_MS = 100;
const MAX_RETRY_MS = 2_000;
const NOTHING = Buffer.alloc(0);

export class QueueWorker<Payload, Result> implements AsyncDisposable {
  readonly #core: Core;
  readonly #store: QueueStore;
  readonly #values: QueueValues<Payload, Result>;
  readonly #queue: QueueSettings;
  readonly #settings: WorkSettings;
  readonly #handler: QueueHandler<Payload, Result>;
  readonly #keys: WorkerKeys;
  readonly #running = new Map<string, Run>();
  readonly #disown: () => void;
  readonly #stopped = new AbortController();
  readonly #stats = { completed: 0, failed: 0, dead: 0, lost: 0, recovered: 0 };
  #done: Run[] = [];
  /** Runs that are being given back, which the server may count or not. */
  #settling = 0;
  /** There may be jobs that wait. */
  #hungry = true;
  #isPaused = false;
  #isClosing = false;
  /** By this process's clock; the server's comes later. */
  #leaseEndsAt = 0;
  #renewAt = 0;
  #resume: (() => void) | undefined;
  #dueTimer: Timer | undefined;
  #leaseTimer: Timer | undefined;
  readonly #ended: Promise<void>;
  #closing: Promise<void> | undefined;

  constructor(
    core: Core,
    store: QueueStore,
    values: QueueValues<Payload, Result>,
    queue: QueueSettings,
    settings: WorkSettings,
    handler: QueueHandler<Payload, Result>,
  ) {
    this.#core = core;
    this.#store = store;
    this.#values = values;
    this.#queue = queue;
    this.#settings = settings;
    this.#handler = handler;
    this.#keys = store.workerKeys(core.driver.runtime.randomUUID());
    this.#disown = core.own(this);
    void this.#listen();
    this.#ended = this.#work();
  }

  /** Runs under way in this worker. */
  get running(): number {
    return this.#running.size;
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
    this.#hungry = true;
    this.#nudge();
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
    this.#nudge();
    const drained = new AbortController();
    const late = this.#stopIn(this.#settings.drainMs, drained.signal);
    await this.#ended;
    drained.abort();
    await late;
    this.#runtime.clearTimeout(this.#dueTimer);
    this.#runtime.clearTimeout(this.#leaseTimer);
    this.#disown();
    // Where no server answers the lease ends by itself, and others take over what is left.
    await this.#store.leave(this.#keys).catch(() => undefined);
  }

  async #stopIn(ms: number, drained: AbortSignal): Promise<void> {
    await sleep(this.#runtime, ms, drained);
    for (const run of this.#running.values()) run.callOff(closedWhileRunning(run.id));
    this.#stopped.abort();
    this.#nudge();
  }

  /** Wake-ups, and a tick behind them for the ones that are lost. */
  async #listen(): Promise<void> {
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      try {
        const waiter = await this.#core.wakeups.join(this.#keys.wakeKey);
        try {
          while (!signal.aborted) {
            await waiter.next(this.#tickMs, signal);
            this.#hungry = true;
            this.#nudge();
          }
        } finally {
          waiter.leave();
        }
      } catch (error) {
        if (error instanceof HoldfastError && error.code === "CLOSED") return;
        await sleep(this.#runtime, this.#tickMs, signal);
        this.#hungry = true;
        this.#nudge();
      }
    }
  }

  get #tickMs(): number {
    return Math.min(this.#settings.pollMs, this.#settings.leaseMs / 3);
  }

  async #work(): Promise<void> {
    let retryMs = RETRY_MS;
    for (;;) {
      if (this.#isOver) return;
      const slots = this.#freeSlots;
      const isDue = this.#runtime.now() >= this.#renewAt;
      if (this.#done.length === 0 && !(this.#hungry && slots > 0) && !isDue) {
        await new Promise<void>((resolve) => (this.#resume = resolve));
        continue;
      }
      try {
        await this.#claim(slots);
        retryMs = RETRY_MS;
      } catch (error) {
        if (error instanceof HoldfastError && error.code === "CLOSED") return;
        await sleep(this.#runtime, retryMs * (0.5 + this.#runtime.random() / 2), this.#stopped.signal);
        retryMs = Math.min(retryMs * 2, MAX_RETRY_MS);
      }
    }
  }

  /** At the end nothing runs and nothing waits to be acknowledged; or it has taken too long. */
  get #isOver(): boolean {
    if (this.#stopped.signal.aborted) return true;
    const isIdle = this.#running.size === 0 && this.#done.length === 0 && this.#settling === 0;
    if (this.#isClosing && isIdle) this.#stopped.abort();
    return this.#stopped.signal.aborted;
  }

  get #freeSlots(): number {
    if (this.#isPaused || this.#isClosing) return 0;
    return Math.min(this.#settings.concurrency - this.#running.size, MAX_JOBS_PER_CALL);
  }

  async #claim(slots: number): Promise<void> {
    const { leaseMs } = this.#settings;
    const done = this.#done.splice(0, MAX_JOBS_PER_CALL);
    const sentAt = this.#runtime.now();
    const settling = this.#settling;
    this.#hungry = false;
    let answer;
    try {
      const terms = { slots, leaseMs, idleMs: slots > 0 ? 2 * this.#tickMs : 0, timeoutMs: this.#timeoutMs };
      answer = await this.#store.claim(this.#keys, done, terms);
    } catch (error) {
      this.#hungry = true;
      if (error instanceof OutcomeUnknownError) await this.#reconcile(done);
      else this.#done.unshift(...done);
      throw error;
    }
    this.#renewed(sentAt);
    this.#confirm(done, answer.stale);
    // Fewer than there were slots for: nothing more waits now.
    this.#hungry ||= answer.ids.length === slots && slots > 0;
    this.#wakeIn(answer.dueMs);
    for (const worker of answer.dead) await this.#recover(worker);
    const heldBefore = this.#running.size + this.#done.length;
    const brought = this.#startAll(answer.ids, () => answer.fence, answer);
    const isSettled = settling === 0 && this.#settling === 0;
    // Jobs of a claim whose answer was lost, or runs that were called off while the server still had them as ours.
    if (isSettled && answer.held > heldBefore + brought) await this.#reconcile([]);
    else if (!answer.known && heldBefore > 0) this.#callOffAll("it was taken for dead by another worker");
  }

  /** What the server knows of this worker decides: acknowledge what is still held, run what it does not know of. */
  async #reconcile(done: readonly Run[]): Promise<void> {
    const answer = await this.#store.held(this.#keys);
    const fences = new Map(answer.ids.map((id, at) => [id, Number(answer.fences[at])]));
    // What is not held any more is done; or the lease was over, and it is another's.
    this.#done.push(...done.filter((run) => fences.get(run.id) === run.fence));
    const known = new Set([...this.#done.map(({ id }) => id), ...this.#running.keys()]);
    const unknown = answer.ids.map((id, at) => ({ id, at })).filter(({ id }) => !known.has(id));
    const pick = <T>(list: readonly T[]): T[] => unknown.map(({ at }) => list[at]!);
    this.#startAll(
      unknown.map(({ id }) => id),
      (id) => fences.get(id)!,
      { records: pick(answer.records), metas: pick(answer.metas), crashed: pick(answer.crashed) },
    );
  }

  #startAll(
    ids: readonly string[],
    fenceOf: (id: string) => number,
    answer: {
      readonly records: readonly (Buffer | null)[];
      readonly metas: readonly (Buffer | null)[];
      readonly crashed: readonly (string | null)[];
    },
  ): number {
    let started = 0;
    for (const [at, id] of ids.entries()) {
      const bytes = answer.records[at];
      if (bytes === null || bytes === undefined) continue;
      started += 1;
      const info = answer.metas[at] ?? null;
      const failures = info === null ? undefined : this.#values.failures.decode(info);
      const run = new Run(id, fenceOf(id), decodeRecord(bytes), failures, Number(answer.crashed[at] ?? 0));
      this.#running.set(id, run);
      void this.#execute(run);
    }
    return started;
  }

  async #execute(run: Run): Promise<void> {
    try {
      const result = await run.within(this.#runtime, this.#queue.runTimeoutMs, () =>
        this.#handler(run.job(this.#values.payload.decode(run.record.payload, this.#values.context))),
      );
      if (!this.#isMine(run)) return;
      if (run.record.keepsResult) return await this.#giveBack(run, () => this.#finish(run, result));
      this.#running.delete(run.id);
      this.#done.push(run);
      this.#nudge();
    } catch (error) {
      if (this.#isMine(run)) await this.#giveBack(run, () => this.#fail(run, error));
    }
  }

  #isMine(run: Run): boolean {
    if (this.#running.get(run.id) === run && !this.#stopped.signal.aborted) return true;
    this.#stats.lost += 1;
    return false;
  }

  /** Until the server has answered, or the lease is over and the job with it. */
  async #giveBack(run: Run, ask: () => Promise<void>): Promise<void> {
    this.#settling += 1;
    try {
      while (this.#running.get(run.id) === run) {
        try {
          await ask();
          break;
        } catch (error) {
          if (!(error instanceof HoldfastError) || !isOutage(error)) break;
          await sleep(this.#runtime, RETRY_MS, this.#stopped.signal);
          if (this.#stopped.signal.aborted) break;
        }
      }
    } finally {
      this.#settling -= 1;
      if (this.#running.get(run.id) === run) this.#running.delete(run.id);
      this.#hungry = true;
      this.#nudge();
    }
  }

  async #finish(run: Run, result: Result): Promise<void> {
    const value = this.#values.result.encode(result, this.#values.context);
    const outcome = this.#values.outcome.encode({ value }, this.#values.context);
    if (await this.#store.finish(this.#keys, run, outcome)) this.#stats.completed += 1;
    else this.#stats.lost += 1;
  }

  async #fail(run: Run, error: unknown): Promise<void> {
    if (error instanceof Snooze) {
      await this.#store.settle(this.#keys, run, {
        fate: "again",
        delayMs: error.delayMs,
        info: NOTHING,
        outcome: NOTHING,
      });
      return;
    }
    const failed = recordFailure(run.failures, error, Math.round(run.fence / 1_000));
    const attempts = run.record.attempts ?? this.#queue.attempts;
    const isDead = error instanceof Discard || failed.failures >= attempts;
    const delayMs =
      error instanceof RetryAfter ? error.delayMs : backoffMs(this.#runtime, this.#queue.backoff, failed.failures);
    const info = this.#values.failures.encode(failed);
    const { message } = failed.last.at(-1)!;
    const outcome = run.record.keepsResult ? this.#values.outcome.encode({ message }, this.#values.context) : NOTHING;
    const isSettled = await this.#store.settle(
      this.#keys,
      run,
      isDead ? { fate: "dead", delayMs: 0, info, outcome } : { fate: "again", delayMs, info, outcome: NOTHING },
    );
    if (!isSettled) return void (this.#stats.lost += 1);
    this.#stats.failed += 1;
    if (isDead) this.#stats.dead += 1;
  }

  async #recover(worker: string): Promise<void> {
    if (worker === this.#keys.worker) return;
    try {
      const { recovered } = await this.#store.recover(worker);
      this.#stats.recovered += recovered;
      if (recovered > 0) this.#hungry = true;
    } catch (error) {
      // Another worker, or the next call of this one, will.
      if (!(error instanceof HoldfastError) || !isOutage(error)) throw error;
    }
  }

  #confirm(done: readonly Done[], stale: readonly string[]): void {
    this.#stats.completed += done.length - stale.length;
    this.#stats.lost += stale.length;
  }

  #renewed(sentAt: number): void {
    const { leaseMs } = this.#settings;
    this.#leaseEndsAt = sentAt + usableMs(leaseMs);
    this.#renewAt = sentAt + leaseMs / 3;
    if (this.#leaseTimer === undefined) this.#watchLease();
  }

  /** One timer for the whole lease, set again when it fires: a renewal costs none. */
  #watchLease(): void {
    const leftMs = this.#leaseEndsAt - this.#runtime.now();
    if (leftMs <= 0) {
      this.#leaseTimer = undefined;
      this.#callOffAll("its lease could not be renewed in time");
      return;
    }
    this.#leaseTimer = this.#runtime.setTimeout(() => this.#watchLease(), leftMs);
    this.#leaseTimer.unref();
  }

  #callOffAll(why: string): void {
    const lost = [...this.#running.values()];
    this.#running.clear();
    this.#stats.lost += this.#done.length;
    this.#done = [];
    for (const run of lost) run.callOff(new LeaseLostError("expired", `job ${run.id}: ${why}`));
    this.#nudge();
  }

  /** An answer after the lease is of no use. */
  get #timeoutMs(): number {
    return Math.min(this.#queue.timeoutMs ?? this.#core.driver.timeoutMs, Math.ceil(usableMs(this.#settings.leaseMs)));
  }

  #wakeIn(dueMs: number): void {
    this.#runtime.clearTimeout(this.#dueTimer);
    this.#dueTimer = undefined;
    if (dueMs < 0 || dueMs > this.#tickMs) return;
    this.#dueTimer = this.#runtime.setTimeout(() => {
      this.#hungry = true;
      this.#nudge();
    }, dueMs + 1);
  }

  #nudge(): void {
    const resume = this.#resume;
    this.#resume = undefined;
    resume?.();
  }
}
