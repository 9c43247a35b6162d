/** Formats of the struct library. */
import { cString } from "../runtime/site.ts";
import type { LuaState } from "../runtime/state.ts";
import { argumentError } from "./arguments.ts";

const MAX_INTEGER_SIZE = 32;
const MAX_INT = 2 ** 31 - 1;
const DEFAULT_ALIGNMENT = 8;
const SIZES: Readonly<Record<string, number>> = { B: 1, b: 1, H: 2, h: 2, L: 8, l: 8, T: 8, f: 4, d: 8, x: 1 };

/** Reads a format option by option, with the byte order and alignment that the options before it have set. */
export class Format {
  littleEndian = true;
  readonly #state: LuaState;
  readonly #text: string;
  #at = 0;
  #alignment = 1;

  constructor(state: LuaState, text: string) {
    this.#state = state;
    this.#text = cString(text);
  }

  get done(): boolean {
    return this.#at >= this.#text.length;
  }

  /** The next option with its size in bytes; 0 where its arguments decide. */
  next(): { option: string; size: number } {
    const option = this.#text[this.#at++]!;
    if (option === "c") return { option, size: this.#number(1) };
    if (option !== "i" && option !== "I") return { option, size: SIZES[option] ?? 0 };
    const size = this.#number(4);
    if (size > MAX_INTEGER_SIZE) {
      throw this.#state.error(`integral size ${size} is larger than limit of ${MAX_INTEGER_SIZE}`);
    }
    return { option, size };
  }

  /** Bytes of padding before an element at `position`. */
  padding(position: number, option: string, size: number): number {
    if (size === 0 || option === "c") return 0;
    const unit = Math.min(size, this.#alignment);
    return (unit - (position & (unit - 1))) & (unit - 1);
  }

  /** An option that is no element: byte order, alignment, blank. */
  control(option: string): void {
    if (option === " ") return;
    if (option === ">" || option === "<") this.littleEndian = option === "<";
    else if (option === "!") this.#align(this.#number(DEFAULT_ALIGNMENT));
    else throw argumentError(this.#state, 0, `invalid format option '${option}'`);
  }

  #align(alignment: number): void {
    if (alignment <= 0 || (alignment & (alignment - 1)) !== 0) {
      throw this.#state.error(`alignment ${alignment} is not a power of 2`);
    }
    this.#alignment = alignment;
  }

  #number(otherwise: number): number {
    const digits = /^\d*/.exec(this.#text.slice(this.#at))![0];
    if (digits === "") return otherwise;
    this.#at += digits.length;
    if (Number(digits) > MAX_INT) throw this.#state.error("integral size overflow");
    return Number(digits);
  }
}
