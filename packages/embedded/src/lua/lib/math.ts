/** The math library (lmathlib.c), with Redis's own pseudo-random generator. */
import type { LuaState } from "../runtime/state.ts";
import { power } from "../runtime/operators.ts";
import type { LuaTable } from "../runtime/table.ts";
import { argumentError, type Args, checkInt32, checkNumber, library, type LibraryFunction } from "./arguments.ts";

const RADIANS_PER_DEGREE = Math.PI / 180;

export function mathLibrary(state: LuaState): LuaTable {
  const unary =
    (compute: (x: number) => number): LibraryFunction =>
    (args) =>
      compute(checkNumber(state, args, 0));
  const binary =
    (compute: (x: number, y: number) => number): LibraryFunction =>
    (args) =>
      compute(checkNumber(state, args, 0), checkNumber(state, args, 1));
  const table = library({
    abs: unary(Math.abs),
    acos: unary(Math.acos),
    asin: unary(Math.asin),
    atan2: binary(Math.atan2),
    atan: unary(Math.atan),
    ceil: unary(Math.ceil),
    cosh: unary(Math.cosh),
    cos: unary(Math.cos),
    deg: unary((x) => x / RADIANS_PER_DEGREE),
    exp: unary(Math.exp),
    floor: unary(Math.floor),
    fmod: binary((x, y) => x % y),
    frexp: (args) => splitExponent(checkNumber(state, args, 0)),
    ldexp: (args) => scale(checkNumber(state, args, 0), checkInt32(state, args, 1)),
    log10: unary(Math.log10),
    log: unary(Math.log),
    max: (args) =>
      args.reduce<number>(
        (most, _, at) => keep(checkNumber(state, args, at), most, (x, y) => x > y),
        checkNumber(state, args, 0),
      ),
    min: (args) =>
      args.reduce<number>(
        (least, _, at) => keep(checkNumber(state, args, at), least, (x, y) => x < y),
        checkNumber(state, args, 0),
      ),
    modf: (args) => splitFraction(checkNumber(state, args, 0)),
    pow: binary(power),
    rad: unary((x) => x * RADIANS_PER_DEGREE),
    random: (args) => random(state, args),
    randomseed: (args) => {
      state.random.seed(checkInt32(state, args, 0));
      return [];
    },
    sinh: unary(Math.sinh),
    sin: unary(Math.sin),
    sqrt: unary(Math.sqrt),
    tanh: unary(Math.tanh),
    tan: unary(Math.tan),
  });
  table.set("pi", Math.PI);
  table.set("huge", Infinity);
  table.set("mod", table.get("fmod"));
  return table;
}

/** A NaN is never better, and is kept when it comes first. */
function keep(candidate: number, best: number, better: (x: number, y: number) => boolean): number {
  return better(candidate, best) ? candidate : best;
}

function random(state: LuaState, args: Args): number {
  const number = state.random.next();
  switch (args.length) {
    case 0:
      return number;
    case 1: {
      const limit = checkInt32(state, args, 0);
      if (limit < 1) throw argumentError(state, 0, "interval is empty");
      return Math.floor(number * limit) + 1;
    }
    case 2: {
      const low = checkInt32(state, args, 0);
      const high = checkInt32(state, args, 1);
      if (low > high) throw argumentError(state, 1, "interval is empty");
      return Math.floor(number * ((high - low + 1) | 0)) + low;
    }
    default:
      throw state.error("wrong number of arguments");
  }
}

function splitFraction(number: number): [whole: number, fraction: number] {
  if (Number.isNaN(number)) return [number, number];
  if (!Number.isFinite(number)) return [number, number < 0 ? -0 : 0];
  const whole = Math.trunc(number);
  return [whole, number < 0 || Object.is(number, -0) ? -(whole - number) : number - whole];
}

/** number = mantissa * 2^exponent with the mantissa in [0.5, 1) */
function splitExponent(number: number): [mantissa: number, exponent: number] {
  if (number === 0 || !Number.isFinite(number)) return [number, 0];
  let exponent = Math.max(-1023, Math.floor(Math.log2(Math.abs(number))) + 1);
  let mantissa = number * 2 ** -exponent;
  while (Math.abs(mantissa) < 0.5) [mantissa, exponent] = [mantissa * 2, exponent - 1];
  while (Math.abs(mantissa) >= 1) [mantissa, exponent] = [mantissa / 2, exponent + 1];
  return [mantissa, exponent];
}

/** Scaled in steps, because 2^exponent itself may be out of range. */
function scale(number: number, exponent: number): number {
  let result = number;
  let rest = Math.max(-2200, Math.min(2200, exponent));
  while (rest !== 0) {
    const step = Math.max(-1000, Math.min(1000, rest));
    result *= 2 ** step;
    rest -= step;
  }
  return result;
}
