/** Tokens of Lua 5.1 (llex.c), with its error messages. The source is a binary string. */
import { LuaSyntaxError } from "../runtime/errors.ts";
import { parseNumber } from "../runtime/number.ts";
import { chunkLabel, cString } from "../runtime/site.ts";

/** A token's type is its own text, except for these four. */
export type TokenType = string;
export const NAME = "<name>";
export const STRING = "<string>";
export const NUMBER = "<number>";
export const END_OF_SOURCE = "<eof>";

const KEYWORDS: ReadonlySet<string> = new Set(
  "and break do else elseif end false for function if in local nil not or repeat return then true until while".split(
    " ",
  ),
);

/** Error messages show at most this much of a chunk's name. */
const LABEL_ROOM = 80;
const NO_CHARACTER = -1;

const ESCAPES: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

export class Lexer {
  /** Type of the token read last. */
  type: TokenType = END_OF_SOURCE;
  /** Contents of a string, name of a name. */
  text = "";
  number = 0;
  /** Line on which that token ends. */
  line = 1;
  readonly #source: string;
  readonly #label: string;
  #at = 0;
  /** What messages show of a name, string or number: the characters read so far. */
  #buffer = "";

  constructor(source: string, chunkName: string) {
    this.#source = source;
    this.#label = chunkLabel(chunkName, LABEL_ROOM);
  }

  /** Reads the next token into `type`, `text`, `number` and `line`. */
  next(): void {
    this.#skipBlanks();
    this.#buffer = "";
    const code = this.#peek();
    if (code === NO_CHARACTER) this.type = END_OF_SOURCE;
    else if (isLetter(code)) this.#readName();
    else if (isDigit(code) || (code === 0x2e && isDigit(this.#peek(1)))) this.#readNumber();
    else this.#readSymbol(this.#source[this.#at]!);
  }

  /** An error at the current line; `near` is a token's type, or undefined to name none. */
  error(message: string, near?: TokenType): LuaSyntaxError {
    const place = `${this.#label}:${this.line}: ${message}`;
    return new LuaSyntaxError(near === undefined ? place : `${place} near '${cString(this.#shown(near))}'`);
  }

  #shown(type: TokenType): string {
    return type === NAME || type === STRING || type === NUMBER ? this.#buffer : tokenText(type);
  }

  #peek(ahead = 0): number {
    const at = this.#at + ahead;
    return at < this.#source.length ? this.#source.charCodeAt(at) : NO_CHARACTER;
  }

  #skipBlanks(): void {
    for (;;) {
      const code = this.#peek();
      if (isNewline(code)) this.#skipNewline();
      else if (isSpace(code)) this.#at += 1;
      else if (code === 0x2d && this.#peek(1) === 0x2d) this.#skipComment();
      else return;
    }
  }

  /** \n, \r, \r\n and \n\r are one line end each. */
  #skipNewline(): void {
    const code = this.#peek();
    this.#at += 1;
    if (isNewline(this.#peek()) && this.#peek() !== code) this.#at += 1;
    this.line += 1;
  }

  #skipComment(): void {
    this.#at += 2;
    const level = this.#peek() === 0x5b ? this.#longBracket() : undefined;
    if (level !== undefined) this.#readLong(level, "unfinished long comment");
    else while (!isNewline(this.#peek()) && this.#peek() !== NO_CHARACTER) this.#at += 1;
  }

  #readName(): void {
    const start = this.#at;
    while (isLetter(this.#peek()) || isDigit(this.#peek())) this.#at += 1;
    this.text = this.#source.slice(start, this.#at);
    this.#buffer = this.text;
    this.type = KEYWORDS.has(this.text) ? this.text : NAME;
  }

  #readNumber(): void {
    const start = this.#at;
    while (isDigit(this.#peek()) || this.#peek() === 0x2e) this.#at += 1;
    if (/[Ee]/.test(this.#source[this.#at] ?? "")) {
      this.#at += 1;
      if (/[+-]/.test(this.#source[this.#at] ?? "")) this.#at += 1;
    }
    while (isLetter(this.#peek()) || isDigit(this.#peek())) this.#at += 1;
    this.#buffer = this.#source.slice(start, this.#at);
    const number = parseNumber(this.#buffer);
    if (number === undefined) throw this.error("malformed number", NUMBER);
    this.number = number;
    this.type = NUMBER;
  }

  #readSymbol(character: string): void {
    if (character === '"' || character === "'") return this.#readString(character);
    if (character === "[") {
      const level = this.#longBracket();
      if (level !== undefined) {
        this.text = this.#readLong(level, "unfinished long string");
        this.type = STRING;
        return;
      }
    }
    const three = this.#source.startsWith("...", this.#at);
    const two = this.#source.slice(this.#at, this.#at + 2);
    const known = two === "==" || two === "~=" || two === "<=" || two === ">=" || two === "..";
    this.type = three ? "..." : known ? two : character;
    this.#at += this.type.length;
  }

  /** Number of equal signs of a long bracket that opens here, undefined when none does. */
  #longBracket(): number | undefined {
    const match = /\[(=*)(\[?)/y;
    match.lastIndex = this.#at;
    const [, signs, second] = match.exec(this.#source)!;
    if (second === "[") return signs!.length;
    if (signs === "" || this.#source.startsWith("--", this.#at - 2)) return undefined;
    this.#buffer = `[${signs}`;
    throw this.error("invalid long string delimiter", STRING);
  }

  #readLong(level: number, unfinished: string): string {
    this.#at += level + 2;
    if (isNewline(this.#peek())) this.#skipNewline();
    const close = `]${"=".repeat(level)}]`;
    const start = this.#at;
    const end = this.#source.indexOf(close, start);
    const body = this.#source.slice(start, end === -1 ? undefined : end);
    const text = body.replace(/\r\n|\n\r|\r|\n/g, "\n");
    this.line += text.split("\n").length - 1;
    if (end === -1) throw this.error(unfinished, END_OF_SOURCE);
    this.#at = end + close.length;
    this.#buffer = `[${"=".repeat(level)}[${text}${close}`;
    return text;
  }

  #readString(quote: string): void {
    this.#buffer = quote;
    this.#at += 1;
    for (;;) {
      const character = this.#source[this.#at];
      if (character === undefined) throw this.error("unfinished string", END_OF_SOURCE);
      if (character === quote) break;
      if (character === "\n" || character === "\r") throw this.error("unfinished string", STRING);
      this.#at += 1;
      if (character === "\\") this.#readEscape();
      else this.#buffer += character;
    }
    this.#at += 1;
    this.text = this.#buffer.slice(1);
    this.#buffer += quote;
    this.type = STRING;
  }

  #readEscape(): void {
    const character = this.#source[this.#at];
    if (character === undefined) return;
    if (isNewline(this.#peek())) {
      this.#buffer += "\n";
      this.#skipNewline();
    } else if (isDigit(this.#peek())) {
      this.#readDecimalEscape();
    } else {
      this.#buffer += ESCAPES[character] ?? character;
      this.#at += 1;
    }
  }

  #readDecimalEscape(): void {
    const match = /\d{1,3}/y;
    match.lastIndex = this.#at;
    const digits = match.exec(this.#source)![0];
    this.#at += digits.length;
    if (Number(digits) > 255) throw this.error("escape sequence too large", STRING);
    this.#buffer += String.fromCharCode(Number(digits));
  }
}

/** How messages write a token: control characters by their number. */
export function tokenText(type: TokenType): string {
  const code = type.charCodeAt(0);
  return type.length === 1 && (code < 0x20 || code === 0x7f) ? `char(${code})` : type;
}

function isNewline(code: number): boolean {
  return code === 0x0a || code === 0x0d;
}

function isSpace(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d);
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

function isLetter(code: number): boolean {
  return (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a) || code === 0x5f;
}
