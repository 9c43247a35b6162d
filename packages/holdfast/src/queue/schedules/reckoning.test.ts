// What could go wrong, and the test for each:
// - a restart shifts the ticks ........................ "is anchored"
// - an outage runs nothing, or everything ............. "after an outage ..."
// - a tick that is a little late counts as missed ..... "a tick within its grace ..."
// - an outage of a month takes a month's work ......... "counts no more than ..."
// - jitter differs between processes, or swaps ticks .. "jitter ..."
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { planOf, type QueueScheduleOptions } from "./options.ts";
import { reckon, tickAfter } from "./reckoning.ts";
import { BEGINNING, type ScheduleState } from "./state.ts";

const plan = (options: Omit<QueueScheduleOptions<unknown>, "payload">) => planOf({ ...options, payload: undefined });
const at = (next: number, due = next): ScheduleState => ({ ...BEGINNING, version: "v", next, due });
const run = (options: Parameters<typeof plan>[0], next: number, nowMs: number) => {
  const { ticks, missed, next: after } = reckon("s", plan(options), at(next), nowMs);
  return { ticks: ticks.map((tick) => tick.at), missed, next: after?.at };
};

describe("reckoning", () => {
  it("is anchored in 1970, or at its start, whenever it is asked", () => {
    expect(tickAfter("s", plan({ every: "1h" }), 5_400_000)?.at).toBe(7_200_000);
    expect(tickAfter("s", plan({ every: "1h", start: 600_000 }), 5_400_000)?.at).toBe(7_800_000);
    expect(tickAfter("s", plan({ every: "1h", start: 600_000 }), 0)?.at).toBe(600_000);
  });

  it("begins with its start and ends with its end, both included", () => {
    const cron = { cron: "0 * * * *", start: 7_200_000, end: 10_800_000 };
    expect(tickAfter("s", plan(cron), 0)?.at).toBe(7_200_000);
    expect(tickAfter("s", plan(cron), 7_200_000)?.at).toBe(10_800_000);
    expect(tickAfter("s", plan(cron), 10_800_000)).toBeUndefined();
    expect(run(cron, 10_800_000, 10_800_001)).toEqual({ ticks: [10_800_000], missed: 0, next: undefined });
  });

  it("a tick within its grace is on time", () => {
    expect(run({ every: "1h", missed: "skip" }, 3_600_000, 3_660_000)).toMatchObject({ ticks: [3_600_000], missed: 0 });
    expect(run({ every: "1h", missed: "skip" }, 3_600_000, 3_660_001)).toEqual({
      ticks: [],
      missed: 1,
      next: 7_200_000,
    });
  });

  it("after an outage skip runs what is on time, once the latest, catchUp the last so many", () => {
    const hours = (...list: number[]) => list.map((hour) => hour * 3_600_000);
    const [late, onTime] = [5.5 * 3_600_000, 5 * 3_600_000];
    expect(run({ every: "1h", missed: "skip" }, hours(1)[0]!, late)).toEqual({
      ticks: [],
      missed: 5,
      next: hours(6)[0],
    });
    expect(run({ every: "1h", missed: "skip" }, hours(1)[0]!, onTime)).toMatchObject({ ticks: hours(5), missed: 4 });
    expect(run({ every: "1h" }, hours(1)[0]!, late)).toMatchObject({ ticks: hours(5), missed: 4 });
    expect(run({ every: "1h" }, hours(1)[0]!, onTime)).toMatchObject({ ticks: hours(5), missed: 4 });
    const catchUp = { every: "1h", missed: { catchUp: 2 } } as const;
    expect(run(catchUp, hours(1)[0]!, late)).toMatchObject({ ticks: hours(4, 5), missed: 3 });
    expect(run(catchUp, hours(1)[0]!, onTime)).toMatchObject({ ticks: hours(3, 4, 5), missed: 2 });
    expect(run({ every: "1h", missed: { catchUp: 10 } }, hours(1)[0]!, late).ticks).toEqual(hours(1, 2, 3, 4, 5));
  });

  it("counts no more than 1,000 ticks after an outage, and runs no more than 50 in a call", () => {
    const month = 30 * 86_400_000;
    expect(run({ every: "1s" }, 1_000, month)).toEqual({ ticks: [month], missed: 999, next: month + 1_000 });
    expect(run({ cron: "* * * * * *" }, 1_000, month)).toEqual({ ticks: [month], missed: 999, next: month + 1_000 });
    const caughtUp = run({ every: "1s", missed: { catchUp: 150 }, grace: 0 }, 1_000, month + 1);
    expect(caughtUp.ticks).toHaveLength(50);
    expect(caughtUp.next).toBe(month - 99_000);
  });

  it("jitter is the same for everybody, within its bound, and never reaches the next tick", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1e6 }), fc.integer({ min: 0, max: 5_000 }), (hour, jitter) => {
        const jittered = plan({ every: "1s", jitter });
        const tick = tickAfter("s", jittered, hour * 1_000)!;
        expect(tickAfter("s", jittered, hour * 1_000)).toEqual(tick);
        expect(tick.due - tick.at).toBeGreaterThanOrEqual(0);
        expect(tick.due - tick.at).toBeLessThanOrEqual(Math.min(jitter, 999));
      }),
    );
    const dues = Array.from({ length: 200 }, (_, n) => tickAfter("s", plan({ every: "1h", jitter: "1h" }), n * 3.6e6)!);
    expect(new Set(dues.map((tick) => Math.floor((tick.due - tick.at) / 600_000))).size).toBe(6);
  });

  it("a tick whose jitter is not over is not due, though its time is", () => {
    const jittered = plan({ every: "1h", jitter: "30m" });
    const [first, second] = [tickAfter("s", jittered, 0)!, tickAfter("s", jittered, 3_600_000)!];
    const { ticks, next } = reckon("s", jittered, at(first.at, first.due), second.due - 1);
    expect([ticks, next]).toEqual([[first], second]);
  });

  it("runs each tick once, whatever the moments at which it is asked", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 20_000 }), { maxLength: 40 }), fc.nat(3_000), (steps, jitter) => {
        const each = plan({ every: "1s", missed: { catchUp: 1_000 }, jitter });
        let state = at(1_000, tickAfter("s", each, 0)!.due);
        let nowMs = 0;
        const seen: number[] = [];
        for (const step of steps) {
          nowMs += step;
          const { ticks, next } = reckon("s", each, state, nowMs);
          seen.push(...ticks.map((tick) => tick.at));
          state = at(next!.at, next!.due);
        }
        expect(seen).toEqual(Array.from({ length: seen.length }, (_, n) => (n + 1) * 1_000));
        expect(state.due).toBeGreaterThan(nowMs);
      }),
    );
  });
});
