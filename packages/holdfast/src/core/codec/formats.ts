/** All serializers, and what their failures become. */
import { CodecError, InvalidArgumentError } from "../../base/errors.ts";
import { bytesFormat, type Format, undefinedFormat } from "./format.ts";
import { MAGIC, newer, SERIALIZER_ID } from "./header.ts";
import { jsonFormat, strictJsonFormat } from "./json.ts";
import { msgpackFormat } from "./msgpack.ts";
import { structuredFormat } from "./structured.ts";

/**
 * What survives, besides what JSON has (`undefined` at the top level survives all four):
 * - `json`: nothing. Dates become strings, NaN becomes null, Maps and Sets become `{}`, without a word unless `strict` is set.
 * - `structured`: Date, Map, Set, bigint, undefined, NaN, Infinity, -0, RegExp, URL, typed arrays, sparse arrays, and circular and
 *   repeated references. Refuses class instances and functions. Takes two to four times as long as JSON.
 * - `msgpack`: Date, Uint8Array, bigint, NaN, Infinity. Refuses Map, Set, class instances and functions; -0 becomes 0, and
 *   strings must be well-formed Unicode. Usually the smallest; decoding takes about twice as long as JSON.
 * - `bytes`: a Buffer or Uint8Array and nothing else; decodes to a Buffer.
 */
export type Serializer = "json" | "structured" | "msgpack" | "bytes";

const FORMATS: Record<Serializer, Format> = {
  json: jsonFormat,
  structured: structuredFormat,
  msgpack: msgpackFormat,
  bytes: bytesFormat,
};
const BY_ID: ReadonlyMap<number, Format> = new Map(
  [...Object.values(FORMATS), undefinedFormat].map((format) => [format.id, format]),
);

export function formatOf(serializer: Serializer, strict: boolean): Format {
  if (!Object.hasOwn(FORMATS, serializer)) {
    throw new InvalidArgumentError("serializer", `one of ${Object.keys(FORMATS).join(", ")}`, serializer);
  }
  return strict && serializer === "json" ? strictJsonFormat : FORMATS[serializer];
}

/** By the number in a stored value's header. */
export function formatById(id: number): Format {
  const format = BY_ID.get(id);
  if (format === undefined) throw newer(`serializer ${id}`);
  return format;
}

/** A whole frame: header and payload. */
export function write(format: Format, value: unknown): Buffer {
  let frame: Buffer;
  try {
    frame = format.write(value);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const hint = format.id === SERIALIZER_ID.json ? ' (serializer "structured" keeps more kinds of values)' : "";
    throw new CodecError("unserializable", `the value cannot be stored: ${why}${hint}`, { cause });
  }
  frame[0] = MAGIC;
  frame[1] = format.id;
  return frame;
}

export function read(format: Format, payload: Buffer, start: number): unknown {
  try {
    return format.read(payload, start);
  } catch (cause) {
    if (cause instanceof CodecError) throw cause;
    const empty = payload.length <= start;
    const message = empty ? "the stored value has no payload" : "the payload of the stored value is damaged";
    throw new CodecError(empty ? "truncated" : "corrupt", message, { cause });
  }
}
