/** A record's value to the fields of its hash, and back. */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Codec } from "../core/codec/codec.ts";
import { ENCRYPTED, MAGIC, SERIALIZER_ID } from "../core/codec/header.ts";
import { inField } from "../core/codec/in-field.ts";
import { validate } from "../core/codec/schema.ts";
import { CodecError, InvalidArgumentError, kindGiven } from "../base/errors.ts";
import { numberFrom, numberToText } from "./number-text.ts";

/** Only these fields change; one that is `undefined` is removed. */
export type RecordPatch<T> = { readonly [Field in keyof T]?: T[Field] | undefined };

/** Field names and lengths of their values in alternation, and the values one after the other. */
export interface EncodedFields {
  readonly layout: readonly (string | number)[];
  readonly payload: Buffer;
}

/** One command carries them all, so their number is bounded. */
const MAX_FIELDS = 1_000;
/** Half of a character, which UTF-8 cannot hold: two such names would become one. */
const LONE_SURROGATE = /\p{Surrogate}/u;

export class RecordFormat<T extends object> {
  readonly #codec: Codec<unknown>;
  readonly #schema: StandardSchemaV1<unknown, T> | undefined;
  /** With encryption no field is stored in clear, so numbers are no exception and a script cannot add to them. */
  readonly #sealed: boolean;
  readonly #readsPlain: boolean;
  readonly #defaults: readonly (readonly [string, unknown])[];

  constructor(codec: Codec<unknown>, schema: StandardSchemaV1<unknown, T> | undefined, defaults: Partial<T> = {}) {
    this.#codec = codec;
    this.#schema = schema;
    this.#sealed = encrypts(codec);
    this.#readsPlain = readsPlain(codec);
    const given = Object.entries(asFields("defaults", defaults)).filter(([, value]) => value !== undefined);
    this.#defaults = given.map(([name, value]) => [name, copyOf(name, value)] as const);
  }

  /** A change can be checked only together with the fields that it leaves. */
  get checksWholes(): boolean {
    return this.#schema !== undefined;
  }

  /** Whether a script can read and write the numbers. */
  get numbersAreOpen(): boolean {
    return !this.#sealed;
  }

  /** A field that is not there is not 0 then. */
  hasDefault(field: string): boolean {
    return this.#defaults.some(([name]) => name === field);
  }

  /** What the schema makes of a value that is about to be stored. */
  checked(value: T): T {
    const whole = this.filled(asFields("value", value));
    return this.#schema === undefined ? whole : validate(this.#schema, whole, "encode");
  }

  /** Fields that are `undefined` are left out. */
  encode(key: string, fields: RecordPatch<T>): EncodedFields {
    const layout: (string | number)[] = [];
    const values: Buffer[] = [];
    for (const [name, value] of Object.entries(fields)) {
      if (value === undefined) continue;
      const bytes = this.#encodeField(key, name, value);
      layout.push(name, bytes.length);
      values.push(bytes);
    }
    return { layout, payload: values.length === 1 ? values[0]! : Buffer.concat(values) };
  }

  /** @throws CodecError where this configuration cannot read what is stored: that is not the same as "no record" */
  decode(key: string, stored: ReadonlyMap<string, Buffer>): T {
    return this.read(this.decodeSome(key, stored) as T);
  }

  /** What a user sees of a whole that was decoded. */
  read(decoded: T): T {
    const whole = this.filled(decoded);
    return this.#schema === undefined ? whole : validate(this.#schema, whole, "decode");
  }

  /** With the defaults of those of `fields` that it lacks; of its own, so that a change of it is no change of the default. */
  filled<V extends object>(value: V, fields?: readonly string[]): V {
    if (this.#defaults.length === 0) return value;
    const lacking = this.#defaults.filter(([name]) => !isGiven(value, name) && (fields?.includes(name) ?? true));
    if (lacking.length === 0) return value;
    const defaults = lacking.map(([name, each]) => [name, structuredClone(each)] as const);
    return Object.fromEntries([...Object.entries(value), ...defaults]) as V;
  }

  /** Without the schema, which knows wholes only. */
  decodeSome(key: string, stored: ReadonlyMap<string, Buffer>): Partial<T> {
    const fields: [string, unknown][] = [];
    for (const [name, bytes] of stored) fields.push([name, this.#decodeField(key, name, bytes)]);
    // fromEntries defines own properties, so a field called __proto__ is a field like any other.
    return Object.fromEntries(fields) as Partial<T>;
  }

  /** What a read would make of the value, the schema apart. */
  copy(key: string, value: T): T {
    const { layout, payload } = this.encode(key, asFields("initial", value));
    const stored = new Map<string, Buffer>();
    for (let at = 0, from = 0; at < layout.length; at += 2) {
      const to = from + (layout[at + 1] as number);
      stored.set(layout[at] as string, payload.subarray(from, to));
      from = to;
    }
    return this.decodeSome(key, stored) as T;
  }

  #encodeField(key: string, name: string, value: unknown): Buffer {
    if (typeof value === "number" && Number.isFinite(value) && !this.#sealed) return Buffer.from(numberToText(value));
    try {
      return this.#codec.encode(value, { aad: sealOf(key, name) });
    } catch (error) {
      throw inField(name, error);
    }
  }

  #decodeField(key: string, name: string, bytes: Buffer): unknown {
    try {
      const number = numberFrom(bytes);
      if (number === undefined) return this.#codec.decode(bytes, { aad: sealOf(key, name) });
      if (this.#readsPlain) return number;
      const migrate = "encrypt.allowPlaintext for a migration";
      throw new CodecError("key", `the number is not encrypted, and these records require it (${migrate})`);
    } catch (error) {
      throw inField(name, error);
    }
  }
}

/** @param known that of today, as far as this process knows @throws CodecError for a record of a newer one */
export function checkFormat(stored: number, known: number): void {
  if (stored <= known) return;
  throw new CodecError(
    "version",
    `the record is of format ${stored}, and this process has migrations to ${known} only`,
  );
}

/** The value itself, once it is known to be an object whose fields can be stored. */
export function asFields<V extends object>(field: string, value: V): V {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new InvalidArgumentError(field, "an object of fields", kindGiven(value));
  checkNames(field, Object.keys(value));
  return value;
}

export function checkNames(field: string, names: readonly string[]): void {
  if (names.length > MAX_FIELDS) throw new InvalidArgumentError(field, `at most ${MAX_FIELDS} fields`, names.length);
  // By its place: the name that is no string may be undefined.
  const broken = names.findIndex((name) => typeof name !== "string" || LONE_SURROGATE.test(name));
  if (broken >= 0) throw new InvalidArgumentError(field, "well-formed strings as names of fields", names[broken]);
}

/** @throws InvalidArgumentError for what cannot be copied for each reader */
function copyOf(name: string, value: unknown): unknown {
  try {
    return structuredClone(value);
  } catch {
    throw new InvalidArgumentError(`defaults.${name}`, "a value that can be copied", kindGiven(value));
  }
}

/** Own fields only: every object has a `constructor`. */
function isGiven(value: object, name: string): boolean {
  return Object.hasOwn(value, name) && (value as Record<string, unknown>)[name] !== undefined;
}

/** Encrypted values open only in this field of this record. */
function sealOf(key: string, name: string): string {
  return `${key}\0${name}`;
}

/** The settings of the handle and of the record are merged in the codec, so it is the codec that is asked. */
function encrypts(codec: Codec<unknown>): boolean {
  return (codec.encode(undefined)[1]! & ENCRYPTED) !== 0;
}

function readsPlain(codec: Codec<unknown>): boolean {
  try {
    codec.decode(Buffer.of(MAGIC, SERIALIZER_ID.undefined));
    return true;
  } catch {
    return false;
  }
}
