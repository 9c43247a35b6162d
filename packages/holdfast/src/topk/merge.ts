/** One list of several windows'. Agarwal et al., "Mergeable Summaries" (2012): a member that a full list does not have counts as its lowest. */
import type { List } from "./store.ts";

export interface TopKEntry {
  readonly member: string;
  /** How often it was added: never too low. With `halfLife`, weighted. */
  readonly count: number;
  /** How much too high `count` may be at most. */
  readonly error: number;
}

/** @param weights of each list */
export function merged(lists: readonly List[], weights: readonly number[], limit: number): TopKEntry[] {
  const error = lists.reduce((sum, list, at) => sum + list.error * weights[at]!, 0);
  // What a member has in addition to the lowest counts of all lists.
  const above = new Map<string, number>();
  for (const [at, list] of lists.entries())
    for (const { member, count } of list.counts)
      above.set(member, (above.get(member) ?? 0) + (count - list.error) * weights[at]!);
  return [...above]
    .map(([member, each]) => ({ member, count: each + error, error }))
    .toSorted((a, b) => b.count - a.count || (a.member < b.member ? -1 : 1))
    .slice(0, limit);
}
