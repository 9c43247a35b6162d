/**
 * Structured values by devalue: a flat JSON array whose items refer to each other by index. Chosen because its `parse` runs no
 * code, refuses `__proto__`, and its format does not depend on the runtime (as `v8.serialize` does).
 */
import { DevalueError, parse, stringify } from "devalue";
import { CodecError } from "../../base/errors.ts";
import { type Bounds, type Format, MAX_BIGINT_DIGITS, textFrame, Unstorable } from "./format.ts";
import { SERIALIZER_ID } from "./header.ts";
import { requireBoundedText, tooMany } from "./json-scan.ts";

/** How devalue writes an array of few items and a great length, which a few bytes can claim to be 2^32 - 1. */
const SPARSE = /\[-7,(\d+)/g;
const HUGE_BIGINT = new RegExp(`\\["BigInt","-?\\d{${MAX_BIGINT_DIGITS + 1}}`);

/** Buffers, which would be Uint8Arrays: as such, in an envelope that says so. */
const REDUCERS = {
  Buffer: (value: unknown) =>
    Buffer.isBuffer(value) && new Uint8Array(value.buffer, value.byteOffset, value.byteLength),
};
const REVIVERS = {
  Buffer: ({ buffer, byteOffset, byteLength }: Uint8Array) => Buffer.from(buffer, byteOffset, byteLength),
};

export const structuredFormat: Format = {
  id: SERIALIZER_ID.structured,

  write(value, bounds) {
    const text = stringifyStructured(value);
    const frame = textFrame(text);
    requireBounded(frame, 0, text, bounds);
    return frame;
  },

  read(bytes, start, bounds) {
    const text = bytes.toString("utf8", start);
    requireBounded(bytes, start, text, bounds);
    return parse(text, REVIVERS) as unknown;
  },
};

/** How deep it is nested is bounded by the stack, by which devalue builds it. */
function requireBounded(bytes: Buffer, start: number, text: string, bounds: Bounds): void {
  requireBoundedText(bytes, start, bounds, false);
  if (text.length > MAX_BIGINT_DIGITS && HUGE_BIGINT.test(text)) {
    throw new CodecError("corrupt", `a bigint of the value has more than ${MAX_BIGINT_DIGITS} digits`);
  }
  if (!text.includes("[-7,")) return;
  let items = 0;
  for (const [, length] of text.matchAll(SPARSE)) items += Number(length);
  if (items > bounds.maxItems) throw tooMany(bounds);
}

function stringifyStructured(value: unknown): string {
  try {
    return stringify(value, REDUCERS, { operations: { viewInfo } });
  } catch (error) {
    // A DevalueError carries the value and the whole root: as a cause it would bring stored data into logs.
    // oxlint-disable-next-line eslint/preserve-caught-error
    if (error instanceof DevalueError) throw new Unstorable(`${error.message} (at ${error.path || "the top"})`);
    throw error;
  }
}

/**
 * Only the bytes that a view shows. The default would store the whole buffer behind it, which for a part of
 * a pool or of a network chunk means other people's bytes.
 */
function viewInfo(view: ArrayBufferView & { readonly length?: number }): ViewInfo {
  const { byteLength, byteOffset, length } = view;
  const whole = byteLength === view.buffer.byteLength && view.buffer instanceof ArrayBuffer;
  const buffer = whole ? view.buffer : copy(new Uint8Array(view.buffer, byteOffset, byteLength));
  return {
    buffer,
    byteOffset: 0,
    byteLength,
    bufferByteLength: byteLength,
    ...(length === undefined ? {} : { length }),
  };
}

interface ViewInfo {
  buffer: ArrayBufferLike;
  byteOffset: number;
  byteLength: number;
  bufferByteLength: number;
  length?: number;
}

function copy(bytes: Uint8Array): ArrayBuffer {
  const buffer = new ArrayBuffer(bytes.length);
  new Uint8Array(buffer).set(bytes);
  return buffer;
}
