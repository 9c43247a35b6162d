/** Which ticks of a schedule are due at a moment of the server's clock, which of them run, and which one comes next. */
import { createHash } from "node:crypto";
import { cronTimes } from "./cron.ts";
import type { SchedulePlan } from "./options.ts";
import type { ScheduleState } from "./state.ts";

export interface Tick {
  readonly at: number;
  /** With its jitter. */
  readonly due: number;
}

export interface Reckoning {
  /** To be run, oldest first. */
  readonly ticks: readonly Tick[];
  /** How many are passed over. */
  readonly missed: number;
  /** Undefined: there is no further one. */
  readonly next: Tick | undefined;
}

/** After an outage not more of them are counted. */
const MOST_COUNTED = 1_000;
/** Further ones are due still, and are run by the next call. */
export const MOST_RUN = 50;

export function reckon(id: string, plan: SchedulePlan, state: ScheduleState, nowMs: number): Reckoning {
  const first = { at: state.next, due: state.due };
  // Another reason to look: a tick that is held back.
  if (first.at === 0 || first.due > nowMs) return { ticks: [], missed: 0, next: first.at === 0 ? undefined : first };
  const { due, next } = dueTicks(id, plan, first, nowMs);
  const latest = due.at(-1)!;
  const isOnTime = nowMs - latest.due <= plan.graceMs;
  const run = Math.min(due.length, runsOf(plan, isOnTime));
  const ticks = due.slice(due.length - run);
  const missed = due.length - run;
  return ticks.length > MOST_RUN
    ? { ticks: ticks.slice(0, MOST_RUN), missed, next: ticks[MOST_RUN] }
    : { ticks, missed, next };
}

/** The first tick after this moment; undefined: there is none. */
export function tickAfter(id: string, plan: SchedulePlan, ms: number): Tick | undefined {
  const at = timeAfter(plan, ms);
  return at === undefined ? undefined : tickAt(id, plan, at);
}

/** Up to `count` of them from this one on, itself included. */
export function ticksFrom(plan: SchedulePlan, at: number, count: number): number[] {
  const times = [at];
  while (times.length < count) {
    const next = timeAfter(plan, times.at(-1)!);
    if (next === undefined) break;
    times.push(next);
  }
  return times;
}

function runsOf({ missed }: SchedulePlan, isOnTime: boolean): number {
  if (missed === "once") return 1;
  return (missed === "skip" ? 0 : missed) + (isOnTime ? 1 : 0);
}

/** What is due by now, oldest first, and the tick after them. */
function dueTicks(id: string, plan: SchedulePlan, first: Tick, nowMs: number): { due: Tick[]; next: Tick | undefined } {
  const second = tickAfter(id, plan, first.at);
  if (second === undefined || second.due > nowMs) return { due: [first], next: second };
  const due: Tick[] = [];
  let next: Tick | undefined;
  // From the latest one back, as there may be too many of them to be counted.
  for (let at = timeBefore(plan, nowMs + 1); at !== undefined && at > first.at; at = timeBefore(plan, at)) {
    const tick = tickAt(id, plan, at);
    if (tick.due > nowMs) next = tick;
    else due.push(tick);
    if (due.length === MOST_COUNTED) break;
  }
  due.reverse();
  if (due.length < MOST_COUNTED) due.unshift(first);
  return { due, next: next ?? tickAfter(id, plan, due.at(-1)!.at) };
}

function timeAfter({ cron, everyMs, timeZone, startMs, endMs }: SchedulePlan, ms: number): number | undefined {
  const after = Math.max(ms, (startMs ?? 0) - 1);
  let at;
  if (cron !== undefined) at = cronTimes(cron, timeZone!).after(after);
  else at = (startMs ?? 0) + (Math.floor((after - (startMs ?? 0)) / everyMs!) + 1) * everyMs!;
  return at === undefined || at > (endMs ?? Infinity) ? undefined : at;
}

function timeBefore({ cron, everyMs, timeZone, startMs, endMs }: SchedulePlan, ms: number): number | undefined {
  const before = Math.min(ms, (endMs ?? Infinity) + 1);
  let at;
  if (cron !== undefined) at = cronTimes(cron, timeZone!).before(before);
  else at = (startMs ?? 0) + (Math.ceil((before - (startMs ?? 0)) / everyMs!) - 1) * everyMs!;
  return at === undefined || at < (startMs ?? 0) ? undefined : at;
}

/** Always by as much for the same tick, and never past the tick after it. */
export function tickAt(id: string, plan: SchedulePlan, at: number): Tick {
  if (plan.jitterMs === 0) return { at, due: at };
  const next = timeAfter(plan, at);
  const most = next === undefined ? plan.jitterMs : Math.min(plan.jitterMs, next - at - 1);
  const fraction = createHash("sha1").update(`${id}@${at}`).digest().readUInt32BE() / 2 ** 32;
  return { at, due: at + Math.floor(fraction * (most + 1)) };
}
