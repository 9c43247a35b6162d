/** Numbers as Redis reads and writes them. Integers beyond 2^53 are bigints, the rest plain numbers. */
import { fail, NOT_A_FLOAT, NOT_AN_INTEGER } from "./errors.ts";

const MAX_INT64 = 9223372036854775807n;
const MIN_INT64 = -9223372036854775808n;
const INTEGER = /^(?:0|-?[1-9]\d{0,18})$/;
// Each character can be read in one way only, or a long text that is no number would take its square.
const DECIMAL = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;
const HEXADECIMAL = /^([+-]?)0x([\da-f]*)(?:\.([\da-f]*))?(?:p([+-]?\d+))?$/i;
const INFINITE = /^([+-]?)inf(?:inity)?$/i;

/** A signed 64-bit integer in its one canonical spelling (no plus, no leading zeros, no spaces), or undefined. */
export function parseInt64(text: string): number | bigint | undefined {
  if (text.length < 16) return parseShort(text);
  if (!INTEGER.test(text)) return undefined;
  return narrow(BigInt(text));
}

/** Up to 15 characters always fit into a double. */
function parseShort(text: string): number | undefined {
  const negative = text.charCodeAt(0) === 45;
  const start = negative ? 1 : 0;
  const first = text.charCodeAt(start);
  if (!(first >= 48 && first <= 57)) return undefined;
  if (first === 48) return text.length === 1 ? 0 : undefined;
  let value = 0;
  for (let i = start; i < text.length; i += 1) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return undefined;
    value = value * 10 + digit;
  }
  return negative ? -value : value;
}

/** A plain number where it is exact, or undefined beyond 64 bits. */
export function narrow(value: bigint): number | bigint | undefined {
  if (value > MAX_INT64 || value < MIN_INT64) return undefined;
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** The sum, or undefined when it leaves 64 bits. */
export function addInt64(a: number | bigint, b: number | bigint): number | bigint | undefined {
  if (typeof a === "number" && typeof b === "number") {
    const sum = a + b;
    if (Number.isSafeInteger(sum)) return sum;
  }
  return narrow(BigInt(a) + BigInt(b));
}

/** An exact 64-bit argument. */
export function int64Argument(text: string, message: string = NOT_AN_INTEGER): number | bigint {
  return parseInt64(text) ?? fail(message);
}

/** An integer argument as a number; beyond 2^53 the nearest double, which is enough for counts, offsets and ranges. */
export function integerArgument(text: string, message: string = NOT_AN_INTEGER): number {
  const value = parseInt64(text) ?? fail(message);
  return typeof value === "number" ? value : Number(value);
}

/** A whole number from `min` to `max`. */
const MAX_INT32 = 2 ** 31 - 1;
const MIN_INT32 = -(2 ** 31);

/** What Redis keeps in an `int`, such as the number of a database. */
export function int32Argument(text: string, message?: string): number {
  const value = integerArgument(text, message);
  if (value >= MIN_INT32 && value <= MAX_INT32) return value;
  return fail(message ?? `ERR value is out of range, value must between ${MIN_INT32} and ${MAX_INT32}`);
}

export function rangeArgument(text: string, min: number, max: number, message: string): number {
  const value = integerArgument(text, message);
  return value < min || value > max ? fail(message) : value;
}

/** A double as strtod reads it, the whole text and nothing before it; no NaN. */
export function parseDouble(text: string): number | undefined {
  if (DECIMAL.test(text)) {
    const value = Number(text);
    return Number.isFinite(value) || /e/i.test(text) ? value : undefined;
  }
  const infinite = INFINITE.exec(text);
  if (infinite !== null) return infinite[1] === "-" ? -Infinity : Infinity;
  return parseHexadecimal(text);
}

function parseHexadecimal(text: string): number | undefined {
  const match = HEXADECIMAL.exec(text);
  if (match === null) return undefined;
  const [, sign = "", whole = "", fraction = "", exponent = "0"] = match;
  if (whole === "" && fraction === "") return undefined;
  const mantissa =
    Number.parseInt(`0${whole}`, 16) + (fraction === "" ? 0 : Number.parseInt(fraction, 16) / 16 ** fraction.length);
  const value = mantissa * 2 ** Number(exponent);
  return sign === "-" ? -value : value;
}

/** As `parseDouble`, without what a double cannot hold: too large, or so small that nothing but zero is left. */
export function doubleArgument(text: string, message: string = NOT_A_FLOAT): number {
  const value = parseDouble(text) ?? fail(message);
  const outOfRange = (value === 0 && /^[+-]?[\d.]*[1-9]/.test(text)) || (!Number.isFinite(value) && /\d/.test(text));
  return outOfRange ? fail(message) : value;
}

/** C's `%.17g`, as Redis prints scores and RESP3 doubles. */
export function formatDouble(value: number): string {
  if (Number.isSafeInteger(value)) return Object.is(value, -0) ? "-0" : String(value);
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
  return trimGeneral(value.toPrecision(17));
}

/** Rewrites toPrecision's notation to C's `%g`: scientific below 1e-4 or at 17 digits, no trailing zeros. */
function trimGeneral(text: string): string {
  const [mantissa = "", exponent] = text.split("e");
  if (exponent !== undefined) return `${trimZeros(mantissa)}e${padExponent(Number(exponent))}`;
  const small = /^(-?)0\.(0{4,})(\d)(\d*)$/.exec(mantissa);
  if (small === null) return trimZeros(mantissa);
  const [, sign = "", zeros = "", first = "", rest = ""] = small;
  return `${sign}${trimZeros(`${first}.${rest}`)}e${padExponent(-zeros.length - 1)}`;
}

export function trimZeros(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

function padExponent(exponent: number): string {
  return `${exponent < 0 ? "-" : "+"}${String(Math.abs(exponent)).padStart(2, "0")}`;
}
