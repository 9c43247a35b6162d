/** What LMPOP, ZMPOP and their blocking forms share: `numkeys key [key ...] <first|last> [COUNT count]`. */
import { fail, SYNTAX } from "../base/errors.ts";
import { rangeArgument } from "../base/numbers.ts";
import { is } from "../engine/command.ts";

const MAX = 2 ** 63;

export interface MultiPop<End> {
  readonly keys: readonly string[];
  readonly end: End;
  readonly count: number;
}

/** `start` is the place of the number of keys; `endArgument` reads the word after the keys. */
export function multiPopArguments<End>(
  args: readonly string[],
  start: number,
  endArgument: (text: string) => End,
): MultiPop<End> {
  const number = rangeArgument(args[start] ?? "", 1, MAX, "ERR numkeys should be greater than 0");
  const endPlace = start + 1 + number;
  const end = endArgument(args[endPlace] ?? fail(SYNTAX));
  let count: number | undefined;
  for (let i = endPlace + 1; i < args.length; i += 2) {
    const value = args[i + 1];
    if (count !== undefined || !is(args[i], "COUNT") || value === undefined) return fail(SYNTAX);
    count = rangeArgument(value, 1, MAX, "ERR count should be greater than 0");
  }
  return { keys: args.slice(start + 1, endPlace), end, count: count ?? 1 };
}
