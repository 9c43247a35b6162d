/**
 * What could go wrong, and the test for each:
 * - it is another function than what is stored was hashed with ... "vectors", "as whole numbers of 64 bits have it"
 * - its bits are not evenly distributed, or hang together ........ "each bit"
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Hash64, murmurHash, murmurHashOf } from "./murmur.ts";

const whole = ({ low, high }: Hash64): bigint => (BigInt(high) << 32n) | BigInt(low);

const MULTIPLIER = 0xc6a4a7935bd1e995n;
const MASK = 2n ** 64n - 1n;

/** As the algorithm is written down. */
function reference(bytes: Uint8Array, seed: bigint): bigint {
  const little = (part: Uint8Array): bigint => part.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  let hash = seed ^ ((BigInt(bytes.length) * MULTIPLIER) & MASK);
  const rest = bytes.length % 8;
  for (let at = 0; at < bytes.length - rest; at += 8) {
    let block = (little(bytes.subarray(at, at + 8)) * MULTIPLIER) & MASK;
    block = ((block ^ (block >> 47n)) * MULTIPLIER) & MASK;
    hash = ((hash ^ block) * MULTIPLIER) & MASK;
  }
  if (rest > 0) hash = ((hash ^ little(bytes.subarray(bytes.length - rest))) * MULTIPLIER) & MASK;
  hash = ((hash ^ (hash >> 47n)) * MULTIPLIER) & MASK;
  return hash ^ (hash >> 47n);
}

describe("MurmurHash64A", () => {
  it.each([
    ["", 0, 0n],
    ["", 1, 0xc6a4a7935bd064dcn],
    ["a", 0, 0x071717d2d36b6b11n],
    ["hello", 0xadc83b19, 0x0f656f01eecfe400n],
    ["12345678", 0, 0x758f67d162b2d202n],
    ["123456789", 7, 0xab798b09e7fcf5b3n],
    ["The quick brown fox jumps over the lazy dog", 0, 0x5589ca33042a861bn],
    ["grüße 🛫", 0xadc83b19, 0x3e60b5ea4be23df6n],
  ])("vectors: %j with %i", (text, seed, expected) => {
    expect(whole(murmurHashOf(text, seed))).toBe(expected);
  });

  it("is as whole numbers of 64 bits have it, for any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.integer({ min: 0, max: 2 ** 32 - 1 }), (bytes, seed) => {
        expect(whole(murmurHash(bytes, seed))).toBe(reference(bytes, BigInt(seed)));
      }),
      { seed: 13, numRuns: 300 },
    );
    const long = "ü".repeat(3_000);
    expect(whole(murmurHashOf(long, 5))).toBe(reference(Buffer.from(long), 5n));
  });

  it("each bit is set for half of all texts, whatever the others are", () => {
    const hashes = Array.from({ length: 20_000 }, (_, at) => whole(murmurHashOf(`user:${at}`, 1)));
    for (let bit = 0n; bit < 64n; bit += 1n) {
      const set = hashes.filter((hash) => ((hash >> bit) & 1n) === 1n).length;
      const asNext = hashes.filter((hash) => ((hash >> bit) & 1n) === ((hash >> ((bit + 1n) % 64n)) & 1n)).length;
      // Five standard deviations.
      for (const each of [set, asNext]) expect(Math.abs(each - 10_000)).toBeLessThan(360);
    }
  });
});
