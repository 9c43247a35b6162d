/** Integers of 1 to 64 bits at any bit of a byte string, most significant bit first. */

export interface FieldType {
  readonly signed: boolean;
  readonly bits: number;
}

/** `byteAt` returns 0 beyond the end. */
export function readField(byteAt: (index: number) => number, offset: number, { signed, bits }: FieldType): bigint {
  const { first, last, shift } = span(offset, bits);
  const value = readBytes(byteAt, first, last) >> shift;
  return signed ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value);
}

export function writeField(
  bytes: { at(index: number): number; set(index: number, byte: number): void },
  offset: number,
  bits: number,
  value: bigint,
): void {
  const { first, last, shift } = span(offset, bits);
  const mask = ((1n << BigInt(bits)) - 1n) << shift;
  const old = readBytes((index) => bytes.at(index), first, last);
  let rest = (old & ~mask) | (BigInt.asUintN(bits, value) << shift);
  for (let i = last; i >= first; i -= 1) {
    bytes.set(i, Number(rest & 0xffn));
    rest >>= 8n;
  }
}

/** The bytes that hold the field, and the number of bits after it in the last of them. */
function span(offset: number, bits: number): { first: number; last: number; shift: bigint } {
  const last = Math.floor((offset + bits - 1) / 8);
  return { first: Math.floor(offset / 8), last, shift: BigInt(last * 8 + 8 - offset - bits) };
}

/** Up to nine bytes: as a double as far as that is exact, because bigints are slow. */
function readBytes(byteAt: (index: number) => number, first: number, last: number): bigint {
  let high = 0;
  let low = 0;
  const middle = Math.max(first, last - 5);
  for (let i = first; i < middle; i += 1) high = high * 256 + byteAt(i);
  for (let i = middle; i <= last; i += 1) low = low * 256 + byteAt(i);
  return high === 0 ? BigInt(low) : (BigInt(high) << 48n) | BigInt(low);
}
