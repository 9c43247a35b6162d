/** What must hold once the faults are over: nobody keeps anything, and whoever comes has it. */
import type { Holdfast } from "holdfast";
import { PARTIES, PERMITS } from "./entry.ts";

/** Of those who died: two of their ttls, and the second of a waiter that was handed it in vain, for several in a row. */
const WAIT = "20s";

export async function freeAgain(hf: Holdfast, ttl: number): Promise<string[]> {
  const wait = { wait: WAIT } as const;
  const step = hf.barrier("step", { parties: PARTIES, ttl });
  const meet = async (): Promise<void> => {
    const pass = await step.enter({ timeout: WAIT });
    const { status } = await pass.leave({ timeout: WAIT });
    if (status !== "ok") throw new Error(`the barrier is ${status}`);
  };
  const attempts = [
    ...["a", "b", "shared", "x", "y", "z"].map((name) => hf.lock(name, { ttl }).run(() => undefined, wait)),
    hf.semaphore("s", { permits: PERMITS, ttl }).run(() => undefined, { permits: PERMITS, ...wait }),
    hf.rwlock("r", { ttl }).write.run(() => undefined, wait),
    hf
      .election("e", { ttl })
      .campaign(wait)
      .then((leadership) => leadership.resign()),
    ...Array.from({ length: PARTIES }, meet),
  ];
  const ends = await Promise.allSettled(attempts);
  return ends.flatMap((end) => (end.status === "rejected" ? [`not free again: ${(end.reason as Error).message}`] : []));
}
