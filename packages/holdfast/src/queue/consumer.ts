/**
 * One worker's work in one partition: claims jobs, acknowledges those that are done, and keeps its lease; `executions.ts` runs them.
 *
 * One loop does all talking to the server: each of its calls acknowledges what has ended since the last one, claims as many jobs as there
 * are free slots, and says that the worker lives. It is called off its rest by a wake-up, a job that has ended, a delayed job that is
 * due, or the tick of a timer that nothing can hold up. What can go wrong:
 *
 * - the process dies, or is cut off: its lease ends, and any other worker takes its jobs back (`crashes` counts);
 * - the lease ends here first, by this process's own clock: every run is called off, its result is discarded; what nobody has taken
 *   meanwhile is given back, and claimed again with a higher fence;
 * - the answer to a claim is lost: the jobs it may have brought are asked for (`held`), and run;
 * - the answer to an acknowledgement is lost: what is still held is acknowledged again;
 * - a run ends after its job was given to another: the acknowledgement has an old fence and changes nothing.
 */
import { HoldfastError, OutcomeUnknownError } from "../base/errors.ts";
import { sleep } from "../base/runtime.ts";
import type { Core } from "../core/core.ts";
import { usableMs } from "../core/lease/timed-lease.ts";
import { Attention } from "./attention.ts";
import { AGAIN, type Endings } from "./endings.ts";
import { type ConsumerCounts, type ConsumerStats, Executions, noCounts, type Performer } from "./executions.ts";
import type { FailureRecord } from "./failure.ts";
import { Cancels } from "./jobs/cancels.ts";
import type { WorkSettings } from "./work-options.ts";
import { Pause } from "../core/retry/pause.ts";
import { warnUnlessOutage } from "./patience.ts";
import { decodeRecord } from "./record.ts";
import { closedWhileRunning, Run } from "./run.ts";
import { Runs } from "./runs.ts";
import type { Claimant, Share } from "./slots.ts";
import { Upkeep, type UpkeepParts } from "./upkeep.ts";
import { WorkerLease } from "./worker-lease.ts";
import type { ClaimTerms } from "./worker-store.ts";

interface StoredJobs {
  readonly records: readonly (Buffer | null)[];
  readonly failures: readonly (Buffer | null)[];
  readonly crashed: readonly (string | null)[];
}

/** One call holds the server for about 300 microseconds with as many. */
const MAX_JOBS_PER_CALL = 250;
/** How often a worker that is busy looks for one that has died. */
const SWEEP_MS = 1_000;

export interface ConsumerTerms extends WorkSettings {
  readonly queue: string;
  readonly timeoutMs: number | undefined;
  readonly runTimeoutMs: number | undefined;
}

export interface ConsumerParts extends Omit<UpkeepParts, "runtime"> {
  readonly core: Core;
  readonly endings: Endings<unknown>;
  readonly share: Share;
  readonly terms: ConsumerTerms;
  readonly performer: Performer;
  readonly failuresOf: (info: Buffer | null) => FailureRecord | undefined;
  /** It has nothing to do. */
  readonly onEmpty: () => void;
  /** Why a job was cancelled, from its outcome. */
  readonly reasonOf: (outcome: Buffer) => string | undefined;
}

export class Consumer implements Claimant {
  readonly #parts: ConsumerParts;
  readonly #upkeep: Upkeep;
  readonly #runs = new Runs();
  readonly #stopped = new AbortController();
  readonly #attention: Attention;
  readonly #lease: WorkerLease;
  readonly #cancels: Cancels;
  readonly #executions: Executions;
  readonly #stats: ConsumerCounts = noCounts();
  #sweepAt = 0;
  #isPaused = false;
  #isClosing = false;
  readonly #ended: Promise<void>;

  constructor(parts: ConsumerParts) {
    this.#parts = parts;
    this.#upkeep = new Upkeep({ ...parts, runtime: this.#runtime });
    this.#parts.share.join(this);
    const tickMs = Math.min(parts.terms.pollMs, Math.floor(parts.terms.leaseMs / 3));
    const isBusy = (): boolean => this.#runs.running > 0;
    this.#attention = new Attention(parts.core, parts.store.keys.wakeKey, tickMs, this.#stopped.signal, isBusy);
    this.#lease = new WorkerLease(this.#runtime, parts.terms.leaseMs, () => {
      this.#runs.callOffAll("its worker's lease could not be renewed in time");
      this.#parts.share.freed();
      this.#attention.call();
    });
    this.#cancels = new Cancels({
      core: parts.core,
      cancelKey: parts.store.keys.cancelKey,
      ask: () => parts.store.cancels(),
      runOf: (id) => this.#runs.get(id),
      reasonOf: parts.reasonOf,
      stop: this.#stopped.signal,
    });
    const { store, endings, tally, share, post, performer } = parts;
    this.#executions = new Executions({
      store,
      endings,
      tally,
      share,
      post,
      performer,
      runtime: this.#runtime,
      queue: parts.terms.queue,
      runTimeoutMs: parts.terms.runTimeoutMs,
      runs: this.#runs,
      stats: this.#stats,
      cancels: this.#cancels,
      attention: this.#attention,
      stopped: this.#stopped.signal,
    });
    this.#ended = this.#work();
  }

  get running(): number {
    return this.#runs.running;
  }

  /** It has claimed all that there was, and nothing of it runs. */
  get isEmpty(): boolean {
    return !this.#attention.isHungry && this.#runs.expected === 0;
  }

  get stats(): ConsumerStats {
    return this.#stats;
  }

  pause(): void {
    this.#isPaused = true;
    this.#parts.share.leave(this);
  }

  resume(): void {
    this.#isPaused = false;
    this.#attention.look();
  }

  look(): void {
    this.#attention.look();
  }

  /** Claims no more and waits for what runs, for at most `drain`; then it is called off and waits again. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#parts.share.leave(this);
    this.#runs.askToStop();
    this.#attention.hurry();
    const drained = new AbortController();
    const late = this.#stopIn(this.#parts.terms.drainMs, drained.signal);
    await this.#ended;
    drained.abort();
    await late;
    this.#attention.close();
    this.#lease.close();
    // Where no server answers the lease ends by itself, and others take over what is left.
    await this.#parts.store.leave().catch(() => undefined);
  }

  get #runtime(): Core["driver"]["runtime"] {
    return this.#parts.core.driver.runtime;
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
      const isHungry = this.#attention.isHungry && this.#freeSlots > 0;
      if (!isHungry && this.#runs.done === 0 && !this.#runs.isInDoubt && !this.#lease.wantsRenewal) {
        if (this.#attention.isHungry && !this.#isPaused) this.#parts.share.starve(this);
        if (this.isEmpty) this.#parts.onEmpty();
        await this.#attention.rest();
        continue;
      }
      try {
        if (this.#upkeep.isReportDue) await this.#upkeep.letDeathsBeReported();
        // In doubt nothing is claimed: what this worker holds already takes slots, and is started only under a lease.
        const slots = this.#runs.isInDoubt ? 0 : this.#freeSlots;
        await this.#parts.share.claiming(this, slots, MAX_JOBS_PER_CALL, (most) => this.#claim(most));
        if (this.#runs.isInDoubt) await this.#reconcile();
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
    return this.#parts.share.portionOf(this);
  }

  async #claim(slots: number): Promise<number> {
    const done = this.#runs.takeDone(MAX_JOBS_PER_CALL);
    const isSettled = this.#runs.expected !== undefined;
    const sentAt = this.#runtime.now();
    // A call that claims nothing says nothing of what waits.
    if (slots > 0) this.#attention.isHungry = false;
    let answer;
    try {
      answer = await this.#parts.store.claim(done, this.#termsOf(slots));
    } catch (error) {
      this.#attention.isHungry = true;
      if (error instanceof OutcomeUnknownError) this.#runs.doubt(done);
      else this.#runs.putBack(done);
      throw error;
    }
    this.#lease.renewed(sentAt);
    this.#stats.completed += done.length - answer.stale.length;
    this.#stats.lost += answer.stale.length;
    for (const run of done) if (!answer.stale.includes(run.id)) this.#parts.tally.ended(run, "completed");
    // Fewer than there were slots for: nothing more waits now.
    this.#attention.isHungry ||= answer.ids.length === slots && slots > 0;
    this.#attention.lookIn(answer.dueMs);
    this.#cancels.claimed(answer.cancels);
    for (const worker of answer.dead) this.#recovered(await this.#upkeep.recover(worker));
    if (answer.letters > 0) this.#parts.post.kick();
    if (answer.unhandled > 0 && (await this.#upkeep.readmit(slots - answer.ids.length)))
      this.#attention.isHungry = true;
    this.#startAll(answer.ids, () => answer.fence, answer);
    // A claim whose answer was lost may have come late, a run may be called off here and held there, or the other way round.
    const { expected } = this.#runs;
    if (isSettled && expected !== undefined && expected !== answer.held) await this.#reconcile();
    return answer.ids.length;
  }

  #recovered(count: number): void {
    this.#stats.recovered += count;
    if (count > 0) this.#attention.isHungry = true;
  }

  #termsOf(slots: number): ClaimTerms {
    const { leaseMs, timeoutMs = this.#parts.core.driver.timeoutMs } = this.#parts.terms;
    const idleMs = slots > 0 ? 2 * this.#attention.tickMs : 0;
    const now = this.#runtime.now();
    const sweep = now >= this.#sweepAt;
    if (sweep) this.#sweepAt = now + Math.min(this.#attention.tickMs / 2, SWEEP_MS);
    // An answer after the lease is of no use.
    return { slots, leaseMs, idleMs, sweep, timeoutMs: Math.min(timeoutMs, Math.ceil(usableMs(leaseMs))) };
  }

  async #reconcile(): Promise<void> {
    const answer = await this.#parts.store.held();
    const placeOf = new Map(answer.ids.map((id, at) => [id, at]));
    const fences = new Map(answer.ids.map((id, at) => [id, Number(answer.fences[at])]));
    await this.#giveBack(this.#runs.abandoned(fences), fences);
    const { unknown, lost } = this.#runs.agree(fences);
    this.#stats.lost += lost;
    const pick = <T>(list: readonly T[]): T[] => unknown.map((id) => list[placeOf.get(id)!]!);
    const stored = { records: pick(answer.records), failures: pick(answer.failures), crashed: pick(answer.crashed) };
    this.#startAll(unknown, (id) => fences.get(id)!, stored);
  }

  /** Each is claimed again before it runs again: by its fence what the called-off run still writes can be refused. */
  async #giveBack(abandoned: readonly Run[], fences: Map<string, number>): Promise<void> {
    if (abandoned.length === 0) return;
    // Backwards, so that the one that was claimed first is in front again.
    await Promise.all(abandoned.toReversed().map((run) => this.#parts.store.settle(run, AGAIN)));
    for (const { id } of abandoned) fences.delete(id);
    this.#attention.isHungry = true;
  }

  /** Not after the lease: what an answer brought that came so late may be another worker's by now. */
  #startAll(ids: readonly string[], fenceOf: (id: string) => number, stored: StoredJobs): void {
    for (const [at, id] of ids.entries()) {
      // Asked each time, as a handler that blocks the event loop may outlast the lease.
      if (this.#lease.isOver) return this.#runs.doubt([]);
      const bytes = stored.records[at];
      // Removed while it waited.
      if (bytes === null || bytes === undefined) continue;
      const failures = this.#parts.failuresOf(stored.failures[at] ?? null);
      const run = new Run(id, fenceOf(id), decodeRecord(bytes), failures, Number(stored.crashed[at] ?? 0));
      this.#runs.begin(run);
      this.#cancels.begun(run);
      void (run.isExpired ? this.#executions.expire(run) : this.#executions.execute(run));
    }
  }
}
