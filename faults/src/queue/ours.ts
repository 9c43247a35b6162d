/** Our queue, with options that suit a scenario. */
import type { Holdfast } from "holdfast";
import { type Payload, QUEUE_NAME, type QueueConfig } from "./job.ts";
import type { Subject } from "./subject.ts";
import { SCHEDULE, SCHEDULED } from "./tick.ts";

/** The crashes of a whole scenario are not the jobs' fault. */
const MAX_CRASHES = 1_000;

export function queueOf(hf: Holdfast): ReturnType<typeof hf.queue<Payload, string>> {
  return hf.queue<Payload, string>(QUEUE_NAME, {
    attempts: 5,
    maxCrashes: MAX_CRASHES,
    backoff: { delay: 50, max: 500 },
  });
}

export function openQueue(hf: Holdfast, { leaseMs, concurrency }: QueueConfig): Subject {
  const queue = queueOf(hf);
  return {
    add: (payload, options) => queue.add(payload, options),
    result: (id) => queue.result(id, { timeout: "20s" }),
    work(handler) {
      const worker = queue.work((job) => handler(job) as Promise<string>, {
        concurrency,
        lease: leaseMs,
        poll: 500,
        drain: "5s",
      });
      return { counts: () => worker.stats(), close: () => worker.close() };
    },
    schedule: {
      begin() {
        const missed = { catchUp: SCHEDULE.most };
        return queue.schedules.set(SCHEDULE.id, { every: SCHEDULE.everyMs, payload: SCHEDULED, missed });
      },
      end: () => queue.schedules.remove(SCHEDULE.id),
    },
    async left() {
      const { waiting, delayed, active } = await queue.counts();
      return waiting + delayed + active;
    },
    close: () => hf.close(),
  };
}
