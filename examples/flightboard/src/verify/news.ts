/** The live channel, heard by the launcher as any page's API would hear it. */
import { performance } from "node:perf_hooks";
import { setTimeout as sleep } from "node:timers/promises";
import type { State } from "../state/state.ts";
import { check, type CheckResult } from "./check.ts";

export interface Heard {
  /** How often each flight, by index, was published. */
  readonly times: ReadonlyMap<number, number>;
  /** Fences in the order of their first flight. */
  readonly fences: readonly number[];
  readonly gaps: number;
  /** Waits until everything on its way has come, where all of it is expected; then ends the subscription. */
  settle(flights: number, all: boolean): Promise<void>;
}

const SETTLE_MS = 5_000;

export async function listen(state: State): Promise<Heard> {
  const times = new Map<number, number>();
  const fences: number[] = [];
  let gaps = 0;
  const subscription = await state.news.subscribe(
    ({ flight, fence }) => {
      times.set(flight.index, (times.get(flight.index) ?? 0) + 1);
      if (!fences.includes(fence)) fences.push(fence);
    },
    { onGap: () => void (gaps += 1) },
  );
  return {
    times,
    fences,
    get gaps() {
      return gaps;
    },
    async settle(flights, all) {
      const deadline = performance.now() + SETTLE_MS;
      const expected = all ? flights : 0;
      while (times.size < expected && performance.now() < deadline) await sleep(10);
      await subscription.close();
    },
  };
}

/** Nothing is published twice, whatever dies. Only when nothing died does everything arrive: the channel is at most once. */
export function checkNews({ times, fences, gaps }: Heard, flights: number, undisturbed: boolean): Promise<CheckResult> {
  return check("live events", async (it) => {
    it.equal("heard more than once", [...times].filter(([, count]) => count > 1).length, 0);
    it.equal(
      "fences only rise",
      fences,
      fences.toSorted((a, b) => a - b),
    );
    it.that("some were heard", times.size > 0);
    if (!undisturbed) return;
    it.equal("flights heard", times.size, flights);
    it.equal("gaps", gaps, 0);
    it.equal("leaders", fences.length, 1);
  });
}
