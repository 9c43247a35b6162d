/** string.format: C's printf for one value each, on 64-bit integers and doubles. */
import { digitsOf, fixedDigits } from "../runtime/decimal.ts";
import { exponentText, formatGeneral, formatNonFinite, toInt64 } from "../runtime/number.ts";
import { cString } from "../runtime/site.ts";
import type { LuaState } from "../runtime/state.ts";
import { argumentError, type Args, checkNumber, checkString } from "./arguments.ts";

interface Specification {
  readonly flags: string;
  readonly width: number;
  readonly precision: number | undefined;
  readonly conversion: string;
}

/** Strings from this length on are not padded when no precision is given. */
const LONG_STRING = 100;

export function format(state: LuaState, args: Args): string {
  const template = checkString(state, args, 0);
  const item = /([-+ #0]*)(\d{0,2})(?:\.(\d{0,2}))?([^]?)/y;
  let result = "";
  let argument = 0;
  for (let at = 0; at < template.length;) {
    const percent = template.indexOf("%", at);
    if (percent === -1) return result + template.slice(at);
    result += template.slice(at, percent);
    at = percent + 1;
    if (template[at] === "%") {
      result += "%";
      at += 1;
      continue;
    }
    argument += 1;
    if (argument >= args.length) throw argumentError(state, argument, "no value");
    item.lastIndex = at;
    const specification = parse(state, item.exec(template)!);
    at = item.lastIndex;
    result += convert(state, args, argument, specification);
  }
  return result;
}

function parse(state: LuaState, match: RegExpExecArray): Specification {
  const [, flags = "", width = "", precision, conversion = ""] = match;
  if (flags.length > 5) throw state.error("invalid format (repeated flags)");
  if (conversion >= "0" && conversion <= "9") throw state.error("invalid format (width or precision too long)");
  return {
    flags,
    width: Number(width),
    precision: precision === undefined ? undefined : Number(precision),
    conversion,
  };
}

function convert(state: LuaState, args: Args, at: number, specification: Specification): string {
  const { conversion } = specification;
  switch (conversion) {
    case "c":
      return cString(pad(String.fromCharCode(toInt(checkNumber(state, args, at)) & 0xff), specification));
    case "d":
    case "i":
      return formatInteger(toInt64(checkNumber(state, args, at)), specification);
    case "o":
    case "u":
    case "x":
    case "X":
      return formatUnsigned(toUnsigned(checkNumber(state, args, at)), specification);
    case "e":
    case "E":
    case "f":
    case "g":
    case "G":
      return formatDouble(checkNumber(state, args, at), specification);
    case "q":
      return quote(checkString(state, args, at));
    case "s":
      return formatString(checkString(state, args, at), specification);
    default:
      throw state.error(`invalid option '%${cString(conversion)}' to 'format'`);
  }
}

/** C's (int) of a double: what does not fit is the smallest. */
function toInt(number: number): number {
  return number > -(2 ** 31) - 1 && number < 2 ** 31 ? number : -(2 ** 31);
}

/** C's (unsigned long long) of a double, as x86-64 computes it. */
function toUnsigned(number: number): bigint {
  if (number >= 2 ** 63 && number < 2 ** 64) return BigInt(Math.trunc(number));
  return number >= 2 ** 64 ? 0n : BigInt.asUintN(64, toInt64(number));
}

function formatString(text: string, specification: Specification): string {
  const { precision } = specification;
  if (precision === undefined && text.length >= LONG_STRING) return text;
  return pad(cString(text).slice(0, precision), specification);
}

function formatInteger(value: bigint, specification: Specification): string {
  const { flags } = specification;
  const sign = value < 0n ? "-" : flags.includes("+") ? "+" : flags.includes(" ") ? " " : "";
  return padNumber(sign, atLeast(value < 0n ? -value : value, 10, specification.precision), specification);
}

function formatUnsigned(value: bigint, specification: Specification): string {
  const { conversion, flags, precision } = specification;
  const radix = conversion === "o" ? 8 : conversion === "u" ? 10 : 16;
  let digits = atLeast(value, radix, precision);
  if (!flags.includes("#")) return padNumber("", cased(digits, conversion), specification);
  if (radix === 8 && !digits.startsWith("0")) digits = `0${digits}`;
  const prefix = radix === 16 && value !== 0n ? `0${conversion}` : "";
  return padNumber(prefix, cased(digits, conversion), specification);
}

/** A zero with precision 0 has no digits. */
function atLeast(value: bigint, radix: number, precision: number | undefined): string {
  if (precision === 0 && value === 0n) return "";
  return value.toString(radix).padStart(precision ?? 1, "0");
}

function cased(text: string, conversion: string): string {
  return conversion === conversion.toUpperCase() ? text.toUpperCase() : text;
}

function formatDouble(number: number, specification: Specification): string {
  const { conversion, flags, precision = 6 } = specification;
  if (!Number.isFinite(number)) {
    const text = formatNonFinite(number);
    const negative = text.startsWith("-");
    const sign = negative ? "-" : flags.includes("+") ? "+" : flags.includes(" ") ? " " : "";
    const name = cased(negative ? text.slice(1) : text, conversion);
    return pad(sign + name, specification);
  }
  const negative = number < 0 || Object.is(number, -0);
  const sign = negative ? "-" : flags.includes("+") ? "+" : flags.includes(" ") ? " " : "";
  const text = unsignedDouble(Math.abs(number), conversion.toLowerCase(), precision, flags.includes("#"));
  return padNumber(sign, cased(text, conversion), { ...specification, precision: undefined });
}

function unsignedDouble(number: number, conversion: string, precision: number, alternate: boolean): string {
  if (conversion === "f") {
    const text = fixedDigits(number, precision);
    return alternate && precision === 0 ? `${text}.` : text;
  }
  if (conversion === "e") return scientific(number, precision, alternate);
  const significant = precision === 0 ? 1 : precision;
  return alternate ? generalWithZeros(number, significant) : formatGeneral(number, significant);
}

function scientific(number: number, precision: number, alternate: boolean): string {
  const { digits, exponent } =
    number === 0 ? { digits: "0".repeat(precision + 1), exponent: 0 } : digitsOf(number, precision + 1);
  const point = precision > 0 || alternate ? "." : "";
  return `${digits[0]}${point}${digits.slice(1)}e${exponentText(exponent)}`;
}

/** `%#g` keeps the zeros at the end. */
function generalWithZeros(number: number, significant: number): string {
  const exponent = number === 0 ? 0 : digitsOf(number, significant).exponent;
  if (exponent < -4 || exponent >= significant) return scientific(number, significant - 1, true);
  const text = fixedDigits(number, significant - 1 - exponent);
  return text.includes(".") ? text : `${text}.`;
}

/** Zeros go between the sign and the digits. A precision of an integer switches them off. */
function padNumber(sign: string, digits: string, specification: Specification): string {
  const { flags, width, precision } = specification;
  if (!flags.includes("0") || flags.includes("-") || precision !== undefined) return pad(sign + digits, specification);
  return sign + digits.padStart(width - sign.length, "0");
}

function pad(text: string, { flags, width }: Specification): string {
  return flags.includes("-") ? text.padEnd(width) : text.padStart(width);
}

const QUOTED: Readonly<Record<string, string>> = { '"': '\\"', "\\": "\\\\", "\n": "\\\n", "\r": "\\r", "\0": "\\000" };

function quote(text: string): string {
  return `"${text.replace(/["\\\n\r\0]/g, (character) => QUOTED[character]!)}"`;
}
