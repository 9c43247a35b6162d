/** How library functions read their arguments (lauxlib.c), with Lua's messages for what does not fit. */
import type { LuaError } from "../runtime/errors.ts";
import type { Body } from "../runtime/coroutine.ts";
import { toInt32, toInteger } from "../runtime/number.ts";
import { toNumber, toText } from "../runtime/operators.ts";
import { cString } from "../runtime/site.ts";
import type { LuaState } from "../runtime/state.ts";
import { LuaTable } from "../runtime/table.ts";
import { typeName } from "../runtime/type-name.ts";
import type { LuaFunction, LuaResult, LuaValue } from "../runtime/value.ts";

export type Args = readonly LuaValue[];
export type LibraryFunction = (args: Args) => LuaResult;
export type PausableFunction = (args: Args) => Body;

interface LibraryOptions {
  /** Whether the table is made in the size it needs. @default true */
  readonly sized?: boolean;
  /** The second forms of those functions in which a script can pause. @default none */
  readonly pausable?: Readonly<Record<string, PausableFunction>>;
}

/** A table of library functions, in their order. */
export function library(
  functions: Readonly<Record<string, LibraryFunction>>,
  { sized = true, pausable = {} }: LibraryOptions = {},
): LuaTable {
  const entries = Object.entries(functions);
  const table = new LuaTable(0, sized ? entries.length : 0);
  for (const [name, run] of entries) table.set(name, libraryFunction(run, pausable[name]));
  return table;
}

/** @param pausable the same function as a generator, for calls from scripts that can pause */
export function libraryFunction(run: LibraryFunction, pausable?: PausableFunction): LuaFunction {
  const wrapped: LuaFunction = (...args) => run(args);
  wrapped.library = true;
  if (pausable !== undefined) wrapped.generator = (...args) => pausable(args);
  return wrapped;
}

/** `bad argument #1 to 'name' (...)`; `at` counts from 0. In a method call the object itself does not count. */
export function argumentError(state: LuaState, at: number, message: string): LuaError {
  const site = state.siteAt(1);
  const name = site?.name ?? "?";
  const number = site?.method === true ? at : at + 1;
  if (site?.method === true && at === 0) return state.error(`calling '${name}' on bad self (${message})`);
  return state.error(`bad argument #${number} to '${name}' (${message})`);
}

function typeErrorAt(state: LuaState, args: Args, at: number, expected: string): LuaError {
  const got = at < args.length ? typeName(args[at]) : "no value";
  return argumentError(state, at, `${expected} expected, got ${got}`);
}

export function checkAny(state: LuaState, args: Args, at: number): LuaValue {
  if (at >= args.length) throw argumentError(state, at, "value expected");
  return args[at];
}

export function checkTable(state: LuaState, args: Args, at: number): LuaTable {
  const value = args[at];
  if (value instanceof LuaTable) return value;
  throw typeErrorAt(state, args, at, "table");
}

export function checkFunction(state: LuaState, args: Args, at: number): LuaFunction {
  const value = args[at];
  if (typeof value === "function") return value;
  throw typeErrorAt(state, args, at, "function");
}

/** A string; a number is taken as one. */
export function checkString(state: LuaState, args: Args, at: number): string {
  const value = args[at];
  const text = typeof value === "string" ? value : toText(value);
  if (text === undefined) throw typeErrorAt(state, args, at, "string");
  return text;
}

export function optionalString(state: LuaState, args: Args, at: number, otherwise: string): string {
  return args[at] === undefined ? otherwise : checkString(state, args, at);
}

/** A number; a string that reads as one is taken. */
export function checkNumber(state: LuaState, args: Args, at: number): number {
  const value = args[at];
  const number = typeof value === "number" ? value : toNumber(value);
  if (number === undefined) throw typeErrorAt(state, args, at, "number");
  return number;
}

/** A number as C's 64-bit integer. */
export function checkInteger(state: LuaState, args: Args, at: number): number {
  return toInteger(checkNumber(state, args, at));
}

export function optionalInteger(state: LuaState, args: Args, at: number, otherwise: number): number {
  return args[at] === undefined ? otherwise : checkInteger(state, args, at);
}

/** A number as C's 32-bit int. */
export function checkInt32(state: LuaState, args: Args, at: number): number {
  return toInt32(checkNumber(state, args, at));
}

export function optionalInt32(state: LuaState, args: Args, at: number, otherwise: number): number {
  return args[at] === undefined ? otherwise : checkInt32(state, args, at);
}

/** Slots that a library function has in Lua for its arguments and results. */
const MAX_SLOTS = 8_000;

/** Whether so many results can be returned besides the arguments. */
export function fitsStack(args: Args, results: number): boolean {
  return args.length + results <= MAX_SLOTS;
}

/** One of a few words. */
export function checkOption(state: LuaState, args: Args, at: number, options: readonly string[]): string {
  const word = checkString(state, args, at);
  if (!options.includes(word)) throw argumentError(state, at, `invalid option '${cString(word)}'`);
  return word;
}
