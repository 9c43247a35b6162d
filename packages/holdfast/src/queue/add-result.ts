import type { QueueDurabilityResult } from "./durability.ts";
import type { QueueCancelResult } from "./jobs/changes.ts";
import type { QueueResult, QueueResultOptions } from "./jobs/results.ts";

/** A job as its adder sees it. */
export interface QueueAddResult<Result> {
  /**
   * `duplicate`: not added, because the job `id` has the same id or unique key. `replaced`: the job `id`, which has the same unique key and
   * has not started, has this payload now. `full`: not added, because as many wait as may.
   */
  readonly status: "ok" | "duplicate" | "replaced" | "full";
  readonly id: string;
  /** What was reached of the `durability` that was asked for; undefined where none was. */
  readonly durability?: QueueDurabilityResult;
  /** As `queue.result(id)`. */
  result(options?: QueueResultOptions): Promise<QueueResult<Result>>;
  /** As `queue.cancel(id)`. */
  cancel(reason?: string): Promise<QueueCancelResult>;
}
