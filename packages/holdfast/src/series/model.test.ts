/** Histories of points in any order, some of them added in the same tick, against a list. fast-check prints the seed of a history that differs. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { randomName, TwoHandles } from "../../test/support/two-handles.ts";
import type { SeriesDuplicates } from "./chunk/points.ts";

const MINUTE = 60_000;

interface Added {
  readonly minute: number;
  readonly value: number;
}

const adds = fc.array(fc.record({ minute: fc.nat(40), value: fc.integer({ min: -50, max: 50 }) }), {
  minLength: 1,
  maxLength: 60,
});
const duplicates = fc.constantFrom<SeriesDuplicates>("last", "first", "min", "max", "sum", "all");

/** By minute, what counts of it. */
function counted(all: readonly Added[], how: SeriesDuplicates): Map<number, number[]> {
  const found = new Map<number, number[]>();
  for (const { minute, value } of all) found.set(minute, [...(found.get(minute) ?? []), value]);
  for (const [minute, values] of found) {
    if (how === "last") found.set(minute, [values.at(-1)!]);
    if (how === "first") found.set(minute, [values[0]!]);
    if (how === "min") found.set(minute, [Math.min(...values)]);
    if (how === "max") found.set(minute, [Math.max(...values)]);
    if (how === "sum") found.set(minute, [values.reduce((sum, value) => sum + value, 0)]);
  }
  return found;
}

describe.each(backends("standalone", "embedded"))("series against a model [$name]", (backend) => {
  const handles = new TwoHandles(backend);

  it.each([1, 9])("ranges are those of a list, %i points in a tick", async (perTick) => {
    const reply = (await handles.a.driver.send(["TIME"], { op: "test", class: "read" })) as Buffer[];
    const start = Math.floor(Number(reply[0]) / 3_600) * 3_600_000 - 2 * 60 * MINUTE;
    await fc.assert(
      fc.asyncProperty(
        adds,
        duplicates,
        fc.integer({ min: 1, max: 20 }),
        fc.nat(40),
        async (all, how, width, first) => {
          const series = handles.a.series(randomName(), { period: "7m", duplicates: how });
          for (let at = 0; at < all.length; at += perTick) {
            const tick = all.slice(at, at + perTick);
            await Promise.all(tick.map(({ minute, value }) => series.add("x", value, { at: start + minute * MINUTE })));
          }
          const expected = counted(all, how);
          const points: unknown[] = [];
          for await (const { at, value } of series.points("x", { from: start, to: start + 60 * MINUTE }))
            points.push([(at - start) / MINUTE, value]);
          const inOrder = [...expected].toSorted(([a], [b]) => a - b);
          expect(points).toEqual(inOrder.flatMap(([minute, values]) => values.map((value) => [minute, value])));
          const everyMs = width * MINUTE;
          const from = start + first * MINUTE;
          const sums = new Map<number, number>();
          for (const [minute, values] of inOrder) {
            const time = start + minute * MINUTE;
            const bucket = time - (time % everyMs);
            if (bucket < from - (from % everyMs)) continue;
            sums.set(
              bucket,
              values.reduce((sum, value) => sum + value, sums.get(bucket) ?? 0),
            );
          }
          const asked = { from, to: start + 60 * MINUTE, every: everyMs, aggregate: "sum" } as const;
          const buckets = await series.range("x", asked);
          expect(buckets.map(({ at, sum }) => [at, sum])).toEqual([...sums]);
        },
      ),
      { numRuns: 25 },
    );
  });
});
