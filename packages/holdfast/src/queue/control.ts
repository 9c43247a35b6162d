/** What is asked of the jobs that a queue has, and of the queue itself; adding and running jobs is `queue.ts`. */
import { ClosedError, InvalidArgumentError } from "../base/errors.ts";
import { givenOptions, type OptionNames, parseOptions } from "../base/options.ts";
import type { Core } from "../core/core.ts";
import type { Operations } from "../core/observe/observe.ts";
import { QueueDeadLetters } from "./dead-letters.ts";
import { EVENTS_OPTIONS, QueueEvents, type QueueEventsOptions, eventsSettings } from "./events/stream.ts";
import { QueueGroups } from "./groups/groups.ts";
import { QueueLimits } from "./groups/limits.ts";
import {
  CLEAN_OPTIONS,
  drained,
  obliterated,
  type QueueCleanOptions,
  type QueueObliterateOptions,
} from "./jobs/bulk.ts";
import {
  type QueueCancelResult,
  QueueChanges,
  type QueueRemoveResult,
  type QueueRetryResult,
  type QueueUpdate,
  type QueueUpdateResult,
} from "./jobs/changes.ts";
import { infoFrom, type QueueJobInfo } from "./jobs/info.ts";
import { checkState, type QueuePage, type QueuePageOptions, QueuePages } from "./jobs/pages.ts";
import { logsFrom, type QueueLog } from "./jobs/reports.ts";
import {
  type QueueResult,
  type QueueResultOptions,
  QueueResults,
  RESULT_OPTIONS,
  resultSettings,
} from "./jobs/results.ts";
import { type QueueFilter, QueueSelection } from "./jobs/selection.ts";
import { checkName } from "./check-name.ts";
import { QueueFlows } from "./flows/flows.ts";
import {
  overviewOf,
  type QueueOverview,
  type QueueStatsOptions,
  type QueueStatsPoint,
  STATS_OPTIONS,
  statsIn,
  statsSettings,
} from "./overview/overview.ts";
import { type QueueCounts, sumOfCounts } from "./overview/job-counts.ts";
import type { TallyStore } from "./overview/store.ts";
import type { Partitions } from "./partitions.ts";
import type { CountsResult } from "./scripts.gen.ts";
import type { QueueStore } from "./store.ts";
import { type QueueValues, stepValues } from "./values.ts";
import type { QueueParts } from "./parts.ts";

const ENTRIES_OPTIONS: OptionNames<Pick<QueuePageOptions, "state">> = { state: true };

export abstract class QueueControl<Payload, Result> {
  readonly name: string;
  /** Jobs that were given up. */
  readonly dead: QueueDeadLetters<Payload>;
  /** Jobs that wait for each other, whole. */
  readonly flows: QueueFlows;
  /** Limits of all workers together. */
  readonly limits: QueueLimits;
  /** Shares, limits and pauses of groups of jobs. */
  readonly groups: QueueGroups;
  readonly #core: Core;
  readonly #operations: Operations;
  readonly #partitions: Partitions;
  readonly #tallies: TallyStore;
  readonly #values: QueueValues<Payload, Result>;
  readonly #pages: QueuePages<Payload, Result>;
  readonly #changes: QueueChanges<Payload>;
  readonly #results: QueueResults<Payload, Result>;

  constructor({ core, name, operations, values, partitions, tallies }: QueueParts<Payload, Result>) {
    this.name = name;
    this.#core = core;
    this.#operations = operations;
    this.#partitions = partitions;
    this.#tallies = tallies;
    this.#values = values;
    this.limits = new QueueLimits(operations, partitions.all);
    this.groups = new QueueGroups(operations, partitions);
    this.flows = new QueueFlows(values.told, operations, name, partitions);
    this.#pages = new QueuePages(partitions, values);
    this.#changes = new QueueChanges(partitions, values);
    this.#results = new QueueResults(core, partitions, values);
    this.dead = new QueueDeadLetters(operations, partitions, this.#pages, (filter) => this.where(filter));
  }

  /**
   * Waits for the outcome of a job that was added with `result: true`. Any number of processes may.
   * Cost: GET, again at the wake-up; one script more every two seconds.
   * @throws TimeoutError when the job has not ended within `timeout`
   */
  result(id: string, options?: QueueResultOptions): Promise<QueueResult<Result>> {
    return this.#operations.run("result", id, async () => {
      checkName("id", id);
      const settings = parseOptions(this.#operations.where, options, RESULT_OPTIONS, resultSettings);
      return this.#results.wait(this.#operations.where, id, settings);
    });
  }

  /** Returns a job that is not over or is kept, or undefined. Cost: one script. */
  get(id: string): Promise<QueueJobInfo<Payload, Result> | undefined> {
    return this.#operations.run("get", id, async () => {
      const row = await this.#partitions.of(checkName("id", id)).jobs.find(id);
      return row === undefined ? undefined : infoFrom(this.#values, id, row);
    });
  }

  /**
   * Sends a signal to a job that is not over: one that waits for it runs, and one that will wait for it finds it. The last one of a name counts.
   * Idempotent. Cost: one script.
   */
  signal(id: string, name: string, value?: unknown): Promise<{ readonly status: "ok" | "missing" }> {
    return this.#operations.run("signal", id, async () => {
      const { steps } = this.#partitions.of(checkName("id", id));
      return { status: await steps.signal(id, checkName("name", name), stepValues(this.#values).encode(value)) };
    });
  }

  /** Returns the last lines that a job's handler logged, oldest first. Cost: HGET, for a kept job two. */
  logs(id: string): Promise<QueueLog[]> {
    return this.#operations.run("logs", id, async () =>
      logsFrom(this.#values, await this.#partitions.of(checkName("id", id)).jobs.logs(id)),
    );
  }

  /**
   * Cancels a job, wherever it is: one that does not run is over at once; of one that runs the signal aborts, and however its run ends
   * it is not run again. One that has something to undo runs once more for that, and is dead then. `reason` is for its handler and for those who wait for its result. Idempotent. Cost: one script.
   */
  cancel(id: string, reason?: string): Promise<QueueCancelResult> {
    return this.#operations.run("cancel", id, () => this.#changes.cancel(id, reason));
  }

  /** Changes a job that has not started; what is not given stays as it is. Idempotent. Cost: one script. */
  update(id: string, changes: QueueUpdate<Payload>): Promise<QueueUpdateResult> {
    return this.#operations.run("update", id, () => this.#changes.update(id, changes));
  }

  /** Lets a delayed job run now, at the end of its lane. Idempotent. Cost: one script. */
  promote(id: string): Promise<QueueUpdateResult> {
    return this.#operations.run("promote", id, () => this.#changes.promote(id));
  }

  /** Lets a dead or a kept job run again, at the end of its lane and with all its attempts. Cost: one script. */
  retry(id: string): Promise<QueueRetryResult> {
    return this.#operations.run("retry", id, () => this.#changes.retry(id));
  }

  /** Removes a job that is not running, or that is kept. Idempotent. Cost: one script. */
  remove(id: string): Promise<QueueRemoveResult> {
    return this.#operations.run("remove", id, () => this.#changes.remove(id));
  }

  /**
   * Returns jobs of one state: waiting ones in the order of their lanes, the others by time. A job that stays in its state is neither missed nor
   * returned twice, whatever is added or taken meanwhile (of waiting ones: within the first 10,000 of a lane). Cost: one script per 100 jobs.
   */
  page(options: QueuePageOptions): Promise<QueuePage<Payload, Result>> {
    return this.#operations.run("page", undefined, () => this.#pages.page(options));
  }

  /** Iterates over the jobs of one state, as pages of 500 return them. */
  entries(options: Pick<QueuePageOptions, "state">): AsyncGenerator<QueueJobInfo<Payload, Result>> {
    return this.#pages.entries(
      parseOptions(this.#operations.where, options, ENTRIES_OPTIONS, ({ state }) => checkState(state)),
    );
  }

  /** Chooses jobs to `cancel`, `retry` or `remove` in chunks, with a dry run. No I/O. */
  where(filter: QueueFilter): QueueSelection<Payload, Result> {
    const [partitions, values, pages] = [this.#partitions, this.#values, this.#pages];
    const now = async () => (await partitions.first.store.counts()).nowMs;
    return new QueueSelection(this.#operations, { partitions, values, pages, now }, filter);
  }

  /** Drops the jobs that wait or are delayed, and returns how many. Safe to repeat. Cost: one script per 100 jobs, or per 200 groups without any. */
  drain(): Promise<number> {
    return this.#operations.run("drain", undefined, () => drained(this.#partitions));
  }

  /** Removes the jobs of one state that are older, and returns how many; running ones stay. Safe to repeat. Cost: a script per 100 jobs of the state, and one per 50 that are removed. */
  clean(options: QueueCleanOptions): Promise<number> {
    return this.#operations.run("clean", undefined, async () => {
      const { limit, ...filter } = givenOptions(options, CLEAN_OPTIONS);
      return (await this.where(filter).remove({ limit })).changed;
    });
  }

  /**
   * Removes the queue with all its jobs, of all states; `busy`: some run, unless it is forced: then their runs are called off. Workers go on.
   * Safe to repeat. Cost: one script per partition, whatever its size, and one per 100 groups.
   */
  obliterate(options?: QueueObliterateOptions): Promise<{ readonly status: "ok" | "busy" }> {
    return this.#operations.run("obliterate", undefined, () => obliterated(this.#partitions, options));
  }

  /** No worker claims any more jobs, until `resume`; those that run go on. Idempotent. Cost: SET. */
  pause(): Promise<void> {
    return this.#operations.run("pause", undefined, () => this.#each((store) => store.pause()));
  }

  /** Idempotent. Cost: DEL, ZRANGE and a PUBLISH per worker that listens. */
  resume(): Promise<void> {
    return this.#operations.run("resume", undefined, () => this.#each((store) => store.resume()));
  }

  /** Counts the jobs in each state, of each partition at one consistent moment. Cost: one script per partition. */
  counts(): Promise<QueueCounts> {
    return this.#operations.run("counts", undefined, async () => sumOfCounts(await this.#counted()));
  }

  /**
   * What there is to be seen of the queue: its counts, throughput, times, failures, and its workers with what they run. What workers have
   * counted arrives every five seconds.
   * Cost: two scripts per partition, 61 HGETALL, and an HMGET per worker; bounded, however long the queue is.
   */
  overview(): Promise<QueueOverview> {
    return this.#operations.run("overview", undefined, async () => {
      const parts = await this.#counted();
      return overviewOf(this.#tallies, this.#partitions.all, sumOfCounts(parts), parts[0]!.nowMs);
    });
  }

  /** What was counted over time, kept for seven days to the minute; the earliest first. Cost: one script, and an HGETALL per minute, in chunks. */
  stats(options?: QueueStatsOptions): Promise<QueueStatsPoint[]> {
    return this.#operations.run("stats", undefined, async () => {
      const settings = parseOptions(this.#operations.where, options, STATS_OPTIONS, statsSettings);
      const { nowMs } = await this.#partitions.first.store.counts();
      return statsIn(this.#tallies, settings, nowMs);
    });
  }

  /**
   * Iterates over what happens to jobs, in each partition in its order; of a queue with the option `events`. What was noted stays for others, so
   * any number may read. It goes on by itself after an outage, and ends with its signal, `return()` or the handle.
   * Cost: a script per partition for each 200 events, or each `poll`.
   * @throws InvalidArgumentError if the queue has no `events`
   */
  events(options?: QueueEventsOptions): QueueEvents {
    const { all } = this.#partitions;
    const settings = parseOptions(this.#operations.where, options, EVENTS_OPTIONS, (given) => {
      const stores = all.flatMap(({ events }) => events ?? []);
      if (stores.length === 0)
        throw new InvalidArgumentError("events", "set among the queue's options, before they are read", undefined);
      return { stores, ...eventsSettings(given, all.length) };
    });
    if (this.#core.isClosing) throw new ClosedError(undefined, { op: "queue.events" });
    return new QueueEvents(this.#core, settings.stores, this.#values, settings);
  }

  #counted(): Promise<CountsResult[]> {
    return Promise.all(this.#partitions.all.map(({ store }) => store.counts()));
  }

  async #each(ask: (store: QueueStore) => Promise<void>): Promise<void> {
    await Promise.all(this.#partitions.all.map(({ store }) => ask(store)));
  }
}
