/**
 * One claim by hand in one partition: to the server a worker, with a lease of its own, that goes with the last of its jobs. Its jobs are ended in
 * whatever process has their tokens; what is known here of its lease and of cancelled jobs is for the signals of jobs that ask for them.
 */
import { LeaseLostError, OutcomeUnknownError } from "../../base/errors.ts";
import type { Timer } from "../../base/runtime.ts";
import type { Core } from "../../core/core.ts";
import { usableMs } from "../../core/lease/timed-lease.ts";
import { runScript } from "../../core/script/run.ts";
import { type Ending, Endings } from "../endings.ts";
import { Snooze, Unhandled } from "../failure.ts";
import { Reports } from "../jobs/reports.ts";
import type { QueueSettings } from "../options.ts";
import type { Tally } from "../overview/tally.ts";
import type { Partition } from "../partition.ts";
import { decodeRecord } from "../record.ts";
import { Run } from "../run.ts";
import { hold, type HoldResult } from "../scripts.gen.ts";
import { failuresFrom, type QueueValues, reasonFrom } from "../values.ts";
import { WorkerStore } from "../worker-store.ts";

export interface HolderParts {
  readonly core: Core;
  readonly queue: string;
  readonly settings: QueueSettings;
  readonly values: QueueValues<unknown, unknown>;
  /** Of what this process ends by hand. */
  readonly tally: () => Tally;
}

export interface TakeTerms {
  readonly leaseMs: number;
  /** Undefined: all. */
  readonly names: readonly string[] | undefined;
  /** It listens for so long where there is nothing; 0: it does not. */
  readonly idleMs: number;
}

/** How often the server is asked which jobs are cancelled, should a wake-up be lost. */
const LOOK_MS = 10_000;
/** How long what is left to workers is not looked at again. */
const LEFT_MS = 1_000;

export class Holder {
  readonly worker: string;
  readonly partition: Partition;
  readonly reports: Reports;
  readonly store: WorkerStore;
  readonly endings: Endings<unknown>;
  readonly #parts: HolderParts;
  readonly #runs = new Set<Run>();
  readonly #stop = new AbortController();
  #isListening = false;
  /** By this process's clock. */
  #endsAt = 0;
  #timer: Timer | undefined;
  /** Until the next delayed job is due; negative: there is none. */
  dueMs = -1;

  constructor(parts: HolderParts, partition: Partition, worker: string) {
    const { core, queue, settings, values } = parts;
    this.worker = worker;
    this.partition = partition;
    this.#parts = parts;
    this.store = new WorkerStore(core, partition.keys, worker, settings, true);
    this.endings = new Endings({ core, queue, store: this.store, values, settings });
    this.reports = new Reports(core, partition.keys, this.store.keys, values, settings.timeoutMs);
  }

  /** Claims up to `most` jobs that may be run. Where that fails, what it holds waits again. */
  async take(most: number, terms: TakeTerms): Promise<Run[]> {
    try {
      return await this.#take(most, terms);
    } catch (error) {
      await this.leave();
      throw error;
    }
  }

  /** What it holds waits again. */
  async leave(): Promise<void> {
    this.#stop.abort();
    await this.store.leave().catch(() => undefined);
  }

  /** It listens no more: what is added is for others to take. */
  async deafen(): Promise<void> {
    const { core, settings } = this.#parts;
    const { idle } = this.partition.keys;
    const call = { op: "queue.claim", class: "idempotent", timeoutMs: settings.timeoutMs } as const;
    await core.driver.send(["ZREM", idle, this.store.keys.wakeKey], call, idle).catch(() => undefined);
  }

  /** A job of which there is only the token: undefined where it is not held by it any more. */
  async find(id: string, fence: number): Promise<Run | undefined> {
    const sentAt = this.#now;
    const answer = await this.#hold(id, fence, 0);
    if (answer.status === "stale") return undefined;
    this.#lasts(sentAt, answer.leftMs);
    const failures =
      answer.failures.length === 0
        ? undefined
        : this.#parts.values.failures.decode(answer.failures, this.#parts.values.context);
    const run = new Run(id, fence, decodeRecord(answer.record), failures, answer.crashed);
    run.tookMs = answer.tookMs;
    this.#noteCancelled(run, answer.cancelled);
    this.#runs.add(run);
    return run;
  }

  async extend(run: Run, leaseMs: number): Promise<"ok" | "cancelled" | "stale"> {
    const sentAt = this.#now;
    const answer = await this.#hold(run.id, run.fence, leaseMs);
    if (answer.status === "stale") {
      this.#lose(run);
      return "stale";
    }
    this.#lasts(sentAt, leaseMs);
    run.tookMs = answer.tookMs;
    this.#noteCancelled(run, answer.cancelled);
    return run.isCancelled ? "cancelled" : "ok";
  }

  /** Ends a run. After a lost answer it asks again; where that does not tell either, nobody can. */
  async settle(run: Run, ask: () => Promise<Ending>): Promise<Ending> {
    let unknown: OutcomeUnknownError | undefined;
    for (;;) {
      try {
        const ending = await ask();
        if (ending === "stale" && unknown !== undefined) throw unknown;
        this.#ended(run, ending);
        return ending;
      } catch (error) {
        if (unknown !== undefined || !(error instanceof OutcomeUnknownError)) throw error;
        unknown = error;
      }
    }
  }

  /** Lets signals abort. Until the last of its jobs has ended here, or the lease is over. */
  listen(): void {
    if (this.#isListening || this.#stop.signal.aborted) return;
    this.#isListening = true;
    this.#watch();
    void this.#listen();
  }

  async #take(most: number, terms: TakeTerms): Promise<Run[]> {
    const { core, settings } = this.#parts;
    const { store, post } = this.partition;
    const { leaseMs, idleMs, names } = terms;
    const timeoutMs = Math.min(settings.timeoutMs ?? core.driver.timeoutMs, Math.ceil(usableMs(leaseMs)));
    const taken: Run[] = [];
    for (;;) {
      const slots = most - taken.length;
      const sentAt = this.#now;
      const answer = await this.store.claim([], { slots, leaseMs, idleMs, sweep: true, timeoutMs });
      this.#lasts(sentAt, leaseMs);
      this.dueMs = answer.dueMs;
      let mayBeMore = answer.ids.length === slots || answer.dueMs === 0;
      for (const worker of answer.dead) mayBeMore = (await store.recover(worker)).recovered > 0 || mayBeMore;
      if (answer.letters > 0 || answer.dead.length > 0) post.kick();
      for (const [at, id] of answer.ids.entries()) {
        const bytes = answer.records[at];
        // Removed while it waited.
        if (bytes === null || bytes === undefined) continue;
        const run = this.#runOf(id, answer.fence, bytes, answer.failures[at] ?? null, answer.crashed[at] ?? null);
        if (await this.#begin(run, names)) taken.push(run);
      }
      if (answer.unhandled > 0 && taken.length < most)
        mayBeMore = (await this.store.readmit(names, most - taken.length)) > 0 || mayBeMore;
      if (!mayBeMore || taken.length === most) return taken;
    }
  }

  #runOf(id: string, fence: number, bytes: Buffer, info: Buffer | null, crashed: string | null): Run {
    return new Run(id, fence, decodeRecord(bytes), failuresFrom(this.#parts.values, info), Number(crashed ?? 0));
  }

  /** Whether it is to be run here; else it is ended so. */
  async #begin(run: Run, names: readonly string[] | undefined): Promise<boolean> {
    this.#runs.add(run);
    const { name, freesAtStart, dead } = run.record;
    const isAsked = names === undefined || (name !== undefined && names.includes(name));
    if (!isAsked || dead !== undefined) {
      await this.settle(run, () => this.endings.fail(run, new Unhandled("not claimed by this name")));
      return false;
    }
    // What it did is undone by its handler: a worker's, which comes for it, or has it by then.
    if (run.isGivenUp) {
      await this.settle(run, () => this.endings.fail(run, new Snooze(LEFT_MS)));
      return false;
    }
    if (run.isExpired && !(await this.store.hasBegun(run))) {
      await this.settle(run, () => this.endings.expire(run));
      return false;
    }
    if (freesAtStart) await this.store.started(run);
    await this.partition.events?.started(this.worker, run);
    return true;
  }

  #ended(run: Run, ending: Ending): void {
    if (ending === "stale") this.#lose(run);
    if (ending === "cancelled") run.cancel(undefined);
    this.#parts.tally().ended(run, ending);
    if (run.record.waiting.length > 0) this.partition.post.kick();
    this.#runs.delete(run);
    if (this.#runs.size === 0) this.#stop.abort();
  }

  #hold(id: string, fence: number, leaseMs: number): Promise<HoldResult> {
    const { core, settings } = this.#parts;
    const { jobs, meta, workers } = this.partition.keys;
    const names = { active: this.store.keys.active, jobs, meta, workers };
    const args = { worker: this.worker, id, fence, leaseMs };
    const call = { op: leaseMs > 0 ? "queue.extend" : "queue.held", key: id, timeoutMs: settings.timeoutMs };
    return runScript(core.driver, hold, names, args, call);
  }

  get #now(): number {
    return this.#parts.core.driver.runtime.now();
  }

  #lasts(sentAt: number, leaseMs: number): void {
    this.#endsAt = Math.max(this.#endsAt, sentAt + usableMs(leaseMs));
  }

  #noteCancelled(run: Run, outcome: Buffer): void {
    if (outcome.length === 0) return;
    run.cancel(reasonFrom(this.#parts.values, outcome));
  }

  #lose(run: Run): void {
    if (!this.#runs.has(run)) return;
    const message = `job ${run.id}: its lease was over, and it was taken back`;
    run.callOff(new LeaseLostError("expired", message, { op: "queue.claim", key: run.id }));
  }

  /** One timer for the whole lease, set again when it fires: `extend` costs none. */
  #watch(): void {
    const { runtime } = this.#parts.core.driver;
    runtime.clearTimeout(this.#timer);
    if (this.#stop.signal.aborted) return;
    const leftMs = this.#endsAt - runtime.now();
    if (leftMs > 0) {
      this.#timer = runtime.setTimeout(() => this.#watch(), leftMs);
      this.#timer.unref();
      return;
    }
    this.#stop.abort();
    for (const run of this.#runs) this.#lose(run);
  }

  async #listen(): Promise<void> {
    const { core } = this.#parts;
    try {
      const waiter = await core.wakeups.join(this.store.keys.cancelKey);
      try {
        while (!this.#stop.signal.aborted) {
          // Where that fails, the next look says it, or `extend`, or the end of the job.
          await this.#look().catch(() => undefined);
          await waiter.next(LOOK_MS, this.#stop.signal);
        }
      } finally {
        waiter.leave();
      }
    } catch {
      // The handle is closed, or may not subscribe.
    }
  }

  async #look(): Promise<void> {
    for (const { id, fence, outcome } of await this.store.cancels())
      for (const run of this.#runs) if (run.id === id && run.fence === fence) this.#noteCancelled(run, outcome);
  }
}
