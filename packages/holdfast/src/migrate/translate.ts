/** What a job of BullMQ is in a queue of ours. */
import { createHash } from "node:crypto";
import type { QueueAddOptions } from "../queue/add-options.ts";
import type { StoredJob } from "./source.ts";

/** A job of BullMQ, as `map` is given it. */
export interface BullMQJob {
  readonly id: string;
  readonly name: string;
  readonly data: unknown;
  /** As it was added, under BullMQ's own names. */
  readonly opts: Readonly<Record<string, unknown>>;
  readonly state: "waiting" | "prioritized" | "delayed" | "failed";
  /** When it was added, by the clock of its producer: milliseconds since 1970. */
  readonly timestamp: number;
  /** Of a delayed one: milliseconds since 1970. */
  readonly dueAt: number | undefined;
  /** 0: none, which BullMQ runs before all others; then 1 first. */
  readonly priority: number;
  readonly attemptsMade: number;
  /** What it would be moved with. */
  readonly options: QueueAddOptions;
}

const MAX_ID = 200;
const MAX_ATTEMPTS = 1_000;
/** BullMQ keeps the order of jobs that are due in the same millisecond in the low bits of the score. */
const DELAYED_SCALE = 0x1000;
/** A migration that was killed while it moved a batch is run again within this time. */
const REMEMBERED = "1d";

export function bullMQJob(stored: StoredJob, queueKey: string): BullMQJob {
  const { id, name, data, opts, timestamp, priority, attemptsMade, score } = stored;
  const dueAt = stored.state === "delayed" ? Math.floor(Number(score) / DELAYED_SCALE) : undefined;
  return {
    id,
    name,
    data: data === undefined || data === "" ? undefined : (JSON.parse(data) as unknown),
    opts,
    state: stored.state === "wait" || stored.state === "paused" ? "waiting" : stored.state,
    timestamp,
    dueAt,
    priority,
    attemptsMade,
    options: {
      ...identity(stored, queueKey),
      // All of them after those without a priority, as BullMQ has it; among each other they keep their order.
      priority: priority > 0 ? "low" : "normal",
      ...(dueAt === undefined ? {} : { at: dueAt }),
      attempts: attemptsLeft(stored),
    },
  };
}

/** By which a job that was added already, by a migration that was killed, is known: also one that has run since. */
function identity({ id, deduplicationId, deduplicationMs }: StoredJob, queueKey: string): QueueAddOptions {
  if (deduplicationId !== undefined && deduplicationMs !== undefined) {
    const key = fitting(deduplicationId);
    return { unique: deduplicationMs < 0 ? key : { key, for: Math.max(deduplicationMs, 1) } };
  }
  const ours = fitting(`${queueKey}:${id}`);
  return { id: ours, unique: { key: ours, for: REMEMBERED } };
}

function fitting(name: string): string {
  return name.length <= MAX_ID ? name : createHash("sha256").update(name).digest("base64url");
}

/** BullMQ runs a job once where nothing is said; one that has failed starts again with all its attempts. */
function attemptsLeft({ state, opts, attemptsMade }: StoredJob): number {
  const all = typeof opts["attempts"] === "number" ? opts["attempts"] : 1;
  const used = state === "failed" ? 0 : attemptsMade;
  return Math.min(Math.max(Math.floor(all) - used, 1), MAX_ATTEMPTS);
}
