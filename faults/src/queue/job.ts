/** What producers add and workers run, and what both write down about it. */

/** How a job is added and how its handler behaves. */
export type Kind =
  | "plain"
  | "bulk"
  | "high"
  | "low"
  | "delayed"
  /** Added twice under one id of our own. */
  | "named"
  /** Added twice under one unique key. */
  | "unique"
  /** Its result is kept and waited for. */
  | "result"
  /** Throws twice. */
  | "failing"
  /** Ends among the dead letters. */
  | "discarded"
  /** Kills its process, the first time. */
  | "deadly"
  /** Of the schedule: its call is made of the time that it stands for. */
  | "tick"
  /** Of the checks after the faults. */
  | "quiet";

export interface Payload {
  /** Of one call of `add`, and no other. */
  readonly call: string;
  readonly kind: Kind;
  readonly delayMs: number;
  /** Instead of a delay: milliseconds since 1970. */
  readonly dueAt?: number;
}

/** Each entry: what happened, at which `ticks()`, and the rest. */
export type ProducerEntry =
  | { readonly what: "adding"; readonly at: number; readonly payload: Payload; readonly name?: string }
  | {
      readonly what: "added";
      readonly at: number;
      readonly call: string;
      readonly id: string;
      readonly status: "ok" | "duplicate" | "replaced" | "full";
    }
  | { readonly what: "refused"; readonly at: number; readonly call: string; readonly code: string }
  /** These calls are on every replica. */
  | { readonly what: "replicated"; readonly calls: readonly string[] }
  | { readonly what: "result"; readonly call: string; readonly status: string; readonly value?: unknown };

export interface WorkerCounts {
  readonly completed: number;
  readonly failed: number;
  readonly dead: number;
  readonly lost: number;
  readonly recovered: number;
}

export type WorkerEntry =
  | {
      readonly what: "started";
      readonly at: number;
      readonly id: string;
      readonly fence: number;
      readonly addedAt: number;
      readonly payload: Payload;
    }
  | {
      readonly what: "ended";
      readonly at: number;
      readonly id: string;
      readonly fence: number;
      readonly how: "well" | "thrown";
    }
  | { readonly what: "counts"; readonly at: number; readonly counts: WorkerCounts };

export interface QueueConfig {
  readonly url: string;
  readonly prefix: string;
  readonly subject: SubjectName;
  readonly seed: number;
  readonly leaseMs: number;
  readonly concurrency: number;
  /** Longest run of a handler. */
  readonly runMs: number;
  /** 0: an answer is enough; else a job counts as accepted once it is on so many replicas. */
  readonly replicas: number;
}

/** `queue` is ours; the others are what somebody might write, and show that the suite finds what is wrong with them. */
export type SubjectName = "queue" | "popped" | "unfenced";

export const QUEUE_NAME = "jobs";

/** A key of the queue: that which decides its slot. */
export function queueKey(prefix: string): string {
  return `${prefix}:queue:{${QUEUE_NAME}}:jobs`;
}
