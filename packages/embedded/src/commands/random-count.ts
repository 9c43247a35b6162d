/** The count of HRANDFIELD, SRANDMEMBER and ZRANDMEMBER. */
import { fail } from "../errors.ts";
import { int64Argument } from "../numbers.ts";

const MAX_LONG = 2n ** 63n - 1n;

/** Positive for different elements, negative for independent draws. */
export function randomCountArgument(text: string): number | bigint {
  const count = int64Argument(text);
  return count < -MAX_LONG ? fail(`ERR value is out of range, value must between -${MAX_LONG} and ${MAX_LONG}`) : count;
}
