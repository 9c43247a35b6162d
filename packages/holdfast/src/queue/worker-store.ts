/** The server's side of one worker in one partition: claims, and the ends of its runs. */
import { type BatchKind, Lane } from "../core/batch/lane.ts";
import { listKind } from "../core/batch/list-kind.ts";
import { listOf } from "../core/command/reply.ts";
import type { Core } from "../core/core.ts";
import { runScript, type UnclassedCall } from "../core/script/run.ts";
import { commitJob, type QueueCommit, type QueueCommitResult } from "./commit.ts";
import type { QueueKeys, WorkerKeys } from "./keys.ts";
import type { QueueSettings } from "./options.ts";
import {
  cancels,
  claim,
  type ClaimResult,
  held,
  type HeldResult,
  leave,
  readmit,
  settle,
  started,
} from "./scripts.gen.ts";

/** An acknowledgement. */
export interface Done {
  readonly id: string;
  readonly fence: number;
  readonly uniqueKey: string;
}

/** What becomes of a job whose run has ended. */
export interface Fate {
  /** `later`: again, and it has not failed; `blocked`: it waits for jobs that it has added; `parked`: for a signal; `unhandled`: for a worker that knows its name; `group`, `queue`: again, and what it is of is paused for `delayMs`. */
  readonly fate:
    | "done"
    | "again"
    | "later"
    | "dead"
    | "expired"
    | "blocked"
    | "parked"
    | "unhandled"
    | "group"
    | "queue";
  /** Until it runs again. */
  readonly delayMs: number;
  /** What is remembered of its failures, or the name of the signal; empty where nothing is added to it. */
  readonly info: Buffer;
  /** How it ended; or empty. */
  readonly outcome: Buffer;
  /** The outcome is for those who wait for it. */
  readonly isTold: boolean;
  /** For the jobs that wait for it; or empty. */
  readonly told: Buffer;
}

export interface ClaimTerms {
  readonly slots: number;
  readonly leaseMs: number;
  readonly idleMs: number;
  readonly timeoutMs: number;
  /** Look for a worker whose lease is over. */
  readonly sweep: boolean;
}

/**
 * `stale`: the claim is over, and nothing changed; `undone`: the job was to be dead, but runs once more to undo what it did; `cancelled`: it
 * was cancelled while it ran, and has ended so.
 */
export type Settled = "ok" | "stale" | "undone" | "cancelled";
const NOBODY = { outcome: Buffer.alloc(0), told: Buffer.alloc(0) };

/** A job that was cancelled while it ran. */
export interface CancelledJob {
  readonly id: string;
  readonly fence: number;
  readonly outcome: Buffer;
}

interface Settlement {
  readonly job: Done;
  readonly fate: Fate;
}

/** About 300 microseconds of the server's time. */
const MAX_SETTLED = 50;
/** With groups each costs several commands. */
const MAX_READMITTED = 50;

export class WorkerStore {
  readonly keys: WorkerKeys;
  readonly #core: Core;
  readonly #queue: QueueKeys;
  readonly #settings: QueueSettings;
  readonly #slot: number;
  /** It is gone with the last of what it holds: for one that claims once. */
  readonly #leaves: boolean;
  readonly #lane = new Lane();
  readonly #settling: BatchKind<Settlement, Settled>;

  constructor(core: Core, queue: QueueKeys, worker: string, settings: QueueSettings, leaves = false) {
    this.keys = queue.worker(worker);
    this.#leaves = leaves;
    this.#core = core;
    this.#queue = queue;
    this.#settings = settings;
    this.#slot = core.driver.slotOf(queue.queue);
    this.#settling = listKind(MAX_SETTLED, (settled) => this.#settleAll(settled));
  }

  claim(done: readonly Done[], terms: ClaimTerms): Promise<ClaimResult> {
    const { jobs, meta, delayed, workers, idle, control, unique, letters, lanes } = this.#queue;
    const { worker, active, wakeKey } = this.keys;
    const { slots, leaseMs, idleMs, sweep, timeoutMs } = terms;
    const names = { jobs, meta, ...lanes, delayed, active, workers, idle, control, unique, letters };
    const { channel } = this.#core.wakeups;
    const args = { worker, slots, leaseMs, idleMs, sweep, channel, wakeKey, ...acknowledgements(done) };
    return runScript(this.#core.driver, claim, names, args, { op: "queue.claim", timeoutMs });
  }

  held(): Promise<HeldResult> {
    const { jobs, meta } = this.#queue;
    return runScript(this.#core.driver, held, { active: this.keys.active, jobs, meta }, {}, this.#call("queue.claim"));
  }

  /** Which of the jobs that it runs are cancelled. */
  async cancels(): Promise<CancelledJob[]> {
    const { meta, control } = this.#queue;
    const { worker, active } = this.keys;
    const call = this.#call("queue.cancels");
    const found: CancelledJob[] = [];
    let [from, since] = [0, ""];
    do {
      const args = { worker, from, since, found: found.length > 0 };
      const some = await runScript(this.#core.driver, cancels, { active, meta, control }, args, call);
      for (const [at, id] of some.ids.entries())
        found.push({ id, fence: Number(some.fences[at]), outcome: some.outcomes[at]! });
      [from, since] = [some.next, some.since];
    } while (from > 0);
    return found;
  }

  /** Frees a unique key that is taken until its job starts. */
  async started({ id, uniqueKey }: Done): Promise<void> {
    const { unique, idle } = this.#queue;
    const args = { channel: this.#core.wakeups.channel, taken: [uniqueKey, id] };
    await runScript(this.#core.driver, started, { unique, idle }, args, this.#call("queue.started"));
  }

  /** Whether a step of the job is done; signals, which may come before its first run, are none. */
  async hasBegun({ id }: Done): Promise<boolean> {
    const key = this.#queue.steps(id);
    const call = { ...this.#call("queue.started"), class: "read", key: id } as const;
    const fields = listOf(await this.#core.driver.send(["HKEYS", key], call, key), call.op, id);
    return fields.some((field) => !String(field).startsWith("g"));
  }

  /** Ends a run of which more is to be told than an acknowledgement does. Those that end in the same tick share a script. */
  settle(job: Done, fate: Fate): Promise<Settled> {
    return this.#lane.add(this.#settling, this.#slot, { job, fate });
  }

  /** Acknowledges a run together with its handler's own writes. */
  commit(job: Done, write: (commit: QueueCommit) => void, success: Fate | undefined): Promise<QueueCommitResult> {
    const { resultTtlMs, timeoutMs } = this.#settings;
    const terms = { active: this.keys.active, keepMs: resultTtlMs, timeoutMs };
    return commitJob(this.#core, this.#queue, terms, job, write, success ?? NOBODY);
  }

  userKey(name: string): string {
    return this.#queue.user(name);
  }

  /** Jobs of these names (undefined: of all, except deaths) that wait for a worker that knows them may be claimed. How many. */
  readmit(names: readonly string[] | undefined, most: number, others: readonly string[] = []): Promise<number> {
    const { jobs, lanes } = this.#queue;
    const known = [...(names ?? []), ...others];
    const args = { most: Math.min(most, MAX_READMITTED), all: names === undefined, names: known };
    return runScript(this.#core.driver, readmit, { jobs, ...lanes }, args, this.#call("queue.claim"));
  }

  async leave(): Promise<void> {
    const { workers, jobs, meta, idle, unique, control, letters, lanes } = this.#queue;
    const { worker, active, wakeKey } = this.keys;
    const names = { workers, active, jobs, meta, ...lanes, idle, unique, control, letters };
    const args = { worker, channel: this.#core.wakeups.channel, wakeKey };
    const call = this.#call("queue.close");
    while ((await runScript(this.#core.driver, leave, names, args, call)).status === "more");
  }

  async #settleAll(settled: readonly Settlement[]): Promise<Settled[]> {
    // What goes back in front goes backwards, so that what was claimed first is the first again.
    const isLimited = ({ fate: { fate } }: Settlement): boolean => fate === "group" || fate === "queue";
    const inOrder = [...settled.filter((each) => !isLimited(each)), ...settled.filter(isLimited).toReversed()];
    const { jobs, meta, delayed, dead, unique, idle, blocked, letters, results, lanes } = this.#queue;
    const names = { active: this.keys.active, jobs, meta, ...lanes, delayed, dead, unique, idle, blocked, letters };
    const fields = inOrder.flatMap(({ job, fate: { fate, delayMs, info, outcome, isTold, told } }) => [
      job.id,
      String(job.fence),
      fate,
      String(Math.round(delayMs)),
      info,
      job.uniqueKey,
      outcome,
      isTold ? "1" : "0",
      told,
    ]);
    const { resultTtlMs, keep } = this.#settings;
    const args = {
      channel: this.#core.wakeups.channel,
      keepMs: resultTtlMs,
      results,
      keepCount: keep.completed.count,
      keepAgeMs: keep.completed.ageMs,
      deadCount: keep.dead.count,
      deadAgeMs: keep.dead.ageMs,
      leaves: this.#leaves,
      fields,
    };
    const answer = await runScript(this.#core.driver, settle, names, args, this.#call("queue.settle"));
    const ends = new Map<string, Settled>();
    for (const status of ["stale", "undone", "cancelled"] as const)
      for (const id of answer[status]) ends.set(id, status);
    return settled.map(({ job }) => ends.get(job.id) ?? "ok");
  }

  #call(op: string): UnclassedCall {
    return { op, timeoutMs: this.#settings.timeoutMs };
  }
}

/** Jobs of one claim have one fence, so that most of them cost one argument. */
function acknowledgements(done: readonly Done[]): { readonly uniques: number; readonly done: string[] } {
  const byFence = new Map<number, string[]>();
  const uniques: string[] = [];
  for (const { id, fence, uniqueKey } of done) {
    const ids = byFence.get(fence);
    if (ids === undefined) byFence.set(fence, [id]);
    else ids.push(id);
    if (uniqueKey !== "") uniques.push(uniqueKey, id);
  }
  const claims = [...byFence].flatMap(([fence, ids]) => [String(fence), String(ids.length), ...ids]);
  return { uniques: uniques.length / 2, done: [...uniques, ...claims] };
}
