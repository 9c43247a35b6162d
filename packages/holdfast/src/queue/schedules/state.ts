/**
 * A schedule as it lies on the server. Its state is a line of words, which scripts compare as a whole and read by place
 * (`lua/include/schedule-state.lua`); its record is `<lane><options of its jobs, JSON without the braces>\n<plan, JSON>\n<payload>`.
 */
import type { SchedulePlan } from "./options.ts";

export interface ScheduleState {
  /** Another one with each change that is not a tick. */
  readonly version: string;
  /** The nominal time of the next tick; 0: there is none. */
  readonly next: number;
  /** With its jitter. */
  readonly due: number;
  readonly isPaused: boolean;
  readonly runs: number;
  readonly missed: number;
  readonly skipped: number;
  readonly late: number;
  /** The tick of the last job; 0: there was none. */
  readonly last: number;
  readonly lateMs: number;
  /** A tick whose job waits until the one before it is over; 0: none does. */
  readonly held: number;
}

export interface ScheduleRecord {
  readonly plan: SchedulePlan;
  readonly payload: Buffer;
  readonly bytes: Buffer;
}

const NEWLINE = 10;
const LANES = { high: 1, normal: 2, low: 3 } as const;

export const BEGINNING: Omit<ScheduleState, "version"> = {
  next: 0,
  due: 0,
  isPaused: false,
  runs: 0,
  missed: 0,
  skipped: 0,
  late: 0,
  last: 0,
  lateMs: 0,
  held: 0,
};

export function encodeState(state: ScheduleState): string {
  const { version, next, due, isPaused, runs, missed, skipped, late, last, lateMs, held } = state;
  return [version, next, due, Number(isPaused), runs, missed, skipped, late, last, lateMs, held].join(" ");
}

export function decodeState(text: string): ScheduleState {
  const [version = "", ...words] = text.split(" ");
  const [next = 0, due = 0, paused, runs = 0, missed = 0, skipped = 0, late = 0, last = 0, lateMs = 0, held = 0] =
    words.map(Number);
  return { version, next, due, isPaused: paused === 1, runs, missed, skipped, late, last, lateMs, held };
}

export function encodeSchedule(plan: SchedulePlan, payload: Buffer): Buffer {
  const options = plan.attempts === undefined ? "" : `,"a":${plan.attempts}`;
  return Buffer.concat([Buffer.from(`${LANES[plan.priority]}${options}\n${JSON.stringify(plan)}\n`), payload]);
}

export function decodeSchedule(bytes: Buffer): ScheduleRecord {
  const planAt = bytes.indexOf(NEWLINE) + 1;
  const payloadAt = bytes.indexOf(NEWLINE, planAt) + 1;
  return { plan: decodePlan(bytes.toString("utf8", planAt, payloadAt - 1)), payload: bytes.subarray(payloadAt), bytes };
}

export function decodePlan(line: string): SchedulePlan {
  return JSON.parse(line) as SchedulePlan;
}
