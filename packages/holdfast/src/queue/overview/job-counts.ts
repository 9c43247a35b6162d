/** How many jobs a queue has in each state. */
import type { CountsResult } from "../scripts.gen.ts";

export interface QueueCounts {
  /** In their lanes, those among them that were removed and whose turn has not come yet included. */
  readonly waiting: number;
  readonly delayed: number;
  readonly active: number;
  /** Of names that no worker has known so far. */
  readonly unhandled: number;
  /** That wait for other jobs. */
  readonly blocked: number;
  readonly dead: number;
  /** That ended well and are kept. */
  readonly completed: number;
  /** That have not ended or lost their lease. */
  readonly workers: number;
  readonly paused: boolean;
  /** How long the job that waits longest at the head of a lane has waited, in milliseconds; 0 where none waits. */
  readonly oldestMs: number;
}

export function sumOfCounts(parts: readonly CountsResult[]): QueueCounts {
  const sum = (of: (part: CountsResult) => number) => parts.reduce((total, part) => total + of(part), 0);
  return {
    waiting: sum(({ waiting }) => waiting),
    delayed: sum(({ delayed }) => delayed),
    active: sum(({ active }) => active),
    unhandled: sum(({ unhandled }) => unhandled),
    blocked: sum(({ blocked }) => blocked),
    dead: sum(({ dead }) => dead),
    completed: sum(({ completed }) => completed),
    // Each of them works in every partition.
    workers: Math.max(...parts.map(({ workers }) => workers)),
    paused: parts.every(({ paused }) => paused),
    oldestMs: Math.max(...parts.map(({ oldestMs, nowMs }) => (oldestMs === 0 ? 0 : Math.max(nowMs - oldestMs, 0)))),
  };
}
