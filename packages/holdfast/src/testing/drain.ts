/** Running all jobs of a queue to their end, in virtual time. */
import { HoldfastError } from "../base/errors.ts";
import { type Duration, toMs } from "../base/options.ts";
import type { Queue } from "../queue/queue.ts";
import type { QueueHandler } from "../queue/names.ts";
import type { TestServer } from "./test-server.ts";

const FIRST_STEP_MS = 1_000;
const LONGEST_STEP_MS = 24 * 60 * 60_000;

/**
 * Runs the jobs of `queue` with `handler` until none waits, is delayed, waits for others or runs: also those that are added meanwhile, and
 * retries. Time moves on as far as that takes, and every job runs at its own time.
 * @param limit of virtual time
 * @returns how many runs there were
 * @throws HoldfastError where time is real, and where jobs are left after `limit`
 * @example
 * await using server = await createTestServer({ clock: "virtual" });
 * const emails = (await server.connect()).queue<Email>("emails");
 * await emails.add(digest, { delay: "7d" });
 * await drain(server, emails, (job) => sent.push(job.payload));
 */
export async function drain<Payload, Result>(
  server: TestServer,
  queue: Queue<Payload, Result>,
  handler: QueueHandler<Payload, Result>,
  limit: Duration = "30d",
): Promise<number> {
  const until = server.clock.now() + toMs("limit", limit);
  let runs = 0;
  await server.clock.advance(0);
  // Such long ones, as each round of an idle worker takes real time.
  const worker = queue.work(
    (job) => {
      runs += 1;
      return handler(job);
    },
    { poll: "1h", lease: "3h" },
  );
  try {
    for (let [stepMs, before] = [FIRST_STEP_MS, 0]; ; before = runs) {
      await server.clock.advance(0);
      const { waiting, delayed, blocked, active } = await queue.counts();
      if (waiting + delayed + blocked + active === 0) return runs;
      if (server.clock.now() >= until) {
        const left = `${waiting} wait, ${delayed} are delayed, ${blocked} wait for others, ${active} run`;
        throw new HoldfastError("TIMEOUT", `queue "${queue.name}": jobs are left after ${limit}: ${left}`, {
          op: "drain",
        });
      }
      await server.clock.advance(Math.min(stepMs, until - server.clock.now()));
      stepMs = runs === before ? Math.min(stepMs * 2, LONGEST_STEP_MS) : FIRST_STEP_MS;
    }
  } finally {
    await worker.close();
  }
}
