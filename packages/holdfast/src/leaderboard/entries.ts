/** What a board returns, and how ranks follow from positions and scores. */
import type { LeaderboardTies } from "./options.ts";

export interface LeaderboardEntry {
  readonly member: string;
  readonly score: number;
  /** 1 for the best. */
  readonly rank: number;
}

export interface LeaderboardPage {
  readonly entries: LeaderboardEntry[];
  /** Members on the board. */
  readonly total: number;
}

export interface LeaderboardStanding {
  readonly score: number;
  /** 1 for the best. */
  readonly rank: number;
  /** Members on the board. */
  readonly total: number;
  /** Percentile rank, 0 to 100: the share of the others with a worse score, plus half of those with the same; 100 when alone. */
  readonly percentile: number;
}

/** A part of the board as the server returns it: `position` and `rank` are those of the first row. */
export interface Window {
  readonly total: number;
  readonly position: number;
  readonly rank: number;
  readonly rows: readonly { readonly member: string; readonly score: number }[];
}

export function entriesOf({ rows, position, rank: first }: Window, ties: LeaderboardTies): LeaderboardEntry[] {
  let rank = first;
  return rows.map(({ member, score }, at) => {
    if (at > 0 && (ties === "ordinal" || score !== rows[at - 1]!.score))
      rank = ties === "dense" ? rank + 1 : position + at;
    return { member, score, rank };
  });
}

export function percentileOf(worse: number, equal: number, total: number): number {
  return total === 1 ? 100 : (100 * (worse + equal / 2)) / (total - 1);
}
