/** Where a job is. */
import type { FindResult } from "./scripts.gen.ts";

/** `blocked`: it waits for other jobs. */
export type QueueJobState = "waiting" | "delayed" | "blocked" | "active" | "dead";

export function stateOf({
  deadMs,
  dueMs,
  worker,
  blocked,
}: Exclude<FindResult, { readonly status: "missing" }>): QueueJobState {
  if (deadMs > 0) return "dead";
  if (dueMs > 0) return "delayed";
  if (blocked > 0) return "blocked";
  return worker === null ? "waiting" : "active";
}
