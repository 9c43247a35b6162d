/**
 * What could go wrong, and the test for each:
 * - a full filter is wrong more often than `errorRate` .............. "errorRate in 99 of 100 trials"
 * - two generations together are wrong more often .................. "with ttl"
 * - a segment is full long before the filter is ..................... "takes its capacity"
 * - a member's bits fall together, or outside ....................... "bits of a member"
 * - a stored filter is read with other bits after a change of code ... "stays as it is"
 */
import { describe, expect, it } from "vitest";
import { bloomSettings } from "./options.ts";
import { errorRateOf, type Geometry, geometryOf, placeOf } from "./geometry.ts";

/** As the server has it. */
class Filter {
  readonly #geometry: Geometry;
  readonly #segments: Uint8Array[];
  readonly counts: number[];

  constructor(geometry: Geometry) {
    this.#geometry = geometry;
    this.#segments = Array.from({ length: geometry.segments }, () => new Uint8Array(geometry.bits));
    this.counts = this.#segments.map(() => 0);
  }

  add(member: string): void {
    const { segment, positions } = placeOf(member, this.#geometry);
    for (const position of positions) this.#segments[segment]![position] = 1;
    this.counts[segment]! += 1;
  }

  has(member: string): boolean {
    const { segment, positions } = placeOf(member, this.#geometry);
    return positions.every((position) => this.#segments[segment]![position] === 1);
  }
}

describe("geometry of a Bloom filter", () => {
  it.each([
    [1_000, 0.01],
    [200, 0.1],
  ])("with %i members it is within an errorRate of %d in 99 of 100 trials", (capacity, errorRate) => {
    const geometry = geometryOf(capacity, errorRate);
    let within = 0;
    for (let trial = 0; trial < 100; trial += 1) {
      const filter = new Filter(geometry);
      for (let at = 0; at < capacity; at += 1) filter.add(`${trial}:${at}`);
      let wrong = 0;
      for (let at = 0; at < 2_500; at += 1) if (filter.has(`${trial}:not:${at}`)) wrong += 1;
      if (wrong / 2_500 <= errorRate) within += 1;
    }
    expect(within).toBeGreaterThanOrEqual(99);
  });

  it("with ttl it is in two generations that are both full within its errorRate", () => {
    const { geometry } = bloomSettings("bloom", { capacity: 200_000, errorRate: 0.01, ttl: "1h" });
    const right = 1 - errorRateOf(200_000 / geometry.segments, geometry);
    expect(1 - right ** 2).toBeLessThanOrEqual(0.01);
  });

  it("takes its capacity over many segments, and is right as often as it says", () => {
    const geometry = geometryOf(200_000, 0.01);
    expect(geometry.segments).toBeGreaterThan(3);
    const filter = new Filter(geometry);
    for (let at = 0; at < 200_000; at += 1) filter.add(`user:${at}`);
    expect(Math.max(...filter.counts)).toBeLessThanOrEqual(geometry.perSegment);
    let wrong = 0;
    for (let at = 0; at < 60_000; at += 1) if (filter.has(`other:${at}`)) wrong += 1;
    const rates = filter.counts.map((count) => errorRateOf(count, geometry));
    const expected = rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
    expect(wrong / 60_000).toBeLessThanOrEqual(0.01);
    // Four standard deviations of the count.
    expect(Math.abs(wrong - expected * 60_000)).toBeLessThan(4 * Math.sqrt(600));
  });

  it.each([
    [1, 0.5],
    [10, 1e-6],
    [1_000_000, 0.001],
    [1_000_000_000, 1e-6],
  ])("%i members with %d are in segments of 64 KB at most, little larger than needed", (capacity, errorRate) => {
    const { segments, bits, hashes, perSegment } = geometryOf(capacity, errorRate);
    expect(bits).toBeLessThanOrEqual(2 ** 19);
    expect(segments * perSegment).toBeGreaterThanOrEqual(capacity);
    const needed = (capacity * -Math.log(errorRate)) / Math.LN2 ** 2;
    // The slack of a small one is large.
    expect((segments * bits) / needed).toBeLessThan(1.06 + 15 / Math.sqrt(capacity));
    expect(hashes).toBe(Math.max(1, Math.round(-Math.log2(errorRate))));
  });

  it("bits of a member are within its segment, and mostly different", () => {
    const geometry = geometryOf(1_000_000, 1e-6);
    for (let at = 0; at < 500; at += 1) {
      const { segment, positions } = placeOf(`user:${at}`, geometry);
      expect(segment).toBeLessThan(geometry.segments);
      expect(positions.every((each) => each >= 0 && each < geometry.bits)).toBe(true);
      expect(new Set(positions).size).toBeGreaterThan(positions.length - 2);
    }
  });

  it("stays as it is: filters that are stored depend on it", () => {
    expect(geometryOf(1_000, 0.01)).toEqual({ segments: 1, bits: 11_112, hashes: 7, perSegment: 1_159 });
    expect(placeOf("ada", geometryOf(1_000_000, 0.01))).toMatchInlineSnapshot(`
      {
        "positions": [
          267345,
          220086,
          172828,
          125572,
          78319,
          31070,
          499306,
        ],
        "segment": 0,
      }
    `);
  });
});
