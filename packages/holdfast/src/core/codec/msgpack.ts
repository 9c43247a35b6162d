/**
 * MessagePack (https://github.com/msgpack/msgpack/blob/master/spec.md) for the values of JSON, plus Date (the standard
 * timestamp extension), Uint8Array (bin), Buffer (extension 2, its bytes) and bigint (extension 1, its decimal digits).
 * Other objects are refused. A property that is undefined disappears.
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
import { requireFaithful } from "./faithful.ts";
import { bytesFrame, type Format, MAX_BIGINT_DIGITS, Unstorable } from "./format.ts";
import { SERIALIZER_ID } from "./header.ts";
import { MAX_DEPTH, scan } from "./msgpack-scan.ts";

const EXT_BIGINT = 1;
const EXT_BUFFER = 2;
/** The encoder keeps its buffer, as large as the largest value was; above this many bytes it is thrown away. */
const KEEP_BUFFER_BYTES = 1 << 20;

const extensions: ExtensionCodecType<undefined> = {
  /** Asked for everything but null, booleans, numbers and strings; null means that MessagePack has a form for it. */
  tryToEncode(value) {
    if (typeof value === "bigint") return new ExtData(EXT_BIGINT, Buffer.from(digits(value), "latin1"));
    if (Buffer.isBuffer(value)) return new ExtData(EXT_BUFFER, value);
    if (value instanceof Date) return new ExtData(EXT_TIMESTAMP, encodeTimestampExtension(value)!);
    if (Object.hasOwn(value as object, "__proto__")) {
      throw new Unstorable('an own property named "__proto__" is refused');
    }
    return null;
  },

  decode(data, type) {
    if (type === EXT_TIMESTAMP) return decodeTimestampExtension(data);
    if (type === EXT_BUFFER) return Buffer.from(data);
    if (type === EXT_BIGINT && data.length <= MAX_BIGINT_DIGITS + 1)
      return BigInt(Buffer.from(data).toString("latin1"));
    throw new RangeError(`unknown MessagePack extension ${type}`);
  },
};

let encoder: Encoder = newEncoder();

export const msgpackFormat: Format = {
  id: SERIALIZER_ID.msgpack,

  write(value, bounds) {
    requireFaithful(value, bounds, keeps, "MessagePack");
    const frame = bytesFrame(encoder.encodeSharedRef(value));
    if (frame.length > KEEP_BUFFER_BYTES) encoder = newEncoder();
    return frame;
  },

  read(bytes, start, bounds) {
    const payload = bytes.subarray(start);
    // Binary values come out as views on what is decoded: then it is a copy, and not a Buffer.
    const { hasBinary } = scan(payload, bounds);
    return decode(hasBinary ? new Uint8Array(payload) : payload, { extensionCodec: extensions });
  },
};

function newEncoder(): Encoder {
  return new Encoder({ extensionCodec: extensions, maxDepth: MAX_DEPTH, ignoreUndefined: true });
}

function keeps(value: unknown): boolean {
  if (value instanceof Date) return !Number.isNaN(value.getTime());
  return typeof value === "number" || typeof value === "bigint" || value instanceof Uint8Array;
}

function digits(value: bigint): string {
  const text = value.toString();
  if (text.length <= MAX_BIGINT_DIGITS + 1) return text;
  throw new Unstorable(`a bigint of it has more than ${MAX_BIGINT_DIGITS} digits`);
}
