/**
 * Columns of numbers in few bytes. Neighbours in a series are alike, so each number is stored as its difference to the one before:
 * times by the difference of the differences (Gorilla, Pelkonen et al., VLDB 2015), values that are decimal fractions, as most
 * measurements are, as whole numbers of their last digit, and others as the bits in which they differ. What is regular after that is
 * left to deflate.
 */
import { deflateRawSync, inflateRawSync } from "node:zlib";
import type { ByteReader, ByteWriter } from "./bytes.ts";

/** Decimal places that are tried. */
const MAX_PLACES = 9;
/** Differences of two below it, doubled, are exact. */
const MAX_SCALED = 2 ** 50;
const AS_BITS = 255;
const FLOAT_BYTES = 8;
/** Of one chunk when it is unpacked. */
const MAX_UNPACKED = 64 * 1_024 * 1_024;
const MIN_DEFLATED = 1_024;
const PLAIN = 0;
const DEFLATED = 1;

/** Whole numbers whose steps are alike: times, places. */
export function writeSteps(writer: ByteWriter, values: readonly number[]): void {
  let before = 0;
  let step = 0;
  for (const value of values) {
    writer.signed(value - before - step);
    step = value - before;
    before = value;
  }
}

export function readSteps(reader: ByteReader, count: number): number[] {
  const values: number[] = [];
  let before = 0;
  let step = 0;
  for (let at = 0; at < count; at += 1) {
    step += reader.signed();
    before += step;
    values.push(before);
  }
  return values;
}

export function writeFloats(writer: ByteWriter, values: readonly number[]): void {
  const places = decimalPlaces(values);
  if (places === undefined) {
    writer.byte(AS_BITS);
    writer.bytes(planesOf(values));
    return;
  }
  writer.byte(places);
  const scale = 10 ** places;
  let before = 0;
  for (const value of values) {
    const scaled = Math.round(value * scale);
    writer.signed(scaled - before);
    before = scaled;
  }
}

export function readFloats(reader: ByteReader, count: number): number[] {
  const places = reader.byte();
  if (places === AS_BITS) return fromPlanes(reader.take(count * FLOAT_BYTES), count);
  if (places > MAX_PLACES) throw new RangeError("an unknown way of storing numbers");
  const scale = 10 ** places;
  const values: number[] = [];
  let scaled = 0;
  for (let at = 0; at < count; at += 1) {
    scaled += reader.signed();
    values.push(scaled / scale);
  }
  return values;
}

/** Deflated where that is shorter, and they are so many that it is worth the 40 us which a reader needs before the first byte. */
export function pack(bytes: Buffer): Buffer {
  const deflated = bytes.length < MIN_DEFLATED ? bytes : deflateRawSync(bytes);
  const isShorter = deflated.length < bytes.length;
  return Buffer.concat([Buffer.of(isShorter ? DEFLATED : PLAIN), isShorter ? deflated : bytes]);
}

export function unpack(packed: Buffer): Buffer {
  const body = packed.subarray(1);
  if (packed[0] === PLAIN) return body;
  if (packed[0] === DEFLATED) return inflateRawSync(body, { maxOutputLength: MAX_UNPACKED });
  throw new RangeError("an unknown way of packing");
}

/** With how many decimal places all of them are exact; undefined where there is none. */
function decimalPlaces(values: readonly number[]): number | undefined {
  let places = 0;
  for (const value of values) {
    while (!isExact(value, 10 ** places)) {
      places += 1;
      if (places > MAX_PLACES) return undefined;
    }
  }
  // More places were found later: what was exact with fewer may be too large with them.
  const scale = 10 ** places;
  return values.every((value) => isExact(value, scale)) ? places : undefined;
}

function isExact(value: number, scale: number): boolean {
  const scaled = Math.round(value * scale);
  return Math.abs(scaled) < MAX_SCALED && scaled / scale === value;
}

/** The bits in which each differs from the one before, byte by byte of all: the first bytes of alike numbers are zero. */
function planesOf(values: readonly number[]): Uint8Array {
  const count = values.length;
  const bytes = new Uint8Array(new Float64Array(values).buffer);
  const planes = new Uint8Array(bytes.length);
  for (let at = 0; at < bytes.length; at += 1) {
    const before = at < FLOAT_BYTES ? 0 : bytes[at - FLOAT_BYTES]!;
    planes[(at % FLOAT_BYTES) * count + Math.floor(at / FLOAT_BYTES)] = bytes[at]! ^ before;
  }
  return planes;
}

function fromPlanes(planes: Buffer, count: number): number[] {
  const bytes = new Uint8Array(planes.length);
  for (let at = 0; at < bytes.length; at += 1) {
    const before = at < FLOAT_BYTES ? 0 : bytes[at - FLOAT_BYTES]!;
    bytes[at] = planes[(at % FLOAT_BYTES) * count + Math.floor(at / FLOAT_BYTES)]! ^ before;
  }
  return [...new Float64Array(bytes.buffer)];
}
