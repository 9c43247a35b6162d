/**
 * The two bytes before every stored value.
 *
 *     byte 0   0xF9: Holdfast, format 1. 0xFA to 0xFF are kept for later formats. None of them can occur in UTF-8,
 *              so text that somebody else wrote is never taken for ours.
 *     byte 1   bits 0-3 serializer, bits 4-5 compression, bit 6 encrypted, bit 7 always 0
 *
 * Then the payload; where bit 6 is set, the envelope that `encryption.ts` describes.
 */
import { CodecError } from "../../base/errors.ts";

export const MAGIC = 0xf9;
export const HEADER_LENGTH = 2;

export const SERIALIZER_MASK = 0x0f;
export const COMPRESSION_SHIFT = 4;
export const COMPRESSION_MASK = 0x30;
export const ENCRYPTED = 0x40;
const RESERVED = 0x80;

/** Numbers on the server: they never change their meaning. */
export const SERIALIZER_ID = {
  bytes: 0,
  json: 1,
  structured: 2,
  msgpack: 3,
  text: 4,
  custom: 5,
  undefined: 15,
} as const;

/** Writes the header of plain JSON at `at`; the text follows. */
export function writeJsonHeader(into: Buffer, at: number): void {
  into[at] = MAGIC;
  into[at + 1] = SERIALIZER_ID.json;
}

/** Byte 1 of stored bytes, after byte 0 was found to be ours and readable. */
export function readFlags(bytes: Buffer): number {
  const [magic, flags] = bytes;
  if (magic === undefined) throw new CodecError("truncated", "the stored value is empty: it has no header");
  if (magic < MAGIC) {
    throw new CodecError("foreign", `the stored value was not written by Holdfast (its first byte is ${hex(magic)})`);
  }
  if (magic > MAGIC) throw newer(`format byte ${hex(magic)}`);
  if (flags === undefined) throw new CodecError("truncated", "the stored value ends inside its header");
  if ((flags & RESERVED) !== 0) throw newer(`flags ${hex(flags)}`);
  return flags;
}

/** Whether the stored value is a top-level `undefined`, known from the header alone, encrypted or not. */
export function holdsUndefined(bytes: Buffer): boolean {
  return bytes[0] === MAGIC && bytes[1] !== undefined && (bytes[1] & SERIALIZER_MASK) === SERIALIZER_ID.undefined;
}

/** For what a later version may write and this one cannot know. */
export function newer(what: string): CodecError {
  return new CodecError("version", `the stored value has ${what}, which this version of Holdfast cannot read`);
}

function hex(byte: number): string {
  return `0x${byte.toString(16).padStart(2, "0")}`;
}
