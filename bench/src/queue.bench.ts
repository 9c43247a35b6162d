/**
 * Jobs of 120 bytes against BullMQ and bee-queue. `add`: producers alone. `run`: one operation adds a job and waits until a
 * worker of the same process has run it. `bulk`: one operation adds 1000 jobs in one call and waits until all of them have run.
 */
import beeQueue from "bee-queue";
import { Queue as BullQueue, Worker as BullWorker } from "bullmq";
import { connect } from "holdfast";
import type { Contender, Operation, Suite, Target } from "./suite.ts";
import { sideBySide } from "./suite.ts";

const BULK = 1_000;
const CONCURRENCY = 100;

interface Job {
  readonly at: string;
  readonly text: string;
}

const TEXT = "x".repeat(90);
let made = 0;
const next = (): Job => ({ at: String((made += 1)), text: TEXT });

/** What has been asked for and has not run yet. */
class Waiting {
  readonly #resolvers = new Map<string, () => void>();

  ran(at: string): void {
    this.#resolvers.get(at)?.();
    this.#resolvers.delete(at);
  }

  until(job: Job): Promise<void> {
    return new Promise((resolve) => this.#resolvers.set(job.at, resolve));
  }
}

/** A package's queue, as the three cases use it. */
interface Port {
  add(job: Job): Promise<unknown>;
  addMany(jobs: readonly Job[]): Promise<unknown>;
  work(ran: (at: string) => void): Promise<void>;
}

const ours = async ({ url }: Target): Promise<Port> => {
  const hf = await connect(url);
  const queue = hf.queue<Job>(`bench-${process.pid}`);
  return {
    add: (job) => queue.add(job),
    addMany: (jobs) => queue.addMany(jobs),
    work: async (ran) => void queue.work((job) => ran(job.payload.at), { concurrency: CONCURRENCY }),
  };
};

const bullmq = async ({ port }: Target): Promise<Port> => {
  const name = `bench-${process.pid}`;
  const connection = { host: "127.0.0.1", port };
  const options = { removeOnComplete: true, removeOnFail: true };
  const queue = new BullQueue<Job>(name, { connection, defaultJobOptions: options });
  await queue.waitUntilReady();
  return {
    add: (job) => queue.add("job", job),
    addMany: (jobs) => queue.addBulk(jobs.map((data) => ({ name: "job", data }))),
    work: async (ran) => {
      const worker = new BullWorker<Job>(name, async (job) => ran(job.data.at), {
        connection: { ...connection, maxRetriesPerRequest: null },
        concurrency: CONCURRENCY,
      });
      worker.on("error", () => undefined);
      await worker.waitUntilReady();
    },
  };
};

const bee = async ({ port }: Target): Promise<Port> => {
  const queue = new beeQueue<Job>(`bench-${process.pid}`, {
    redis: { host: "127.0.0.1", port },
    removeOnSuccess: true,
    storeJobs: false,
  });
  await queue.ready();
  return {
    add: (job) => queue.createJob(job).save(),
    addMany: (jobs) => queue.saveAll(jobs.map((job) => queue.createJob(job))),
    work: async (ran) => queue.process(CONCURRENCY, async (job) => ran(job.data.at)),
  };
};

type Open = (target: Target) => Promise<Port>;

const adding =
  (open: Open): Contender =>
  async (target) => {
    const queue = await open(target);
    return () => queue.add(next());
  };

const running =
  (open: Open, operation: (queue: Port, waiting: Waiting) => Operation): Contender =>
  async (target) => {
    const queue = await open(target);
    const waiting = new Waiting();
    await queue.work((at) => waiting.ran(at));
    return operation(queue, waiting);
  };

const one =
  (queue: Port, waiting: Waiting): Operation =>
  async () => {
    const job = next();
    const ran = waiting.until(job);
    await queue.add(job);
    await ran;
  };

const bulk =
  (queue: Port, waiting: Waiting): Operation =>
  async () => {
    const jobs = Array.from({ length: BULK }, next);
    const ran = jobs.map((job) => waiting.until(job));
    await queue.addMany(jobs);
    await Promise.all(ran);
  };

export const queueSuite: Suite = {
  contenders: {
    "holdfast (add)": adding(ours),
    "bullmq (add)": adding(bullmq),
    "bee-queue (add)": adding(bee),
    "holdfast (run)": running(ours, one),
    "bullmq (run)": running(bullmq, one),
    "bee-queue (run)": running(bee, one),
    "holdfast (bulk)": running(ours, bulk),
    "bullmq (bulk)": running(bullmq, bulk),
    "bee-queue (bulk)": running(bee, bulk),
  },
  cases: [
    ...sideBySide("add", [1, 100], ["holdfast (add)"], ["bullmq (add)", "bee-queue (add)"]),
    ...sideBySide("add and run", [1, 10, 100], ["holdfast (run)"], ["bullmq (run)", "bee-queue (run)"]),
    ...sideBySide("1000 in bulk", [1, 4], ["holdfast (bulk)"], ["bullmq (bulk)", "bee-queue (bulk)"]),
  ],
};
