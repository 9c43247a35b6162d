/**
 * Finite numbers are stored as decimal text, so that a script can add to them; everything else as the codec's bytes. The two
 * differ in the first byte: a codec's header begins with 0xF9 or above, which no number does.
 */

const NUMBER = /^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;

/** Returns the shortest text that reads as the same number, -0 included. */
export function numberToText(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}

/** The number that these bytes are the text of, or undefined when they are something else. */
export function numberFrom(bytes: Buffer): number | undefined {
  const first = bytes[0];
  if (first === undefined || (first !== MINUS && (first < ZERO || first > NINE))) return undefined;
  const text = bytes.toString("latin1");
  return NUMBER.test(text) ? Number(text) : undefined;
}
