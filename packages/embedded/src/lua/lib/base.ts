/** The basic functions (lbaselib.c), as far as Redis leaves them to scripts. */
import { getHeapStatistics } from "node:v8";
import { compileChunk } from "../compile/chunk.ts";
import { LuaError, LuaSyntaxError } from "../runtime/errors.ts";
import { checkKey, READONLY_MESSAGE } from "../runtime/indexing.ts";
import { callValue, metamethod, toNumber, toText } from "../runtime/operators.ts";
import { cString, LIBRARY_SITE } from "../runtime/site.ts";
import type { LuaState } from "../runtime/state.ts";
import { LuaTable } from "../runtime/table.ts";
import { typeName } from "../runtime/type-name.ts";
import { addressOf, first, isTruthy, LightUserdata, type LuaResult, type LuaValue, NOTHING } from "../runtime/value.ts";
import {
  argumentError,
  type Args,
  checkAny,
  checkFunction,
  checkInt32,
  checkOption,
  checkString,
  checkTable,
  fitsStack,
  type LibraryFunction,
  libraryFunction,
  optionalInt32,
  optionalString,
  type PausableFunction,
} from "./arguments.ts";
import { handledCall, pausableHandledCall, pausableProtectedCall, protectedCall } from "./protected-call.ts";

const GC_OPTIONS = ["stop", "restart", "collect", "count", "step", "setpause", "setstepmul"];

/** The basic functions by name, in the order of Lua's own list. */
export function baseFunctions(state: LuaState): Readonly<Record<string, LibraryFunction>> {
  const next = libraryFunction((args) => nextPair(state, args));
  const nextIndex = libraryFunction((args) => nextListItem(state, args));
  return {
    assert: (args) => {
      if (isTruthy(checkAny(state, args, 0))) return args;
      throw state.error(cString(optionalString(state, args, 1, "assertion failed!")));
    },
    collectgarbage: (args) => collectGarbage(state, args),
    error: (args) => {
      const [value] = args;
      const level = optionalInt32(state, args, 1, 1);
      const text = level > 0 ? toText(value) : undefined;
      throw new LuaError(text === undefined ? value : state.where(level) + text);
    },
    gcinfo: () => Math.trunc(usedKilobytes(state)),
    getmetatable: (args) => {
      const value = checkAny(state, args, 0);
      const metatable = typeof value === "string" ? state.stringMetatable : metatableOf(value);
      return metatable?.getString("__metatable") ?? metatable;
    },
    load: (args) => load(state, args),
    loadstring: (args) => {
      const source = checkString(state, args, 0);
      return compile(state, source, optionalString(state, args, 1, source));
    },
    next: (args) => nextPair(state, args),
    pcall: (args) => protectedCall(state, args),
    rawequal: (args) => checkAny(state, args, 0) === checkAny(state, args, 1),
    rawget: (args) => checkTable(state, args, 0).get(checkAny(state, args, 1)),
    rawset: (args) => {
      const table = checkTable(state, args, 0);
      const key = checkAny(state, args, 1);
      const value = checkAny(state, args, 2);
      if (table.readonly) throw new LuaError(READONLY_MESSAGE);
      checkKey(state, key, LIBRARY_SITE);
      table.set(key, value);
      return table;
    },
    select: (args) => select(state, args),
    setmetatable: (args) => setMetatable(state, args),
    tonumber: (args) => toNumberWithBase(state, args),
    tostring: (args) => toStringValue(state, checkAny(state, args, 0)),
    type: (args) => typeName(checkAny(state, args, 0)),
    unpack: (args) => unpack(state, args),
    xpcall: (args) => handledCall(state, args),
    ipairs: (args) => [nextIndex, checkTable(state, args, 0), 0],
    pairs: (args) => [next, checkTable(state, args, 0), undefined],
  };
}

/** Those of the basic functions in which a script can pause: they call back for what may be the whole script. */
export function pausableFunctions(state: LuaState): Readonly<Record<string, PausableFunction>> {
  return {
    pcall: (args) => pausableProtectedCall(state, args),
    xpcall: (args) => pausableHandledCall(state, args),
  };
}

function metatableOf(value: LuaValue): LuaTable | undefined {
  return value instanceof LuaTable ? value.metatable : undefined;
}

function nextPair(state: LuaState, args: Args): LuaResult {
  const table = checkTable(state, args, 0);
  const position = table.positionOf(args[1]);
  if (position === undefined) throw new LuaError("invalid key to 'next'");
  const following = table.nextPosition(position);
  return following === -1 ? undefined : [table.keyAt(following), table.valueAt(following)];
}

function nextListItem(state: LuaState, args: Args): LuaResult {
  const at = (checkInt32(state, args, 1) + 1) | 0;
  const value = checkTable(state, args, 0).get(at);
  return value === undefined ? NOTHING : [at, value];
}

function collectGarbage(state: LuaState, args: Args): LuaResult {
  const option = args[0] === undefined ? "collect" : checkOption(state, args, 0, GC_OPTIONS);
  optionalInt32(state, args, 1, 0);
  if (option === "count") return usedKilobytes(state);
  return option === "step" ? true : 0;
}

/** Of the whole process: JavaScript does not know how much of it is a script's. */
function usedKilobytes(state: LuaState): number {
  return state.ask(["collectgarbage"], () => getHeapStatistics().used_heap_size / 1024) as number;
}

function setMetatable(state: LuaState, args: Args): LuaValue {
  const [, metatable] = args;
  const table = checkTable(state, args, 0);
  const absent = metatable === undefined && args.length > 1;
  if (!absent && !(metatable instanceof LuaTable)) throw argumentError(state, 1, "nil or table expected");
  if (table.metatable?.getString("__metatable") !== undefined) {
    throw state.error("cannot change a protected metatable");
  }
  if (table.readonly) throw new LuaError(READONLY_MESSAGE);
  table.metatable = metatable instanceof LuaTable ? metatable : undefined;
  return table;
}

function select(state: LuaState, args: Args): LuaResult {
  const [which] = args;
  if (typeof which === "string" && which.startsWith("#")) return args.length - 1;
  const count = args.length;
  let from = checkInt32(state, args, 0);
  if (from < 0) from += count;
  else if (from > count) from = count;
  if (from < 1) throw argumentError(state, 0, "index out of range");
  return args.slice(from);
}

function toNumberWithBase(state: LuaState, args: Args): LuaValue {
  const base = optionalInt32(state, args, 1, 10);
  if (base === 10) return toNumber(checkAny(state, args, 0));
  const text = checkString(state, args, 0);
  if (base < 2 || base > 36) throw argumentError(state, 1, "base out of range");
  state.charge(text.length);
  return parseUnsigned(text, base);
}

const MAX_UNSIGNED = 2n ** 64n - 1n;

/** C's strtoul for a whole string: a sign wraps around, what is too large is the largest. */
function parseUnsigned(text: string, base: number): number | undefined {
  const match = /^[ \t\n\v\f\r]*([+-]?)(0[xX](?=[\da-fA-F]))?([\da-zA-Z]*)[ \t\n\v\f\r]*(?:\0|$)/.exec(text);
  if (match === null) return undefined;
  const [, sign, prefix = "", rest] = match;
  const digits = base === 16 ? rest! : prefix + rest!;
  if (digits === "") return undefined;
  let value = 0n;
  for (let at = 0; at < digits.length; at += 1) {
    const number = digitOf(digits.charCodeAt(at));
    if (number >= base) return undefined;
    // What is too large stays so, and must not grow on with each digit.
    if (value <= MAX_UNSIGNED) value = value * BigInt(base) + BigInt(number);
  }
  if (value > MAX_UNSIGNED) return Number(MAX_UNSIGNED);
  return Number(sign === "-" ? BigInt.asUintN(64, -value) : value);
}

/** Of a digit or a letter. */
function digitOf(code: number): number {
  if (code <= 0x39) return code - 0x30;
  return (code | 0x20) - 0x61 + 10;
}

/** What `tostring` answers; a `__tostring` may answer anything. */
function toStringValue(state: LuaState, value: LuaValue): LuaValue {
  const handler = metamethod(state, value, "__tostring");
  if (handler !== undefined) return first(callValue(state, handler, [value]));
  return plainText(value);
}

/** A value as text, without metamethods. */
export function plainText(value: LuaValue): string {
  const text = toText(value);
  if (text !== undefined) return text;
  if (value === undefined) return "nil";
  if (typeof value === "boolean") return String(value);
  if (value instanceof LightUserdata) return `userdata: ${value.text}`;
  return `${typeName(value)}: 0x${addressOf(value as object).toString(16)}`;
}

function unpack(state: LuaState, args: Args): LuaResult {
  const table = checkTable(state, args, 0);
  const from = optionalInt32(state, args, 1, 1);
  const to = args[2] === undefined ? table.length() : checkInt32(state, args, 2);
  if (from > to) return NOTHING;
  if (!fitsStack(args, to - from + 1)) throw state.error("too many results to unpack");
  const values: LuaValue[] = [];
  for (let at = from; at <= to; at += 1) values.push(table.get(at));
  return values;
}

function load(state: LuaState, args: Args): LuaResult {
  const name = optionalString(state, args, 1, "=(load)");
  const reader = checkFunction(state, args, 0);
  let source = "";
  for (;;) {
    const piece = first(callValue(state, reader, []));
    const text = toText(piece);
    if (piece === undefined || text === "") break;
    if (text === undefined) return [undefined, "reader function must return a string"];
    source += text;
  }
  return compile(state, source, name);
}

/** The chunk as a function, or nil and the message. */
function compile(state: LuaState, source: string, name: string): LuaResult {
  try {
    return compileChunk(state, source, name, state.suspendable);
  } catch (error) {
    if (error instanceof LuaSyntaxError) return [undefined, error.message];
    throw error;
  }
}
