/** A list that workers pop from: what a worker holds when it dies is lost. The suite must say so. */
import type { Holdfast } from "holdfast";
import type { QueueConfig } from "./job.ts";
import { byHand } from "./by-hand.ts";
import type { Subject } from "./subject.ts";

export function openPopped(hf: Holdfast, config: QueueConfig): Subject {
  return byHand(hf, config, (waiting) => ({
    claim: () => hf.command("LPOP", waiting),
    acknowledge: async () => undefined,
    tick: async () => undefined,
    held: async () => 0,
  }));
}
