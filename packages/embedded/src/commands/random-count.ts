/** The count of HRANDFIELD, SRANDMEMBER and ZRANDMEMBER. */
import { fail } from "../base/errors.ts";
import { int64Argument } from "../base/numbers.ts";

const MAX_LONG = 2n ** 63n - 1n;
/** With values an answer has two elements for each of the count. */
export const MAX_PAIRS: bigint = 2n ** 62n - 1n;

/** Positive for different elements, negative for independent draws. */
export function randomCountArgument(text: string): number | bigint {
  const count = int64Argument(text);
  return count < -MAX_LONG ? fail(`ERR value is out of range, value must between -${MAX_LONG} and ${MAX_LONG}`) : count;
}

/** An element takes six bytes of a reply at least, and no reply has more than 512 MB. */
const MOST_DRAWS = Math.floor(2 ** 29 / 6);

/** Draws as often as a negative count says. */
export function independentDraws<T>(count: number | bigint, draw: () => T): T[] {
  if (-count > MOST_DRAWS) fail("ERR value is out of range");
  return Array.from({ length: -Number(count) }, draw);
}
