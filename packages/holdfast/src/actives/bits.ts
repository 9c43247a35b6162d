/** Who was active in a window: one bit for each user of a partition. */

/** The bits of two windows are about the same users where they have the same epoch. */
export interface Bits {
  readonly epoch: string;
  readonly words: Uint32Array;
}

const EPOCH_BYTES = 8;

/** Undefined where nobody was. @param stored the epoch, then the bits */
export function bitsOf(stored: Buffer | null): Bits | undefined {
  if (stored === null || stored.length < EPOCH_BYTES) return undefined;
  const words = new Uint32Array(Math.ceil((stored.length - EPOCH_BYTES) / 4));
  stored.copy(Buffer.from(words.buffer), 0, EPOCH_BYTES);
  return { epoch: stored.toString("latin1", 0, EPOCH_BYTES), words };
}

export function countOf(words: Uint32Array): number {
  let count = 0;
  for (const word of words) count += ones(word);
  return count;
}

/** How many are in both. */
export function countOfBoth(a: Uint32Array, b: Uint32Array): number {
  let count = 0;
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at += 1) count += ones(a[at]! & b[at]!);
  return count;
}

/** Those of `a` that are not in `b`. */
export function without(a: Uint32Array, b: Uint32Array | undefined): Uint32Array {
  return a.map((word, at) => word & ~(b?.[at] ?? 0));
}

/** Those of both. */
export function both(a: Uint32Array, b: Uint32Array): Uint32Array {
  return a.map((word, at) => word & (b[at] ?? 0));
}

/** Those of windows together, by epoch: users before and after a loss are not known to be the same. */
export class Union {
  readonly #byEpoch = new Map<string, Uint32Array>();

  add(bits: Bits | undefined): void {
    if (bits === undefined) return;
    let union = this.#byEpoch.get(bits.epoch);
    if (union === undefined || union.length < bits.words.length) {
      const longer = new Uint32Array(bits.words.length);
      if (union !== undefined) longer.set(union);
      this.#byEpoch.set(bits.epoch, (union = longer));
    }
    for (const [at, word] of bits.words.entries()) union[at]! |= word;
  }

  of(epoch: string): Uint32Array | undefined {
    return this.#byEpoch.get(epoch);
  }

  count(): number {
    let count = 0;
    for (const words of this.#byEpoch.values()) count += countOf(words);
    return count;
  }
}

/** Bits that are set, in five steps. */
function ones(word: number): number {
  let sum = word - ((word >>> 1) & 0x55555555);
  sum = (sum & 0x33333333) + ((sum >>> 2) & 0x33333333);
  return Math.imul((sum + (sum >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
