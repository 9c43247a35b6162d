/**
 * A string value that is changed in place: SETRANGE, SETBIT and BITFIELD cost what they touch, not the length of the value.
 * A string becomes one at the first such command; its text is made again only when it is read after a change.
 */
export class Bytes {
  #buffer: Buffer;
  #used: number;
  #cached: string | undefined;

  constructor(text: string) {
    this.#buffer = Buffer.from(text, "latin1");
    this.#used = text.length;
    this.#cached = text;
  }

  get length(): number {
    return this.#used;
  }

  /** 0 beyond the end, as Redis pads. */
  at(index: number): number {
    return index < this.#used ? (this.#buffer[index] as number) : 0;
  }

  set(index: number, byte: number): void {
    this.grow(index + 1);
    this.#buffer[index] = byte;
    this.#cached = undefined;
  }

  write(offset: number, text: string): void {
    this.grow(offset + text.length);
    this.#buffer.write(text, offset, "latin1");
    this.#cached = undefined;
  }

  /** Pads with zeros up to `length`; never shortens. */
  grow(length: number): void {
    if (length <= this.#used) return;
    if (length > this.#buffer.length) {
      const larger = Buffer.alloc(Math.max(length, this.#buffer.length * 2));
      this.#buffer.copy(larger, 0, 0, this.#used);
      this.#buffer = larger;
    }
    this.#used = length;
    this.#cached = undefined;
  }

  /** The bytes themselves, for reading. */
  view(): Buffer {
    return this.#buffer.subarray(0, this.#used);
  }

  toString(): string {
    this.#cached ??= this.#buffer.toString("latin1", 0, this.#used);
    return this.#cached;
  }
}
