/**
 * Values to the bytes that are stored, and back: validate, serialize, compress, encrypt, behind the header of `header.ts`.
 *
 * A codec reads what it writes and what `reads` names, whatever the compression, so that the options can change while
 * old values live on. Each failure is a CodecError, whose `reason` says whose fault it is; nothing of a value, a stored
 * text or a key is ever in its message, and nothing is its cause that might quote them.
 */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { constants } from "node:buffer";
import { CodecError, InvalidArgumentError } from "../../base/errors.ts";
import { givenOptions, type Loose, type OptionNames, wholeBetween } from "../../base/options.ts";
import { type CompressOptions, type Compressor, createCompressor, decompress } from "./compression.ts";
import { type EncryptOptions, Keyring } from "./encryption.ts";
import { type Bounds, type Format, undefinedFormat } from "./format.ts";
import {
  type CustomSerializer,
  formatById,
  formatOf,
  read,
  readableFormats,
  type Serializer,
  write,
  writeText,
} from "./formats.ts";
import {
  COMPRESSION_MASK,
  COMPRESSION_SHIFT,
  ENCRYPTED,
  HEADER_LENGTH,
  MAGIC,
  readFlags,
  SERIALIZER_ID,
  SERIALIZER_MASK,
} from "./header.ts";
import { jsonFormat } from "./json.ts";
import { MAX_DEPTH } from "./msgpack-scan.ts";
import { checkSchema, validate } from "./schema.ts";

export type { CompressOptions, Compression } from "./compression.ts";
export type { EncryptOptions } from "./encryption.ts";
export type { CustomSerializer, Serializer } from "./formats.ts";

export interface CodecContext {
  /** Bound into the tag of an encrypted value (the key's name, the field): it decrypts only where it was stored. */
  readonly aad?: string | Buffer;
}

/** Synchronous both ways, without side effects, safe to share. */
export interface Codec<T> {
  /** For messages and tracing, such as `json+gzip+aes-256-gcm`. */
  readonly name: string;
  /** @throws CodecError with reason `unserializable`, or `validation` */
  encode(value: T, context?: CodecContext): Buffer;
  /** The result shares no memory with `bytes`. @throws CodecError */
  decode(bytes: Buffer, context?: CodecContext): T;
}

/** For whoever writes many values into one buffer. */
export interface PartCodec<T> extends Codec<T> {
  /** As `encode`, but what is stored as plain JSON is its text, which `writeJsonHeader` goes before. */
  encodePart(value: T, context?: CodecContext): Buffer | string;
}

export interface CodecOptions<T> {
  /** By name, or `{ encode, decode }` of your own. @default "json" */
  readonly serializer?: Serializer | CustomSerializer;
  /**
   * For `json`: refuse values that JSON would change without a word, as the other serializers always do. `false` stores
   * whatever `JSON.stringify` makes of them.
   * @default true
   */
  readonly strict?: boolean;
  /**
   * Serializers whose values are read besides those of `serializer`: for the time after a change of it. The others' are
   * refused, so that whoever can write to the server does not choose the parser.
   * @default []
   */
  readonly reads?: readonly (Serializer | CustomSerializer)[];
  /**
   * Compressed before encryption. The length of an encrypted value then hints at its content to somebody who
   * controls a part of it: leave it off where secrets and foreign input share a value.
   * @default false
   */
  readonly compress?: false | CompressOptions;
  /** @default not encrypted */
  readonly encrypt?: EncryptOptions;
  /**
   * A synchronous Standard Schema (https://standardschema.dev). What it returns for a value is what gets stored, and what it
   * returns for a stored value is the result of `decode`: it must accept its own output and leave it as it is.
   * @default no validation
   */
  readonly schema?: StandardSchemaV1<unknown, T>;
  /**
   * The most bytes that a compressed value may have when decompressed.
   * @default 16777216 (16 MiB)
   */
  readonly maxOutputLength?: number;
  /**
   * The most items of arrays and properties of objects, all together, that a value may have.
   * @default 1000000
   */
  readonly maxItems?: number;
  /**
   * The most levels of arrays and objects in each other, up to 256. `structured` values are bounded by the stack instead.
   * @default 256
   */
  readonly maxDepth?: number;
}

/** The names of all codec options, for the options of whoever has them among its own. */
export const CODEC_OPTIONS: OptionNames<CodecOptions<unknown>> = {
  serializer: true,
  strict: true,
  reads: true,
  compress: true,
  encrypt: true,
  schema: true,
  maxOutputLength: true,
  maxItems: true,
  maxDepth: true,
};

const DEFAULT_MAX_OUTPUT_LENGTH = 16 * 1024 * 1024;
const DEFAULT_MAX_ITEMS = 1_000_000;
/** Equal to no byte: switches the short way of `decode` off. */
const NEVER = -1;

/** @throws InvalidArgumentError on options that are wrong, or that this runtime has no support for */
export function createCodec<T = unknown>(options: CodecOptions<T> = {}): PartCodec<T> {
  return new EnvelopeCodec(givenOptions<CodecOptions<T>>(options, CODEC_OPTIONS));
}

/**
 * The codec options among those of a primitive, over the ones of its handle. What is undefined counts as not given: else
 * `{ encrypt: undefined }` would store in clear what the handle encrypts.
 */
export function mergeCodecOptions<T>(defaults: CodecOptions<unknown>, given: Loose<CodecOptions<T>>): CodecOptions<T> {
  const merged: Partial<Record<string, unknown>> = {};
  for (const name of Object.keys(CODEC_OPTIONS) as (keyof CodecOptions<T>)[]) {
    const option = given[name] ?? defaults[name];
    if (option !== undefined) merged[name] = option;
  }
  return merged;
}

class EnvelopeCodec<T> implements PartCodec<T> {
  readonly name: string;
  readonly #format: Format;
  readonly #readable: ReadonlyMap<number, Format>;
  readonly #compress: Compressor | undefined;
  readonly #keyring: Keyring | undefined;
  readonly #allowPlaintext: boolean;
  readonly #schema: StandardSchemaV1<unknown, T> | undefined;
  readonly #bounds: Bounds;
  readonly #maxOutputLength: number;
  /** What is encoded is plain JSON. */
  readonly #isText: boolean;
  /** Byte 1 of what is decoded the short way: plain JSON, unless it is not read or has to be encrypted. */
  readonly #shortFlags: number;

  constructor(options: CodecOptions<T>) {
    const { serializer = "json", compress = false, encrypt, schema, strict = true, reads = [] } = options;
    if (typeof strict !== "boolean") throw new InvalidArgumentError("strict", "true or false", strict);
    const { maxOutputLength = DEFAULT_MAX_OUTPUT_LENGTH, maxItems = DEFAULT_MAX_ITEMS, maxDepth = MAX_DEPTH } = options;
    this.#maxOutputLength = wholeBetween("maxOutputLength", maxOutputLength, 1, constants.MAX_LENGTH);
    this.#bounds = {
      maxItems: wholeBetween("maxItems", maxItems, 1, Number.MAX_SAFE_INTEGER),
      maxDepth: wholeBetween("maxDepth", maxDepth, 1, MAX_DEPTH),
    };
    this.#format = formatOf(serializer, strict);
    this.#readable = readableFormats(serializer, reads);
    this.#compress = compress === false ? undefined : createCompressor(compress, maxOutputLength);
    this.#keyring = encrypt === undefined ? undefined : new Keyring(encrypt);
    this.#allowPlaintext = encrypt === undefined || encrypt.allowPlaintext === true;
    this.#schema = checkSchema(schema);
    this.#isText = this.#format === jsonFormat && this.#compress === undefined && this.#keyring === undefined;
    this.#shortFlags = this.#allowPlaintext && this.#readable.has(SERIALIZER_ID.json) ? SERIALIZER_ID.json : NEVER;
    this.name = [
      typeof serializer === "string" ? serializer : "custom",
      compress && (compress.algorithm ?? "gzip"),
      encrypt && "aes-256-gcm",
    ]
      .filter(Boolean)
      .join("+");
  }

  encode(value: T, context?: CodecContext): Buffer {
    return this.#frame(this.#checked(value), context);
  }

  encodePart(value: T, context?: CodecContext): Buffer | string {
    const checked = this.#checked(value);
    return this.#isText && checked !== undefined ? writeText(checked, this.#bounds) : this.#frame(checked, context);
  }

  #checked(value: T): T {
    return this.#schema === undefined ? value : validate(this.#schema, value, "encode");
  }

  #frame(checked: T, context: CodecContext | undefined): Buffer {
    const frame = write(checked === undefined ? undefinedFormat : this.#format, checked, this.#bounds);
    const compressed = this.#compress === undefined ? frame : this.#compress(frame);
    return this.#keyring === undefined ? compressed : this.#keyring.seal(compressed, context?.aad);
  }

  decode(bytes: Buffer, context?: CodecContext): T {
    const plain = bytes[0] === MAGIC && bytes[1] === this.#shortFlags;
    const value = plain ? read(jsonFormat, bytes, HEADER_LENGTH, this.#bounds, false) : this.#open(bytes, context?.aad);
    return this.#schema === undefined ? (value as T) : validate(this.#schema, value, "decode");
  }

  #open(bytes: Buffer, aad: string | Buffer | undefined): unknown {
    const flags = readFlags(bytes);
    const format = formatById(flags & SERIALIZER_MASK, this.#readable);
    const encrypted = (flags & ENCRYPTED) !== 0;
    const payload = encrypted ? this.#decrypt(bytes, aad) : this.#plaintext(bytes);
    const start = encrypted ? 0 : HEADER_LENGTH;
    const compression = (flags & COMPRESSION_MASK) >> COMPRESSION_SHIFT;
    if (compression === 0) return read(format, payload, start, this.#bounds, false);
    return read(format, decompress(compression, payload.subarray(start), this.#maxOutputLength), 0, this.#bounds, true);
  }

  #decrypt(bytes: Buffer, aad: string | Buffer | undefined): Buffer {
    if (this.#keyring !== undefined) return this.#keyring.open(bytes, aad);
    throw new CodecError("key", "the value is encrypted, and this codec has no keys (option encrypt)");
  }

  #plaintext(bytes: Buffer): Buffer {
    if (this.#allowPlaintext) return bytes;
    throw new CodecError(
      "key",
      "the value is not encrypted, and this codec requires it (encrypt.allowPlaintext for a migration)",
    );
  }
}

/** JSON, neither compressed nor encrypted. */
export const jsonCodec: Codec<unknown> = createCodec();
