/**
 * What could go wrong, and the test for each:
 * - a rate is that of less time than its points took, or of more .... "rate"
 * - a percentile is beyond all values ............................... "percentile"
 */
import { describe, expect, it } from "vitest";
import { Quantiles } from "../aggregate/quantiles.ts";
import { summarized, type Summary } from "../aggregate/summary.ts";
import { rowsOf } from "./buckets.ts";
import type { Asked, SeriesAggregate } from "./options.ts";

const MINUTE = 60_000;

async function* each(all: Iterable<[number, Summary]>): AsyncGenerator<[number, Summary]> {
  yield* all;
}

async function valuesOf(
  aggregate: SeriesAggregate,
  points: readonly (readonly [at: number, value: number])[],
  span: Pick<Asked, "from" | "to" | "now">,
): Promise<unknown[]> {
  const asked = { ...span, everyMs: MINUTE, aggregates: [aggregate], fill: "none" } as const;
  const columns = { times: points.map(([at]) => at), values: points.map(([, value]) => value) };
  const rows = await rowsOf(asked, each(summarized(columns, { everyMs: MINUTE, percentiles: true })));
  return rows.map(({ values }) => values[aggregate]);
}

describe("what is known of buckets", () => {
  // One a second.
  const counter = Array.from({ length: 12 }, (_, at) => [at * 10_000, at * 10] as const);

  it("the rate of the last bucket is that of all of it, also where the range ends within", async () => {
    expect(await valuesOf("rate", counter, { from: 0, to: 61_000, now: 10 * MINUTE })).toEqual([50 / 60, 1]);
  });

  it("a bucket that has just begun has the rate of the time between its points and the one before", async () => {
    const begun = counter.slice(0, 7);
    expect(await valuesOf("rate", begun, { from: 0, to: 60_002, now: 60_001 })).toEqual([50 / 60, 1]);
    expect(await valuesOf("rate", [[60_000, 5]], { from: 0, to: 60_002, now: 60_001 })).toEqual([0]);
    expect(await valuesOf("rate", counter, { from: 0, to: 120_000, now: 30_000 })).toEqual([1, 1]);
  });

  it("a percentile is one of the values, or lies between them", async () => {
    const span = { from: 0, to: MINUTE, now: MINUTE };
    for (const value of [1.7e308, -1.7e308, 5e-324, 2 ** 53, 1e-13, 3])
      for (const aggregate of ["p0", "p50", "p100"] as const)
        expect(await valuesOf(aggregate, [[0, value]], span)).toEqual([value]);
  });

  it("of a bucket of which a part has no percentiles there is none", async () => {
    const of = (value: number, percentiles: boolean): Summary =>
      summarized({ times: [0], values: [value] }, { everyMs: MINUTE, percentiles }).get(0)!;
    for (const parts of [
      [true, false],
      [false, true],
    ]) {
      const [first, second] = parts.map((percentiles) => of(1, percentiles));
      first!.merge(second!);
      expect(first!.count).toBe(2);
      expect(first!.quantiles).toBeUndefined();
    }
    const both = of(1, true);
    both.merge(of(2, true));
    expect(both.quantiles).toBeInstanceOf(Quantiles);
  });
});
