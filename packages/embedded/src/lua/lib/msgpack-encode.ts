/** cmsgpack.pack. */
import { index } from "../runtime/indexing.ts";
import { LIBRARY_SITE } from "../runtime/site.ts";
import type { LuaState } from "../runtime/state.ts";
import { LuaTable, TABLE_BYTES } from "../runtime/table.ts";
import type { LuaValue } from "../runtime/value.ts";

/** Tables nested deeper become nil. */
const MAX_NESTING = 16;
const MAX_INT = 2 ** 31 - 1;

export class MessageEncoder {
  readonly #state: LuaState;

  constructor(state: LuaState) {
    this.#state = state;
  }

  encode(value: LuaValue, level = 0): string {
    if (typeof value === "string") return this.#string(value);
    if (typeof value === "boolean") return value ? "\xc3" : "\xc2";
    if (typeof value === "number") return isInt64(value) ? encodeInteger(value) : encodeDouble(value);
    if (value instanceof LuaTable && level !== MAX_NESTING) return this.#table(value, level);
    return "\xc0";
  }

  #string(text: string): string {
    this.#state.charge(text.length);
    const { length } = text;
    if (length < 32) return String.fromCharCode(0xa0 | length) + text;
    if (length <= 0xff) return `\xd9${bytes(length, 1)}${text}`;
    return (length <= 0xffff ? `\xda${bytes(length, 2)}` : `\xdb${bytes(length, 4)}`) + text;
  }

  #table(table: LuaTable, level: number): string {
    this.#state.charge(TABLE_BYTES);
    return isArray(table) ? this.#array(table, level) : this.#map(table, level);
  }

  #array(table: LuaTable, level: number): string {
    const length = table.length();
    let result = header(length, 0x90, "\xdc", "\xdd");
    for (let at = 1; at <= length; at += 1)
      result += this.encode(index(this.#state, table, at, LIBRARY_SITE), level + 1);
    return result;
  }

  #map(table: LuaTable, level: number): string {
    let count = 0;
    let members = "";
    for (let at = table.nextPosition(-1); at !== -1; at = table.nextPosition(at)) {
      members += this.encode(table.keyAt(at), level + 1) + this.encode(table.valueAt(at), level + 1);
      count += 1;
    }
    return header(count, 0x80, "\xde", "\xdf") + members;
  }
}

/** Keys from 1 to n and nothing else; an empty table is an array. */
function isArray(table: LuaTable): boolean {
  let largest = 0;
  let count = 0;
  for (let at = table.nextPosition(-1); at !== -1; at = table.nextPosition(at)) {
    const key = table.keyAt(at);
    if (typeof key !== "number" || key <= 0 || key > MAX_INT || !Number.isInteger(key)) return false;
    largest = Math.max(largest, key);
    count += 1;
  }
  return largest === count;
}

function isInt64(number: number): boolean {
  return Number.isInteger(number) && number >= -(2 ** 63) && number < 2 ** 63;
}

function encodeInteger(number: number): string {
  if (number >= 0) {
    if (number <= 0x7f) return String.fromCharCode(number);
    if (number <= 0xff) return `\xcc${bytes(number, 1)}`;
    if (number <= 0xffff) return `\xcd${bytes(number, 2)}`;
    return number <= 0xffff_ffff ? `\xce${bytes(number, 4)}` : `\xcf${bytes(number, 8)}`;
  }
  if (number >= -32) return bytes(number, 1);
  if (number >= -0x80) return `\xd0${bytes(number, 1)}`;
  if (number >= -0x8000) return `\xd1${bytes(number, 2)}`;
  return number >= -0x8000_0000 ? `\xd2${bytes(number, 4)}` : `\xd3${bytes(number, 8)}`;
}

/** As a float where that loses nothing. */
function encodeDouble(number: number): string {
  // The NaN that x86 computes is the negative one; JavaScript's has no sign.
  if (Number.isNaN(number)) return "\xcb\xff\xf8\0\0\0\0\0\0";
  const buffer = Buffer.alloc(8);
  if (Math.fround(number) !== number) return `\xcb${buffer.toString("latin1", 0, buffer.writeDoubleBE(number))}`;
  return `\xca${buffer.toString("latin1", 0, buffer.writeFloatBE(number))}`;
}

function header(count: number, fixed: number, short: string, long: string): string {
  if (count <= 15) return String.fromCharCode(fixed | count);
  return count <= 0xffff ? short + bytes(count, 2) : long + bytes(count, 4);
}

/** The low bytes of a whole number, big-endian. */
function bytes(number: number, count: number): string {
  const bits = BigInt.asUintN(64, BigInt(number));
  let text = "";
  for (let at = count - 1; at >= 0; at -= 1) text += String.fromCharCode(Number((bits >> BigInt(8 * at)) & 0xffn));
  return text;
}
