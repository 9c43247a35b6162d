/** What the queues that are wrong have in common: a list, a loop per slot, and a handler that runs. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Holdfast } from "holdfast";
import { ticks } from "../ledger.ts";
import { type Payload, QUEUE_NAME, type QueueConfig } from "./job.ts";
import type { Subject } from "./subject.ts";

interface Steps {
  claim(): Promise<unknown>;
  acknowledge(job: Buffer): Promise<unknown>;
  /** Again and again, while the worker lives. */
  tick(): Promise<void>;
  /** How many jobs workers hold. */
  held(): Promise<number>;
}

export function byHand(hf: Holdfast, config: QueueConfig, stepsOf: (waiting: string) => Steps): Subject {
  const waiting = `${config.prefix}:{${QUEUE_NAME}}:waiting`;
  const steps = stepsOf(waiting);
  return {
    async add(payload) {
      await hf.command("RPUSH", waiting, JSON.stringify(payload));
      return { status: "ok", id: payload.call };
    },
    result: async () => ({ status: "missing" }),
    work(handler) {
      const counts = { completed: 0, failed: 0, dead: 0, lost: 0, recovered: 0 };
      const closing = new AbortController();
      const repeat = async (round: () => Promise<boolean>, restMs: number): Promise<void> => {
        while (!closing.signal.aborted) if (!(await round().catch(() => false))) await sleep(restMs);
      };
      const slot = async (): Promise<boolean> => {
        const job = (await steps.claim()) as Buffer | null;
        if (job === null) return false;
        const payload = JSON.parse(String(job)) as Payload;
        await handler({ id: payload.call, payload, fence: ticks(), addedAt: 0, attempt: 5, crashes: 1 });
        await steps.acknowledge(job);
        counts.completed += 1;
        return true;
      };
      const loops = Array.from({ length: config.concurrency }, () => repeat(slot, 50));
      loops.push(repeat(() => steps.tick().then(() => false), config.leaseMs / 4));
      return {
        counts: () => ({ ...counts }),
        async close() {
          closing.abort();
          await Promise.all(loops);
        },
      };
    },
    left: async () => Number(await hf.command("LLEN", waiting)) + (await steps.held()),
    close: () => hf.close(),
  };
}
