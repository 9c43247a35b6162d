/** Runs the jobs that a consumer has claimed, from the beginning of their handlers until the server knows how they ended. */
import { channel } from "node:diagnostics_channel";
import type { Runtime } from "../base/runtime.ts";
import type { Attention } from "./attention.ts";
import type { QueueCommit, QueueCommitResult } from "./commit.ts";
import type { Ending, Endings } from "./endings.ts";
import type { Post } from "./flows/post.ts";
import type { JobTools } from "./job.ts";
import type { Cancels } from "./jobs/cancels.ts";
import type { Tally } from "./overview/tally.ts";
import { Pause } from "../core/retry/pause.ts";
import { warnAfterCommit, warnUnlessOutage } from "./patience.ts";
import type { Run } from "./run.ts";
import type { Runs } from "./runs.ts";
import type { Share } from "./slots.ts";
import type { WorkerStore } from "./worker-store.ts";

/** What runs jobs: a handler for each of them, or one for many. */
export interface Performer {
  /** Runs the job's handler. */
  readonly perform: (run: Run, tools: JobTools) => unknown;
  /** Resolves when the job's turn has come. Where there is none it comes at once. */
  readonly turnOf?: ((run: Run) => Promise<void>) | undefined;
  /** The run is over. */
  readonly left?: ((run: Run) => void) | undefined;
}

/** Counts of one consumer since it was made. */
export interface ConsumerStats {
  readonly completed: number;
  readonly failed: number;
  readonly dead: number;
  readonly lost: number;
  readonly recovered: number;
  readonly stuck: number;
  readonly cancelled: number;
  readonly expired: number;
}

export type ConsumerCounts = { -readonly [Name in keyof ConsumerStats]: ConsumerStats[Name] };

export const noCounts = (): ConsumerCounts => ({
  completed: 0,
  failed: 0,
  dead: 0,
  lost: 0,
  recovered: 0,
  stuck: 0,
  cancelled: 0,
  expired: 0,
});

export interface ExecutionsParts {
  readonly runtime: Runtime;
  readonly queue: string;
  readonly runTimeoutMs: number | undefined;
  readonly performer: Performer;
  readonly store: WorkerStore;
  readonly endings: Endings<unknown>;
  readonly runs: Runs;
  readonly stats: ConsumerCounts;
  readonly tally: Tally;
  readonly share: Share;
  readonly post: Post;
  readonly cancels: Cancels;
  readonly attention: Attention;
  /** Nothing is to be told to the server any more. */
  readonly stopped: AbortSignal;
}

/** Handlers that go on after their time and their grace, as `{ queue, id, name }`. */
const stuckRuns = channel("holdfast:queue:stuck");

export class Executions {
  readonly #parts: ExecutionsParts;
  readonly #tools: JobTools;

  constructor(parts: ExecutionsParts) {
    this.#parts = parts;
    this.#tools = {
      key: (name) => parts.store.userKey(name),
      commit: (run, write, result) => this.#commit(run, write, result),
    };
  }

  async execute(run: Run): Promise<void> {
    const { performer, runtime, runTimeoutMs, store, endings, runs, share, attention } = this.#parts;
    try {
      if (run.record.freesAtStart) await this.#insist(run, () => store.started(run));
      if (performer.turnOf !== undefined) await performer.turnOf(run);
      const result = await run.within(
        runtime,
        runTimeoutMs,
        () => performer.perform(run, this.#tools),
        (ended) => this.#reportStuck(run, ended),
      );
      if (run.isCommitted) return this.#leave(run);
      if (!this.#isMine(run)) return;
      const success = endings.successOf(run, result);
      if (success !== undefined) return await this.#end(run, () => endings.finish(run, success));
      runs.endWell(run);
      share.freed();
      attention.call();
    } catch (error) {
      if (run.isCommitted) return this.#leave(run, error);
      if (this.#isMine(run)) await this.#end(run, () => endings.fail(run, error));
    } finally {
      performer.left?.(run);
    }
  }

  /** It was claimed later than it may start: unless it has slept, or waited, between its steps, and so started in time. */
  async expire(run: Run): Promise<void> {
    const { store, endings } = this.#parts;
    let hasBegun = false;
    await this.#insist(run, async () => {
      hasBegun = await store.hasBegun(run);
    });
    await (hasBegun ? this.execute(run) : this.#end(run, () => endings.expire(run)));
  }

  /** Its slot goes to another job, but what the handler holds (a connection, memory) it holds still. */
  #reportStuck(run: Run, ended: Promise<unknown>): void {
    const { stats, queue } = this.#parts;
    stats.stuck += 1;
    const isOver = () => (stats.stuck -= 1);
    ended.then(isOver, isOver);
    stuckRuns.publish({ queue, id: run.id, name: run.record.name });
  }

  async #commit(run: Run, write: (commit: QueueCommit) => void, result: unknown): Promise<QueueCommitResult> {
    const { endings, runs, store, stats, post } = this.#parts;
    const success = endings.successOf(run, result);
    const answer = await runs.committing(run, () => store.commit(run, write, success));
    stats.completed += 1;
    if (run.record.waiting.length > 0) post.kick();
    return answer;
  }

  /** The job is over, whatever its handler did after the commit. */
  #leave(run: Run, error?: unknown): void {
    const { runs, tally, share, attention } = this.#parts;
    runs.leave(run);
    tally.ended(run, "completed");
    share.freed();
    attention.look();
    if (error !== undefined) warnAfterCommit(run.id, error);
  }

  #isMine(run: Run): boolean {
    const { runs, stopped, stats } = this.#parts;
    if (runs.isCurrent(run) && !stopped.aborted) return true;
    stats.lost += 1;
    return false;
  }

  async #end(run: Run, ask: () => Promise<Ending>): Promise<void> {
    const { runs, post, cancels, share, attention } = this.#parts;
    let ending: Ending | undefined;
    const tell = async (): Promise<void> => {
      ending = await ask();
      this.#count(run, ending);
    };
    await runs.ending(run, () => this.#insist(run, tell));
    if (run.record.waiting.length > 0) post.kick();
    if (run.isCancelled) cancels.ended();
    share.freed();
    // One that looks at once takes what it has just left, before a worker that knows the name, and for ever.
    if (ending === "unhandled") attention.call();
    else attention.look();
  }

  /** Until the server has answered, or the lease is over and the job with it. */
  async #insist(run: Run, ask: () => Promise<void>): Promise<void> {
    const { runtime, runs, stopped } = this.#parts;
    const pause = new Pause(runtime, stopped);
    while (runs.isCurrent(run) && !stopped.aborted) {
      try {
        return await ask();
      } catch (error) {
        warnUnlessOutage(error);
        await pause.next();
      }
    }
  }

  #count(run: Run, ending: Ending): void {
    const { tally, stats } = this.#parts;
    tally.ended(run, ending);
    if (ending === "completed") stats.completed += 1;
    if (ending === "failed" || ending === "dead") stats.failed += 1;
    if (ending === "dead") stats.dead += 1;
    if (ending === "cancelled" || ending === "expired") stats[ending] += 1;
    if (ending === "stale") stats.lost += 1;
  }
}
