/** A worker: what runs handlers for the jobs of a queue. Of each partition it has a consumer; all of them share its slots. */
import { hostname } from "node:os";
import type { Core } from "../core/core.ts";
import { Consumer, type ConsumerStats, type ConsumerTerms } from "./consumer.ts";
import { Endings } from "./endings.ts";
import { JobHost } from "./job-host.ts";
import { type JobTools, JobView, type QueueJob } from "./job.ts";
import type { QueueSettings, WorkSettings } from "./options.ts";
import type { TallyStore } from "./overview/store.ts";
import { Tally } from "./overview/tally.ts";
import type { Partition } from "./partition.ts";
import type { Run } from "./run.ts";
import { Slots } from "./slots.ts";
import { type QueueValues, stepValues } from "./values.ts";
import { WorkerStore } from "./worker-store.ts";

export type QueueHandler<Payload, Result> = (job: QueueJob<Payload>) => Result | Promise<Result>;

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
}

export interface WorkerParts {
  readonly core: Core;
  readonly name: string;
  readonly partitions: readonly Partition[];
  readonly values: QueueValues<unknown, unknown>;
  readonly queue: QueueSettings;
  readonly work: WorkSettings;
  readonly tallies: TallyStore;
  /** Called once the worker is closed. */
  readonly leave: () => Promise<void>;
  /** Given the jobs that `values` decodes. */
  readonly handler: (job: QueueJob<never>) => unknown;
}

/**
 * @example
 * await using worker = emails.work((job) => send(job.payload), { concurrency: 20 });
 * process.once("SIGTERM", () => void worker.close());   // waits for what runs, gives back the rest
 */
export class QueueWorker implements AsyncDisposable {
  readonly #consumers: readonly Consumer[];
  readonly #disown: () => void;
  readonly #leave: () => Promise<void>;
  readonly #tally: Tally;
  #closing: Promise<void> | undefined;

  constructor({ core, name, partitions, values, queue, work, tallies, leave, handler }: WorkerParts) {
    this.#leave = leave;
    const slots = new Slots(work.concurrency);
    const id = core.driver.runtime.randomUUID();
    const about = { host: hostname(), pid: process.pid, concurrency: work.concurrency };
    const tally = new Tally(core.driver.runtime, (flush, counts) => tallies.flush(id, about, flush, counts));
    this.#tally = tally;
    const terms: ConsumerTerms = { ...work, runTimeoutMs: queue.runTimeoutMs, timeoutMs: queue.timeoutMs };
    const payloadOf = (run: Run) => values.payload.decode(run.record.payload, values.context) as never;
    const failuresOf = (info: Buffer) => values.failures.decode(info, values.context);
    this.#consumers = partitions.map((partition) => {
      const store = new WorkerStore(core, partition.keys, id, queue);
      const endings = new Endings({ core, queue: name, store, values, settings: queue });
      const jobs = new JobHost({ core, queue: name, partition, store, values: stepValues(values), told: values.told });
      const perform = (run: Run, tools: JobTools) =>
        run.through(() => handler(new JobView(run, payloadOf(run), jobs, tools)));
      const { store: queueStore, post } = partition;
      return new Consumer({ core, queue: queueStore, post, store, endings, slots, tally, terms, perform, failuresOf });
    });
    this.#disown = core.own(this);
  }

  /** Runs under way in this worker. */
  get running(): number {
    return this.#consumers.reduce((sum, { running }) => sum + running, 0);
  }

  stats(): QueueWorkerStats {
    const sum = { completed: 0, failed: 0, dead: 0, lost: 0, recovered: 0 };
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
   * again, without the loss of an attempt. Idempotent.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    await Promise.all(this.#consumers.map((consumer) => consumer.close()).concat(this.#leave()));
    await this.#tally.close();
    this.#disown();
  }
}
