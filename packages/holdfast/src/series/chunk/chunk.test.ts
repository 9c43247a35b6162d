/**
 * What could go wrong, and the test for each:
 * - a number comes back as another ....................... "come back as they went", whatever they are
 * - what measurements look like takes more than it should .. "few bytes a point"
 * - bytes that are damaged take memory, or become numbers .. "refused", cut or changed anywhere
 * - of several points of one time the wrong one counts ..... "of one time"
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CodecError } from "../../base/errors.ts";
import { readOpen, readSealed, seal, writePoint } from "./chunk.ts";
import { type Points, type SeriesDuplicates, settled } from "./points.ts";

const START = 1_795_000_000_000;
const HOUR = 3_600_000;

const value = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((x) => x + 0),
  fc.integer(),
  fc.integer({ min: -100_000, max: 100_000 }).map((x) => x / 100),
  fc.maxSafeInteger(),
);
const points: fc.Arbitrary<Points> = fc
  .array(fc.tuple(fc.integer({ min: 0, max: HOUR - 1 }), value), { maxLength: 200 })
  .map((all) => all.toSorted(([a], [b]) => a - b))
  .map((all) => ({ times: all.map(([since]) => START + since), values: all.map(([, each]) => each) }));

/** Each 10 s for an hour, as a gauge with one decimal place that drifts. */
function gauge(jitter: boolean): Points {
  const random = mulberry(7);
  let level = 50;
  const all: Points = { times: [], values: [] };
  for (let since = 0; since < HOUR; since += 10_000) {
    level += Math.round((random() - 0.5) * 20) / 10;
    all.times.push(START + since + (jitter ? Math.floor(random() * 40) : 0));
    all.values.push(Math.round(level * 10) / 10);
  }
  return all;
}

function mulberry(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function outcomeOf(body: () => unknown): unknown {
  try {
    return body();
  } catch (error) {
    return error;
  }
}

describe("chunks of a series", () => {
  it("sealed points come back as they went", () => {
    fc.assert(
      fc.property(points, (all) => {
        const { points: read, revision } = readSealed("k", seal(all, START, 3), START);
        expect(read).toEqual(all);
        expect(revision).toBe(3);
      }),
      { numRuns: 500 },
    );
  });

  it("points that are being written come back as they went, in the order in which they came", () => {
    fc.assert(
      fc.property(points, ({ times, values }) => {
        const bytes = Buffer.alloc(times.length * 12);
        for (const [at, time] of times.entries()) writePoint(bytes, at * 12, time - START, values[at]!);
        expect(readOpen("k", bytes, START)).toEqual({ times, values });
      }),
    );
  });

  it("what measurements look like takes few bytes a point", () => {
    const bytesOf = (all: Points): number => seal(all, START, 1).length / all.times.length;
    expect(bytesOf(gauge(false))).toBeLessThan(2.5);
    expect(bytesOf(gauge(true))).toBeLessThan(4);
    const { times } = gauge(false);
    expect(bytesOf({ times, values: times.map((_, at) => at * 17) })).toBeLessThan(2.5);
    const seconds = Array.from({ length: 3_600 }, (_, at) => START + at * 1_000);
    expect(bytesOf({ times: seconds, values: seconds.map((_, at) => at * 17) })).toBeLessThan(0.1);
  });

  it("damaged bytes are refused, and take no more memory than they are", () => {
    const sealed = seal(gauge(true), START, 1);
    fc.assert(
      fc.property(fc.nat(sealed.length - 1), fc.integer({ min: 1, max: 255 }), fc.boolean(), (at, change, cut) => {
        const bytes = Buffer.from(cut ? sealed.subarray(0, at) : sealed);
        if (!cut) bytes[at]! ^= change;
        const read = outcomeOf(() => readSealed("k", bytes, START).points.times.length < 10_000);
        expect(read === true || read instanceof CodecError).toBe(true);
      }),
      { numRuns: 500 },
    );
    expect(() => readOpen("k", Buffer.alloc(13), START)).toThrow(CodecError);
    expect(() => readSealed("k", Buffer.from([2, 0, 0, 0, 0, 0, 0]), START)).toThrow(/of a newer version/);
  });

  it.each<[SeriesDuplicates, number[]]>([
    ["last", [9, 2, 4]],
    ["first", [9, 5, 4]],
    ["min", [9, 1, 4]],
    ["max", [9, 5, 4]],
    ["sum", [9, 8, 4]],
    ["all", [9, 5, 1, 2, 4]],
  ])("of one time %s counts, in the order in which they were stored", (duplicates, expected) => {
    const parts = [
      { times: [2, 2], values: [5, 1] },
      { times: [3, 2, 1], values: [4, 2, 9] },
    ];
    expect(settled(parts, duplicates).values).toEqual(expected);
  });
});
