/**
 * A schedule under faults. What its ticks should have been is known beforehand, so each of them counts as a job that was accepted: one that
 * was missed is a lost job, one that was doubled has run again after its end was confirmed, one that came too early has run before it was due.
 */
import type { Addition, Run } from "./history.ts";
import type { Payload } from "./job.ts";

export const SCHEDULE = {
  id: "tick",
  everyMs: 250,
  /** Of the longest outage all ticks are made up for. */
  most: 1_000,
} as const;

/** What is stored: a tick's own payload is made of its time. */
export const SCHEDULED: Payload = { call: "scheduled", kind: "tick", delayMs: 0 };

/** So late after the schedule was ended the last tick may be missing. */
const LAST_MS = 5_000;

export function tickPayload(at: number): Payload {
  return { call: `tick ${at}`, kind: "tick", delayMs: 0, dueAt: at };
}

/** From the first tick that ran to the last one there is no gap. */
export function expectedTicks(runs: readonly Run[]): Addition[] {
  const times = runs.flatMap(({ payload }) => (payload.kind === "tick" ? [payload.dueAt!] : []));
  if (times.length === 0) return [];
  const [first, last] = [Math.min(...times), Math.max(...times)];
  const expected: Addition[] = [];
  for (let at = first; at <= last; at += SCHEDULE.everyMs) {
    const known = { name: undefined, isReplicated: true, result: undefined } as const;
    expected.push({ payload: tickPayload(at), status: "ok", answeredAt: 0, id: `${SCHEDULE.id}@${at}`, ...known });
  }
  return expected;
}

/** It ticked from its beginning to its end. The machine has one clock, the server's too. */
export function ticksOutside(ticks: readonly Addition[], fromMs: number, toMs: number): string[] {
  const [first = Infinity, last = 0] = [ticks[0]?.payload.dueAt, ticks.at(-1)?.payload.dueAt];
  return [
    ...(first > fromMs + SCHEDULE.everyMs ? [`the schedule was set at ${fromMs}, and its first tick is ${first}`] : []),
    ...(last < toMs - LAST_MS ? [`the schedule ended at ${toMs}, and its last tick is ${last}`] : []),
  ];
}
