/** A schedule as users see it. */
import type { Codec, CodecContext } from "../../core/codec/codec.ts";
import type { QueuePriority } from "../add-options.ts";
import { readable } from "../values.ts";
import type { QueueScheduleMissed, QueueScheduleOverlap, SchedulePlan } from "./options.ts";
import { ticksFrom } from "./reckoning.ts";
import type { ScheduleState } from "./state.ts";
import type { StoredSchedule } from "./store.ts";

/** All times are milliseconds since 1970 by the server's clock. */
export interface QueueSchedule<Payload> {
  readonly id: string;
  /** Undefined where it cannot be read: it does not match the schema any more, or its key is gone. */
  readonly payload: Payload | undefined;
  readonly cron: string | undefined;
  readonly everyMs: number | undefined;
  readonly timeZone: string | undefined;
  readonly missed: QueueScheduleMissed;
  readonly graceMs: number;
  readonly overlap: QueueScheduleOverlap;
  readonly start: number | undefined;
  readonly end: number | undefined;
  readonly max: number | undefined;
  readonly jitterMs: number;
  readonly priority: QueuePriority;
  readonly attempts: number | undefined;
  /** Whose `sync` keeps it; undefined: nobody's. */
  readonly owner: string | undefined;
  readonly isPaused: boolean;
  /** The next three ticks, without their jitter; none where it is paused, or done. */
  readonly next: readonly number[];
  /** Jobs that its ticks have added. */
  readonly runs: number;
  /** Ticks without a job, as nothing ticked in time. After each outage up to 1,000 are counted. */
  readonly missedTicks: number;
  /** Ticks without a job, as the one before was not over. */
  readonly skippedTicks: number;
  /** Jobs that were added later than `grace` after their tick. */
  readonly lateRuns: number;
  /** The last job that a tick has added. */
  readonly last: { readonly jobId: string; readonly scheduledFor: number; readonly lateMs: number } | undefined;
}

const SHOWN_TICKS = 3;

export interface ShownBy<Payload> {
  readonly payload: Codec<Payload>;
  readonly context: CodecContext;
  readonly jobOf: (id: string, tick: number) => string;
}

export function shown<Payload>(
  { id, state, record }: StoredSchedule,
  { payload, context, jobOf }: ShownBy<Payload>,
): QueueSchedule<Payload> {
  const { plan } = record;
  const { missed } = plan;
  return {
    id,
    payload: readable(() => payload.decode(record.payload, context)).value,
    cron: plan.cron,
    everyMs: plan.everyMs,
    timeZone: plan.timeZone,
    missed: typeof missed === "number" ? { catchUp: missed } : missed,
    graceMs: plan.graceMs,
    overlap: plan.overlap,
    start: plan.startMs,
    end: plan.endMs,
    max: plan.max,
    jitterMs: plan.jitterMs,
    priority: plan.priority,
    attempts: plan.attempts,
    owner: plan.owner,
    isPaused: state.isPaused,
    next: nextTicks(plan, state),
    runs: state.runs,
    missedTicks: state.missed,
    skippedTicks: state.skipped,
    lateRuns: state.late,
    last:
      state.last === 0 ? undefined : { jobId: jobOf(id, state.last), scheduledFor: state.last, lateMs: state.lateMs },
  };
}

function nextTicks(plan: SchedulePlan, { isPaused, next, runs }: ScheduleState): number[] {
  if (isPaused || next === 0) return [];
  return ticksFrom(plan, next, Math.min(SHOWN_TICKS, (plan.max ?? Infinity) - runs));
}
