/**
 * A value of a subscription's state as it is stored: `i` and decimal digits for a whole number, so that it is added to without decoding, else `v` and what
 * the topic's codec made of it. Its field stands beside the cursor, in the same hash: they are lost together, or not at all.
 */
import { CodecError, InvalidArgumentError } from "../../base/errors.ts";
import type { Codec } from "../../core/codec/codec.ts";
import { checkText, MAX_ID_LENGTH } from "../../core/keyspace/keyspace.ts";

/** Undefined: there is none. */
export type Stored = Buffer | undefined;

const FIELD = "=";
const [WHOLE, VALUE] = ["i".codePointAt(0)!, "v".codePointAt(0)!];

export class StateCodec {
  readonly #codec: Codec<unknown>;
  readonly #aad: string;

  /** @param aad where the values are stored */
  constructor(codec: Codec<unknown>, aad: string) {
    this.#codec = codec;
    this.#aad = aad;
  }

  encode(value: unknown): Buffer {
    if (value === undefined) throw new InvalidArgumentError("value", "a value: delete(name) removes one", value);
    if (Number.isSafeInteger(value)) return encodeWhole(value as number);
    return Buffer.concat([Buffer.of(VALUE), this.#codec.encode(value, { aad: this.#aad })]);
  }

  /** @throws CodecError */
  decode(stored: Stored): unknown {
    if (stored === undefined) return undefined;
    const whole = wholeOf(stored);
    if (whole !== undefined) return whole;
    if (stored[0] !== VALUE) throw new CodecError("corrupt", "what is stored is no value of a subscription's state");
    return this.#codec.decode(stored.subarray(1), { aad: this.#aad });
  }
}

/** Of a name, in the hash of the partition. */
export function fieldOf(name: string): string {
  return `${FIELD}${name}`;
}

/** Undefined for a field of the subscription itself. */
export function nameOf(field: string): string | undefined {
  return field.startsWith(FIELD) ? field.slice(FIELD.length) : undefined;
}

export const STATE_FIELDS: string = `${FIELD}*`;

export function checkName(name: string): string {
  return checkText("name", name, MAX_ID_LENGTH);
}

export function encodeWhole(value: number): Buffer {
  return Buffer.from(`i${value}`);
}

/** Undefined for what is none. */
export function wholeOf(stored: Buffer): number | undefined {
  return stored[0] === WHOLE ? Number(stored.toString("latin1", 1)) : undefined;
}
