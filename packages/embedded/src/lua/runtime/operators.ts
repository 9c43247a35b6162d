/**
 * Lua's operators for operands of any type (lvm.c): coercions, metamethods, error messages. Compiled code handles the
 * common case itself, two numbers, and comes here for the rest. `site` is where it came from.
 */
import { LuaError } from "./errors.ts";
import type { Body } from "./coroutine.ts";
import { formatNumber, parseNumber } from "./number.ts";
import { LIBRARY_SITE, type Site } from "./site.ts";
import type { LuaState } from "./state.ts";
import { LuaTable } from "./table.ts";
import { typeName } from "./type-name.ts";
import { isTruthy, type LuaFunction, type LuaResult, type LuaValue } from "./value.ts";

export type Arithmetic = "add" | "sub" | "mul" | "div" | "mod" | "pow" | "unm";

/** An error of the interpreter itself at a place in the script. */
export function errorAt(state: LuaState, site: Site, message: string): LuaError {
  if (site === LIBRARY_SITE) return new LuaError(message);
  state.frames[state.depth] = site;
  return new LuaError(`${site.chunk.label}:${site.line}: ${message}`);
}

export function metamethod(state: LuaState, value: LuaValue, event: string): LuaValue {
  if (value instanceof LuaTable) return value.metatable?.getString(event);
  return typeof value === "string" ? state.stringMetatable.getString(event) : undefined;
}

/** A value that can be called: the function itself, its `__call`, or a function that fails when it is called. */
export function callable(
  state: LuaState,
  value: LuaValue,
  site: Site,
  valueName: Site["left"] = site.left,
): LuaFunction {
  if (typeof value === "function") return value;
  const handler = metamethod(state, value, "__call");
  if (typeof handler !== "function") {
    return () => {
      // A library function fails here itself: the frame of what it wanted to call never came to be.
      if (site === LIBRARY_SITE) state.depth -= 1;
      throw typeError(state, site, value, "call", valueName);
    };
  }
  const bound: LuaFunction = (...args) => handler(value, ...args);
  const { generator } = handler;
  if (generator !== undefined) bound.generator = (...args) => generator(value, ...args);
  return bound;
}

/** The first result of a metamethod, which has no name when it cannot be called. */
export function runMetamethod(state: LuaState, handler: LuaValue, args: readonly LuaValue[], site: Site): LuaValue {
  return state.callMetamethod(site, callable(state, handler, site, ""), args);
}

export function typeError(state: LuaState, site: Site, value: LuaValue, verb: string, name: string): LuaError {
  const what = name === "" ? `a ${typeName(value)} value` : `${name} (a ${typeName(value)} value)`;
  return errorAt(state, site, `attempt to ${verb} ${what}`);
}

export function arithmetic(state: LuaState, event: Arithmetic, a: LuaValue, b: LuaValue, site: Site): LuaValue {
  const x = toNumber(a);
  const y = x === undefined ? undefined : toNumber(b);
  if (x !== undefined && y !== undefined) return compute(event, x, y);
  const handler = metamethod(state, a, `__${event}`) ?? metamethod(state, b, `__${event}`);
  if (handler !== undefined) return runMetamethod(state, handler, [a, b], site);
  const [value, name] = x === undefined ? [a, site.left] : [b, site.right];
  throw typeError(state, site, value, "perform arithmetic on", name);
}

function compute(event: Arithmetic, x: number, y: number): number {
  switch (event) {
    case "add":
      return x + y;
    case "sub":
      return x - y;
    case "mul":
      return x * y;
    case "div":
      return x / y;
    case "mod":
      return modulo(x, y);
    case "pow":
      return power(x, y);
    default:
      return -x;
  }
}

export function modulo(x: number, y: number): number {
  return x - Math.floor(x / y) * y;
}

/** C's pow knows two answers where JavaScript's returns NaN. */
export function power(x: number, y: number): number {
  if (x === 1 || (x === -1 && (y === Infinity || y === -Infinity))) return 1;
  return x ** y;
}

/** A number, or a string that reads as one. */
export function toNumber(value: LuaValue): number | undefined {
  if (typeof value === "number") return value;
  return typeof value === "string" ? parseNumber(value) : undefined;
}

/** A string, or a number as one. */
export function toText(value: LuaValue): string | undefined {
  if (typeof value === "string") return value;
  return typeof value === "number" ? formatNumber(value) : undefined;
}

export function concat(state: LuaState, a: LuaValue, b: LuaValue, site: Site): LuaValue {
  const left = toText(a);
  const right = toText(b);
  if (left !== undefined && right !== undefined) {
    state.charge(left.length + right.length);
    return left + right;
  }
  const handler = metamethod(state, a, "__concat") ?? metamethod(state, b, "__concat");
  if (handler !== undefined) return runMetamethod(state, handler, [a, b], site);
  const [value, name] = left === undefined ? [a, site.left] : [b, site.right];
  throw typeError(state, site, value, "concatenate", name);
}

export function length(state: LuaState, value: LuaValue, site: Site): LuaValue {
  if (typeof value === "string") return value.length;
  if (value instanceof LuaTable) return value.length();
  throw typeError(state, site, value, "get length of", site.left);
}

/** Equality of two values that are not identical. */
export function equalByMetamethod(state: LuaState, a: LuaValue, b: LuaValue, site: Site): boolean {
  if (!(a instanceof LuaTable) || !(b instanceof LuaTable)) return false;
  const handler = a.metatable?.getString("__eq");
  if (handler === undefined || handler !== b.metatable?.getString("__eq")) return false;
  return isTruthy(runMetamethod(state, handler, [a, b], site));
}

export function lessThan(state: LuaState, a: LuaValue, b: LuaValue, site: Site): boolean {
  if (typeof a === "number" && typeof b === "number") return a < b;
  if (typeof a === "string" && typeof b === "string") return a < b;
  const answer = compareByMetamethod(state, "__lt", a, b, site);
  if (answer === undefined) throw orderError(state, a, b, site);
  return answer;
}

export function lessEqual(state: LuaState, a: LuaValue, b: LuaValue, site: Site): boolean {
  if (typeof a === "number" && typeof b === "number") return a <= b;
  if (typeof a === "string" && typeof b === "string") return a <= b;
  const answer = compareByMetamethod(state, "__le", a, b, site);
  if (answer !== undefined) return answer;
  const opposite = compareByMetamethod(state, "__lt", b, a, site);
  if (opposite === undefined) throw orderError(state, a, b, site);
  return !opposite;
}

/** Only for two values of one type that share the metamethod. */
function compareByMetamethod(
  state: LuaState,
  event: string,
  a: LuaValue,
  b: LuaValue,
  site: Site,
): boolean | undefined {
  if (!(a instanceof LuaTable) || !(b instanceof LuaTable)) return undefined;
  const handler = a.metatable?.getString(event);
  if (handler === undefined || handler !== b.metatable?.getString(event)) return undefined;
  return isTruthy(runMetamethod(state, handler, [a, b], site));
}

/** Lua distinguishes two types here by the third letter of their names, so a string and a thread are "two string values". */
function orderError(state: LuaState, a: LuaValue, b: LuaValue, site: Site): LuaError {
  const [x, y] = [typeName(a), typeName(b)];
  const message = x[2] === y[2] ? `attempt to compare two ${x} values` : `attempt to compare ${x} with ${y}`;
  return errorAt(state, site, message);
}

/** The start, limit and step of a numeric `for`. */
export function loopNumber(state: LuaState, value: LuaValue, what: string, site: Site): number {
  const number = toNumber(value);
  if (number === undefined) throw errorAt(state, site, `'for' ${what} must be a number`);
  return number;
}

/** A function to call with `args`: for library functions that take callbacks. */
export function callValue(state: LuaState, value: LuaValue, args: readonly LuaValue[]): LuaResult {
  return state.callBack(callable(state, value, LIBRARY_SITE), args);
}

/** The same for a library function in which the script can pause. */
export function pausableCallValue(state: LuaState, value: LuaValue, args: readonly LuaValue[]): Body {
  return state.pausableCallBack(callable(state, value, LIBRARY_SITE), args);
}
