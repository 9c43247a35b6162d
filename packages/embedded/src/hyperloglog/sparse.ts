/**
 * The sparse representation: runs of equal registers, made of three opcodes.
 *
 *     ZERO   00llllll            l + 1 registers (1..64) are zero
 *     XZERO  01llllll llllllll   l + 1 registers (1..16384) are zero
 *     VAL    1vvvvvll            l + 1 registers (1..4) have the rank v + 1 (1..32)
 *
 * A register is raised by Redis's own steps, so that the bytes agree: they can be read with GET.
 */
import { fail } from "../base/errors.ts";
import { REGISTERS } from "./hash.ts";

const MAX_RANK = 32;
const MAX_ZERO = 64;
const MAX_VALUE_RUN = 4;
/** A raised register turns one opcode into at most five bytes. */
const SLACK = 8;
/** Opcodes looked at for a merge after a change. */
const MERGE_WINDOW = 5;

/** One opcode: `length` registers from `first` on. */
interface Run {
  /** Where the opcode is, and how many bytes it has. */
  readonly at: number;
  readonly bytes: number;
  /** Where the opcode before it is; -1 for the first. */
  readonly previous: number;
  readonly first: number;
  readonly length: number;
  readonly rank: number;
}

export class SparseRegisters {
  #code: Buffer;
  #used: number;

  constructor(code: Uint8Array) {
    this.#code = Buffer.alloc(code.length + SLACK);
    this.#code.set(code);
    this.#used = code.length;
  }

  /** All registers are zero. */
  static empty(): SparseRegisters {
    return new SparseRegisters(Uint8Array.from(zeros(REGISTERS)));
  }

  /**
   * Raises a register to `rank` if it is lower. `too-large` when the result is not possible here: a rank above 32, or
   * more than `maxBytes`.
   */
  raise(index: number, rank: number, maxBytes: number): "raised" | "unchanged" | "too-large" {
    if (rank > MAX_RANK) return "too-large";
    const run = this.#find(index);
    if (run.rank >= rank) return "unchanged";
    const opcodes = split(run, index, rank);
    const growth = opcodes.length - run.bytes;
    if (growth > 0 && this.#used + growth > maxBytes) return "too-large";
    this.#replace(run, opcodes);
    this.#merge(Math.max(run.previous, 0));
    return "raised";
  }

  /** Each run of equal registers in order. Refuses what does not describe all registers exactly. */
  eachRun(visit: (first: number, length: number, rank: number) => void): void {
    let first = 0;
    for (let at = 0; at < this.#used; at += this.#bytesAt(at)) {
      const length = this.#lengthAt(at);
      if (first + length > REGISTERS) corrupted();
      visit(first, length, this.#rankAt(at));
      first += length;
    }
    if (first !== REGISTERS) corrupted();
  }

  /** As PFDEBUG DECODE shows it. */
  describe(): string {
    const words: string[] = [];
    for (let at = 0; at < this.#used; at += this.#bytesAt(at)) {
      const length = this.#lengthAt(at);
      if (this.#isValue(at)) words.push(`v:${this.#rankAt(at)},${length}`);
      else words.push(`${this.#bytesAt(at) === 2 ? "Z" : "z"}:${length}`);
    }
    return words.join(" ");
  }

  toString(): string {
    return this.#code.toString("latin1", 0, this.#used);
  }

  #find(index: number): Run {
    let first = 0;
    let previous = -1;
    for (let at = 0; at < this.#used;) {
      const length = this.#lengthAt(at);
      const bytes = this.#bytesAt(at);
      if (index < first + length) return { at, bytes, previous, first, length, rank: this.#rankAt(at) };
      previous = at;
      at += bytes;
      first += length;
    }
    return corrupted();
  }

  #replace({ at, bytes }: Run, opcodes: readonly number[]): void {
    const growth = opcodes.length - bytes;
    if (this.#used + growth > this.#code.length)
      this.#code = Buffer.concat([this.#code, Buffer.alloc(this.#code.length)]);
    this.#code.copyWithin(at + opcodes.length, at + bytes, this.#used);
    this.#code.set(opcodes, at);
    this.#used += growth;
  }

  /** Joins neighbouring VAL opcodes of one rank, from `start` on. */
  #merge(start: number): void {
    let at = start;
    for (let looked = 0; looked < MERGE_WINDOW && at < this.#used; looked += 1) {
      if (this.#canJoin(at)) {
        this.#code[at] = value(this.#rankAt(at), this.#lengthAt(at) + this.#lengthAt(at + 1));
        this.#code.copyWithin(at + 1, at + 2, this.#used);
        this.#used -= 1;
      } else {
        at += this.#bytesAt(at);
      }
    }
  }

  #canJoin(at: number): boolean {
    if (at + 1 >= this.#used || !this.#isValue(at) || !this.#isValue(at + 1)) return false;
    return this.#rankAt(at) === this.#rankAt(at + 1) && this.#lengthAt(at) + this.#lengthAt(at + 1) <= MAX_VALUE_RUN;
  }

  #isValue(at: number): boolean {
    return ((this.#code[at] as number) & 0x80) !== 0;
  }

  #bytesAt(at: number): number {
    return ((this.#code[at] as number) & 0xc0) === 0x40 ? 2 : 1;
  }

  #lengthAt(at: number): number {
    const opcode = this.#code[at] as number;
    if ((opcode & 0x80) !== 0) return (opcode & 0x03) + 1;
    const length = opcode & 0x3f;
    return ((opcode & 0x40) === 0 ? length : (length << 8) | (this.#code[at + 1] as number)) + 1;
  }

  #rankAt(at: number): number {
    const opcode = this.#code[at] as number;
    return (opcode & 0x80) === 0 ? 0 : ((opcode >> 2) & 0x1f) + 1;
  }
}

/** The opcodes of a run one of whose registers has a rank of its own. */
function split({ first, length, rank: old }: Run, index: number, rank: number): number[] {
  const before = index - first;
  const after = first + length - 1 - index;
  const rest = (count: number): number[] => (count === 0 ? [] : old === 0 ? zeros(count) : [value(old, count)]);
  return [...rest(before), value(rank, 1), ...rest(after)];
}

function zeros(count: number): number[] {
  return count <= MAX_ZERO ? [count - 1] : [((count - 1) >> 8) | 0x40, (count - 1) & 0xff];
}

function value(rank: number, count: number): number {
  return ((rank - 1) << 2) | (count - 1) | 0x80;
}

function corrupted(): never {
  return fail("INVALIDOBJ Corrupted HLL object detected");
}
