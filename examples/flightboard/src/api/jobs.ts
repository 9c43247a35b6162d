/** The queue of batches and the schedule of summaries, as the page shows them. */
import type { QueueStats, QueueWorkerInfo } from "holdfast";
import type { FlightLog } from "../ingest/flight-log.ts";
import type { Presence, Summary } from "../state/state.ts";
import type { Summaries } from "../state/summary.ts";

export interface JobsView {
  readonly waiting: number;
  readonly active: number;
  /** Batches since the start, and how their runs ended otherwise. */
  readonly completed: number;
  readonly failed: number;
  readonly recovered: number;
  readonly dead: number;
  /** Of a batch, 95 % of them: milliseconds. */
  readonly waitMs: number;
  readonly runMs: number;
  readonly workers: readonly { readonly name: string; readonly batches: readonly string[] }[];
  readonly schedule: ScheduleView | undefined;
}

export interface ScheduleView {
  /** Milliseconds from now. */
  readonly nextInMs: readonly number[];
  readonly runs: number;
  readonly missed: number;
  readonly last: (Summary & { readonly agoMs: number }) | undefined;
}

export async function viewJobs(
  log: FlightLog,
  summaries: Summaries,
  processes: ReadonlyMap<string | number, Presence>,
): Promise<JobsView> {
  const [{ counts, totals, lastHour, workers }, schedule, last] = await Promise.all([
    log.queue.overview(),
    summaries.schedule(),
    summaries.latest(),
  ]);
  const { completed, failed, recovered } = totals;
  const now = Date.now();
  return {
    waiting: counts.waiting + counts.delayed,
    active: counts.active,
    completed,
    failed,
    recovered,
    dead: counts.dead,
    ...times(lastHour),
    workers: workers.map((worker) => ({
      name: nameOf(worker, processes),
      batches: worker.jobs.map((job) => job.id),
    })),
    schedule: schedule && {
      nextInMs: schedule.next.map((at) => at - now),
      runs: schedule.runs,
      missed: schedule.missedTicks,
      last: last && { ...last, agoMs: now - last.scheduledFor },
    },
  };
}

function times({ wait, run }: QueueStats): { readonly waitMs: number; readonly runMs: number } {
  return { waitMs: wait.p95, runMs: run.p95 };
}

/** A worker says its process; presence says what that is called. */
function nameOf({ pid, id }: QueueWorkerInfo, processes: ReadonlyMap<string | number, Presence>): string {
  for (const [name, presence] of processes) if (presence.pid === pid) return String(name);
  return id.slice(0, 8);
}
