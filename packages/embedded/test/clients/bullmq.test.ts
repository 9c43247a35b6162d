/** BullMQ, as it comes: some forty Lua scripts with cmsgpack and cjson, blocking reads, events by streams. */
import { FlowProducer, Queue, QueueEvents, Worker, type ConnectionOptions, type Processor } from "bullmq";
import { createServer, type EmbeddedServer } from "holdfast-embedded";
import { afterEach, beforeEach, expect, it } from "vitest";

const NAME = "jobs";

interface Closeable {
  close(): Promise<unknown>;
}

let server: EmbeddedServer;
let connection: ConnectionOptions;
let open: Closeable[];

beforeEach(async () => {
  server = createServer();
  await server.listen();
  connection = { host: "127.0.0.1", port: server.port, maxRetriesPerRequest: null };
  open = [];
});
afterEach(async () => {
  await Promise.all(open.map((one) => one.close()));
  await server.close();
});

function opened<T extends Closeable>(one: T): T {
  open.push(one);
  return one;
}

const queue = (name = NAME): Queue => opened(new Queue(name, { connection }));
const worker = (work: Processor, name = NAME): Worker => opened(new Worker(name, work, { connection, concurrency: 5 }));

async function listening(name = NAME): Promise<QueueEvents> {
  const events = opened(new QueueEvents(name, { connection, lastEventId: "0-0" }));
  await events.waitUntilReady();
  return events;
}

it("adds, processes and reports results", async () => {
  const [jobs, events] = [queue(), await listening()];
  worker((job) => Promise.resolve(job.data.n * 2));
  const added = await jobs.addBulk(Array.from({ length: 20 }, (_, n) => ({ name: "double", data: { n } })));
  const results = await Promise.all(added.map((job) => job.waitUntilFinished(events)));
  expect(results).toEqual(Array.from({ length: 20 }, (_, n) => n * 2));
  expect(await jobs.getJobCounts("completed", "failed", "waiting", "active")).toEqual({
    completed: 20,
    failed: 0,
    waiting: 0,
    active: 0,
  });
});

it("waits for a job while it is idle", async () => {
  const [jobs, events] = [queue(), await listening()];
  const drained = new Promise((resolve) => worker(() => Promise.resolve("done")).once("drained", () => resolve(true)));
  const first = await jobs.add("first", {});
  expect(await first.waitUntilFinished(events)).toBe("done");
  await drained;
  const second = await jobs.add("second", {});
  expect(await second.waitUntilFinished(events)).toBe("done");
});

it("tries a failed job again, and fails it in the end", async () => {
  const [jobs, events] = [queue(), await listening()];
  worker((job) =>
    job.attemptsMade < job.data.failures ? Promise.reject(new Error("not yet")) : Promise.resolve("ok"),
  );
  const backoff = { type: "fixed", delay: 5 };
  const saved = await jobs.add("saved", { failures: 2 }, { attempts: 3, backoff });
  const lost = await jobs.add("lost", { failures: 9 }, { attempts: 2, backoff });
  expect(await saved.waitUntilFinished(events)).toBe("ok");
  await expect(lost.waitUntilFinished(events)).rejects.toThrow("not yet");
  expect((await jobs.getFailed()).map((job) => job.name)).toEqual(["lost"]);
});

it("delays jobs, prefers some, takes an id once", async () => {
  const [jobs, events] = [queue(), await listening()];
  const delayed = await jobs.add("delayed", {}, { delay: 30 });
  const [low, high] = [await jobs.add("low", {}, { priority: 9 }), await jobs.add("high", {}, { priority: 1 })];
  await jobs.add("once", {}, { jobId: "only" });
  await jobs.add("once", {}, { jobId: "only" });
  expect(await jobs.getJobCounts("delayed", "prioritized", "waiting")).toEqual({
    delayed: 1,
    prioritized: 2,
    waiting: 1,
  });
  const order: string[] = [];
  opened(new Worker(NAME, (job) => Promise.resolve(order.push(job.name)), { connection }));
  await Promise.all([delayed, low, high].map((job) => job.waitUntilFinished(events)));
  expect(order.filter((name) => name !== "delayed")).toEqual(["once", "high", "low"]);
  expect(order).toContain("delayed");
});

it("repeats by a scheduler", async () => {
  const jobs = queue();
  let runs = 0;
  const thrice = new Promise<void>((resolve) => {
    worker(() => Promise.resolve(++runs === 3 && resolve()));
  });
  await jobs.upsertJobScheduler("tick", { every: 20 }, { name: "tick", data: {} });
  await thrice;
  expect((await jobs.getJobSchedulers()).map((scheduler) => scheduler.key)).toEqual(["tick"]);
  expect(await jobs.removeJobScheduler("tick")).toBe(true);
});

it("runs a parent after its children", async () => {
  const events = await listening();
  const flows = opened(new FlowProducer({ connection }));
  worker((job) => Promise.resolve(job.data.n), "children");
  worker(async (job) => Object.values(await job.getChildrenValues<number>()).reduce((sum, n) => sum + n, 0));
  const { job } = await flows.add({
    name: "sum",
    queueName: NAME,
    children: [1, 2, 3].map((n) => ({ name: "one", queueName: "children", data: { n } })),
  });
  expect(await job.waitUntilFinished(events)).toBe(6);
});

it("pauses, resumes, drains and obliterates", async () => {
  const jobs = queue();
  await jobs.pause();
  await jobs.addBulk([1, 2, 3].map((n) => ({ name: "job", data: { n } })));
  expect(await jobs.isPaused()).toBe(true);
  await jobs.drain();
  expect(await jobs.count()).toBe(0);
  await jobs.resume();
  await jobs.obliterate({ force: true });
  const keys = [...server.engine.database(0).all()].map((entry) => entry.key);
  expect(keys).toEqual([]);
});

it("processes no more jobs than the rate limit lets through", async () => {
  const jobs = queue();
  const limiter = { max: 2, duration: 3_600_000 };
  opened(new Worker(NAME, () => Promise.resolve("done"), { connection, limiter, concurrency: 5 }));
  await jobs.addBulk(Array.from({ length: 6 }, (_, n) => ({ name: "job", data: { n } })));
  await expect.poll(() => jobs.getCompletedCount()).toBe(2);
  await expect.poll(() => jobs.getJobCounts("waiting", "active")).toEqual({ waiting: 4, active: 0 });
  expect(await jobs.getRateLimitTtl(2)).toBeGreaterThan(0);
});

it("hands a job whose worker has died to another", async () => {
  const [jobs, events] = [queue(), await listening()];
  const dead = new Worker(NAME, undefined, { connection, lockDuration: 30 });
  const job = await jobs.add("orphan", {});
  expect(await dead.getNextJob("token of the dead")).toMatchObject({ id: job.id });
  await dead.close(true);
  const stalled = new Promise((resolve) => events.once("stalled", ({ jobId }) => resolve(jobId)));
  opened(new Worker(NAME, () => Promise.resolve("rescued"), { connection, stalledInterval: 20 }));
  expect(await job.waitUntilFinished(events)).toBe("rescued");
  expect(await stalled).toBe(job.id);
});

it("reports progress and what happens in the order in which it happens", async () => {
  const [jobs, events] = [queue(), await listening()];
  const heard: string[] = [];
  for (const name of ["added", "active", "progress", "completed"] as const)
    events.on(name, () => void heard.push(name));
  worker(async (job) => {
    await job.updateProgress(50);
    await job.log("half way");
  });
  const job = await jobs.add("job", {});
  await job.waitUntilFinished(events);
  expect(heard).toEqual(["added", "active", "progress", "completed"]);
  expect(await jobs.getJobLogs(job.id ?? "")).toMatchObject({ logs: ["half way"], count: 1 });
});

it("schedules by a cron pattern, changes the schedule, and takes it away with its next job", async () => {
  const jobs = queue();
  await jobs.upsertJobScheduler("nightly", { pattern: "0 3 * * *", tz: "Europe/Berlin" }, { name: "backup" });
  await jobs.upsertJobScheduler("nightly", { pattern: "0 4 * * *", tz: "Europe/Berlin" }, { name: "backup" });
  expect(await jobs.getJobSchedulers()).toMatchObject([{ key: "nightly", pattern: "0 4 * * *" }]);
  expect(await jobs.getDelayedCount()).toBe(1);
  await jobs.removeJobScheduler("nightly");
  expect(await jobs.getDelayedCount()).toBe(0);
});

it("fails a parent with its child when asked to, and takes a duplicate once", async () => {
  const jobs = queue();
  const events = await listening();
  const flows = opened(new FlowProducer({ connection }));
  worker(() => Promise.reject(new Error("broken")), "children");
  worker(() => Promise.resolve("never"));
  const { job } = await flows.add({
    name: "parent",
    queueName: NAME,
    children: [{ name: "child", queueName: "children", opts: { failParentOnFailure: true } }],
  });
  await expect(job.waitUntilFinished(events)).rejects.toThrow(/child .* failed/);
  await jobs.pause();
  const deduplication = { id: "same" };
  const [first, second] = [await jobs.add("one", {}, { deduplication }), await jobs.add("two", {}, { deduplication })];
  expect(second.id).toBe(first.id);
});

it("moves jobs by hand: promotes, retries, removes, cleans", async () => {
  const [jobs, events] = [queue(), await listening()];
  let healthy = false;
  worker(() => (healthy ? Promise.resolve("well") : Promise.reject(new Error("ill"))));
  const later = await jobs.add("later", {}, { delay: 3_600_000 });
  await later.promote();
  await expect(later.waitUntilFinished(events)).rejects.toThrow("ill");
  healthy = true;
  await later.retry();
  expect(await later.waitUntilFinished(events)).toBe("well");
  const removed = await jobs.add("removed", {}, { delay: 3_600_000 });
  await removed.remove();
  expect(await jobs.clean(0, 100, "completed")).toEqual([later.id]);
  expect(await jobs.count()).toBe(0);
  await expect.poll(async () => (await jobs.getWorkers()).length).toBe(1);
});
