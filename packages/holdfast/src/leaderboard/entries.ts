/** What a board returns, and how ranks follow from positions and scores. */
import type { LeaderboardTies } from "./options.ts";

export interface LeaderboardEntry<Meta = unknown> {
  readonly member: string;
  readonly score: number;
  /** Of a board with subscores. */
  readonly subscore?: number;
  /** 1 for the best. */
  readonly rank: number;
  /** What is stored with the member, where there is something. */
  readonly meta?: Meta;
}

export interface LeaderboardPage<Meta = unknown> {
  readonly entries: LeaderboardEntry<Meta>[];
  /** Members on the board, or in the range that was asked for. */
  readonly total: number;
}

export interface LeaderboardStanding<Meta = unknown> {
  readonly score: number;
  /** Of a board with subscores. */
  readonly subscore?: number;
  /** 1 for the best. */
  readonly rank: number;
  /** Members on the board. */
  readonly total: number;
  /** Percentile rank, 0 to 100: the share of the others with a worse score, plus half of those with the same; 100 when alone. */
  readonly percentile: number;
  /** What is stored with the member, where there is something. */
  readonly meta?: Meta;
}

/** A member with its score as it is stored. */
export interface Row {
  readonly member: string;
  readonly score: number;
}

/** A part of the board as the server returns it: `position` and `rank` are those of the first row. */
export interface Window {
  readonly total: number;
  readonly position: number;
  readonly rank: number;
  readonly rows: readonly Row[];
  /** For each row what is stored with the member; empty where that was not asked for. */
  readonly metas: readonly (Buffer | null)[];
}

/** Where one member stands. */
export interface Place {
  readonly score: number;
  readonly rank: number;
  readonly total: number;
  readonly worse: number;
  readonly equal: number;
  readonly meta: Buffer | null;
}

export function ranksOf(
  { rows, position, rank: first }: Omit<Window, "metas" | "total">,
  ties: LeaderboardTies,
): number[] {
  let rank = first;
  return rows.map(({ score }, at) => {
    if (at > 0 && (ties === "ordinal" || score !== rows[at - 1]!.score))
      rank = ties === "dense" ? rank + 1 : position + at;
    return rank;
  });
}

/** As a board orders them, best first: by score, then by the bytes of the names, on a `desc` board in reverse. */
export function compareRows(desc: boolean): (a: Row, b: Row) => number {
  const sign = desc ? -1 : 1;
  return (a, b) => sign * (a.score - b.score || Buffer.compare(Buffer.from(a.member), Buffer.from(b.member)));
}

export function percentileOf(worse: number, equal: number, total: number): number {
  return total === 1 ? 100 : (100 * (worse + equal / 2)) / (total - 1);
}
