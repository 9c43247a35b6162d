/**
 * Where an element goes in a HyperLogLog: MurmurHash2 (MurmurHash64A by Austin Appleby) with Redis's seed, in two halves of 32 bits.
 */

/** 2^14 registers. */
export const REGISTERS = 16384;

const SEED = 0xadc83b19;
const MULTIPLIER_HIGH = 0xc6a4a793;
const MULTIPLIER_LOW = 0x5bd1e995;
/** The bits of the hash which choose the register. */
const INDEX_BITS = 14;
const RANK_BITS = 50;

export interface Place {
  /** Of the register. */
  readonly index: number;
  /** One more than the number of zeros that end the rest of the hash; 1 to 51. */
  readonly rank: number;
}

export function placeOf(element: string): Place {
  const { low, high } = murmurHash(element);
  const restLow = (low >>> INDEX_BITS) | (high << (32 - INDEX_BITS));
  if (restLow !== 0) return { index: low & (REGISTERS - 1), rank: trailingZeros(restLow) + 1 };
  const restHigh = (high >>> INDEX_BITS) | (1 << (RANK_BITS - 32));
  return { index: low & (REGISTERS - 1), rank: 32 + trailingZeros(restHigh) + 1 };
}

function trailingZeros(word: number): number {
  return 31 - Math.clz32(word & -word);
}

/** An unsigned integer of 64 bits. */
class Word {
  low: number;
  high: number;

  constructor(low: number, high: number) {
    this.low = low;
    this.high = high;
  }

  xor(low: number, high: number): void {
    this.low ^= low;
    this.high ^= high;
  }

  /** By Murmur's multiplier, modulo 2^64. */
  multiply(): void {
    const { low, high } = this;
    this.low = Math.imul(low, MULTIPLIER_LOW);
    this.high = highProduct(low, MULTIPLIER_LOW) + Math.imul(low, MULTIPLIER_HIGH) + Math.imul(high, MULTIPLIER_LOW);
  }

  /** `x ^= x >> 47` */
  fold(): void {
    this.low ^= this.high >>> 15;
  }
}

function murmurHash(text: string): Word {
  const hash = new Word(text.length, 0);
  hash.multiply();
  hash.xor(SEED, 0);
  const whole = text.length - (text.length % 8);
  for (let at = 0; at < whole; at += 8) {
    const block = new Word(littleEndian(text, at, 4), littleEndian(text, at + 4, 4));
    block.multiply();
    block.fold();
    block.multiply();
    hash.xor(block.low, block.high);
    hash.multiply();
  }
  if (whole < text.length) {
    const rest = text.length - whole;
    hash.xor(littleEndian(text, whole, Math.min(rest, 4)), littleEndian(text, whole + 4, rest - 4));
    hash.multiply();
  }
  hash.fold();
  hash.multiply();
  hash.fold();
  return hash;
}

/** Up to four bytes as a number; 0 for none. */
function littleEndian(text: string, at: number, count: number): number {
  let word = 0;
  for (let i = 0; i < count; i += 1) word |= text.charCodeAt(at + i) << (8 * i);
  return word;
}

/** The upper 32 bits of an unsigned product. */
function highProduct(a: number, b: number): number {
  const aLow = a & 0xffff;
  const aHigh = a >>> 16;
  const bLow = b & 0xffff;
  const bHigh = b >>> 16;
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  return aHigh * bHigh + (middle >>> 16) + ((aLow * bHigh + (middle & 0xffff)) >>> 16);
}
