/** What a leaderboard writes to, a single board or one in shards, and what is written. */
import type { BoardReads } from "./reads.ts";
import type { ScoreRange } from "./scores.ts";
import type { PlaceResult } from "./scripts.gen.ts";

/** The keys of one board. */
export interface BoardKeys {
  readonly board: string;
  readonly distinct: string;
  readonly meta: string;
}

/** A score to set or to add, as it is stored. */
export interface Write {
  readonly member: string;
  readonly score: number;
  /** What to store with the member. */
  readonly meta: Buffer | undefined;
  /** Of an increment: the subscore to set. */
  readonly subscore?: number | undefined;
}

export interface Improvement {
  readonly improved: boolean;
  readonly score: number;
  readonly previous: number | null;
}

/** The periods of windows that a write is for too. */
export interface Periods {
  readonly windows: string;
  readonly periods: readonly string[];
}

/** Where a board has windows. */
export interface BoardWindows {
  /** @param now the server's, where a write was refused as its periods were not those of that time */
  periods(now?: number): Periods;
  /** A write was the first of a period. */
  opened(): void;
}

/** Where a score stands among the members of one shard. */
export type ShardPlace = Omit<PlaceResult, "status">;

/** What a leaderboard writes to: one board, or several. */
export interface Board extends BoardReads {
  set(entry: Write): Promise<boolean>;
  increment(entry: Write): Promise<number>;
  incrementOnce(entry: Write, idempotencyKey: string): Promise<number>;
  best(entry: Write): Promise<Improvement>;
  remove(member: string): Promise<boolean>;
  removeScores(range: ScoreRange): Promise<number>;
  removeBeyond(keep: number): Promise<number>;
  removePositions(from: number, to: number): Promise<number>;
  clear(): Promise<void>;
}
