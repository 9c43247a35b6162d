/**
 * Additions in the x87 80-bit `long double` which INCRBYFLOAT and HINCRBYFLOAT use, so that the digits stored are
 * Redis's own. A number is `mantissa * 2^exponent` with a mantissa of at most 64 bits.
 */
import { fail } from "./errors.ts";

export interface LongDouble {
  readonly mantissa: bigint;
  /** Infinity for an infinite number. */
  readonly exponent: number;
}

const NOT_FINITE = "ERR increment would produce NaN or Infinity";
const PRECISION = 64;
const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:e([+-]?\d+))?$/i;
const HEXADECIMAL = /^([+-]?)0x([\da-f]*)(?:\.([\da-f]*))?(?:p([+-]?\d+))?$/i;
const INFINITE = /^[+-]?inf(?:inity)?$/i;
const INFINITY: LongDouble = { mantissa: 1n, exponent: Infinity };
/** Redis copies a number into a buffer of 5 KB with a zero at its end. */
const LONGEST = 5 * 1024 - 1;
/** Digits after the point which Redis prints (`%.17Lf`). */
const PRINTED = 17;
/** Every number is below 2^16384, and the smallest subnormal one is 2^-16445. */
const MAX_BITS = 16384;
const MIN_BITS = -16444;
/** Powers of ten beyond these are not worked out: they are out of range in any case. */
const MAX_DIGITS = 4940;
const MIN_DIGITS = -4960;

/** The text of a number; undefined for any other, and for what is too large or so small that nothing but zero is left. */
export function parseLongDouble(text: string): LongDouble | undefined {
  if (text.length > LONGEST) return undefined;
  if (INFINITE.test(text)) return INFINITY;
  const number = parseDecimal(text) ?? parseHexadecimal(text);
  if (number === undefined || number.mantissa === 0n) return number;
  const bits = bitLength(number.mantissa) + number.exponent;
  return bits > MAX_BITS || bits < MIN_BITS ? undefined : round(number.mantissa, number.exponent);
}

function parseDecimal(text: string): LongDouble | undefined {
  const match = DECIMAL.exec(text);
  if (match === null) return undefined;
  const [, sign = "", whole = "", fraction = "", power = "0"] = match;
  if (whole === "" && fraction === "") return undefined;
  const digits = BigInt(whole + fraction);
  if (digits === 0n) return { mantissa: 0n, exponent: 0 };
  const scale = Number(power) - fraction.length;
  const size = digits.toString().length + scale;
  if (size > MAX_DIGITS || size < MIN_DIGITS) return undefined;
  const signed = sign === "-" ? -digits : digits;
  return scale >= 0 ? round(signed * 10n ** BigInt(scale), 0) : divide(signed, 10n ** BigInt(-scale));
}

function parseHexadecimal(text: string): LongDouble | undefined {
  const match = HEXADECIMAL.exec(text);
  if (match === null) return undefined;
  const [, sign = "", whole = "", fraction = "", power = "0"] = match;
  if (whole === "" && fraction === "") return undefined;
  const mantissa = BigInt(`0x${whole}${fraction}`);
  if (mantissa === 0n) return { mantissa, exponent: 0 };
  return { mantissa: sign === "-" ? -mantissa : mantissa, exponent: Number(power) - 4 * fraction.length };
}

export function isInfinite({ exponent }: LongDouble): boolean {
  return exponent === Infinity;
}

/** The sum, printed as Redis prints it. Refuses an infinite one. */
export function addLongDoubles(a: LongDouble, b: LongDouble): string {
  if (isInfinite(a) || isInfinite(b)) fail(NOT_FINITE);
  return format(add(a, b));
}

function add(a: LongDouble, b: LongDouble): LongDouble {
  const exponent = Math.min(a.exponent, b.exponent);
  return round(align(a, exponent) + align(b, exponent), exponent);
}

function align(value: LongDouble, exponent: number): bigint {
  return value.mantissa << BigInt(value.exponent - exponent);
}

/** A quotient needs 64 correct bits and a sticky one below them. */
function divide(numerator: bigint, denominator: bigint): LongDouble {
  const shift = Math.max(0, PRECISION + 2 + bitLength(denominator) - bitLength(numerator));
  const scaled = numerator << BigInt(shift);
  const quotient = scaled / denominator;
  const inexact = scaled % denominator !== 0n;
  const sticky = (quotient << 1n) + (inexact ? (numerator < 0n ? -1n : 1n) : 0n);
  return round(sticky, -shift - 1);
}

/** To 64 bits, to nearest, ties to even. */
function round(mantissa: bigint, exponent: number): LongDouble {
  const excess = bitLength(mantissa) - PRECISION;
  if (excess <= 0) return { mantissa, exponent };
  return { mantissa: shiftRounded(mantissa, excess), exponent: exponent + excess };
}

function shiftRounded(value: bigint, bits: number): bigint {
  const shift = BigInt(bits);
  const magnitude = value < 0n ? -value : value;
  const kept = magnitude >> shift;
  const rest = magnitude - (kept << shift);
  const half = 1n << (shift - 1n);
  const rounded = rest > half || (rest === half && (kept & 1n) === 1n) ? kept + 1n : kept;
  return value < 0n ? -rounded : rounded;
}

function bitLength(value: bigint): number {
  const magnitude = value < 0n ? -value : value;
  return magnitude === 0n ? 0 : magnitude.toString(2).length;
}

function format(value: LongDouble): string {
  if (bitLength(value.mantissa) + value.exponent > MAX_BITS) fail(NOT_FINITE);
  const scaled = value.mantissa * 10n ** BigInt(PRINTED);
  const digits = value.exponent >= 0 ? scaled << BigInt(value.exponent) : shiftRounded(scaled, -value.exponent);
  if (digits === 0n) return "0";
  const text = (digits < 0n ? -digits : digits).toString().padStart(PRINTED + 1, "0");
  const fraction = text.slice(-PRINTED).replace(/0+$/, "");
  const whole = text.slice(0, -PRINTED);
  return `${digits < 0n ? "-" : ""}${whole}${fraction === "" ? "" : `.${fraction}`}`;
}
