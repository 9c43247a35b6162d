/** Running all jobs of one or more queues to their end, in virtual time. */
import { HoldfastError, InvalidArgumentError } from "../base/errors.ts";
import { type Duration, toMs } from "../base/options.ts";
import type { QueueHandler } from "../queue/names.ts";
import type { QueueCounts } from "../queue/overview/job-counts.ts";
import type { Queue } from "../queue/queue.ts";
import type { QueueWorker } from "../queue/worker.ts";
import { QueueHandling } from "../queue/workers/handling.ts";
import { workSeveral } from "../queue/workers/several.ts";
import type { TestServer } from "./test-server.ts";

const FIRST_STEP_MS = 1_000;
const LONGEST_STEP_MS = 24 * 60 * 60_000;

/** Such long ones, as each round of an idle worker takes real time. */
const PATIENT = { poll: "1h", lease: "3h" } as const;

/**
 * Runs the jobs of `queue` with `handler` until none waits, is delayed, waits for others or runs: also those that are added meanwhile, and
 * retries. Time moves on as far as that takes, and every job runs at its own time. Of a flow over several queues all are to be given:
 * `drain(server, [albums.with(bind), images.with(resize)])`.
 * @param limit of virtual time
 * @returns how many runs there were; of several queues those that ended
 * @throws HoldfastError where time is real, and where jobs are left after `limit`
 * @example
 * await using server = await createTestServer({ clock: "virtual" });
 * const emails = (await server.connect()).queue<Email>("emails");
 * await emails.add(digest, { delay: "7d" });
 * await drain(server, emails, (job) => sent.push(job.payload));
 */
export function drain<Payload, Result>(
  server: TestServer,
  queue: Queue<Payload, Result>,
  handler: QueueHandler<Payload, Result>,
  limit?: Duration,
): Promise<number>;
export function drain(server: TestServer, handlings: readonly QueueHandling[], limit?: Duration): Promise<number>;
export function drain<Payload, Result>(
  server: TestServer,
  given: Queue<Payload, Result> | readonly QueueHandling[],
  handler?: QueueHandler<Payload, Result> | Duration,
  limit?: Duration,
): Promise<number> {
  if (isList(given)) return drainUntil(server, ofSeveral(given), handler as Duration | undefined);
  return drainUntil(server, ofOne(given, handler as QueueHandler<Payload, Result>), limit);
}

interface Draining {
  readonly name: string;
  readonly queues: readonly Pick<Queue<unknown>, "counts">[];
  work(): QueueWorker;
  runs(worker: QueueWorker): number;
}

function ofOne<Payload, Result>(queue: Queue<Payload, Result>, handler: QueueHandler<Payload, Result>): Draining {
  let runs = 0;
  const counted: QueueHandler<Payload, Result> = (job) => {
    runs += 1;
    return handler(job);
  };
  const name = `queue ${JSON.stringify(queue.name)}`;
  return { name, queues: [queue], work: () => queue.work(counted, PATIENT), runs: () => runs };
}

function ofSeveral(handlings: readonly QueueHandling[]): Draining {
  const parts = handlings.map((handling) => QueueHandling.partsOf(handling));
  const names = parts.map(({ queue }) => JSON.stringify(queue)).join(", ");
  const work = () => workSeveral(parts[0]!.core, handlings, PATIENT);
  return { name: `queues ${names}`, queues: parts, work, runs: ended };
}

function ended(worker: QueueWorker): number {
  const { completed, failed, cancelled } = worker.stats();
  return completed + failed + cancelled;
}

async function drainUntil(server: TestServer, draining: Draining, limit: Duration = "30d"): Promise<number> {
  const until = server.clock.now() + toMs("limit", limit);
  await server.clock.advance(0);
  const worker = draining.work();
  try {
    for (let [stepMs, before] = [FIRST_STEP_MS, 0]; ; before = draining.runs(worker)) {
      await server.clock.advance(0);
      const { waiting, delayed, blocked, active } = sumOf(
        await Promise.all(draining.queues.map((queue) => queue.counts())),
      );
      if (waiting + delayed + blocked + active === 0) return draining.runs(worker);
      if (server.clock.now() >= until) {
        const left = `${waiting} wait, ${delayed} are delayed, ${blocked} wait for others, ${active} run`;
        throw new HoldfastError("TIMEOUT", `${draining.name}: jobs are left after ${limit}: ${left}`, { op: "drain" });
      }
      await server.clock.advance(Math.min(stepMs, until - server.clock.now()));
      stepMs = draining.runs(worker) === before ? Math.min(stepMs * 2, LONGEST_STEP_MS) : FIRST_STEP_MS;
    }
  } finally {
    await worker.close();
  }
}

type Left = Pick<QueueCounts, "waiting" | "delayed" | "blocked" | "active">;

function sumOf(counts: readonly Left[]): Left {
  const sum = { waiting: 0, delayed: 0, blocked: 0, active: 0 };
  for (const each of counts) for (const state of Object.keys(sum) as (keyof Left)[]) sum[state] += each[state];
  return sum;
}

function isList(given: object): given is readonly QueueHandling[] {
  if (!Array.isArray(given)) return false;
  if (given.length > 0 && given.every((handling) => QueueHandling.is(handling))) return true;
  throw new InvalidArgumentError("handlings", "a list of what queue.with() returned", given);
}
