/** Numbers to text and back, as C's printf("%.14g") and strtod do it. */
import { digitsOf } from "./decimal.ts";

/** How Lua prints a number: `%.14g`. */
export function formatNumber(number: number): string {
  return Number.isInteger(number) && number > -1e14 && number < 1e14
    ? formatInteger(number)
    : formatGeneral(number, 14);
}

/** How redis.call sends a number: `%.17g`. */
export function formatExact(number: number): string {
  return Number.isInteger(number) && number > -1e16 && number < 1e16
    ? formatInteger(number)
    : formatGeneral(number, 17);
}

/** C's `%.<precision>g` without flags. */
export function formatGeneral(number: number, precision: number): string {
  if (!Number.isFinite(number)) return formatNonFinite(number);
  if (number === 0) return formatInteger(number);
  const { digits, exponent } = digitsOf(Math.abs(number), precision);
  const sign = number < 0 ? "-" : "";
  const significant = digits.replace(/0+$/, "");
  if (exponent < -4 || exponent >= precision) {
    const fraction = significant.length > 1 ? `.${significant.slice(1)}` : "";
    return `${sign}${significant[0]}${fraction}e${exponentText(exponent)}`;
  }
  if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${significant}`;
  const whole = significant.slice(0, exponent + 1).padEnd(exponent + 1, "0");
  const fraction = significant.slice(exponent + 1);
  return fraction === "" ? sign + whole : `${sign}${whole}.${fraction}`;
}

/** An exponent has its sign and at least two digits. */
export function exponentText(exponent: number): string {
  return (exponent < 0 ? "-" : "+") + String(Math.abs(exponent)).padStart(2, "0");
}

/** JavaScript cannot see the sign of a NaN; on x86 the NaN that arithmetic makes is negative, and so it is printed. */
export function formatNonFinite(number: number): string {
  if (Number.isNaN(number)) return "-nan";
  return number < 0 ? "-inf" : "inf";
}

function formatInteger(number: number): string {
  return number === 0 && Object.is(number, -0) ? "-0" : String(number);
}

// Each character can be read in one way only, or a long text that is no number would take its square.
const DECIMAL = /^[ \t\n\v\f\r]*([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)[ \t\n\v\f\r]*$/;
const HEXADECIMAL = /^[ \t\n\v\f\r]*([+-]?)0[xX]([\da-fA-F]*)(?:\.([\da-fA-F]*))?(?:[pP]([+-]?\d+))?[ \t\n\v\f\r]*$/;
const NAMED = /^[ \t\n\v\f\r]*([+-]?)(inf|infinity|nan|nan\([\w]*\))[ \t\n\v\f\r]*$/i;

/** The number that a text stands for, undefined when it is none. What strtod reads is read: 0x1p4, inf, nan. */
export function parseNumber(text: string): number | undefined {
  const end = text.indexOf("\0");
  if (end !== -1) return parseNumber(text.slice(0, end));
  const decimal = DECIMAL.exec(text);
  if (decimal !== null) return Number(decimal[1]);
  const hex = HEXADECIMAL.exec(text);
  if (hex !== null) return parseHexadecimal(hex);
  const named = NAMED.exec(text);
  if (named === null) return undefined;
  if (named[2]!.toLowerCase().startsWith("nan")) return Number.NaN;
  return named[1] === "-" ? -Infinity : Infinity;
}

function parseHexadecimal([, sign, whole, fraction = "", power]: RegExpExecArray): number | undefined {
  const digits = `${whole}${fraction}`;
  if (digits === "") return undefined;
  const scale = Number(power ?? 0) - 4 * fraction.length;
  const value = Number(BigInt(`0x${digits}`)) * 2 ** scale;
  return sign === "-" ? -value : value;
}

/** C's (ptrdiff_t) of a double: towards zero; what does not fit is the smallest integer. */
export function toInteger(number: number): number {
  if (number >= 2 ** 63 || number < -(2 ** 63) || Number.isNaN(number)) return -(2 ** 63);
  return Math.trunc(number) + 0;
}

/** C's (int) of that: its low 32 bits. */
export function toInt32(number: number): number {
  return number >= 2 ** 63 || number < -(2 ** 63) ? 0 : number | 0;
}

/** A double as a 64-bit integer. */
export function toInt64(number: number): bigint {
  return BigInt(toInteger(number));
}
