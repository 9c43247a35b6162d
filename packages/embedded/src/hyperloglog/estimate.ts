/**
 * The cardinality that registers stand for. Otmar Ertl, "New cardinality estimation algorithms for HyperLogLog sketches",
 * arXiv:1702.01284. The order of the floating-point operations is Redis's, so that the counts agree to the last digit.
 */
import { REGISTERS } from "./hash.ts";

/** 1 / (2 ln 2) */
const ALPHA = 0.7213475204444817;
/** The number of bits of a hash that make the rank; a rank can be one more. */
const RANK_BITS = 50;

/** `histogram[rank]` is the number of registers with that rank. */
export function estimate(histogram: Uint32Array): number {
  const count = (rank: number): number => histogram[rank] as number;
  let z = REGISTERS * tau((REGISTERS - count(RANK_BITS + 1)) / REGISTERS);
  for (let rank = RANK_BITS; rank >= 1; rank -= 1) z = (z + count(rank)) * 0.5;
  z += REGISTERS * sigma(count(0) / REGISTERS);
  return Math.round((ALPHA * REGISTERS * REGISTERS) / z);
}

function sigma(start: number): number {
  if (start === 1) return Infinity;
  let x = start;
  let y = 1;
  let z = x;
  for (let before = NaN; before !== z;) {
    x *= x;
    before = z;
    z += x * y;
    y += y;
  }
  return z;
}

function tau(start: number): number {
  if (start === 0 || start === 1) return 0;
  let x = start;
  let y = 1;
  let z = 1 - x;
  for (let before = NaN; before !== z;) {
    x = Math.sqrt(x);
    before = z;
    y *= 0.5;
    z -= (1 - x) ** 2 * y;
  }
  return z / 3;
}
