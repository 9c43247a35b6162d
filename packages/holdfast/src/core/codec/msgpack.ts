/**
 * MessagePack (https://github.com/msgpack/msgpack/blob/master/spec.md) for the values of JSON, plus Date (the standard
 * timestamp extension), Uint8Array (bin) and bigint of any size (extension 1, its decimal digits).
 * Other objects are refused. `undefined` follows JSON: a property disappears, an item becomes null.
 */
import {
  decode,
  decodeTimestampExtension,
  Encoder,
  encodeTimestampExtension,
  EXT_TIMESTAMP,
  ExtData,
  type ExtensionCodecType,
} from "@msgpack/msgpack";
import { bytesFrame, type Format } from "./format.ts";
import { SERIALIZER_ID } from "./header.ts";
import { scan } from "./msgpack-scan.ts";

const EXT_BIGINT = 1;
const MAX_DEPTH = 256;
/** The encoder keeps its buffer, as large as the largest value was; above this many bytes it is thrown away. */
const KEEP_BUFFER_BYTES = 1 << 20;

const extensions: ExtensionCodecType<undefined> = {
  /** Asked for everything but null, booleans, numbers and strings; null means that MessagePack has a form for it. */
  tryToEncode(value) {
    if (typeof value === "bigint") return new ExtData(EXT_BIGINT, Buffer.from(value.toString(), "latin1"));
    if (typeof value !== "object" || value === null) throw new TypeError(`a ${typeof value} has no MessagePack form`);
    if (value instanceof Date) return timestamp(value);
    if (!Array.isArray(value) && !(value instanceof Uint8Array)) requirePlainObject(value);
    return null;
  },

  decode(data, type) {
    if (type === EXT_TIMESTAMP) return decodeTimestampExtension(data);
    if (type === EXT_BIGINT) return BigInt(Buffer.from(data).toString("latin1"));
    throw new RangeError(`unknown MessagePack extension ${type}`);
  },
};

let encoder: Encoder = newEncoder();

export const msgpackFormat: Format = {
  id: SERIALIZER_ID.msgpack,

  write(value) {
    const frame = bytesFrame(encoder.encodeSharedRef(value));
    if (frame.length > KEEP_BUFFER_BYTES) encoder = newEncoder();
    return frame;
  },

  read(bytes, start) {
    const payload = bytes.subarray(start);
    // Binary values come out as views on what is decoded: then it is a copy, and not a Buffer.
    return decode(scan(payload).hasBinary ? new Uint8Array(payload) : payload, { extensionCodec: extensions });
  },
};

function newEncoder(): Encoder {
  return new Encoder({ extensionCodec: extensions, maxDepth: MAX_DEPTH, ignoreUndefined: true });
}

function timestamp(date: Date): ExtData {
  const data = Number.isNaN(date.getTime()) ? null : encodeTimestampExtension(date);
  if (data === null) throw new TypeError("an invalid Date has no MessagePack form");
  return new ExtData(EXT_TIMESTAMP, data);
}

function requirePlainObject(value: object): void {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
    throw new TypeError(`a ${value.constructor?.name || "class instance"} has no MessagePack form`);
  }
  if (Object.hasOwn(value, "__proto__")) throw new TypeError('an own property named "__proto__" is refused');
}
