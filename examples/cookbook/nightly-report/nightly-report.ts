/**
 * A report of each day, written once, at seven in the morning in Berlin, however many processes this program runs in. A process that
 * dies while it writes is replaced by another one; a night without any process is made up for, report by report.
 */
import type { Holdfast, Queue, QueueScheduleOptions, QueueWorker } from "holdfast";

export interface Report {
  readonly title: string;
}

export function reportQueue(hf: Holdfast): Queue<Report> {
  return hf.queue<Report>("reports", { attempts: 5, runTimeout: "10m" });
}

const NIGHTLY: QueueScheduleOptions<Report> = {
  cron: "0 7 * * *",
  timeZone: "Europe/Berlin",
  missed: { catchUp: 7 },
  payload: { title: "Sales" },
};

/** At the start of every process: what is unchanged is left alone, what is no longer here is removed. */
export async function keepSchedules(reports: Queue<Report>, nightly = NIGHTLY): Promise<void> {
  await reports.schedules.sync("reporting", { nightly });
}

/** `write` is given the day of the report, not the time at which it happens to run: a repetition writes the same file again. */
export function writeReports(
  reports: Queue<Report>,
  write: (name: string, signal: AbortSignal) => Promise<void>,
): QueueWorker {
  return reports.work(({ payload, scheduledFor, addedAt, signal }) => {
    const day = new Date(scheduledFor ?? addedAt).toISOString().slice(0, 10);
    return write(`${payload.title} ${day}`, signal);
  });
}
