/** cjson.encode (lua_cjson.c 2.1). */
import type { LuaError } from "../runtime/errors.ts";
import { formatGeneral, formatNumber } from "../runtime/number.ts";
import type { LuaState } from "../runtime/state.ts";
import { LuaTable, TABLE_BYTES } from "../runtime/table.ts";
import { typeName } from "../runtime/type-name.ts";
import { type LuaValue, NULL_POINTER } from "../runtime/value.ts";
import type { JsonOptions } from "./json-options.ts";

const MAX_INT = 2 ** 31 - 1;
const DEFAULT_PRECISION = 14;
/** What an item takes in its list, about. */
const ITEM_BYTES = 64;
/** Characters escaped at once, between looks at the memory. */
const SLICE = 65_536;
const LONGEST_ESCAPE = 6;

export class JsonEncoder {
  readonly #state: LuaState;
  readonly #options: JsonOptions;
  #depth = 0;

  constructor(state: LuaState, options: JsonOptions) {
    this.#state = state;
    this.#options = options;
  }

  encode(value: LuaValue): string {
    if (typeof value === "string") return this.#string(value);
    if (typeof value === "number") return this.#number(value);
    if (typeof value === "boolean") return String(value);
    if (value === undefined || value === NULL_POINTER) return "null";
    if (value instanceof LuaTable) return this.#table(value);
    throw this.#refuse(value, "type not supported");
  }

  #table(table: LuaTable): string {
    this.#state.charge(TABLE_BYTES);
    this.#depth += 1;
    if (this.#depth > this.#options.encodeMaxDepth) {
      throw this.#state.error(`Cannot serialise, excessive nesting (${this.#depth})`);
    }
    const length = this.#arrayLength(table);
    const text = length > 0 ? this.#array(table, length) : this.#object(table);
    this.#depth -= 1;
    return text;
  }

  #array(table: LuaTable, length: number): string {
    const items: string[] = [];
    for (let at = 1; at <= length; at += 1) {
      this.#state.charge(ITEM_BYTES);
      items.push(this.encode(table.get(at)));
    }
    return `[${items.join(",")}]`;
  }

  #object(table: LuaTable): string {
    const members: string[] = [];
    for (let at = table.nextPosition(-1); at !== -1; at = table.nextPosition(at)) {
      this.#state.charge(ITEM_BYTES);
      members.push(`${this.#key(table.keyAt(at))}:${this.encode(table.valueAt(at))}`);
    }
    return `{${members.join(",")}}`;
  }

  #key(key: LuaValue): string {
    if (typeof key === "string") return this.#string(key);
    if (typeof key === "number") return `"${this.#number(key)}"`;
    throw this.#refuse(key, "table key must be a number or string");
  }

  /** The largest index of a table that has only positive whole numbers as keys, -1 for any other. */
  #arrayLength(table: LuaTable): number {
    let largest = 0;
    let items = 0;
    for (let at = table.nextPosition(-1); at !== -1; at = table.nextPosition(at)) {
      const key = table.keyAt(at);
      if (typeof key !== "number" || !(key >= 1) || Math.floor(key) !== key) return -1;
      // The library keeps it in an int, into which a larger number does not fit.
      if (key > largest) largest = key > MAX_INT ? -MAX_INT - 1 : key;
      items += 1;
    }
    const { sparseRatio, sparseSafe, sparseConvert } = this.#options;
    if (sparseRatio === 0 || largest <= items * sparseRatio || largest <= sparseSafe) return largest;
    if (!sparseConvert) throw this.#refuse(table, "excessively sparse array");
    return -1;
  }

  #number(number: number): string {
    const { invalidNumbers, precision } = this.#options;
    if (!Number.isFinite(number)) {
      if (invalidNumbers === "off") throw this.#refuse(number, "must not be NaN or Inf");
      if (invalidNumbers === "null") return "null";
      return Number.isNaN(number) ? "nan" : formatNumber(number);
    }
    return precision === DEFAULT_PRECISION ? formatNumber(number) : formatGeneral(number, precision);
  }

  #string(text: string): string {
    if (text.length <= SLICE) return `"${text.replace(ESCAPED, escape)}"`;
    let result = "";
    for (let at = 0; at < text.length; at += SLICE) {
      result += text.slice(at, at + SLICE).replace(ESCAPED, escape);
      this.#state.charge(SLICE * LONGEST_ESCAPE);
    }
    return `"${result}"`;
  }

  #refuse(value: LuaValue, reason: string): LuaError {
    return this.#state.error(`Cannot serialise ${typeName(value)}: ${reason}`);
  }
}

// eslint-disable-next-line no-control-regex -- these are the characters that JSON has to escape
const ESCAPED = /["\\/\x00-\x1f\x7f]/g;
const SHORT: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "/": "\\/",
  "\b": "\\b",
  "\t": "\\t",
  "\n": "\\n",
  "\f": "\\f",
  "\r": "\\r",
};

function escape(character: string): string {
  return SHORT[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
