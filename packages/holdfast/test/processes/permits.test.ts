/**
 * What could go wrong, and the test for it:
 * - processes that are killed or stopped leave more permits in use than there are ... "never more than the limit"
 * - their permits are lost, so that nobody comes in any more ...................... the same: grants go on
 * - a later grant has a lower fence ............................................. the same
 * - the check finds nothing .................................................... "a history with one permit too many"
 */
import type { ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { backends } from "../support/backends.ts";
import { endOf, Mortals } from "../support/mortal.ts";
import { until } from "../support/until.ts";
import type { Believed } from "./permits.child.ts";

const LIMIT = 3;
const PROCESSES = 3;
/** Longer than their ttl. */
const STOPPED_MS = 800;

/** How many permits were believed to be held at one moment, at most. */
function mostInUse(history: readonly Believed[]): number {
  const changes = history.flatMap(({ from, to, permits }) => [
    { at: from, by: permits },
    { at: to, by: -permits },
  ]);
  let inUse = 0;
  let most = 0;
  // What ends at a moment has ended by then.
  for (const { by } of changes.sort((a, b) => a.at - b.at || a.by - b.by)) {
    inUse += by;
    most = Math.max(most, inUse);
  }
  return most;
}

/** Grants that were asked for after another had begun, with a fence that is not higher. */
function fencesThatFell(history: readonly Believed[]): Believed[] {
  return history.filter((later) =>
    history.some((earlier) => earlier.from < later.asked && earlier.fence >= later.fence),
  );
}

describe.each(backends("standalone"))("permits over processes that die [$name]", ({ url }) => {
  it("never more than the limit, under kill -9 and SIGSTOP; grants go on, and fences rise", async () => {
    await using program = await Mortals.of(new URL("permits.child.ts", import.meta.url));
    const prefix = `test-${randomUUID()}`;
    const history = new Map<string, Believed>();
    const start = async (): Promise<ChildProcess> => {
      const child = program.start(url, prefix, String(LIMIT));
      await once(child, "message");
      child.on("message", (believed: Believed) => history.set(believed.id, believed));
      return child;
    };
    const grows = (by: number): Promise<true> => {
      const before = history.size;
      return until(`${by} more grants`, () => history.size >= before + by || undefined);
    };
    const children = await Promise.all(Array.from({ length: PROCESSES }, start));
    for (let round = 0; round < 2; round += 1) {
      await grows(5);
      const [killed, stopped] = [children.shift()!, children[0]!];
      killed.kill("SIGKILL");
      stopped.kill("SIGSTOP");
      const [next] = await Promise.all([start(), setTimeout(STOPPED_MS), endOf(killed)]);
      children.push(next);
      stopped.kill("SIGCONT");
    }
    await grows(5);
    const all = [...history.values()];
    expect(mostInUse(all)).toBe(LIMIT);
    expect(fencesThatFell(all)).toEqual([]);
  });
});

it("a history with one permit too many, or a fence that fell, is found", () => {
  const hold = { id: "a", permits: 2, fence: 5, asked: 0, from: 10, to: 20 };
  const inTime = { ...hold, id: "b", fence: 6, asked: 12, from: 20, to: 30 };
  const early = { ...inTime, from: 19 };
  expect([mostInUse([hold, inTime]), mostInUse([hold, early])]).toEqual([2, 4]);
  expect(fencesThatFell([hold, { ...inTime, fence: 5 }])).toHaveLength(1);
});
