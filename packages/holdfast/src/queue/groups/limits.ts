/** Limits of a whole queue. */
import type { Operations } from "../../core/observe/observe.ts";
import { type Partition, shareOf } from "../partition.ts";
import { limitsOf, limitsSettings, type QueueLimitsOptions } from "./options.ts";

/**
 * What all workers of a queue may do together, in all processes. Kept on the server; a change counts from the next claim on.
 *
 * @example
 * await emails.limits.set({ concurrency: 50, rate: { limit: 100, per: "1s" } });
 */
export class QueueLimits {
  readonly #operations: Operations;
  readonly #partitions: readonly Partition[];

  constructor(operations: Operations, partitions: readonly Partition[]) {
    this.#operations = operations;
    this.#partitions = partitions;
  }

  /** Replaces the limits. Idempotent. In a queue of several partitions each has its part of each limit. Cost: a script per partition, linear in the workers. */
  set(limits: QueueLimitsOptions): Promise<void> {
    return this.#operations.run("limits.set", undefined, async () => {
      const count = this.#partitions.length;
      const { concurrency, rate, perMs } = limitsSettings(limits, count);
      await Promise.all(
        this.#partitions.map(({ groups, index }) =>
          groups.setLimits({
            concurrency: shareOf(concurrency, count, index),
            rate: shareOf(rate, count, index),
            perMs,
          }),
        ),
      );
    });
  }

  /** Returns the limits that are set. Cost: HMGET per partition. */
  get(): Promise<QueueLimitsOptions> {
    return this.#operations.run("limits.get", undefined, async () => {
      const parts = await Promise.all(this.#partitions.map(({ groups }) => groups.limits()));
      const sum = (of: "concurrency" | "rate") => parts.reduce((total, part) => total + part[of], 0);
      return limitsOf({ concurrency: sum("concurrency"), rate: sum("rate"), perMs: parts[0]!.perMs });
    });
  }

  /** Takes all limits off. Idempotent. Cost: as `set`. */
  clear(): Promise<void> {
    return this.set({});
  }
}
