/** A queue as the suite sees it. */
import type { QueueAddOptions } from "holdfast";
import type { Payload, WorkerCounts } from "./job.ts";

export interface RunningJob {
  readonly id: string;
  readonly payload: Payload;
  readonly fence: number;
  readonly addedAt: number;
  readonly attempt: number;
  readonly crashes: number;
  readonly scheduledFor?: number | undefined;
}

export type Handler = (job: RunningJob) => Promise<unknown>;

export interface Subject {
  add(
    payload: Payload,
    options: QueueAddOptions,
  ): Promise<{ readonly status: "ok" | "duplicate" | "replaced" | "full"; readonly id: string }>;
  /** How the job ended, and its result. */
  result(id: string): Promise<{ readonly status: string; readonly value?: unknown }>;
  work(handler: Handler): { counts(): WorkerCounts; close(): Promise<void> };
  /** Of those that have any: one that ticks from now on, and its end. */
  readonly schedule?: { begin(): Promise<unknown>; end(): Promise<unknown> };
  /** How many jobs are not over, those that are dead aside. */
  left(): Promise<number>;
  close(): Promise<void>;
}
