/** What the benchmark asks of a queue, and the three packages behind it, each set up as its documentation recommends. */
import beeQueue from "bee-queue";
import { Queue as BullQueue, Worker as BullWorker } from "bullmq";
import { connect } from "holdfast";
import type { Target } from "../suite.ts";

export interface Job {
  /** A number, or for a lone job the time at which it was added. */
  readonly at: string;
  readonly text: string;
}

export type Handler = (at: string) => void | Promise<void>;

export interface QueuePort {
  add(job: Job): Promise<unknown>;
  addMany(jobs: readonly Job[]): Promise<unknown>;
  /** Resolves once the worker listens; what it resolves with closes the worker. */
  work(handler: Handler, concurrency: number): Promise<() => Promise<unknown>>;
}

export type Package = "holdfast" | "bullmq" | "bee-queue";

/** Opens queues of one package, by name, over one connection where the package can. */
export const PACKAGES: Readonly<Record<Package, (target: Target) => Promise<(name: string) => Promise<QueuePort>>>> = {
  holdfast: async ({ url }) => {
    const hf = await connect(url);
    return async (name) => {
      const queue = hf.queue<Job>(name);
      return {
        add: (job) => queue.add(job),
        addMany: (jobs) => queue.addMany(jobs),
        work: async (handler, concurrency) => {
          const worker = queue.work((job) => handler(job.payload.at), { concurrency });
          return () => worker.close();
        },
      };
    };
  },
  bullmq: async ({ port }) => {
    const connection = { host: "127.0.0.1", port };
    const defaultJobOptions = { removeOnComplete: true, removeOnFail: true };
    return async (name) => {
      const queue = new BullQueue<Job>(name, { connection, defaultJobOptions });
      await queue.waitUntilReady();
      return {
        add: (job) => queue.add("job", job),
        addMany: (jobs) => queue.addBulk(jobs.map((data) => ({ name: "job", data }))),
        work: async (handler, concurrency) => {
          const worker = new BullWorker<Job>(name, async (job) => handler(job.data.at), {
            connection: { ...connection, maxRetriesPerRequest: null },
            concurrency,
          });
          worker.on("error", () => undefined);
          await worker.waitUntilReady();
          return () => worker.close();
        },
      };
    };
  },
  "bee-queue": async ({ port }) => {
    const settings = { redis: { host: "127.0.0.1", port }, removeOnSuccess: true, storeJobs: false };
    return async (name) => {
      const queue = new beeQueue<Job>(name, settings);
      await queue.ready();
      return {
        add: (job) => queue.createJob(job).save(),
        addMany: (jobs) => queue.saveAll(jobs.map((job) => queue.createJob(job))),
        work: async (handler, concurrency) => {
          queue.process(concurrency, async (job: { data: Job }) => handler(job.data.at));
          return () => queue.close();
        },
      };
    };
  },
};
