/** All ledgers of a scenario, put together: of each job its additions and its runs, of each worker what it ended. */
import type { Member } from "../fleet.ts";
import type { Payload, ProducerEntry, WorkerCounts, WorkerEntry } from "./job.ts";

/** One call of `add`. */
export interface Addition {
  readonly payload: Payload;
  /** Of its id or unique key. */
  readonly name: string | undefined;
  status: "ok" | "duplicate" | "replaced" | "full" | "refused" | "unanswered";
  answeredAt: number;
  id: string | undefined;
  isReplicated: boolean;
  /** Of a job whose result was waited for, and had come. */
  result: unknown;
}

export interface Run {
  readonly id: string;
  readonly fence: number;
  readonly addedAt: number;
  readonly payload: Payload;
  readonly startedAt: number;
  readonly worker: WorkerHistory;
  end: "well" | "thrown" | "open";
  endedAt: number;
}

export interface WorkerHistory {
  readonly name: string;
  readonly killedAt: number | undefined;
  readonly runs: Run[];
  /** The last that it has written. */
  counts: WorkerCounts;
}

export interface History {
  readonly additions: ReadonlyMap<string, Addition>;
  readonly workers: readonly WorkerHistory[];
  /** Of each job, by the call that added it, in the order in which they began: an id may be used again. */
  readonly runsOf: ReadonlyMap<string, readonly Run[]>;
}

const NONE: WorkerCounts = { completed: 0, failed: 0, dead: 0, lost: 0, recovered: 0 };

export function readHistory(producers: readonly Member[], workers: readonly Member[]): History {
  const additions = new Map<string, Addition>();
  for (const producer of producers) for (const entry of producer.read<ProducerEntry>()) note(additions, entry);
  const histories = workers.map(workerHistory);
  const runsOf = new Map<string, Run[]>();
  const runs = histories.flatMap((worker) => worker.runs).sort((a, b) => a.startedAt - b.startedAt);
  for (const run of runs) {
    const known = runsOf.get(run.payload.call);
    if (known === undefined) runsOf.set(run.payload.call, [run]);
    else known.push(run);
  }
  return { additions, workers: histories, runsOf };
}

function note(additions: Map<string, Addition>, entry: ProducerEntry): void {
  if (entry.what === "adding") {
    const { payload, name } = entry;
    const unanswered = { status: "unanswered", answeredAt: Infinity, id: undefined } as const;
    additions.set(payload.call, { payload, name, ...unanswered, isReplicated: false, result: undefined });
    return;
  }
  if (entry.what === "replicated") {
    for (const call of entry.calls) additions.get(call)!.isReplicated = true;
    return;
  }
  const addition = additions.get(entry.call)!;
  if (entry.what === "result") {
    if (entry.status === "ok") addition.result = entry.value;
    return;
  }
  addition.answeredAt = entry.at;
  addition.status = entry.what === "refused" ? "refused" : entry.status;
  addition.id = entry.what === "refused" ? undefined : entry.id;
}

function workerHistory(member: Member): WorkerHistory {
  const worker: WorkerHistory = { name: member.name, killedAt: member.killedAt, runs: [], counts: NONE };
  const open = new Map<string, Run>();
  for (const entry of member.read<WorkerEntry>()) {
    if (entry.what === "counts") worker.counts = entry.counts;
    else if (entry.what === "started") {
      const { at, id, fence, addedAt, payload } = entry;
      const run: Run = { id, fence, addedAt, payload, startedAt: at, worker, end: "open", endedAt: Infinity };
      worker.runs.push(run);
      open.set(`${id} ${fence}`, run);
    } else {
      const run = open.get(`${entry.id} ${entry.fence}`)!;
      run.end = entry.how;
      run.endedAt = entry.at;
    }
  }
  return worker;
}
