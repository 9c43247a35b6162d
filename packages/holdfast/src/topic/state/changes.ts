/** What one call of a handler changes of its subscription's state: kept here until the call has ended well, and then with the cursor. */
import { HoldfastError, InvalidArgumentError } from "../../base/errors.ts";
import { checkName, encodeWhole, type StateCodec, type Stored, wholeOf } from "./stored.ts";

/**
 * The state that a transactional subscription keeps in the partition of the message, as this call sees it: with its own changes. They are carried out together with the
 * commit that passes the message, or not at all.
 */
export interface TopicStateChanges {
  /** Returns a value, or undefined. Cost: none where it was used not long ago, else HMGET. */
  get<V = unknown>(name: string): Promise<V | undefined>;
  /** @throws CodecError where it cannot be encoded */
  set(name: string, value: unknown): void;
  /** Adds to a whole number, from 0 where there is none. Where the value is none, or would be too large, the call has failed. @param by 1 by default */
  increment(name: string, by?: number): void;
  delete(name: string): void;
}

/** `add`: to what is there. */
export type Change = { readonly add: number } | { readonly set: Stored };

/** Of one call. */
const MAX_NAMES = 1_000;
const MAX_BYTES = 1_048_576;

export class Changes implements TopicStateChanges {
  readonly all: Map<string, Change> = new Map<string, Change>();
  readonly #codec: StateCodec;
  readonly #read: (name: string) => Promise<Stored>;
  #bytes = 0;
  #isClosed = false;

  constructor(codec: StateCodec, read: (name: string) => Promise<Stored>) {
    this.#codec = codec;
    this.#read = read;
  }

  async get<V = unknown>(name: string): Promise<V | undefined> {
    this.#checkOpen();
    checkName(name);
    const change = this.all.get(name);
    if (change !== undefined && "set" in change) return this.#codec.decode(change.set) as V | undefined;
    const stored = await this.#read(name);
    // By then it may have been changed.
    const now = this.all.get(name);
    return this.#codec.decode(now === undefined ? stored : changed(name, stored, now)) as V | undefined;
  }

  set(name: string, value: unknown): void {
    this.#change(name, { set: this.#codec.encode(value) });
  }

  increment(name: string, by = 1): void {
    this.#checkOpen();
    if (!Number.isSafeInteger(by)) throw new InvalidArgumentError("by", "a whole number", by);
    const before = this.all.get(name);
    if (before === undefined) return this.#change(name, { add: by });
    this.#change(
      name,
      "add" in before ? { add: sum(name, before.add, by) } : { set: changed(name, before.set, { add: by }) },
    );
  }

  delete(name: string): void {
    this.#change(name, { set: undefined });
  }

  /** The call has ended. */
  close(): void {
    this.#isClosed = true;
  }

  /** A change that is refused is none. */
  #change(name: string, change: Change): void {
    this.#checkOpen();
    checkName(name);
    const before = this.all.get(name);
    const bytes = this.#bytes + sizeOf(name, change) - (before === undefined ? 0 : sizeOf(name, before));
    if (this.all.size === MAX_NAMES && before === undefined)
      throw new InvalidArgumentError("name", `at most ${MAX_NAMES} names for a call`, name);
    if (bytes > MAX_BYTES) throw new InvalidArgumentError("value", `at most ${MAX_BYTES} bytes for a call`, bytes);
    this.#bytes = bytes;
    this.all.set(name, change);
  }

  #checkOpen(): void {
    if (!this.#isClosed) return;
    throw new HoldfastError("CLOSED", "the handler has ended: what it changes of the state now is not kept");
  }
}

/** @throws HoldfastError where it cannot be added to */
export function changed(name: string, stored: Stored, change: Change): Stored {
  if ("set" in change) return change.set;
  if (stored === undefined) return encodeWhole(change.add);
  const whole = wholeOf(stored);
  if (whole === undefined) throw conflict(name, "is no whole number, and cannot be added to");
  return encodeWhole(sum(name, whole, change.add));
}

function sizeOf(name: string, change: Change): number {
  return name.length + ("set" in change ? (change.set?.length ?? 0) : 0);
}

function sum(name: string, one: number, other: number): number {
  const result = one + other;
  if (Number.isSafeInteger(result)) return result;
  throw conflict(name, "would be too large a number");
}

function conflict(name: string, what: string): HoldfastError {
  return new HoldfastError("CONFLICT", `state ${JSON.stringify(name)} ${what}`);
}
