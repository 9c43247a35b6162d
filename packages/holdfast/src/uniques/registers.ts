/**
 * The registers of a HyperLogLog, as Redis keeps them in a string: 16 bytes of header, then 16,384 ranks, in 6 bits each (dense), or as
 * runs of equal ones (sparse). https://github.com/redis/redis/blob/7.0/src/hyperloglog.c
 */
import { CodecError } from "../base/errors.ts";
import { murmurHash } from "../core/hash/murmur.ts";

export const REGISTERS = 16_384;
export const MAGIC = "HYLL";
/** Redis's. */
const SEED = 0xadc83b19;
const HEADER = 16;
const DENSE_BYTES = HEADER + (REGISTERS * 6) / 8;
const INDEX_BITS = 14;
/** Of a hash: what is left for the rank. */
export const RANK_BITS = 50;
/** 1 / (2 ln 2) */
const ALPHA = 0.7213475204444817;

/** Raises each register to that of a stored HyperLogLog: the union of the two. */
export function raiseTo(registers: Uint8Array, stored: Buffer, key: string): void {
  const encoding = stored[4];
  if (encoding === 0 && stored.length === DENSE_BYTES) raiseDense(registers, stored);
  else if (encoding !== 1 || !raiseSparse(registers, stored))
    throw new CodecError("corrupt", `${key}: the HyperLogLog cannot be read`, { key });
}

/** Raises the register that Redis would have raised for the element. */
export function raiseBy(registers: Uint8Array, element: Uint8Array): void {
  const { low, high } = murmurHash(element, SEED);
  const restLow = (low >>> INDEX_BITS) | (high << (32 - INDEX_BITS));
  // The bit behind the last one ends what has none.
  const restHigh = (high >>> INDEX_BITS) | (1 << (RANK_BITS - 32));
  raise(registers, low % REGISTERS, restLow === 0 ? 33 + zerosAtEnd(restHigh) : 1 + zerosAtEnd(restLow));
}

/**
 * How many elements the registers stand for, as PFCOUNT answers. Otmar Ertl, "New cardinality estimation algorithms for HyperLogLog
 * sketches", https://arxiv.org/abs/1702.01284; in the order in which Redis adds up, so that no digit differs.
 */
export function estimate(registers: Uint8Array): number {
  const counts = new Uint32Array(RANK_BITS + 2);
  for (let index = 0; index < REGISTERS; index += 1) counts[registers[index]!]! += 1;
  let sum = REGISTERS * tau((REGISTERS - counts[RANK_BITS + 1]!) / REGISTERS);
  for (let rank = RANK_BITS; rank >= 1; rank -= 1) sum = (sum + counts[rank]!) * 0.5;
  sum += REGISTERS * sigma(counts[0]! / REGISTERS);
  return Math.round((ALPHA * REGISTERS * REGISTERS) / sum);
}

function raise(registers: Uint8Array, index: number, rank: number): void {
  if (rank > registers[index]!) registers[index] = rank;
}

/** Four registers are three bytes. */
function raiseDense(registers: Uint8Array, stored: Buffer): void {
  for (let index = 0, at = HEADER; index < REGISTERS; index += 4, at += 3) {
    const four = stored[at]! | (stored[at + 1]! << 8) | (stored[at + 2]! << 16);
    raise(registers, index, four & 63);
    raise(registers, index + 1, (four >> 6) & 63);
    raise(registers, index + 2, (four >> 12) & 63);
    raise(registers, index + 3, four >> 18);
  }
}

/** `00nnnnnn`: n + 1 zeros; `01nnnnnn nnnnnnnn`: likewise; `1rrrrrnn`: n + 1 times rank r + 1. False where they are not as many as there are registers. */
function raiseSparse(registers: Uint8Array, stored: Buffer): boolean {
  let index = 0;
  for (let at = HEADER; at < stored.length; at += 1) {
    const code = stored[at]!;
    if (code >= 0x80) {
      const end = index + (code & 3) + 1;
      for (; index < end && index < REGISTERS; index += 1) raise(registers, index, ((code >> 2) & 31) + 1);
      if (index < end) return false;
    } else if (code < 0x40) index += code + 1;
    else index += (((code & 63) << 8) | (stored[(at += 1)] ?? 0)) + 1;
  }
  return index === REGISTERS;
}

function zerosAtEnd(word: number): number {
  return 31 - Math.clz32(word & -word);
}

function sigma(start: number): number {
  if (start === 1) return Infinity;
  let [x, y, sum] = [start, 1, start];
  for (let before = Number.NaN; before !== sum;) {
    x *= x;
    before = sum;
    sum += x * y;
    y += y;
  }
  return sum;
}

function tau(start: number): number {
  if (start === 0 || start === 1) return 0;
  let [x, y, sum] = [start, 1, 1 - start];
  for (let before = Number.NaN; before !== sum;) {
    x = Math.sqrt(x);
    before = sum;
    y *= 0.5;
    sum -= (1 - x) ** 2 * y;
  }
  return sum / 3;
}
