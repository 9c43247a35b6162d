/** What several windows have in common with one: each member once. Exact as long as all of them list their members' hashes. */
import { CodecError } from "../base/errors.ts";
import { murmurHashOf } from "../core/hash/murmur.ts";
import { estimate, MAGIC, raiseBy, raiseTo, REGISTERS } from "./registers.ts";

export interface UniquesCount {
  readonly count: number;
  /** Whether it is no estimate. */
  readonly exact: boolean;
  /** Relative; two thirds of all estimates are that near to the true count, 95 % within twice of it. 0 where `exact`. */
  readonly standardError: number;
}

/** 1.04 / sqrt(16,384) */
const STANDARD_ERROR = 0.0081;
const HEAD = "uniques1";
const HASH_BYTES = 8;
const SEED = 0x75_6e_69_71;
/** Of several windows; with more it becomes an estimate. */
const MAX_EXACT = 65_536;

/** What is stored for a member. */
export function hashOfMember(member: string): Buffer {
  const { low, high } = murmurHashOf(member, SEED);
  const hash = Buffer.allocUnsafe(HASH_BYTES);
  hash.writeUInt32LE(low, 0);
  hash.writeUInt32LE(high, 4);
  return hash;
}

export class Union {
  readonly #hashes = new Set<string>();
  /** Undefined while there are only hashes. */
  #registers: Uint8Array | undefined;

  /** @param stored a window's bytes; null where there are none */
  add(stored: Buffer | null, key: string): void {
    if (stored === null) return;
    const head = stored.toString("latin1", 0, HEAD.length);
    if (head.startsWith(MAGIC)) raiseTo(this.#registersNow(), stored, key);
    else if (head !== HEAD || stored.length % HASH_BYTES !== 0)
      throw new CodecError("foreign", `${key}: the key holds no uniques`, { key });
    else
      for (let at = HEAD.length; at < stored.length; at += HASH_BYTES)
        this.#addHash(stored.toString("latin1", at, at + HASH_BYTES));
  }

  /** Hashes that it holds: none once it has registers. */
  get listed(): number {
    return this.#hashes.size;
  }

  merge(other: Union): void {
    for (const hash of other.#hashes) this.#addHash(hash);
    if (other.#registers === undefined) return;
    const [mine, theirs] = [this.#registersNow(), other.#registers];
    for (let index = 0; index < REGISTERS; index += 1) if (theirs[index]! > mine[index]!) mine[index] = theirs[index]!;
  }

  count(): UniquesCount {
    if (this.#registers === undefined) return { count: this.#hashes.size, exact: true, standardError: 0 };
    return { count: estimate(this.#registers), exact: false, standardError: STANDARD_ERROR };
  }

  #addHash(hash: string): void {
    if (this.#registers !== undefined) raiseBy(this.#registers, Buffer.from(hash, "latin1"));
    else if (this.#hashes.add(hash).size > MAX_EXACT) this.#registersNow();
  }

  /** What was listed is in them. */
  #registersNow(): Uint8Array {
    if (this.#registers !== undefined) return this.#registers;
    this.#registers = new Uint8Array(REGISTERS);
    for (const hash of this.#hashes) raiseBy(this.#registers, Buffer.from(hash, "latin1"));
    this.#hashes.clear();
    return this.#registers;
  }
}
