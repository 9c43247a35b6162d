/** How many slots Lua reserves for the array part of a table (ltable.c: computesizes). */
import type { LuaValue } from "./value.ts";

/** The array part is never larger than 2^26 slots. */
const MAX_BITS = 26;
const MAX_ARRAY = 2 ** MAX_BITS;

/** Whole keys are counted by class: class i is for the keys in (2^(i-1), 2^i]. */
export const SIZE_CLASSES: number = MAX_BITS + 1;

export function ceilLog2(number: number): number {
  return number <= 1 ? 0 : 32 - Math.clz32(number - 1);
}

/** Counts a key that could live in an array part; counts[i] is for the keys in (2^(i-1), 2^i]. */
export function countInteger(key: LuaValue, counts: number[]): 0 | 1 {
  if (typeof key !== "number" || !Number.isInteger(key) || key < 1 || key > MAX_ARRAY) return 0;
  counts[ceilLog2(key)]! += 1;
  return 1;
}

/** The largest n such that more than half of the slots 1..n would be in use, and how many those are. */
export function bestArraySize(counts: readonly number[], integers: number): [size: number, kept: number] {
  let below = 0;
  let size = 0;
  let kept = 0;
  for (let bit = 0, limit = 1; limit / 2 < integers; bit += 1, limit *= 2) {
    const count = counts[bit] ?? 0;
    below += count;
    if (count > 0 && below > limit / 2) [size, kept] = [limit, below];
    if (below === integers) break;
  }
  return [size, kept];
}
