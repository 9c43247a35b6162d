/**
 * The exact decimal digits of a double, rounded half to even as glibc does. JavaScript's own toPrecision and
 * toFixed round an exact tie away from zero, so ties are found and worked out in whole numbers.
 */
export interface Digits {
  /** `count` digits, the first of them not zero. */
  readonly digits: string;
  /** Decimal exponent of the first digit. */
  readonly exponent: number;
}

/** The first `count` (at least 1) significant digits of a positive finite number. */
export function digitsOf(number: number, count: number): Digits {
  return count <= 20 && !mayTie(number, count) ? quickDigits(number, count) : exactDigits(number, count);
}

/** The number with exactly `places` digits after the point. */
export function fixedDigits(number: number, places: number): string {
  const { mantissa, power } = dissect(number);
  const scaled = mantissa * 10n ** BigInt(places);
  const rounded = power >= 0 ? scaled << BigInt(power) : divideHalfEven(scaled, 1n << BigInt(-power));
  const text = rounded.toString().padStart(places + 1, "0");
  return places === 0 ? text : `${text.slice(0, -places)}.${text.slice(-places)}`;
}

/** A tie is written exactly by one digit more, which is a 5. */
function mayTie(number: number, count: number): boolean {
  const longer = number.toExponential(count);
  return longer.charCodeAt(longer.indexOf("e") - 1) === 0x35 && Number(longer) === number;
}

function quickDigits(number: number, count: number): Digits {
  const text = number.toExponential(count - 1);
  const split = text.indexOf("e");
  return { digits: text.slice(0, split).replace(".", ""), exponent: Number(text.slice(split + 1)) };
}

function exactDigits(number: number, count: number): Digits {
  const { mantissa, power } = dissect(number);
  const [above, below] = power >= 0 ? [mantissa << BigInt(power), 1n] : [mantissa, 1n << BigInt(-power)];
  let exponent = Number(number.toExponential(16).split("e")[1]);
  let rounded = roundAt(above, below, count - 1 - exponent);
  // Both the estimate and the rounding can be one digit off.
  while (rounded.toString().length > count) rounded = roundAt(above, below, count - 1 - ++exponent);
  while (rounded.toString().length < count) rounded = roundAt(above, below, count - 1 - --exponent);
  return { digits: rounded.toString(), exponent };
}

/** above / below * 10^places, rounded to a whole number. */
function roundAt(above: bigint, below: bigint, places: number): bigint {
  const scale = 10n ** BigInt(Math.abs(places));
  return places >= 0 ? divideHalfEven(above * scale, below) : divideHalfEven(above, below * scale);
}

function divideHalfEven(above: bigint, below: bigint): bigint {
  const quotient = above / below;
  const twice = (above % below) * 2n;
  const up = twice > below || (twice === below && quotient % 2n === 1n);
  return up ? quotient + 1n : quotient;
}

const double = new Float64Array(1);
const bits = new BigUint64Array(double.buffer);

/** number = mantissa * 2^power */
function dissect(number: number): { mantissa: bigint; power: number } {
  double[0] = number;
  const fraction = bits[0]! & 0xf_ffff_ffff_ffffn;
  const exponent = Number((bits[0]! >> 52n) & 0x7ffn);
  return exponent === 0
    ? { mantissa: fraction, power: -1074 }
    : { mantissa: fraction | 0x10_0000_0000_0000n, power: exponent - 1075 };
}
