/**
 * Jobs are moved to a list of their worker, and back again when its lease is over; but an acknowledgement does not ask whether the job is
 * still the worker's. One that was frozen for longer than its lease acknowledges what another worker has by then. The suite must say so.
 */
import { randomUUID } from "node:crypto";
import type { Holdfast } from "holdfast";
import { byHand } from "./by-hand.ts";
import type { QueueConfig } from "./job.ts";
import type { Subject } from "./subject.ts";

export function openUnfenced(hf: Holdfast, config: QueueConfig): Subject {
  return byHand(hf, config, (waiting) => {
    const me = randomUUID();
    const workers = `${waiting}:workers`;
    const listOf = (worker: string): string => `${waiting}:active:${worker}`;
    const namesOf = async (): Promise<string[]> => ((await hf.command("SMEMBERS", workers)) as Buffer[]).map(String);
    return {
      claim: () => hf.command("LMOVE", waiting, listOf(me), "LEFT", "RIGHT"),
      acknowledge: (job) => hf.command("LREM", listOf(me), "1", job),
      async tick() {
        await hf.command("SADD", workers, me);
        await hf.command("SET", `${listOf(me)}:lease`, "1", "PX", String(config.leaseMs));
        for (const worker of await namesOf()) {
          if ((await hf.command("GET", `${listOf(worker)}:lease`)) !== null) continue;
          while ((await hf.command("LMOVE", listOf(worker), waiting, "LEFT", "LEFT")) !== null);
        }
      },
      held: async () => {
        const lengths = await Promise.all((await namesOf()).map((worker) => hf.command("LLEN", listOf(worker))));
        return lengths.reduce<number>((sum, length) => sum + Number(length), 0);
      },
    };
  });
}
