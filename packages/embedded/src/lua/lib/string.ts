/** The string library (lstrlib.c). */
import { index } from "../runtime/indexing.ts";
import { callValue, toText } from "../runtime/operators.ts";
import { LIBRARY_SITE } from "../runtime/site.ts";
import type { LuaState } from "../runtime/state.ts";
import { LuaTable } from "../runtime/table.ts";
import { typeName } from "../runtime/type-name.ts";
import { first, isTruthy, type LuaResult, type LuaValue, NOTHING } from "../runtime/value.ts";
import {
  argumentError,
  type Args,
  checkFunction,
  checkInt32,
  checkInteger,
  checkString,
  fitsStack,
  library,
  libraryFunction,
  optionalInt32,
  optionalInteger,
} from "./arguments.ts";
import { format } from "./format.ts";
import { hasSpecials, Matcher } from "./pattern.ts";

/** Longest string that JavaScript can hold. */
const MAX_LENGTH = 2 ** 29 - 24;
/** What V8 keeps of each piece of a string, about. */
const REPLACEMENT_BYTES = 64;

/** Of a function only this is dumped: Redis loads no bytecode, so nobody can read the rest. */
const BYTECODE_HEADER = "\x1bLuaQ\0\x01\x04\x08\x04\x08\0";

export function stringLibrary(state: LuaState): LuaTable {
  const table = library({
    byte: (args) => bytes(state, args),
    char: (args) => String.fromCharCode(...args.map((_, at) => character(state, args, at))),
    dump: (args) => {
      if (checkFunction(state, args, 0).library === true) throw state.error("unable to dump given function");
      return BYTECODE_HEADER;
    },
    find: (args) => find(state, args, true),
    format: (args) => format(state, args),
    gmatch: (args) => globalMatch(state, args),
    gsub: (args) => substitute(state, args),
    len: (args) => checkString(state, args, 0).length,
    lower: (args) => lowerCase(charged(state, checkString(state, args, 0))),
    match: (args) => find(state, args, false),
    rep: (args) => repeat(state, args),
    reverse: (args) => reverse(charged(state, checkString(state, args, 0))),
    sub: (args) => slice(state, args),
    upper: (args) => upperCase(charged(state, checkString(state, args, 0))),
  });
  table.set("gfind", table.get("gmatch"));
  return table;
}

/** A position from the end when negative; never below 0. */
function relative(position: number, length: number): number {
  return Math.max(0, position < 0 ? position + length + 1 : position);
}

function slice(state: LuaState, args: Args): string {
  const text = checkString(state, args, 0);
  const start = relative(checkInteger(state, args, 1), text.length);
  const end = relative(optionalInteger(state, args, 2, -1), text.length);
  return text.slice(Math.max(start, 1) - 1, Math.max(end, 0));
}

function bytes(state: LuaState, args: Args): LuaResult {
  const text = checkString(state, args, 0);
  const start = relative(optionalInteger(state, args, 1, 1), text.length);
  const end = Math.min(relative(optionalInteger(state, args, 2, start), text.length), text.length);
  const from = Math.max(start, 1);
  if (from > end) return NOTHING;
  if (!fitsStack(args, end - from + 1)) throw state.error("stack overflow (string slice too long)");
  return Array.from({ length: end - from + 1 }, (_, at) => text.charCodeAt(from - 1 + at));
}

function character(state: LuaState, args: Args, at: number): number {
  const code = checkInt32(state, args, at);
  if (code < 0 || code > 255) throw argumentError(state, at, "invalid value");
  return code;
}

function repeat(state: LuaState, args: Args): string {
  const text = checkString(state, args, 0);
  const count = Math.max(0, checkInt32(state, args, 1));
  if (text.length * count > MAX_LENGTH) throw state.asLuaError(new RangeError("Invalid string length"))!;
  state.charge(text.length * count);
  return text.repeat(count);
}

/** The text, of which all is read and written once. */
function charged(state: LuaState, text: string): string {
  state.charge(text.length);
  return text;
}

/** By bytes: a string that is put together of single characters takes 32 bytes for each. */
export function reverse(text: string): string {
  return Buffer.from(Buffer.from(text, "latin1").toReversed()).toString("latin1");
}

/** ASCII only, as in the C locale: toLowerCase would change other bytes too. */
function lowerCase(text: string): string {
  return /[A-Z]/.test(text) ? mapped(text, 0x41, 0x5a, 0x20) : text;
}

function upperCase(text: string): string {
  return /[a-z]/.test(text) ? mapped(text, 0x61, 0x7a, -0x20) : text;
}

/** Bytes from `first` to `last` moved by `distance`. */
function mapped(text: string, first: number, last: number, distance: number): string {
  const bytes = Buffer.from(text, "latin1");
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at]!;
    if (byte >= first && byte <= last) bytes[at] = byte + distance;
  }
  return bytes.toString("latin1");
}

/** string.find and string.match. */
function find(state: LuaState, args: Args, positions: boolean): LuaResult {
  const text = checkString(state, args, 0);
  const pattern = checkString(state, args, 1);
  const start = relative(optionalInteger(state, args, 2, 1), text.length) - 1;
  const from = Math.min(Math.max(start, 0), text.length);
  if (positions && (isTruthy(args[3]) || !hasSpecials(pattern))) return findPlain(charged(state, text), pattern, from);
  const matcher = new Matcher(state, text, pattern);
  for (let at = from; at <= text.length; at += 1) {
    const end = matcher.matchAt(at);
    if (end !== -1) {
      const captures = matcher.captures(at, end, !positions);
      return positions ? [at + 1, end, ...captures] : captures;
    }
    if (matcher.anchored) break;
  }
  return undefined;
}

function findPlain(text: string, pattern: string, from: number): LuaResult {
  const at = text.indexOf(pattern, from);
  return at === -1 ? undefined : [at + 1, at + pattern.length];
}

/** In gmatch a caret is an ordinary character. */
function globalMatch(state: LuaState, args: Args): LuaResult {
  const text = checkString(state, args, 0);
  const pattern = checkString(state, args, 1);
  const matcher = new Matcher(state, text, pattern.startsWith("^") ? `%${pattern}` : pattern);
  let next = 0;
  return libraryFunction(() => {
    for (let at = next; at <= text.length; at += 1) {
      const end = matcher.matchAt(at);
      if (end === -1) continue;
      next = end === at ? end + 1 : end;
      return matcher.captures(at, end, true);
    }
    next = text.length + 1;
    return NOTHING;
  });
}

function substitute(state: LuaState, args: Args): LuaResult {
  const text = checkString(state, args, 0);
  const pattern = checkString(state, args, 1);
  const most = optionalInt32(state, args, 3, text.length + 1);
  const replace = replacer(state, args[2]);
  const matcher = new Matcher(state, text, pattern);
  let result = "";
  let at = 0;
  /** Up to here the text is in the result. */
  let copied = 0;
  let count = 0;
  while (count < most && at <= text.length) {
    const end = matcher.matchAt(at);
    if (end !== -1) {
      count += 1;
      const replaced = replace(matcher, at, end);
      result += text.slice(copied, at) + replaced;
      copied = end;
      state.charge(REPLACEMENT_BYTES + replaced.length);
    }
    at = end > at ? end : at + 1;
    if (matcher.anchored) break;
  }
  return [result + text.slice(copied), count];
}

type Replacer = (matcher: Matcher, start: number, end: number) => string;

function replacer(state: LuaState, replacement: LuaValue): Replacer {
  const template = toText(replacement);
  if (template !== undefined) return template.includes("%") ? fillTemplate(template) : () => template;
  if (typeof replacement === "function") {
    return (matcher, start, end) => {
      const value = first(callValue(state, replacement, matcher.captures(start, end, true)));
      return replacementText(state, value, matcher.subject.slice(start, end));
    };
  }
  if (!(replacement instanceof LuaTable)) throw argumentError(state, 2, "string/function/table expected");
  return (matcher, start, end) => {
    const value = index(state, replacement, matcher.capture(0, start, end), LIBRARY_SITE);
    return replacementText(state, value, matcher.subject.slice(start, end));
  };
}

/** nil and false keep the match. */
function replacementText(state: LuaState, value: LuaValue, match: string): string {
  if (!isTruthy(value)) return match;
  const text = toText(value);
  if (text === undefined) throw state.error(`invalid replacement value (a ${typeName(value)})`);
  return text;
}

/** `%1` is a capture, `%0` the match, `%` before anything else that character. */
function fillTemplate(template: string): Replacer {
  const pieces = template.match(/%[^]?|[^%]+/g)!.map(templatePiece);
  return (matcher, start, end) => pieces.map((piece) => piece(matcher, start, end)).join("");
}

function templatePiece(text: string): Replacer {
  if (!text.startsWith("%")) return () => text;
  const code = text.slice(1);
  if (code === "0") return (matcher, start, end) => matcher.subject.slice(start, end);
  if (code >= "1" && code <= "9") {
    return (matcher, start, end) => String(matcher.capture(Number(code) - 1, start, end));
  }
  // C reads the zero byte after the end.
  return () => (code === "" ? "\0" : code);
}
