/** All serializers, and what their failures become. */
import { CodecError, InvalidArgumentError } from "../../base/errors.ts";
import { type Bounds, bytesFormat, type Format, undefinedFormat, Unstorable } from "./format.ts";
import { MAGIC, newer, SERIALIZER_ID } from "./header.ts";
import { jsonFormat, looseJsonFormat } from "./json.ts";
import { msgpackFormat } from "./msgpack.ts";
import { kindOf } from "./schema.ts";
import { structuredFormat } from "./structured.ts";

/**
 * What survives, besides what JSON has (`undefined` at the top level survives all four). What does not is refused, with its path.
 * - `json`: nothing else. The fastest to read by far.
 * - `structured`: Date, Map, Set, bigint, undefined, NaN, Infinity, -0, RegExp, URL, typed arrays, sparse arrays, and circular and
 *   repeated references. Reading takes about twice as long as JSON, writing three times.
 * - `msgpack`: Date, Uint8Array, bigint, NaN, Infinity; strings must be well-formed Unicode. Usually the smallest; reading
 *   takes about twice as long as JSON.
 * - `bytes`: a Buffer or Uint8Array and nothing else; decodes to a Buffer.
 */
export type Serializer = "json" | "structured" | "msgpack" | "bytes";

const FORMATS: Record<Serializer, Format> = {
  json: jsonFormat,
  structured: structuredFormat,
  msgpack: msgpackFormat,
  bytes: bytesFormat,
};
const NAMES = Object.keys(FORMATS) as readonly Serializer[];
const BY_ID: ReadonlyMap<number, Format> = new Map(
  [...Object.values(FORMATS), undefinedFormat].map((format) => [format.id, format]),
);

const STRUCTURED_KEEPS =
  ' (serializer "structured" keeps Date, Map, Set, bigint, NaN and undefined; strict: false lets JSON change it)';

export function formatOf(serializer: Serializer, strict: boolean): Format {
  const format = FORMATS[checkSerializer("serializer", serializer)];
  return format === jsonFormat && !strict ? looseJsonFormat : format;
}

/** What a codec may read, by the numbers in headers: a top-level `undefined` always. */
export function readableIds(serializer: Serializer, reads: readonly Serializer[]): ReadonlySet<number> {
  if (!Array.isArray(reads)) throw new InvalidArgumentError("reads", "an array of serializers", reads);
  const names = [serializer, ...reads.map((name) => checkSerializer("reads", name))];
  return new Set([SERIALIZER_ID.undefined, ...names.map((name) => FORMATS[name].id)]);
}

function checkSerializer(field: string, name: Serializer): Serializer {
  if (Object.hasOwn(FORMATS, name)) return name;
  throw new InvalidArgumentError(field, `one of ${NAMES.join(", ")}`, name);
}

/** By the number in a stored value's header. */
export function formatById(id: number, readable: ReadonlySet<number>): Format {
  const format = BY_ID.get(id);
  if (format === undefined) throw newer(`serializer ${id}`);
  if (readable.has(id)) return format;
  const name = NAMES.find((each) => FORMATS[each] === format);
  const message = `the stored value was written by serializer "${name}", which this codec does not read (option reads)`;
  throw new CodecError("unsupported", message);
}

/** A whole frame: header and payload. */
export function write(format: Format, value: unknown, bounds: Bounds): Buffer {
  let frame: Buffer;
  try {
    frame = format.write(value, bounds);
  } catch (error) {
    // What it says may quote the value, so it is no cause of ours.
    // oxlint-disable-next-line eslint/preserve-caught-error
    throw new CodecError("unserializable", `the value cannot be stored: ${whyNot(error, format)}`);
  }
  frame[0] = MAGIC;
  frame[1] = format.id;
  return frame;
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
