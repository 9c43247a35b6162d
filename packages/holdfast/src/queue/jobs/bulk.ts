/** Emptying a queue, in steps that hold the server for a millisecond at most. */
import { InvalidArgumentError } from "../../base/errors.ts";
import { type Duration, givenOptions, type OptionNames } from "../../base/options.ts";
import type { Partitions } from "../partitions.ts";
import type { QueueJobState } from "./info.ts";

export interface QueueObliterateOptions {
  /** Also where jobs run. @default false */
  readonly force?: boolean;
}

export interface QueueCleanOptions {
  readonly state: QueueJobState;
  /** Of a dead or completed job since it ended, of another one since it was added. @default any age */
  readonly olderThan?: Duration;
  /** How many are removed at most. @default all of them */
  readonly limit?: number;
}

export const CLEAN_OPTIONS: OptionNames<QueueCleanOptions> = { state: true, olderThan: true, limit: true };
const OBLITERATE_OPTIONS: OptionNames<QueueObliterateOptions> = { force: true };
const CHUNK = 100;

export async function drained({ all }: Partitions): Promise<number> {
  let total = 0;
  for (const { store, jobs } of all) {
    // Counted before, as where jobs are added all the time it would go on for ever.
    const { waiting, delayed } = await store.counts();
    let left = waiting + delayed;
    let behind = "";
    while (left > 0) {
      // What was removed before lies about, and is looked at, but does not count.
      const { looked, dropped, ...next } = await jobs.drain(Math.min(left, CHUNK), behind);
      if (looked === 0 && next.behind === behind) break;
      ({ behind } = next);
      left -= dropped;
      total += dropped;
    }
  }
  return total;
}

export async function obliterated(
  { all }: Partitions,
  options: QueueObliterateOptions | undefined,
): Promise<{ readonly status: "ok" | "busy" }> {
  const { force = false } = givenOptions(options, OBLITERATE_OPTIONS);
  if (typeof force !== "boolean") throw new InvalidArgumentError("force", "a boolean", force);
  for (const { jobs } of all) {
    let status;
    do status = await jobs.obliterate(force);
    while (status === "more");
    if (status === "busy") return { status };
  }
  return { status: "ok" };
}
