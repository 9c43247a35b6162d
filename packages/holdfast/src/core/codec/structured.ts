/**
 * Structured values by devalue: a flat JSON array whose items refer to each other by index. Chosen because its `parse` runs no
 * code, refuses `__proto__`, and its format does not depend on the runtime (as `v8.serialize` does).
 */
import { DevalueError, parse, stringify } from "devalue";
import { type Format, textFrame } from "./format.ts";
import { SERIALIZER_ID } from "./header.ts";

export const structuredFormat: Format = {
  id: SERIALIZER_ID.structured,
  write: (value) => textFrame(stringifyStructured(value)),
  read: (bytes, start) => parse(bytes.toString("utf8", start)) as unknown,
};

function stringifyStructured(value: unknown): string {
  try {
    return stringify(value, undefined, { operations: { viewInfo } });
  } catch (error) {
    // A DevalueError carries the value and the whole root: as a cause it would bring stored data into logs.
    // oxlint-disable-next-line eslint/preserve-caught-error
    if (error instanceof DevalueError) throw new TypeError(`${error.message} (at ${error.path || "the top"})`);
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
