/** The struct library (lua_struct.c 0.2): numbers and strings packed into bytes. */
import type { LuaError } from "../runtime/errors.ts";
import { toInt64, toInteger } from "../runtime/number.ts";
import { toNumber } from "../runtime/operators.ts";
import type { LuaState } from "../runtime/state.ts";
import type { LuaTable } from "../runtime/table.ts";
import type { LuaResult, LuaValue } from "../runtime/value.ts";
import { argumentError, type Args, checkNumber, checkString, library, optionalInteger } from "./arguments.ts";
import { reverse } from "./string.ts";
import { Format } from "./struct-format.ts";

const INTEGERS = "bBhHlLTiI";
const MAX_RESULTS = 7_990;

export function structLibrary(state: LuaState): LuaTable {
  return library({
    // The library leaves a nil behind its arguments, as messages about a missing one show.
    pack: (args) => pack(state, [...args, undefined]),
    unpack: (args) => unpack(state, args),
    size: (args) => size(state, args),
  });
}

function pack(state: LuaState, args: Args): string {
  const format = new Format(state, checkString(state, args, 0));
  let result = "";
  let argument = 1;
  while (!format.done) {
    const { option, size } = format.next();
    result += "\0".repeat(format.padding(result.length, option, size));
    if (INTEGERS.includes(option)) {
      result += packInteger(checkNumber(state, args, argument++), size, format.littleEndian);
    } else if (option === "x") result += "\0";
    else if (option === "f" || option === "d") {
      result += packDouble(checkNumber(state, args, argument++), size, format.littleEndian);
    } else if (option === "c" || option === "s") {
      result += packString(state, args, argument++, option, size);
    } else format.control(option);
    state.charge(size);
  }
  return result;
}

function packInteger(number: number, size: number, littleEndian: boolean): string {
  const bits = number < 0 ? BigInt.asUintN(64, toInt64(number)) : unsigned(number);
  let bytes = "";
  for (let at = 0; at < size; at += 1) bytes += String.fromCharCode(Number((bits >> BigInt(8 * at)) & 0xffn));
  return ordered(bytes, littleEndian);
}

function unsigned(number: number): bigint {
  if (number >= 2 ** 64) return 0n;
  return number >= 2 ** 63 ? BigInt(number) : BigInt.asUintN(64, toInt64(number));
}

function packDouble(number: number, size: number, littleEndian: boolean): string {
  const bytes = Buffer.alloc(size);
  if (size === 4) bytes.writeFloatLE(number);
  else bytes.writeDoubleLE(number);
  return ordered(bytes.toString("latin1"), littleEndian);
}

function packString(state: LuaState, args: Args, at: number, option: string, size: number): string {
  const text = checkString(state, args, at);
  if (option === "s") return `${text}\0`;
  const wanted = size === 0 ? text.length : size;
  // The library counts the argument twice when it complains.
  if (text.length < wanted) throw argumentError(state, at + 1, "string too short");
  return text.slice(0, wanted);
}

function ordered(bytes: string, littleEndian: boolean): string {
  return littleEndian ? bytes : reverse(bytes);
}

function unpack(state: LuaState, args: Args): LuaResult {
  const format = new Format(state, checkString(state, args, 0));
  const data = checkString(state, args, 1);
  const start = optionalInteger(state, args, 2, 1);
  if (start === 0) throw argumentError(state, 2, "offset must be 1 or greater");
  // A negative offset is a huge unsigned one.
  if (start < 0) throw tooShort(state);
  const reader = new Reader(state, format, data, start - 1);
  while (!format.done) reader.next();
  return [...reader.values, reader.position + 1];
}

class Reader {
  readonly values: LuaValue[] = [];
  position: number;
  readonly #state: LuaState;
  readonly #format: Format;
  readonly #data: string;

  constructor(state: LuaState, format: Format, data: string, position: number) {
    this.#state = state;
    this.#format = format;
    this.#data = data;
    this.position = position;
  }

  next(): void {
    const { option, size } = this.#format.next();
    this.position += this.#format.padding(this.position, option, size);
    this.#need(size);
    if (this.values.length >= MAX_RESULTS) throw this.#state.error("stack overflow (too many results)");
    if (INTEGERS.includes(option)) this.values.push(this.#integer(option, size));
    else if (option === "f" || option === "d") this.values.push(this.#double(size));
    else if (option === "c") return this.#counted(size);
    else if (option === "s") return this.#terminated();
    else if (option !== "x") this.#format.control(option);
    this.position += size;
  }

  #need(size: number): void {
    if (this.position + size > this.#data.length) throw tooShort(this.#state);
  }

  #bytes(size: number): string {
    return ordered(this.#data.slice(this.position, this.position + size), this.#format.littleEndian);
  }

  /** Only 64 bits are kept of a larger integer. */
  #integer(option: string, size: number): number {
    const bytes = this.#bytes(size);
    let bits = 0n;
    for (let at = Math.min(size, 8) - 1; at >= 0; at -= 1) bits = (bits << 8n) | BigInt(bytes.charCodeAt(at));
    const signed = option === option.toLowerCase();
    return Number(signed ? BigInt.asIntN(Math.min(size, 8) * 8, bits) : bits);
  }

  #double(size: number): number {
    const bytes = Buffer.from(this.#bytes(size), "latin1");
    return size === 4 ? bytes.readFloatLE() : bytes.readDoubleLE();
  }

  /** With size 0 the number read last is the size, and no result of its own. */
  #counted(size: number): void {
    let count = size;
    if (count === 0) {
      const last = this.values.length === 0 ? undefined : toNumber(this.values.at(-1));
      if (last === undefined) throw this.#state.error("format 'c0' needs a previous size");
      this.values.pop();
      count = toInteger(last);
      if (count < 0) throw tooShort(this.#state);
      this.#need(count);
    }
    this.values.push(this.#data.slice(this.position, this.position + count));
    this.position += count;
  }

  #terminated(): void {
    const end = this.#data.indexOf("\0", this.position);
    if (end === -1) throw this.#state.error("unfinished string in data");
    this.values.push(this.#data.slice(this.position, end));
    this.position = end + 1;
  }
}

function tooShort(state: LuaState): LuaError {
  return argumentError(state, 1, "data string too short");
}

function size(state: LuaState, args: Args): number {
  const format = new Format(state, checkString(state, args, 0));
  let total = 0;
  while (!format.done) {
    const { option, size } = format.next();
    total += format.padding(total, option, size);
    if (option === "s") throw argumentError(state, 0, "option 's' has no fixed size");
    if (option === "c" && size === 0) throw argumentError(state, 0, "option 'c0' has no fixed size");
    if (!/[\da-zA-Z]/.test(option)) format.control(option);
    total += size;
  }
  return total;
}
