/** The bit library (lua_bit.c, Lua BitOp 1.0.2): 32-bit operations with signed results. */
import { toNumber } from "../runtime/operators.ts";
import type { LuaState } from "../runtime/state.ts";
import type { LuaTable } from "../runtime/table.ts";
import { type Args, checkNumber, library, type LibraryFunction } from "./arguments.ts";

/** Adding it moves a number's low 32 bits to the end of the double, rounded to the nearest whole number. */
const SHIFT = 2 ** 52 + 2 ** 51;
const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);
const LOW_WORD = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1 ? 0 : 1;

export function bitLibrary(state: LuaState): LuaTable {
  const fold =
    (combine: (a: number, b: number) => number): LibraryFunction =>
    (args) => {
      let bits = argument(state, args, 0);
      for (let at = args.length - 1; at > 0; at -= 1) bits = combine(bits, argument(state, args, at));
      return bits | 0;
    };
  const shift =
    (move: (bits: number, by: number) => number): LibraryFunction =>
    (args) =>
      move(argument(state, args, 0), argument(state, args, 1) & 31) | 0;
  return library({
    tobit: (args) => argument(state, args, 0) | 0,
    bnot: (args) => ~argument(state, args, 0),
    band: fold((a, b) => a & b),
    bor: fold((a, b) => a | b),
    bxor: fold((a, b) => a ^ b),
    lshift: shift((bits, by) => bits << by),
    rshift: shift((bits, by) => bits >>> by),
    arshift: shift((bits, by) => bits >> by),
    rol: shift((bits, by) => (bits << by) | (bits >>> (32 - by))),
    ror: shift((bits, by) => (bits >>> by) | (bits << (32 - by))),
    bswap: (args) => swapBytes(argument(state, args, 0)),
    tohex: (args) => toHex(argument(state, args, 0), args.length < 2 ? 8 : argument(state, args, 1) | 0),
  });
}

function argument(state: LuaState, args: Args, at: number): number {
  const number = toNumber(args[at]) ?? checkNumber(state, args, at);
  double[0] = number + SHIFT;
  return words[LOW_WORD]!;
}

function swapBytes(bits: number): number {
  return (bits >>> 24) | ((bits >>> 8) & 0xff00) | ((bits & 0xff00) << 8) | (bits << 24);
}

/** A negative number of digits means capital letters. */
function toHex(bits: number, digits: number): string {
  const count = Math.min(8, Math.abs(digits));
  const text = (bits >>> 0)
    .toString(16)
    .padStart(8, "0")
    .slice(8 - count);
  return digits < 0 ? text.toUpperCase() : text;
}
