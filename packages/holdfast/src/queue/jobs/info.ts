/** A job as those see it who look at a queue. */
import type { QueueFailure } from "../failure.ts";
import type { QueuePriority } from "../add-options.ts";
import { decodeRecord } from "../record.ts";
import { failuresFrom, outcomeFrom, type QueueValues, readable } from "../values.ts";

/** `blocked`: it waits for other jobs. `unhandled`: for a worker that knows its name. */
export type QueueJobState = "waiting" | "delayed" | "blocked" | "unhandled" | "active" | "dead" | "completed";

/** Times are milliseconds since 1970 by the server's clock. */
export interface QueueJobInfo<Payload, Result = unknown> {
  readonly id: string;
  /** Undefined where it cannot be read: it does not match the schema any more, or its key is gone. */
  readonly payload: Payload | undefined;
  /** Why the payload cannot be read. */
  readonly problem: string | undefined;
  /** What it was added with. */
  readonly name: string | undefined;
  readonly state: QueueJobState;
  readonly priority: QueuePriority;
  readonly tags: readonly string[];
  readonly group: string | undefined;
  /** Its unique key, where that is taken until it is over. */
  readonly unique: string | undefined;
  /** Undefined: as many as the queue says. */
  readonly attempts: number | undefined;
  /** Of a schedule's job: the time of its tick. */
  readonly scheduledFor: number | undefined;
  readonly addedAt: number;
  /** Of a delayed one. */
  readonly dueAt: number | undefined;
  /** Of one that runs. */
  readonly startedAt: number | undefined;
  /** Of a dead or completed one. */
  readonly finishedAt: number | undefined;
  readonly expiresAt: number | undefined;
  readonly failures: number;
  readonly crashes: number;
  /** The last few failures, oldest first. */
  readonly history: readonly QueueFailure[];
  /** Why it is dead, where that was not a failure of its own: a job that it waited for is dead. */
  readonly reason: string | undefined;
  /** What its handler said last. */
  readonly progress: unknown;
  /** Of a completed one. */
  readonly result: Result | undefined;
}

/** How many fields of a row belong to a job. */
export const ROW = 8;
/** Which of them is how it ended. */
export const OUTCOME = 6;

/** @param row state, time, record, failures, crashes, progress, outcome, why it is dead without a run */
export function infoFrom<Payload, Result>(
  values: QueueValues<Payload, Result>,
  id: string,
  row: readonly Buffer[],
): QueueJobInfo<Payload, Result> {
  const [state, at, stored, failed, crashes, progress, outcome, reason] = row as [Buffer, Buffer, ...Buffer[]];
  const known = state.toString() as QueueJobState;
  const record = decodeRecord(stored!);
  const failures = failuresFrom(values, failed!);
  const payload = readable(() => values.payload.decode(record.payload, values.context));
  const ended = outcome!.length === 0 ? undefined : readable(() => outcomeFrom(values, outcome!)).value;
  const said = progress!.length === 0 ? undefined : readable(() => values.progress.decode(progress!, values.context));
  return {
    id,
    payload: payload.value,
    problem: payload.problem,
    name: record.name,
    state: known,
    priority: record.priority,
    tags: record.tags,
    group: record.group,
    unique: record.uniqueKey === "" ? undefined : record.uniqueKey,
    attempts: record.attempts,
    scheduledFor: record.scheduledFor,
    addedAt: record.addedAt,
    dueAt: known === "delayed" ? Number(at) : undefined,
    startedAt: known === "active" ? Math.floor(Number(at) / 1_000) : undefined,
    finishedAt: known === "dead" || known === "completed" ? Number(at) : undefined,
    expiresAt: record.expiresAt,
    failures: failures?.failures ?? 0,
    crashes: Number(crashes),
    history: failures?.last ?? [],
    reason: reason!.length === 0 ? undefined : reason!.toString(),
    progress: said?.value,
    result: ended?.status === "ok" ? ended.value : undefined,
  };
}
