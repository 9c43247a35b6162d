/** What can be seen of a queue as a whole: its counts over time, and its workers. */
import { InvalidArgumentError } from "../../base/errors.ts";
import { type Duration, type OptionNames, timeOf, toMs } from "../../base/options.ts";
import type { Partition } from "../partition.ts";
import { type Counts, growAll, type QueueStats, statsOf } from "./counts.ts";
import type { QueueCounts } from "./job-counts.ts";
import { type About, KEPT_MS, type TallyStore } from "./store.ts";

/** A worker that lives. */
export interface QueueWorkerInfo {
  readonly id: string;
  /** Undefined until the worker's first flush, a second after it began. */
  readonly host: string | undefined;
  readonly pid: number | undefined;
  readonly concurrency: number | undefined;
  /** When it first flushed, in milliseconds since 1970. */
  readonly since: number | undefined;
  /** Claimed, and not acknowledged yet. */
  readonly running: number;
  /** Up to 50 of them in each partition, those that were claimed first. */
  readonly jobs: readonly { readonly id: string; readonly since: number }[];
}

export interface QueueOverview {
  readonly counts: QueueCounts;
  /** Of the last 60 whole or begun minutes. */
  readonly lastHour: QueueStats;
  /** Completed runs per second, over the last five whole minutes. */
  readonly perSecond: number;
  /** Since the queue's first job. They never fall, whatever is removed. */
  readonly totals: QueueStats;
  /** At most 200. */
  readonly workers: readonly QueueWorkerInfo[];
}

export interface QueueStatsOptions {
  /** A Date, or milliseconds since 1970; counts are kept for seven days. @default an hour before `to` */
  readonly from?: Date | number;
  /** @default now, by the server's clock */
  readonly to?: Date | number;
  /** Whole minutes. @default "1m" */
  readonly every?: Duration;
}

/** What was counted from `at` on. */
export interface QueueStatsPoint extends QueueStats {
  readonly at: number;
}

export const STATS_OPTIONS: OptionNames<QueueStatsOptions> = { from: true, to: true, every: true };
const MINUTE = 60_000;
const RECENT = 5;
const HOUR = 60;

export interface StatsSettings {
  readonly from: number | undefined;
  readonly to: number | undefined;
  readonly everyMinutes: number;
}

export function statsSettings({ from, to, every = "1m" }: QueueStatsOptions): StatsSettings {
  const everyMs = toMs("every", every, MINUTE);
  if (everyMs % MINUTE !== 0) throw new InvalidArgumentError("every", "whole minutes", every);
  return {
    from: from === undefined ? undefined : timeOf("from", from),
    to: to === undefined ? undefined : timeOf("to", to),
    everyMinutes: everyMs / MINUTE,
  };
}

/** @param nowMs by the server's clock */
export async function statsIn(store: TallyStore, settings: StatsSettings, nowMs: number): Promise<QueueStatsPoint[]> {
  const { from, to = nowMs, everyMinutes: every } = settings;
  const first = Math.floor(Math.max(from ?? to - HOUR * MINUTE, nowMs - KEPT_MS) / MINUTE);
  const last = Math.floor(Math.min(to, nowMs) / MINUTE);
  const minutes = Array.from({ length: Math.max(last - first + 1, 0) }, (_, at) => first + at);
  const counted = await store.minutes(minutes);
  return Array.from({ length: Math.ceil(minutes.length / every) }, (_, at) => ({
    at: (first + at * every) * MINUTE,
    ...statsOf(sumOf(counted.slice(at * every, (at + 1) * every))),
  }));
}

/** @param nowMs by the server's clock */
export async function overviewOf(
  store: TallyStore,
  partitions: readonly Partition[],
  counts: QueueCounts,
  nowMs: number,
): Promise<QueueOverview> {
  const minute = Math.floor(nowMs / MINUTE);
  const minutes = Array.from({ length: HOUR }, (_, at) => minute - HOUR + 1 + at);
  const [totals, counted, workers] = await Promise.all([
    store.totals(),
    store.minutes(minutes),
    workersOf(store, partitions),
  ]);
  const recent = statsOf(sumOf(counted.slice(-RECENT - 1, -1)));
  return {
    counts,
    lastHour: statsOf(sumOf(counted)),
    perSecond: recent.completed / ((RECENT * MINUTE) / 1_000),
    totals: statsOf(totals),
    workers,
  };
}

async function workersOf(store: TallyStore, partitions: readonly Partition[]): Promise<QueueWorkerInfo[]> {
  const found = new Map<string, { running: number; jobs: { id: string; since: number }[] }>();
  for (const rows of await Promise.all(partitions.map(({ keys }) => store.workers(keys))))
    for (const { worker, running, jobs } of rows) {
      const known = found.get(worker) ?? { running: 0, jobs: [] };
      found.set(worker, known);
      known.running += running;
      // Their scores are the times of their claims.
      for (let at = 0; at < jobs.length; at += 2)
        known.jobs.push({ id: jobs[at]!, since: Math.floor(Number(jobs[at + 1]) / 1_000) });
    }
  return Promise.all(
    [...found].map(async ([id, { running, jobs }]) => {
      const about: Partial<About & { since: number }> = (await store.about(id)) ?? {};
      const { host, pid, concurrency, since } = about;
      return { id, host, pid, concurrency, since, running, jobs };
    }),
  );
}

function sumOf(counted: readonly Counts[]): Counts {
  const sum: Counts = new Map();
  for (const counts of counted) growAll(sum, counts);
  return sum;
}
