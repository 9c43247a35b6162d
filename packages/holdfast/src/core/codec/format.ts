/** What a serializer is to the codec, and the two that need no library. */
import { HEADER_LENGTH, SERIALIZER_ID } from "./header.ts";

/** How large a value may be once it is one, whatever its bytes say. */
export interface Bounds {
  /** Items of arrays and properties of objects, all together. */
  readonly maxItems: number;
  readonly maxDepth: number;
}

/** Reading a bigint takes more than linear time: for 10,000 digits below a millisecond, for a million a third of a second. */
export const MAX_BIGINT_DIGITS = 10_000;

export interface Format {
  /** Its number in the header. */
  readonly id: number;
  /**
   * The payload with HEADER_LENGTH bytes left free before it, so that a plain value costs one allocation.
   * @throws Unstorable for a value that would not come back as it was, or that `read` would refuse as too large
   */
  write(value: unknown, bounds: Bounds): Buffer;
  /**
   * The value of the payload that begins at `start`; throws when it is not one. Shares no memory with `bytes`.
   * @param expanded the bytes were decompressed: a few stored ones can have become many
   */
  read(bytes: Buffer, start: number, bounds: Bounds, expanded: boolean): unknown;
}

/** Why a value cannot be stored, in words that hold nothing of the value but the path to what is wrong. */
export class Unstorable extends Error {
  override readonly name: string = "Unstorable";
  /** It could be written, but as something else. */
  readonly changed: boolean;
  constructor(message: string, changed = false) {
    super(message);
    this.changed = changed;
  }
}

/** A frame around text. One concatenation is cheaper than measuring the text and writing it behind a header. */
export function textFrame(text: string): Buffer {
  return Buffer.from(`\0\0${text}`, "utf8");
}

/** A frame around a copy of `payload`. */
export function bytesFrame(payload: Uint8Array): Buffer {
  const frame = Buffer.allocUnsafe(HEADER_LENGTH + payload.length);
  frame.set(payload, HEADER_LENGTH);
  return frame;
}

export const bytesFormat: Format = {
  id: SERIALIZER_ID.bytes,
  write(value) {
    if (value instanceof Uint8Array) return bytesFrame(value);
    throw new Unstorable('serializer "bytes" takes a Buffer or Uint8Array');
  },
  read: (bytes, start) => Buffer.from(bytes.subarray(start)),
};

export const textFormat: Format = {
  id: SERIALIZER_ID.text,
  write(value) {
    if (typeof value === "string" && value.isWellFormed()) return textFrame(value);
    throw new Unstorable('serializer "text" takes a well-formed string');
  },
  read: (bytes, start) => bytes.toString("utf8", start),
};

/** Top-level `undefined` under every serializer: known by the header alone, so that it differs from a missing value. */
export const undefinedFormat: Format = {
  id: SERIALIZER_ID.undefined,
  write: () => Buffer.allocUnsafe(HEADER_LENGTH),
  read(bytes, start) {
    if (bytes.length > start) throw new RangeError("undefined has no payload");
    return undefined;
  },
};
