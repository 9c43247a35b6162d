// What could go wrong, and the test for each:
// - a tick that was missed is not seen ............. "finds a tick that was missed"
// - a tick that has run twice is not seen .......... "finds a tick that was doubled"
// - a tick that came too early is not seen ......... "finds a tick that came too early"
// - a schedule that stood still is not seen ........ "finds a schedule that began late or stopped"
import { describe, expect, it } from "vitest";
import type { Run, WorkerHistory } from "./history.ts";
import { expectedTicks, SCHEDULE, tickPayload, ticksOutside } from "./tick.ts";
import { judge } from "./verdict.ts";

const EVERY = SCHEDULE.everyMs;
const BEGAN = 1_000 * EVERY;

/** A worker that has run these ticks, each on time, and was told that it had. */
function history(places: readonly number[], earlyMs = 0) {
  const counts = { completed: places.length, failed: 0, dead: 0, lost: 0, recovered: 0 };
  const worker: WorkerHistory = { name: "worker-0", killedAt: undefined, runs: [], counts };
  const runsOf = new Map<string, Run[]>();
  for (const [at, place] of places.entries()) {
    const payload = tickPayload(BEGAN + place * EVERY);
    const fence = (payload.dueAt! - earlyMs) * 1_000 + at;
    const times = { fence, addedAt: payload.dueAt!, startedAt: at, endedAt: at + 1 };
    const run: Run = { id: `tick@${payload.dueAt}`, payload, worker, end: "well", ...times };
    worker.runs.push(run);
    runsOf.set(payload.call, [...(runsOf.get(payload.call) ?? []), run]);
  }
  const ticks = expectedTicks(worker.runs);
  const additions = new Map(ticks.map((tick) => [tick.payload.call, tick]));
  return { ticks, verdict: judge({ additions, workers: [worker], runsOf }, { losses: [], deadIds: new Set() }) };
}

describe("ticks under faults", () => {
  it("accepts a schedule that kept its times", () => {
    const { ticks, verdict } = history([0, 1, 2, 3]);
    expect(verdict).toMatchObject({ accepted: 4, completed: 4, lost: 0, stale: 0, broken: [] });
    expect(ticksOutside(ticks, BEGAN - 10, BEGAN + 3 * EVERY + 10)).toEqual([]);
  });

  it("finds a tick that was missed", () => {
    expect(history([0, 1, 3]).verdict).toMatchObject({ lost: 1, broken: [expect.stringContaining("tick job tick@")] });
  });

  it("finds a tick that was doubled", () => {
    expect(history([0, 1, 1, 2]).verdict).toMatchObject({ duplicates: 1, bound: 0, stale: 1 });
  });

  it("finds a tick that came too early", () => {
    expect(history([0, 1], 5).verdict.broken).toContainEqual(expect.stringContaining("5 ms too early"));
  });

  it("finds a schedule that began late or stopped", () => {
    const { ticks } = history([0, 1, 2]);
    expect(ticksOutside(ticks, BEGAN - 2 * EVERY, BEGAN)).toMatchObject([expect.stringContaining("first tick")]);
    expect(ticksOutside(ticks, BEGAN, BEGAN + 60_000)).toMatchObject([expect.stringContaining("last tick")]);
    expect(ticksOutside([], BEGAN, BEGAN + 60_000)).toHaveLength(2);
  });
});
