/** A worker: what runs handlers for the jobs of queues. Of each partition of each it has a consumer; all of them share its slots. */
import { hostname } from "node:os";
import { Deferred } from "../base/deferred.ts";
import type { Door } from "../base/door.ts";
import type { Core } from "../core/core.ts";
import { Consumer, type ConsumerTerms } from "./consumer.ts";
import { Endings } from "./endings.ts";
import { type ConsumerStats, noCounts, type Performer } from "./executions.ts";
import { JobHost } from "./job-host.ts";
import { JobView } from "./job.ts";
import type { AnyHandler, Dispatch } from "./names.ts";
import type { QueueSettings } from "./options.ts";
import type { WorkSettings } from "./work-options.ts";
import type { TallyStore } from "./overview/store.ts";
import { Tally } from "./overview/tally.ts";
import { observing } from "./observed-run.ts";
import type { Partition } from "./partition.ts";
import { warnUnlessOutage } from "./patience.ts";
import type { Run } from "./run.ts";
import type { Share } from "./slots.ts";
import type { MiddlewareChain } from "./workers/middleware.ts";
import { type DeathHandler, handleDeath } from "./workers/deaths.ts";
import type { Gatherings } from "./workers/gatherings.ts";
import type { Admission } from "./workers/limiting.ts";
import { failuresFrom, type QueueValues, reasonFrom } from "./values.ts";
import { WorkerStore } from "./worker-store.ts";

/** Counts of one worker since it was made. */
export interface QueueWorkerStats extends ConsumerStats {
  /** Acknowledged, and confirmed by the server. */
  readonly completed: number;
  readonly failed: number;
  /** Sent to the dead letters by this worker. */
  readonly dead: number;
  /** Runs whose job was no longer this worker's when they ended. */
  readonly lost: number;
  /** Jobs taken back from dead workers. */
  readonly recovered: number;
  /** Handlers that are at it still, though their jobs have timed out and their slots were given to others. */
  readonly stuck: number;
  /** Runs that ended after their jobs were cancelled. */
  readonly cancelled: number;
  /** Jobs that were not run, as it was too late. */
  readonly expired: number;
}

/** A queue that a worker takes jobs from. */
export interface WorkerSource {
  readonly name: string;
  readonly partitions: readonly Partition[];
  readonly values: QueueValues<unknown, unknown>;
  readonly queue: QueueSettings;
  readonly tallies: TallyStore;
  readonly dispatch: Dispatch;
  /** Where one call of the handler is given many jobs. */
  readonly gatherings: Gatherings | undefined;
  readonly middleware: MiddlewareChain;
  /** Called for jobs that are dead. */
  readonly onDead: DeathHandler | undefined;
  /** Asked before each run. */
  readonly admission: Admission | undefined;
  /** Of the worker's places. */
  readonly share: Share;
  /** Called once the worker is closed. */
  readonly leave: () => Promise<void>;
}

export interface WorkerParts {
  readonly core: Core;
  readonly sources: readonly WorkerSource[];
  readonly work: WorkSettings;
  /** By which its handlers are called. */
  readonly door: Door;
  /** Called once nothing runs any more. */
  readonly release: () => Promise<void>;
}

/**
 * @example
 * await using worker = emails.work((job) => send(job.payload), { concurrency: 20 });
 * process.once("SIGTERM", () => void worker.close());   // waits for what runs, gives back the rest
 */
export class QueueWorker implements AsyncDisposable {
  readonly #sources: readonly WorkerSource[];
  readonly #consumers: readonly Consumer[];
  readonly #disown: () => void;
  readonly #door: Door;
  readonly #ended = new Deferred<void>();
  readonly #tallies: readonly Tally[];
  readonly #release: () => Promise<void>;
  #isCounting = false;
  #closing: Promise<void> | undefined;

  constructor({ core, sources, work, door, release }: WorkerParts) {
    this.#sources = sources;
    this.#release = release;
    this.#door = door;
    const id = core.driver.runtime.randomUUID();
    const onEmpty = work.untilEmpty ? () => void this.#closeIfEmpty() : () => undefined;
    const about = { host: hostname(), pid: process.pid, concurrency: work.concurrency };
    this.#tallies = sources.map(
      ({ tallies }) => new Tally(core.driver.runtime, (flush, counts) => tallies.flush(id, about, flush, counts)),
    );
    this.#consumers = sources.flatMap((source, at) => {
      const { name, partitions, values, queue, dispatch, gatherings, middleware, onDead, admission, share } = source;
      const tally = this.#tallies[at]!;
      const terms: ConsumerTerms = {
        ...work,
        queue: name,
        runTimeoutMs: queue.runTimeoutMs,
        timeoutMs: queue.timeoutMs,
      };
      const payloadOf = (run: Run) => values.payload.decode(run.record.payload, values.context) as never;
      const failuresOf = (info: Buffer | null) => failuresFrom(values, info);
      const reasonOf = (outcome: Buffer) => reasonFrom(values, outcome);
      return partitions.map((partition) => {
        const store = new WorkerStore(core, partition.keys, id, queue);
        const endings = new Endings({ core, queue: name, store, values, settings: queue });
        const jobs = new JobHost({ core, queue: name, partition, store, values, settings: queue });
        const { events } = partition;
        events?.ask();
        const handlerFor = (run: Run): AnyHandler => {
          if (gatherings === undefined) return dispatch.for(run.record.name);
          return (job) => (run.isGivenUp ? undefined : gatherings.outcomeOf(run, job));
        };
        const handle: Performer["perform"] = (run, tools) => {
          const { dead } = run.record;
          if (dead !== undefined)
            return this.#door.enter(() => run.through(() => handleDeath(onDead, run, dead, values)));
          const handler = handlerFor(run);
          return this.#door.enter(() =>
            run.through(() => {
              const job = new JobView(run, payloadOf(run), jobs, tools);
              // What undoes is not held up.
              if (admission === undefined || run.isGivenUp) return middleware.run(job, handler);
              return admission(job).then(() => middleware.run(job, handler));
            }),
          );
        };
        const performer: Performer = {
          perform: observing({ queue: name, worker: id, events, trace: core.trace }, handle),
          turnOf: gatherings && (async (run) => (run.record.dead === undefined ? gatherings.join(run) : undefined)),
          left: gatherings && ((run) => gatherings.left(run)),
        };
        const { store: queueStore, post } = partition;
        const server = { core, queue: queueStore, post, store, endings, tally };
        const reportDeaths = onDead && (() => queueStore.reportDeaths(partition.idHead));
        const asked = { performer, reportDeaths, failuresOf, reasonOf, names: dispatch.names, onEmpty };
        return new Consumer({ ...server, ...asked, share, terms });
      });
    });
    this.#disown = core.own(this);
  }

  /** Resolves when the worker is closed, by whomever. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  /** Runs under way in this worker. */
  get running(): number {
    return this.#consumers.reduce((sum, { running }) => sum + running, 0);
  }

  stats(): QueueWorkerStats {
    const sum = noCounts();
    for (const { stats } of this.#consumers)
      for (const name of Object.keys(sum) as (keyof ConsumerStats)[]) sum[name] += stats[name];
    return sum;
  }

  /** Claims no more jobs; those that run go on. */
  pause(): void {
    for (const consumer of this.#consumers) consumer.pause();
  }

  resume(): void {
    for (const consumer of this.#consumers) consumer.resume();
  }

  /**
   * Claims no more jobs and waits for those that run, at most for `drain`; then their signals abort and their jobs wait
   * again, without the loss of an attempt. Idempotent. For a handler of this worker it resolves at once: the worker ends when its handler has ended.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#door.waiting(this.#closing);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    const left = this.#sources.map(({ leave, gatherings }) => {
      gatherings?.close();
      return leave();
    });
    await Promise.all(this.#consumers.map((consumer) => consumer.close()));
    await Promise.all(left);
    await this.#release();
    await Promise.all(this.#tallies.map((tally) => tally.close()));
    this.#disown();
    this.#ended.resolve();
  }

  /** What waits may be what a limit or a pause holds back, so it is counted. */
  async #closeIfEmpty(): Promise<void> {
    if (this.#isCounting || this.#closing !== undefined || !this.#consumers.every(({ isEmpty }) => isEmpty)) return;
    this.#isCounting = true;
    try {
      const partitions = this.#sources.flatMap((source) => source.partitions);
      const counts = await Promise.all(partitions.map(({ store }) => store.counts()));
      const isEmpty = this.#consumers.every((consumer) => consumer.isEmpty);
      if (isEmpty && counts.every(({ waiting }) => waiting === 0)) await this.close();
    } catch (error) {
      // The next look is no later than the next tick.
      warnUnlessOutage(error);
    } finally {
      this.#isCounting = false;
    }
  }
}
