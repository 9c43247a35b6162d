/** The topic of live flights, read by the launcher as any page's API would read it. */
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
  /** Waits until everything on its way has come; then ends the reading. */
  settle(flights: number): Promise<void>;
}

const SETTLE_MS = 10_000;

export function listen(state: State): Heard {
  const times = new Map<number, number>();
  const fences: number[] = [];
  let gaps = 0;
  const stream = state.news.messages({ from: "start", onGap: () => void (gaps += 1) });
  const read = async (): Promise<void> => {
    for await (const { payload } of stream) {
      const { flight, fence } = payload;
      times.set(flight.index, (times.get(flight.index) ?? 0) + 1);
      if (!fences.includes(fence)) fences.push(fence);
    }
  };
  const reading = read();
  return {
    times,
    fences,
    get gaps() {
      return gaps;
    },
    async settle(flights) {
      const deadline = performance.now() + SETTLE_MS;
      while (times.size < flights && performance.now() < deadline) await sleep(10);
      await stream.close();
      await reading;
    },
  };
}

/**
 * Nothing is published twice, and nothing is missing, whatever dies. There may be several leaders also where nothing was killed: on a
 * machine that stalls one can stand still for longer than its lease.
 */
export function checkNews({ times, fences, gaps }: Heard, flights: number): Promise<CheckResult> {
  return check("live events", async (it) => {
    it.equal("heard more than once", [...times].filter(([, count]) => count > 1).length, 0);
    it.equal("flights heard", times.size, flights);
    it.equal("gaps", gaps, 0);
    it.equal(
      "fences only rise",
      fences,
      fences.toSorted((a, b) => a - b),
    );
  });
}
