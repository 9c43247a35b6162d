/**
 * Values to the bytes that are stored, and back: validate, serialize, compress, encrypt, behind the header of `header.ts`.
 *
 * A codec reads whatever serializer and compression a value's header names, so that the options can change while
 * old values live on. Each failure is a CodecError, whose `reason` says whose fault it is.
 */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import { CodecError, InvalidArgumentError } from "../../base/errors.ts";
import { type CompressOptions, type Compressor, createCompressor, decompress } from "./compression.ts";
import { type EncryptOptions, Keyring } from "./encryption.ts";
import { type Format, undefinedFormat } from "./format.ts";
import { formatById, formatOf, read, type Serializer, write } from "./formats.ts";
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
import { validate } from "./schema.ts";

export type { CompressOptions, Compression } from "./compression.ts";
export type { EncryptOptions } from "./encryption.ts";
export type { Serializer } from "./formats.ts";

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

export interface CodecOptions<T> {
  /** @default "json" */
  readonly serializer?: Serializer;
  /**
   * For `json`: refuse values that JSON would change without a word, as the other serializers always do. Encoding takes
   * about twice as long.
   * @default false
   */
  readonly strict?: boolean;
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
   * @default 67108864 (64 MiB)
   */
  readonly maxOutputLength?: number;
}

const DEFAULT_MAX_OUTPUT_LENGTH = 64 * 1024 * 1024;
/** Equal to no byte: switches the short way of `decode` off. */
const NEVER = -1;

/** @throws InvalidArgumentError on options that are wrong, or that this runtime has no support for */
export function createCodec<T = unknown>(options: CodecOptions<T> = {}): Codec<T> {
  return new EnvelopeCodec(options);
}

class EnvelopeCodec<T> implements Codec<T> {
  readonly name: string;
  readonly #format: Format;
  readonly #compress: Compressor | undefined;
  readonly #keyring: Keyring | undefined;
  readonly #allowPlaintext: boolean;
  readonly #schema: StandardSchemaV1<unknown, T> | undefined;
  readonly #maxOutputLength: number;
  /** Byte 1 of what is decoded the short way: plain JSON, unless it has to be encrypted. */
  readonly #shortFlags: number;

  constructor(options: CodecOptions<T>) {
    const {
      serializer = "json",
      compress = false,
      encrypt,
      schema,
      maxOutputLength = DEFAULT_MAX_OUTPUT_LENGTH,
    } = options;
    if (!Number.isSafeInteger(maxOutputLength) || maxOutputLength < 1) {
      throw new InvalidArgumentError("maxOutputLength", "a whole number of bytes, 1 or more", maxOutputLength);
    }
    if (schema !== undefined && typeof schema["~standard"]?.validate !== "function") {
      throw new InvalidArgumentError("schema", "a Standard Schema", schema);
    }
    this.#format = formatOf(serializer, options.strict ?? false);
    this.#compress = compress === false ? undefined : createCompressor(compress, maxOutputLength);
    this.#keyring = encrypt === undefined ? undefined : new Keyring(encrypt);
    this.#allowPlaintext = encrypt === undefined || encrypt.allowPlaintext === true;
    this.#schema = schema;
    this.#maxOutputLength = maxOutputLength;
    this.#shortFlags = this.#allowPlaintext ? SERIALIZER_ID.json : NEVER;
    this.name = [serializer, compress && (compress.algorithm ?? "gzip"), encrypt && "aes-256-gcm"]
      .filter(Boolean)
      .join("+");
  }

  encode(value: T, context?: CodecContext): Buffer {
    const checked = this.#schema === undefined ? value : validate(this.#schema, value, "encode");
    const frame = write(checked === undefined ? undefinedFormat : this.#format, checked);
    const compressed = this.#compress === undefined ? frame : this.#compress(frame);
    return this.#keyring === undefined ? compressed : this.#keyring.seal(compressed, context?.aad);
  }

  decode(bytes: Buffer, context?: CodecContext): T {
    const plain = bytes[0] === MAGIC && bytes[1] === this.#shortFlags;
    const value = plain ? read(jsonFormat, bytes, HEADER_LENGTH) : this.#open(bytes, context?.aad);
    return this.#schema === undefined ? (value as T) : validate(this.#schema, value, "decode");
  }

  #open(bytes: Buffer, aad: string | Buffer | undefined): unknown {
    const flags = readFlags(bytes);
    const format = formatById(flags & SERIALIZER_MASK);
    const encrypted = (flags & ENCRYPTED) !== 0;
    const payload = encrypted ? this.#decrypt(bytes, aad) : this.#plaintext(bytes);
    const start = encrypted ? 0 : HEADER_LENGTH;
    const compression = (flags & COMPRESSION_MASK) >> COMPRESSION_SHIFT;
    if (compression === 0) return read(format, payload, start);
    return read(format, decompress(compression, payload.subarray(start), this.#maxOutputLength), 0);
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
