/** cjson.decode (lua_cjson.c 2.1) with its error messages. */
import type { LuaError } from "../runtime/errors.ts";
import type { LuaState } from "../runtime/state.ts";
import { LuaTable, TABLE_BYTES } from "../runtime/table.ts";
import { type LuaValue, NULL_POINTER } from "../runtime/value.ts";
import type { JsonOptions } from "./json-options.ts";
import { JsonTokens, type TokenType } from "./json-tokens.ts";

/** What an item takes in its table, about. */
const ITEM_BYTES = 64;

export class JsonDecoder {
  readonly #state: LuaState;
  readonly #options: JsonOptions;
  readonly #tokens: JsonTokens;
  #depth = 0;

  constructor(state: LuaState, options: JsonOptions, text: string) {
    this.#state = state;
    this.#options = options;
    if (text.length >= 2 && (text[0] === "\0" || text[1] === "\0")) {
      throw state.error("JSON parser does not support UTF-16 or UTF-32");
    }
    state.charge(text.length);
    this.#tokens = new JsonTokens(options, text);
  }

  decode(): LuaValue {
    this.#tokens.next();
    const value = this.#read();
    this.#tokens.next();
    this.#expect("T_END", "the end");
    return value;
  }

  #read(): LuaValue {
    this.#state.charge(ITEM_BYTES);
    switch (this.#tokens.type) {
      case "T_STRING":
      case "T_NUMBER":
      case "T_BOOLEAN":
        return this.#tokens.value;
      case "T_NULL":
        return NULL_POINTER;
      case "T_OBJ_BEGIN":
        return this.#object();
      case "T_ARR_BEGIN":
        return this.#array();
      default:
        throw this.#unexpected("value");
    }
  }

  #object(): LuaTable {
    this.#descend();
    const table = new LuaTable();
    this.#tokens.next();
    for (let more = this.#tokens.type !== "T_OBJ_END"; more;) {
      this.#expect("T_STRING", "object key string");
      const key = this.#tokens.value;
      this.#tokens.next();
      this.#expect("T_COLON", "colon");
      this.#tokens.next();
      table.set(key, this.#read());
      more = this.#separated("T_OBJ_END", "comma or object end");
    }
    this.#depth -= 1;
    return table;
  }

  #array(): LuaTable {
    this.#descend();
    const table = new LuaTable();
    this.#tokens.next();
    let more = this.#tokens.type !== "T_ARR_END";
    for (let at = 1; more; at += 1) {
      table.set(at, this.#read());
      more = this.#separated("T_ARR_END", "comma or array end");
    }
    this.#depth -= 1;
    return table;
  }

  /** Reads what follows an item: at the end false, after a comma true with the next token read too. */
  #separated(end: TokenType, expected: string): boolean {
    this.#tokens.next();
    if (this.#tokens.type === end) return false;
    this.#expect("T_COMMA", expected);
    this.#tokens.next();
    return true;
  }

  #expect(type: TokenType, expected: string): void {
    if (this.#tokens.type !== type) throw this.#unexpected(expected);
  }

  #descend(): void {
    this.#state.charge(TABLE_BYTES);
    this.#depth += 1;
    if (this.#depth <= this.#options.decodeMaxDepth) return;
    throw this.#state.error(`Found too many nested data structures (${this.#depth}) at character ${this.#tokens.at}`);
  }

  #unexpected(expected: string): LuaError {
    const found = this.#tokens.type === "T_ERROR" ? this.#tokens.problem : this.#tokens.type;
    return this.#state.error(`Expected ${expected} but found ${found} at character ${this.#tokens.start + 1}`);
  }
}
