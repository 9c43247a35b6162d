/**
 * What is counted of a queue, as it lies in a hash: the totals, and those of one minute. A field is a letter, with a number behind it (a
 * bucket of a histogram) or `:` and a label (a job's name, a reason).
 */
import { type Times, timesOf } from "../../core/observe/histogram.ts";

/** How long jobs waited, or ran. */
export type QueueTimes = Times;

/** Counts of runs that ended; a job that is run again counts again. */
export interface QueueRunCounts {
  readonly completed: number;
  /** Those that were the last of their job included. */
  readonly failed: number;
  /** Jobs that were given up. */
  readonly dead: number;
}

export interface QueueStats extends QueueRunCounts {
  /** Jobs taken back from workers that died. */
  readonly recovered: number;
  /** From when a job was added to when it was first claimed; of jobs that were not delayed. */
  readonly wait: QueueTimes;
  /** Of the handlers. */
  readonly run: QueueTimes;
  /** By name of the job; what is over 60 names and reasons together is under `""`, as are jobs without a name under no name. */
  readonly names: Readonly<Record<string, QueueRunCounts>>;
  /** Failures by the error's name and code; never by its message, which may show what was stored. Most frequent first. */
  readonly reasons: readonly { readonly reason: string; readonly count: number }[];
}

/** A field, and by how much it grows. */
export type Counts = Map<string, number>;

/** Those of a run by its end, as `FIELDS` has them. */
export const RUN_FIELDS = { completed: "c", failed: "f", dead: "d" } as const;
export const FIELDS = {
  completed: "c",
  failed: "f",
  dead: "d",
  recovered: "r",
  waitMs: "W",
  runMs: "T",
  wait: "w",
  run: "t",
  reason: "e",
} as const;

export function grow(counts: Counts, field: string, by = 1): void {
  counts.set(field, (counts.get(field) ?? 0) + by);
}

export function growAll(counts: Counts, others: Iterable<readonly [string, number]>): void {
  for (const [field, by] of others) grow(counts, field, by);
}

export function statsOf(counts: Counts): QueueStats {
  const of = (field: string) => counts.get(field) ?? 0;
  const names: Record<string, { -readonly [Kind in keyof QueueRunCounts]: number }> = Object.create(null);
  const reasons: { reason: string; count: number }[] = [];
  const buckets = { [FIELDS.wait]: new Map<number, number>(), [FIELDS.run]: new Map<number, number>() };
  for (const [field, count] of counts) {
    const [kind, label] = [field[0]!, field.slice(2)];
    if (kind === FIELDS.wait || kind === FIELDS.run) buckets[kind].set(Number(field.slice(1)), count);
    if (field[1] !== ":") continue;
    if (kind === FIELDS.reason) reasons.push({ reason: label, count });
    for (const [name, letter] of Object.entries(RUN_FIELDS))
      if (kind === letter)
        (names[label] ??= { completed: 0, failed: 0, dead: 0 })[name as keyof QueueRunCounts] = count;
  }
  return {
    completed: of(FIELDS.completed),
    failed: of(FIELDS.failed),
    dead: of(FIELDS.dead),
    recovered: of(FIELDS.recovered),
    wait: timesOf(buckets[FIELDS.wait], of(FIELDS.waitMs)),
    run: timesOf(buckets[FIELDS.run], of(FIELDS.runMs)),
    names: { ...names },
    reasons: reasons.toSorted((a, b) => b.count - a.count),
  };
}
