/**
 * What could go wrong, and the test for each:
 * - buckets put together are not what their points are ......... "put together" (against the points)
 * - a summary is not what was stored ............................ the same
 * - a percentile is further off than is said .................... "within a hundredth" (100 seeds of three shapes)
 * - extreme values take memory without end ...................... "a bounded number of bins"
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { QUANTILE_ERROR, Quantiles } from "./quantiles.ts";
import { readSummaries, summarized, type Summary, writeSummaries } from "./summary.ts";

const START = 1_795_000_000_000;
const points = fc
  .array(fc.tuple(fc.nat(3_599_999), fc.integer({ min: -1_000, max: 1_000 })), { minLength: 1, maxLength: 100 })
  .map((all) => all.toSorted(([a], [b]) => a - b))
  .map((all) => ({ times: all.map(([since]) => START + since), values: all.map(([, value]) => value) }));

describe("summaries", () => {
  it("those of short buckets put together are that of the long one, also when they were stored", () => {
    fc.assert(
      fc.property(points, fc.boolean(), (all, percentiles) => {
        const start = START - (START % 3_600_000);
        const short = readSummaries(
          "k",
          writeSummaries(summarized(all, { everyMs: 60_000, percentiles }), start, 60_000),
          start,
          60_000,
        );
        const long = summarized(all, { everyMs: 7_200_000, percentiles });
        const merged = new Map<number, Summary>();
        for (const [at, summary] of short) {
          const bucket = at - (at % 7_200_000);
          const found = merged.get(bucket);
          if (found === undefined) merged.set(bucket, summary);
          else found.merge(summary);
        }
        expect([...merged.keys()]).toEqual([...long.keys()]);
        for (const [at, summary] of merged) {
          const { quantiles, ...rest } = long.get(at)!;
          expect(summary).toMatchObject(rest);
          const known = (all: Quantiles | undefined): unknown => all && [0, 0.5, 0.99, 1].map((q) => all.at(q));
          expect(known(summary.quantiles)).toEqual(known(quantiles));
        }
      }),
    );
  });
});

describe("percentiles", () => {
  const shapes: Record<string, (random: () => number) => number> = {
    even: (random) => random() * 1_000,
    "long tail": (random) => 5 / (1 - random()) ** 2,
    "both signs": (random) => (random() - 0.5) * 200,
  };

  it.each(Object.keys(shapes))("are within a hundredth of the value of that rank: %s", (shape) => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 1, max: 3_000 }), (seed, count) => {
        let state = seed | 0;
        const random = (): number => {
          state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
          return (state >>> 0) / 4_294_967_296;
        };
        const values = Array.from({ length: count }, () => shapes[shape]!(random));
        const quantiles = new Quantiles();
        for (const value of values) quantiles.add(value);
        const sorted = values.toSorted((a, b) => a - b);
        for (const q of [0, 0.1, 0.5, 0.9, 0.99, 1]) {
          const exact = sorted[Math.floor(q * (count - 1))]!;
          expect(Math.abs(quantiles.at(q) - exact)).toBeLessThanOrEqual(Math.abs(exact) * QUANTILE_ERROR + 1e-9);
        }
      }),
      { numRuns: 100 },
    );
  });

  it("extreme values have a bounded number of bins", () => {
    const quantiles = new Quantiles();
    for (let power = -300; power <= 300; power += 0.01) quantiles.add(10 ** power);
    expect(quantiles.at(1)).toBeGreaterThan(9e299);
    expect(quantiles.at(0.999)).toBeGreaterThan(1e298);
  });
});
