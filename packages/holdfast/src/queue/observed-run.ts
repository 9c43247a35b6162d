/** A run of a job as others see it: an operation on the diagnostics channel, a span of the user's tracer, an event of the queue. */
import { observedRun } from "../core/observe/observe.ts";
import type { TraceHooks } from "../core/observe/trace.ts";
import type { EventStore } from "./events/store.ts";
import type { Performer } from "./executions.ts";
import { Blocked, Limited, Snooze, Unhandled } from "./failure.ts";
import { reasonOf } from "../core/observe/reason.ts";
import type { Run } from "./run.ts";
import { Parked } from "./steps/suspension.ts";

export interface ObserverParts {
  readonly queue: string;
  readonly worker: string;
  readonly events: EventStore | undefined;
  readonly trace: TraceHooks | undefined;
}

type Perform = Performer["perform"];

/** What nobody observes costs one property read. */
export function observing({ queue, worker, events, trace }: ObserverParts, perform: Perform): Perform {
  const spanned: Perform =
    trace === undefined
      ? perform
      : (run, tools) => {
          const { id, attempt } = run;
          const about = { queue, id, name: run.record.name, attempt };
          return trace.run(run.record.trace, about, async () => perform(run, tools));
        };
  const noted: Perform =
    events === undefined
      ? spanned
      : async (run, tools) => {
          await events.started(worker, run);
          return spanned(run, tools);
        };
  return (run, tools) =>
    observedRun(
      () => described(queue, run),
      () => noted(run, tools),
      shown,
    );
}

function described(queue: string, run: Run) {
  const { id, attempt, record, crashes, failures, fence } = run;
  const isFirst = failures === undefined && crashes === 0 && !record.isDelayed;
  return {
    op: "queue.run",
    name: queue,
    key: id,
    run: {
      name: record.name,
      attempt,
      /** Of a run that is not the first one, or of a job that was to wait, it would say nothing. */
      waitMs: isFirst ? Math.max(fence / 1_000 - record.addedAt, 0) : undefined,
      traceparent: record.trace?.traceparent,
    },
  };
}

/** Undefined: it has not failed, and goes on later. An error shows no message, as that may be what was stored. */
function shown(error: unknown): Error | undefined {
  const isLater = [Snooze, Limited, Unhandled, Blocked, Parked].some((kind) => error instanceof kind);
  return isLater ? undefined : new Error(reasonOf(error));
}
