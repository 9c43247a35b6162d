/** After how long a job runs again that has failed. */
import type { Backoff, BackoffFunction } from "../core/retry/backoff.ts";

/** A back-off of your own: how long after the failure the job runs again. */
export type QueueBackoffFunction = BackoffFunction;
/** How long after a failure a job runs again. */
export type QueueBackoff = Backoff;
