/** Of the users of one partition: how many of each window's were active in the windows after it. */
import { type Bits, countOf, countOfBoth, Union, without } from "./bits.ts";

/** By cohort, then by windows since; each a sum over the partitions. */
export type Matrix = number[][];

/**
 * @param all the windows, oldest first
 * @param first the first one with a cohort; those before it only tell who is new
 * @param cohorts how many windows have one
 * @param ofNew whether a cohort has only those who were in no window before
 */
export function addRetention(
  matrix: Matrix,
  all: readonly (Bits | undefined)[],
  first: number,
  cohorts: number,
  ofNew: boolean,
): void {
  const before = new Union();
  for (const bits of all.slice(0, first)) before.add(bits);
  for (let cohort = 0; cohort < cohorts; cohort += 1) {
    const at = first + cohort;
    const bits = all[at];
    if (bits !== undefined) {
      const users = ofNew ? without(bits.words, before.of(bits.epoch)) : bits.words;
      const row = matrix[cohort]!;
      row[0]! += countOf(users);
      for (let since = 1; since < row.length; since += 1) {
        const later = all[at + since];
        if (later?.epoch === bits.epoch) row[since]! += countOfBoth(users, later.words);
      }
      if (ofNew) before.add(bits);
    }
  }
}
