/** Which tick of a schedule is next after something other than a tick has happened to it. */
import { type SchedulePlan, timingOf } from "./options.ts";
import { type Tick, tickAfter, tickAt } from "./reckoning.ts";
import { BEGINNING, type ScheduleState } from "./state.ts";
import type { StoredSchedule } from "./store.ts";

type NextTick = Pick<ScheduleState, "next" | "due">;

/** A schedule whose times are as before keeps its next tick; and so does a tick that is due, if the new times have it too. */
export function nextAfterChange(
  id: string,
  plan: SchedulePlan,
  before: StoredSchedule | undefined,
  nowMs: number,
): NextTick {
  if (before === undefined) return nextFromNow(id, plan, BEGINNING, nowMs);
  const { state, record } = before;
  if (plan.max !== undefined && state.runs >= plan.max) return { next: 0, due: 0 };
  const isSame = timingOf(record.plan) === timingOf(plan);
  const isDue = state.next <= nowMs && tickAfter(id, plan, state.next - 1)?.at === state.next;
  if (state.next === 0 || !(isSame || isDue)) return nextFromNow(id, plan, state, nowMs);
  return placed(tickAt(id, plan, state.next));
}

/** The first tick from now on, and never one that has run already, should the server's clock have been set back. */
export function nextFromNow(
  id: string,
  plan: SchedulePlan,
  { last }: Pick<ScheduleState, "last">,
  nowMs: number,
): NextTick {
  return placed(tickAfter(id, plan, Math.max(nowMs, last)));
}

function placed(tick: Tick | undefined): NextTick {
  return { next: tick?.at ?? 0, due: tick?.due ?? 0 };
}
