/**
 * Bits of a byte string. Bit 0 is the most significant bit of the first byte. Ranges include both ends and must lie within the bytes.
 * Numbers of bits go beyond 32 bits, so no bitwise operator touches them.
 */

const BITS_SET: Uint8Array = Uint8Array.from({ length: 256 }, (_, byte) => byte.toString(2).replaceAll("0", "").length);

export interface BitRange {
  readonly first: number;
  readonly last: number;
}

/** How many bits of the range are set. */
export function countBits(bytes: Uint8Array, { first, last }: BitRange): number {
  const from = byteOf(first);
  const to = byteOf(last);
  let count = 0;
  for (let i = from; i <= to; i += 1) count += BITS_SET[bytes[i] as number] as number;
  const before = (bytes[from] as number) & ~maskFrom(first) & 0xff;
  const after = (bytes[to] as number) & ~maskTo(last) & 0xff;
  return count - (BITS_SET[before] as number) - (BITS_SET[after] as number);
}

/** The first bit of the range that is `bit`, or -1. */
export function findBit(bytes: Uint8Array, bit: 0 | 1, { first, last }: BitRange): number {
  const from = byteOf(first);
  const to = byteOf(last);
  const without = bit === 1 ? 0 : 0xff;
  for (let i = skip(bytes, without, from, to); i <= to; i = skip(bytes, without, i + 1, to)) {
    let wanted = (bytes[i] as number) ^ without;
    if (i === from) wanted &= maskFrom(first);
    if (i === to) wanted &= maskTo(last);
    if (wanted !== 0) return i * 8 + Math.clz32(wanted) - 24;
  }
  return -1;
}

/** The first place up to `to` that has another byte. */
function skip(bytes: Uint8Array, byte: number, from: number, to: number): number {
  let i = from;
  while (i <= to && bytes[i] === byte) i += 1;
  return i;
}

export function byteOf(bit: number): number {
  return Math.floor(bit / 8);
}

/** The byte with only this bit set. */
export function maskOf(bit: number): number {
  return 0x80 >> (bit % 8);
}

function maskFrom(bit: number): number {
  return 0xff >> (bit % 8);
}

function maskTo(bit: number): number {
  return (0xff << (7 - (bit % 8))) & 0xff;
}
