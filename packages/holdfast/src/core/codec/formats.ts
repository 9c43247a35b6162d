/** All serializers, and what their failures become. */
import { CodecError, InvalidArgumentError } from "../../base/errors.ts";
import {
  type Bounds,
  bytesFormat,
  bytesFrame,
  type Format,
  textFormat,
  textFrame,
  undefinedFormat,
  Unstorable,
} from "./format.ts";
import { MAGIC, newer, SERIALIZER_ID } from "./header.ts";
import { faithfulText, jsonFormat, looseJsonFormat } from "./json.ts";
import { msgpackFormat } from "./msgpack.ts";
import { kindOf } from "./schema.ts";
import { structuredFormat } from "./structured.ts";

/**
 * What survives, besides what JSON has (`undefined` at the top level survives all of them). What does not is refused, with its path.
 * - `json`: nothing else. The fastest to read by far.
 * - `structured`: Date, Map, Set, bigint, undefined, NaN, Infinity, -0, RegExp, URL, Buffer, typed arrays, sparse arrays, and circular and
 *   repeated references. Reading takes about twice as long as JSON, writing three times.
 * - `msgpack`: Date, Buffer, Uint8Array, bigint, NaN, Infinity; strings must be well-formed Unicode. Usually the smallest; reading
 *   takes about twice as long as JSON.
 * - `bytes`: a Buffer or Uint8Array and nothing else; decodes to a Buffer.
 * - `text`: a string and nothing else, as its UTF-8.
 */
export type Serializer = "json" | "structured" | "msgpack" | "bytes" | "text";

/** One of your own. What it does not keep is lost: nothing checks it. Both are synchronous; what they throw is a CodecError without its message. */
export interface CustomSerializer {
  encode(value: unknown): Uint8Array | string;
  /** @param bytes what `encode` has returned, as its UTF-8 where that was a string; a copy */
  decode(bytes: Buffer): unknown;
}

const FORMATS: Record<Serializer, Format> = {
  json: jsonFormat,
  structured: structuredFormat,
  msgpack: msgpackFormat,
  bytes: bytesFormat,
  text: textFormat,
};
const NAMES = Object.keys(FORMATS) as readonly Serializer[];
const NAMES_BY_ID: ReadonlyMap<number, string> = new Map([
  ...NAMES.map((name): [number, string] => [FORMATS[name].id, `serializer "${name}"`]),
  [SERIALIZER_ID.custom, "a serializer of the user's own"],
]);

const STRUCTURED_KEEPS =
  ' (serializer "structured" keeps Date, Map, Set, bigint, NaN and undefined; strict: false lets JSON change it)';

export function formatOf(serializer: Serializer | CustomSerializer, strict: boolean): Format {
  if (isCustom(serializer)) return customFormat(serializer);
  const format = FORMATS[checkSerializer("serializer", serializer)];
  return format === jsonFormat && !strict ? looseJsonFormat : format;
}

/** What a codec may read, by the numbers in headers: a top-level `undefined` always. */
export function readableFormats(
  serializer: Serializer | CustomSerializer,
  reads: readonly (Serializer | CustomSerializer)[],
): ReadonlyMap<number, Format> {
  if (!Array.isArray(reads)) throw new InvalidArgumentError("reads", "an array of serializers", reads);
  const all: readonly (Serializer | CustomSerializer)[] = [serializer, ...reads];
  const formats = all.map((each) => (isCustom(each) ? customFormat(each) : FORMATS[checkSerializer("reads", each)]));
  if (new Set(all.filter(isCustom)).size > 1)
    throw new InvalidArgumentError(
      "reads",
      "one serializer of your own at most: their values have the same header",
      reads,
    );
  return new Map([undefinedFormat, ...formats].map((format) => [format.id, format]));
}

function isCustom(serializer: Serializer | CustomSerializer): serializer is CustomSerializer {
  const { encode, decode } = Object(serializer) as Partial<CustomSerializer>;
  return typeof encode === "function" && typeof decode === "function";
}

function customFormat(serializer: CustomSerializer): Format {
  return {
    id: SERIALIZER_ID.custom,
    write(value) {
      const encoded = serializer.encode(value);
      if (typeof encoded === "string" && encoded.isWellFormed()) return textFrame(encoded);
      if (encoded instanceof Uint8Array) return bytesFrame(encoded);
      throw new Unstorable("its serializer's encode returned neither bytes nor a well-formed string");
    },
    read: (bytes, start) => serializer.decode(Buffer.from(bytes.subarray(start))),
  };
}

function checkSerializer(field: string, name: Serializer): Serializer {
  if (Object.hasOwn(FORMATS, name)) return name;
  throw new InvalidArgumentError(field, `one of ${NAMES.join(", ")}, or one of your own ({ encode, decode })`, name);
}

/** By the number in a stored value's header. */
export function formatById(id: number, readable: ReadonlyMap<number, Format>): Format {
  const format = readable.get(id);
  if (format !== undefined) return format;
  const name = NAMES_BY_ID.get(id);
  if (name === undefined) throw newer(`serializer ${id}`);
  const message = `the stored value was written by ${name}, which this codec does not read (option reads)`;
  throw new CodecError("unsupported", message);
}

/** A whole frame: header and payload. */
export function write(format: Format, value: unknown, bounds: Bounds): Buffer {
  let frame: Buffer;
  try {
    frame = format.write(value, bounds);
  } catch (error) {
    throw unserializable(error, format);
  }
  frame[0] = MAGIC;
  frame[1] = format.id;
  return frame;
}

/** The payload of `jsonFormat`, without its header. */
export function writeText(value: unknown, bounds: Bounds): string {
  try {
    return faithfulText(value, bounds);
  } catch (error) {
    throw unserializable(error, jsonFormat);
  }
}

/** What it says may quote the value, so it is no cause of ours. */
function unserializable(error: unknown, format: Format): CodecError {
  return new CodecError("unserializable", `the value cannot be stored: ${whyNot(error, format)}`);
}

function whyNot(error: unknown, format: Format): string {
  if (error instanceof CodecError) return error.message;
  if (!(error instanceof Unstorable)) return `its serializer threw ${kindOf(error)}`;
  return format === jsonFormat && error.changed ? `${error.message}${STRUCTURED_KEEPS}` : error.message;
}

export function read(format: Format, payload: Buffer, start: number, bounds: Bounds, expanded: boolean): unknown {
  try {
    return format.read(payload, start, bounds, expanded);
  } catch (error) {
    if (error instanceof CodecError) throw error;
    // A parser's error quotes the text that it cannot read, so it is no cause of ours.
    const empty = payload.length <= start;
    const message = empty ? "the stored value has no payload" : "the payload of the stored value is damaged";
    // oxlint-disable-next-line eslint/preserve-caught-error
    throw new CodecError(empty ? "truncated" : "corrupt", message);
  }
}
