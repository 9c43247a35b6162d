/**
 * Additions in the x87 80-bit `long double` which INCRBYFLOAT and HINCRBYFLOAT use, so that the digits stored are
 * Redis's own. A number is `mantissa * 2^exponent` with a mantissa of at most 64 bits.
 */
import { fail, NOT_A_FLOAT } from "./errors.ts";
import { parseDouble } from "./numbers.ts";

interface LongDouble {
  readonly mantissa: bigint;
  readonly exponent: number;
}

const PRECISION = 64;
const DECIMAL = /^([+-]?)(\d*)\.?(\d*)(?:e([+-]?\d+))?$/i;
/** Digits after the point which Redis prints (`%.17Lf`). */
const PRINTED = 17;
/** Beyond this decimal exponent a long double is infinite or zero. */
const MAX_EXPONENT = 4932;

const NOT_FINITE = "ERR increment would produce NaN or Infinity";

/** The sum of two decimal texts, printed as Redis prints it. Refuses what is not a number, and an infinite sum. */
export function addDecimals(a: string, b: string): string {
  return format(add(parse(a), parse(b)));
}

function parse(text: string): LongDouble {
  const match = DECIMAL.exec(text);
  if (match === null || text.length > 256) return fromDouble(text);
  const [, sign = "", whole = "", fraction = "", power = "0"] = match;
  if (whole === "" && fraction === "") fail(NOT_A_FLOAT);
  const digits = BigInt(whole + fraction);
  const scale = Number(power) - fraction.length;
  if (digits !== 0n && Math.abs(scale) > MAX_EXPONENT) fail(NOT_A_FLOAT);
  const signed = sign === "-" ? -digits : digits;
  if (digits === 0n) return { mantissa: 0n, exponent: 0 };
  return scale >= 0 ? round(signed * 10n ** BigInt(scale), 0) : divide(signed, 10n ** BigInt(-scale));
}

/** Hexadecimal spellings are exact as doubles; infinities are numbers here, but no sum with them is allowed. */
function fromDouble(text: string): LongDouble {
  const value = parseDouble(text) ?? fail(NOT_A_FLOAT);
  if (!Number.isFinite(value)) fail(NOT_FINITE);
  let exponent = 0;
  let mantissa = value;
  while (!Number.isInteger(mantissa)) {
    mantissa *= 2;
    exponent -= 1;
  }
  return { mantissa: BigInt(mantissa), exponent };
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
  if (bitLength(value.mantissa) + value.exponent > 16384) fail(NOT_FINITE);
  const scaled = value.mantissa * 10n ** BigInt(PRINTED);
  const digits = value.exponent >= 0 ? scaled << BigInt(value.exponent) : shiftRounded(scaled, -value.exponent);
  if (digits === 0n) return "0";
  const text = (digits < 0n ? -digits : digits).toString().padStart(PRINTED + 1, "0");
  const fraction = text.slice(-PRINTED).replace(/0+$/, "");
  const whole = text.slice(0, -PRINTED);
  return `${digits < 0n ? "-" : ""}${whole}${fraction === "" ? "" : `.${fraction}`}`;
}
