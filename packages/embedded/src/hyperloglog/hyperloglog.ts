/**
 * A HyperLogLog as Redis keeps it in a string: 16 bytes of header, then the registers, sparse at first and dense when they no longer
 * fit. The header is `HYLL`, the representation, three unused bytes, and the last count in eight bytes, little endian, whose highest
 * bit says that it is out of date.
 */
import { narrow } from "../base/numbers.ts";
import { Bytes } from "../values/bytes.ts";
import { DENSE_BYTES, eachRegister, readRegister, writeRegister } from "./dense.ts";
import { estimate } from "./estimate.ts";
import { placeOf, REGISTERS } from "./hash.ts";
import { SparseRegisters } from "./sparse.ts";

const MAGIC = "HYLL";
const HEADER = 16;
const REPRESENTATION = 4;
const DENSE = 0;
const SPARSE = 1;
const COUNT = 8;
const COUNT_STATE = 15;
const OUT_OF_DATE = 0x80;
/** A rank has six bits. */
const RANKS = 64;

export class HyperLogLog {
  /** The header, with the registers of a dense one; they are changed in place. */
  #bytes: Bytes;
  #sparse: SparseRegisters | undefined;

  private constructor(bytes: Bytes, sparse: SparseRegisters | undefined) {
    this.#bytes = bytes;
    this.#sparse = sparse;
  }

  static empty(): HyperLogLog {
    return new HyperLogLog(new Bytes(`${MAGIC}\x01`.padEnd(HEADER, "\0")), SparseRegisters.empty());
  }

  /** Undefined when the string is none. Bytes are changed in place where that is possible. */
  static from(value: string | Bytes): HyperLogLog | undefined {
    const bytes = typeof value === "string" ? new Bytes(value) : value;
    if (bytes.length < HEADER || bytes.view().toString("latin1", 0, MAGIC.length) !== MAGIC) return undefined;
    if (bytes.at(REPRESENTATION) === SPARSE) {
      const header = new Bytes(bytes.view().toString("latin1", 0, HEADER));
      return new HyperLogLog(header, new SparseRegisters(bytes.view().subarray(HEADER)));
    }
    const isDense = bytes.at(REPRESENTATION) === DENSE && bytes.length === HEADER + DENSE_BYTES;
    return isDense ? new HyperLogLog(bytes, undefined) : undefined;
  }

  get representation(): "dense" | "sparse" {
    return this.#sparse === undefined ? "dense" : "sparse";
  }

  /** The value to store. */
  toBytes(): Bytes {
    return this.#sparse === undefined ? this.#bytes : new Bytes(this.#bytes.toString() + this.#sparse.toString());
  }

  /** True when a register rose. A sparse one may have up to `sparseMaxBytes` with its header. */
  add(element: string, sparseMaxBytes: number): boolean {
    const { index, rank } = placeOf(element);
    return this.raise(index, rank, sparseMaxBytes);
  }

  raise(index: number, rank: number, sparseMaxBytes: number): boolean {
    const result = this.#sparse?.raise(index, rank, sparseMaxBytes - HEADER) ?? "too-large";
    if (result !== "too-large") return result === "raised";
    this.toDense();
    if (readRegister(this.#bytes, HEADER, index) >= rank) return false;
    writeRegister(this.#bytes, HEADER, index, rank);
    return true;
  }

  /** True when it was sparse. */
  toDense(): boolean {
    if (this.#sparse === undefined) return false;
    const dense = new Bytes(this.#bytes.toString());
    dense.set(REPRESENTATION, DENSE);
    dense.grow(HEADER + DENSE_BYTES);
    this.#sparse.eachRun((first, length, rank) => {
      if (rank > 0) for (let i = first; i < first + length; i += 1) writeRegister(dense, HEADER, i, rank);
    });
    this.#bytes = dense;
    this.#sparse = undefined;
    return true;
  }

  /** The rank of each register. */
  ranks(): Uint8Array {
    const ranks = new Uint8Array(REGISTERS);
    this.raiseAll(ranks);
    return ranks;
  }

  /** Raises ranks to those of this one: a union. */
  raiseAll(ranks: Uint8Array): void {
    const raise = (index: number, rank: number): void => {
      if (rank > (ranks[index] as number)) ranks[index] = rank;
    };
    if (this.#sparse === undefined) return eachRegister(this.#bytes, HEADER, raise);
    this.#sparse.eachRun((first, length, rank) => {
      if (rank > 0) for (let i = first; i < first + length; i += 1) raise(i, rank);
    });
  }

  /** The count in the header, unless it is out of date. */
  get knownCount(): number | bigint | undefined {
    if ((this.#bytes.at(COUNT_STATE) & OUT_OF_DATE) !== 0) return undefined;
    return narrow(this.#bytes.view().readBigUInt64LE(COUNT));
  }

  invalidateCount(): void {
    this.#bytes.set(COUNT_STATE, this.#bytes.at(COUNT_STATE) | OUT_OF_DATE);
  }

  /** Counts again and notes the result in the header. */
  recount(): number {
    const count = estimate(this.#histogram());
    let rest = count;
    for (let i = COUNT; i < HEADER; i += 1) {
      this.#bytes.set(i, rest % 256);
      rest = Math.floor(rest / 256);
    }
    return count;
  }

  /** As PFDEBUG DECODE shows it; undefined for a dense one. */
  describe(): string | undefined {
    return this.#sparse?.describe();
  }

  #histogram(): Uint32Array {
    if (this.#sparse === undefined) return histogramOf(this.ranks());
    const histogram = new Uint32Array(RANKS);
    this.#sparse.eachRun((_first, length, rank) => {
      histogram[rank] = (histogram[rank] as number) + length;
    });
    return histogram;
  }
}

/** The cardinality of a union of registers. */
export function countRanks(ranks: Uint8Array): number {
  return estimate(histogramOf(ranks));
}

function histogramOf(ranks: Uint8Array): Uint32Array {
  const histogram = new Uint32Array(RANKS);
  for (const rank of ranks) histogram[rank] = (histogram[rank] as number) + 1;
  return histogram;
}
