/** A session as it is returned, and as it is stored: each top-level field of its data is a field of the hash. */
import type { StandardSchemaV1 } from "@standard-schema/spec";
import type { Codec } from "../core/codec/codec.ts";
import { inField } from "../core/codec/in-field.ts";
import { validate } from "../core/codec/schema.ts";
import { InvalidArgumentError, kindGiven } from "../base/errors.ts";
import type { SessionRef } from "./ids.ts";

/** What a list of a user's devices shows. Times are milliseconds since 1970 of the server's clock. */
export interface SessionInfo<Device = unknown> {
  /** Names the session without opening it: for `revoke`, for a page that lists devices, for logs. */
  readonly handle: string;
  /** As `create` was given it. */
  readonly device: Device | undefined;
  readonly createdAt: number;
  /** Exact to `touchAfter`. */
  readonly lastSeenAt: number;
  /** When it expires if it is not used again. */
  readonly expiresAt: number;
}

export interface Session<Data, Device = unknown> extends SessionInfo<Device> {
  /** Undefined for an anonymous session. */
  readonly user: string | undefined;
  readonly data: Data;
  /** Rises with each patch. */
  readonly version: number;
}

/** Only these fields change; one that is `undefined` is removed. */
export type SessionPatch<Data> = { readonly [Field in keyof Data]?: Data[Field] | undefined };

export interface SessionValues<Data, Device> {
  readonly user: string | undefined;
  readonly device: Device | undefined;
  readonly data: Data;
}

/** One command carries them all, so their number is bounded. */
const MAX_FIELDS = 1_000;
const DATA = "d:";

export class SessionFormat<Data extends object, Device> {
  readonly #codec: Codec<unknown>;
  readonly #schema: StandardSchemaV1<unknown, Data> | undefined;
  readonly #idleMs: number;

  constructor(codec: Codec<unknown>, schema: StandardSchemaV1<unknown, Data> | undefined, idleMs: number) {
    this.#codec = codec;
    this.#schema = schema;
    this.#idleMs = idleMs;
  }

  /** A patch can be checked only together with the fields that it leaves. */
  get checksWholes(): boolean {
    return this.#schema !== undefined;
  }

  /** What the schema makes of data that is about to be stored. */
  checked(data: Data): Data {
    return this.#schema === undefined ? data : validate(this.#schema, data, "encode");
  }

  /** Names and values for HSET. */
  encode(ref: SessionRef, { user, device, data }: SessionValues<Data, Device>): (string | Buffer)[] {
    const checked = this.checked(fieldsOf("data", data));
    const fields: (string | Buffer)[] = [];
    if (user !== undefined) fields.push("user", this.#seal(ref, "user", user));
    if (device !== undefined) fields.push("device", this.#seal(ref, "device", device));
    for (const [name, value] of Object.entries(checked)) {
      if (value !== undefined) fields.push(DATA + name, this.#seal(ref, DATA + name, value));
    }
    return fields;
  }

  /** What a read would make of some fields. */
  copy(ref: SessionRef, fields: Partial<Data>): Partial<Data> {
    const copies = Object.entries(fieldsOf("initial", fields))
      .filter(([, value]) => value !== undefined)
      .map(([name, value]) => [name, this.#open(ref, DATA + name, this.#seal(ref, DATA + name, value))]);
    return Object.fromEntries(copies) as Partial<Data>;
  }

  /** Names to remove, and how many they are, followed by names and values to set. */
  encodePatch(ref: SessionRef, patch: SessionPatch<Data>): { removed: number; changes: (string | Buffer)[] } {
    const entries = Object.entries(patch);
    const gone = entries.filter(([, value]) => value === undefined).map(([name]) => DATA + name);
    const changes: (string | Buffer)[] = [...gone];
    for (const [name, value] of entries) {
      if (value !== undefined) changes.push(DATA + name, this.#seal(ref, DATA + name, value));
    }
    return { removed: gone.length, changes };
  }

  /** @throws CodecError where this configuration cannot read what is stored: that is not the same as "no session". */
  decode(ref: SessionRef, flat: readonly Buffer[]): Session<Data, Device> {
    const stored = pairs(flat);
    const data: [string, unknown][] = [];
    for (const [name, bytes] of stored) {
      if (name.startsWith(DATA)) data.push([name.slice(DATA.length), this.#open(ref, name, bytes)]);
    }
    // fromEntries defines own properties, so a field called __proto__ is a field like any other.
    const whole = Object.fromEntries(data) as Data;
    return {
      ...this.#info(ref, stored),
      user: this.#open(ref, "user", stored.get("user")) as string | undefined,
      data: this.#schema === undefined ? whole : validate(this.#schema, whole, "decode"),
      version: Number(stored.get("version")),
    };
  }

  /** Of an answer to HMGET with INFO_FIELDS; undefined for a session that has ended meanwhile, or was evicted by the server. */
  decodeInfo(ref: SessionRef, values: readonly (Buffer | null)[]): SessionInfo<Device> | undefined {
    const stored = new Map<string, Buffer>();
    for (const [at, name] of INFO_FIELDS.entries()) {
      const value = values[at];
      if (value) stored.set(name, value);
    }
    return stored.has("created") ? this.#info(ref, stored) : undefined;
  }

  #info(ref: SessionRef, stored: ReadonlyMap<string, Buffer>): SessionInfo<Device> {
    const lastSeenAt = Number(stored.get("seen"));
    return {
      handle: ref.handle,
      device: this.#open(ref, "device", stored.get("device")) as Device | undefined,
      createdAt: Number(stored.get("created")),
      lastSeenAt,
      expiresAt: Math.min(lastSeenAt + this.#idleMs, Number(stored.get("ends"))),
    };
  }

  #seal(ref: SessionRef, field: string, value: unknown): Buffer {
    try {
      return this.#codec.encode(value, { aad: sealOf(ref, field) });
    } catch (error) {
      throw inField(nameOf(field), error);
    }
  }

  #open(ref: SessionRef, field: string, bytes: Buffer | undefined): unknown {
    if (bytes === undefined) return undefined;
    try {
      return this.#codec.decode(bytes, { aad: sealOf(ref, field) });
    } catch (error) {
      throw inField(nameOf(field), error);
    }
  }
}

export const INFO_FIELDS = ["created", "seen", "ends", "device"] as const;

/** Encrypted values open only in this field of this session, so none can be moved to where it grants more. */
function sealOf(ref: SessionRef, field: string): string {
  return `${ref.session}\0${field}`;
}

/** As the user knows it: `user`, `device`, or a field of the data. */
function nameOf(field: string): string {
  return field.startsWith(DATA) ? field.slice(DATA.length) : field;
}

function pairs(flat: readonly Buffer[]): Map<string, Buffer> {
  const stored = new Map<string, Buffer>();
  for (let at = 0; at + 1 < flat.length; at += 2) stored.set(flat[at]!.toString(), flat[at + 1]!);
  return stored;
}

export function fieldsOf<T extends object>(name: string, value: T): T {
  const ok = typeof value === "object" && value !== null && !Array.isArray(value);
  if (!ok || Object.keys(value).length > MAX_FIELDS) {
    throw new InvalidArgumentError(name, `an object with at most ${MAX_FIELDS} fields`, kindGiven(value));
  }
  return value;
}
