/**
 * Ranges of a sorted set: by rank, by score, by member. Each becomes a span of ranks.
 *
 * A range by member is only defined where all scores are equal, as in Redis.
 */
import { cString, fail } from "../base/errors.ts";
import { integerArgument, parseDouble } from "../base/numbers.ts";
import type { SortedSetValue, Span } from "../values/sorted-set.ts";

/** Finds its span in a set. Made from the arguments before a key is looked up, so that bad ones are refused first. */
export type RangeFinder = (zset: SortedSetValue) => Span;

export const EMPTY: Span = { start: 0, end: 0 };

/** Both ends included; negative ones count from the end. `reverse` counts ranks from the highest. */
export function rankRange(startText: string, stopText: string, reverse = false): RangeFinder {
  const start = integerArgument(startText);
  const stop = integerArgument(stopText);
  return ({ size }) => {
    const from = Math.max(start < 0 ? size + start : start, 0);
    const to = Math.min(stop < 0 ? size + stop : stop, size - 1);
    if (from > to) return EMPTY;
    return reverse ? { start: size - 1 - to, end: size - from } : { start: from, end: to + 1 };
  };
}

type Bound<T> = { readonly value: T; readonly open: boolean };

const NOT_A_SCORE = "ERR min or max is not a float";

export function scoreRange(minText: string, maxText: string): RangeFinder {
  const min = scoreBound(minText);
  const max = scoreBound(maxText);
  return (zset) => spanOf(zset.countScores(min.value, min.open), zset.countScores(max.value, !max.open));
}

/** `1.5`, `(1.5`, `-inf`, as strtod reads C strings: spaces may stand before, and nothing at all is zero. */
function scoreBound(text: string): Bound<number> {
  const open = text.startsWith("(");
  const number = cString(open ? text.slice(1) : text);
  return { value: number === "" ? 0 : (parseDouble(number.replace(/^[ \t-\r]+/, "")) ?? fail(NOT_A_SCORE)), open };
}

const NOT_A_MEMBER = "ERR min or max not valid string range item";

export function memberRange(minText: string, maxText: string): RangeFinder {
  const min = memberBound(minText);
  const max = memberBound(maxText);
  return (zset) => spanOf(countBelow(zset, min, false), countBelow(zset, max, true));
}

type MemberBound = "lowest" | "highest" | Bound<string>;

/** `-`, `+`, `[member`, `(member`. */
function memberBound(text: string): MemberBound {
  if (text === "-") return "lowest";
  if (text === "+") return "highest";
  if (text.startsWith("[")) return { value: text.slice(1), open: false };
  return text.startsWith("(") ? { value: text.slice(1), open: true } : fail(NOT_A_MEMBER);
}

/** Number of members before the bound; as the end of a range a closed bound counts itself too. */
function countBelow(zset: SortedSetValue, bound: MemberBound, isEnd: boolean): number {
  if (bound === "lowest") return 0;
  if (bound === "highest") return zset.size;
  const { value, open } = bound;
  const countsItself = isEnd !== open;
  return zset.countMembers((member) => member < value || (countsItself && member === value));
}

function spanOf(start: number, end: number): Span {
  return start < end ? { start, end } : EMPTY;
}
