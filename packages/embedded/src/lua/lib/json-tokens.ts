/** Tokens of cjson.decode: wider than JSON's, since numbers are what C's strtod reads. */
import { parseNumber } from "../runtime/number.ts";
import type { LuaValue } from "../runtime/value.ts";
import type { JsonOptions } from "./json-options.ts";

export type TokenType =
  | "T_OBJ_BEGIN"
  | "T_OBJ_END"
  | "T_ARR_BEGIN"
  | "T_ARR_END"
  | "T_STRING"
  | "T_NUMBER"
  | "T_BOOLEAN"
  | "T_NULL"
  | "T_COLON"
  | "T_COMMA"
  | "T_END"
  | "T_ERROR";

const PUNCTUATION: Readonly<Record<string, TokenType>> = {
  "{": "T_OBJ_BEGIN",
  "}": "T_OBJ_END",
  "[": "T_ARR_BEGIN",
  "]": "T_ARR_END",
  ",": "T_COMMA",
  ":": "T_COLON",
};

const ESCAPES: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  t: "\t",
  n: "\n",
  f: "\f",
  r: "\r",
};

/** The longest number that strtod reads at a place. */
const NUMBER =
  /[+-]?(?:0[xX](?:[\da-fA-F]+\.?[\da-fA-F]*|\.[\da-fA-F]+)(?:[pP][+-]?\d+)?|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|inf(?:inity)?|nan(?:\(\w*\))?)/iy;

export class JsonTokens {
  /** The token read last, by the name that error messages give it. */
  type: TokenType = "T_END";
  /** Where it begins. */
  start = 0;
  /** Of a string, number or boolean. */
  value: LuaValue = undefined;
  /** What is wrong with an error token. */
  problem = "";
  /** Where the next one is looked for. */
  at = 0;
  readonly #options: JsonOptions;
  readonly #text: string;

  /** A zero byte ends the text. */
  constructor(options: JsonOptions, text: string) {
    this.#options = options;
    const end = text.indexOf("\0");
    this.#text = end === -1 ? text : text.slice(0, end);
  }

  next(): void {
    while (isBlank(this.#text.charCodeAt(this.at))) this.at += 1;
    this.start = this.at;
    const character = this.#text[this.at];
    if (character === undefined) {
      this.type = "T_END";
    } else if (PUNCTUATION[character] !== undefined) {
      this.type = PUNCTUATION[character];
      this.at += 1;
    } else if (character === '"') this.#string();
    else this.#word(character);
  }

  #word(character: string): void {
    const strict = !this.#options.decodeInvalidNumbers;
    if (/[-\d]/.test(character)) {
      if (strict && this.#isInvalidNumber()) this.#fail("invalid number");
      else this.#number();
    } else if (!/[fiInNt+]/.test(character)) this.#fail("invalid token");
    else if (this.#take("true")) this.#set("T_BOOLEAN", true);
    else if (this.#take("false")) this.#set("T_BOOLEAN", false);
    else if (this.#take("null")) this.#set("T_NULL", undefined);
    else if (!strict && this.#isInvalidNumber()) this.#number();
    else this.#fail("invalid token");
  }

  #set(type: TokenType, value: LuaValue): void {
    this.type = type;
    this.value = value;
  }

  #fail(message: string): void {
    this.start = this.at;
    this.type = "T_ERROR";
    this.problem = message;
  }

  #take(word: string): boolean {
    if (!this.#text.startsWith(word, this.at)) return false;
    this.at += word.length;
    return true;
  }

  /** Numbers that strtod reads and JSON does not have. */
  #isInvalidNumber(): boolean {
    return /^(?:\+|-?(?:0[xX\d]|inf|nan))/i.test(this.#text.slice(this.at, this.at + 4));
  }

  #number(): void {
    NUMBER.lastIndex = this.at;
    const match = NUMBER.exec(this.#text);
    const number = match === null ? undefined : parseNumber(match[0]);
    if (match === null || number === undefined) return this.#fail("invalid number");
    this.at += match[0].length;
    this.#set("T_NUMBER", number);
  }

  #string(): void {
    this.at += 1;
    let value = "";
    for (;;) {
      const from = this.at;
      while (this.at < this.#text.length && this.#text[this.at] !== '"' && this.#text[this.at] !== "\\") this.at += 1;
      value += this.#text.slice(from, this.at);
      const character = this.#text[this.at];
      if (character === undefined) return this.#fail("unexpected end of string");
      if (character === '"') break;
      const escaped = this.#escape();
      if (escaped === undefined) return;
      value += escaped;
    }
    this.at += 1;
    this.#set("T_STRING", value);
  }

  /** What an escape stands for; undefined after it became an error token. */
  #escape(): string | undefined {
    const code = this.#text[this.at + 1] ?? "";
    if (code === "u") {
      const bytes = this.#unicode();
      if (bytes === undefined) this.#fail("invalid unicode escape code");
      return bytes;
    }
    const character = ESCAPES[code];
    if (character === undefined) this.#fail("invalid escape code");
    else this.at += 2;
    return character;
  }

  /** The UTF-8 bytes of \uXXXX or of a surrogate pair. */
  #unicode(): string | undefined {
    const high = this.#codeUnit(this.at);
    if (high === undefined || (high & 0xfc00) === 0xdc00) return undefined;
    if ((high & 0xfc00) !== 0xd800) {
      this.at += 6;
      return utf8(high);
    }
    const low = this.#codeUnit(this.at + 6);
    if (low === undefined || (low & 0xfc00) !== 0xdc00) return undefined;
    this.at += 12;
    return utf8(((high & 0x3ff) << 10) + (low & 0x3ff) + 0x10000);
  }

  #codeUnit(at: number): number | undefined {
    const match = /^\\u([\da-fA-F]{4})/.exec(this.#text.slice(at, at + 6));
    return match === null ? undefined : Number.parseInt(match[1]!, 16);
  }
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

function utf8(codePoint: number): string {
  return Buffer.from(String.fromCodePoint(codePoint), "utf8").toString("latin1");
}
