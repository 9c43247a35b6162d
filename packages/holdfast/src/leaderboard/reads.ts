/** What is read of a board, of a period of it, and of one that is spread over shards: the same questions of each. */
import { InvalidArgumentError } from "../base/errors.ts";
import { givenOptions, listOf, type OptionNames, wholeBetween } from "../base/options.ts";
import { inChunks } from "../core/batch/in-chunks.ts";
import { checkId, type Id } from "../core/keyspace/keyspace.ts";
import type { Operations } from "../core/observe/observe.ts";
import {
  compareRows,
  type LeaderboardEntry,
  type LeaderboardPage,
  type LeaderboardStanding,
  percentileOf,
  type Place,
  ranksOf,
  type Window,
} from "./entries.ts";
import type { LeaderboardSettings } from "./options.ts";
import type { LeaderboardRange, ScoreRange } from "./scores.ts";

export interface LeaderboardPageOptions extends LeaderboardRange {
  /** Entries to skip from the top, or from the best of the range. @default 0 */
  readonly offset?: number;
  /** Entries to return, 1 to 1000. @default 10 */
  readonly limit?: number;
}

/** How a board is asked; scores are as they are stored. */
export interface BoardReads {
  place(member: string): Promise<Place | undefined>;
  score(member: string): Promise<number | null>;
  /** What is stored with these members. */
  metas(members: readonly string[]): Promise<(Buffer | null)[]>;
  page(offset: number, limit: number, range: ScoreRange | undefined): Promise<Window>;
  around(member: string, distance: number): Promise<Window | undefined>;
  count(range: ScoreRange | undefined): Promise<number>;
  scoreAt(percentile: number): Promise<number | null>;
}

const PAGE_NAMES: OptionNames<LeaderboardPageOptions> = { offset: true, limit: true, min: true, max: true };
const RANGE_NAMES: OptionNames<LeaderboardRange> = { min: true, max: true };
const MAX_LIMIT = 1_000;
const MAX_DISTANCE = 500;
const MAX_OFFSET = 2 ** 32 - 1;

export abstract class LeaderboardReads<Meta> {
  protected readonly operations: Operations;
  protected readonly settings: LeaderboardSettings<Meta>;
  readonly #reads: () => BoardReads | Promise<BoardReads>;

  /** @param reads whom to ask */
  constructor(
    operations: Operations,
    settings: LeaderboardSettings<Meta>,
    reads: () => BoardReads | Promise<BoardReads>,
  ) {
    this.operations = operations;
    this.settings = settings;
    this.#reads = reads;
  }

  /**
   * Returns where the member stands, or undefined if it is not on the board.
   * Cost: one script, O(log n); those made in the same tick share it. With shards one script for each of them.
   */
  rank(member: Id): Promise<LeaderboardStanding<Meta> | undefined> {
    return this.operations.run("rank", member, async () => {
      const named = checkId("member", member);
      return this.#standing(named, await this.#ask((board) => board.place(named)));
    });
  }

  /** Returns where these members stand, without those that are not on the board. Cost: one script per 32 members; with shards as `rank` for each. */
  ranks(members: Iterable<Id>): Promise<Map<Id, LeaderboardStanding<Meta>>> {
    return this.operations.run("ranks", undefined, () =>
      found(members, async (member) => this.#standing(member, await this.#ask((board) => board.place(member)))),
    );
  }

  /** Returns the scores of these members, without those that are not on the board. Cost: one ZMSCORE per 256 members. */
  scores(members: Iterable<Id>): Promise<Map<Id, number>> {
    return this.operations.run("scores", undefined, () =>
      found(members, async (member) => {
        const score = await this.#ask((board) => board.score(member));
        return score === null ? null : this.settings.scoring.unpack(score).score;
      }),
    );
  }

  /**
   * Returns a board of these members alone, such as somebody's friends: best first, with their ranks among each other; without those that are
   * not on the board.
   * Cost: one ZMSCORE per 256 members, and with `meta` one HMGET; sorted in this process. Beyond 256 members not of one moment.
   */
  among(members: Iterable<Id>): Promise<LeaderboardEntry<Meta>[]> {
    return this.operations.run("among", undefined, async () => {
      const names = [...new Set(listOf("members", members, "members").map((member) => checkId("members", member)))];
      const isDescribed = this.settings.metas !== undefined;
      // Both at once, so that no write of this process comes in between.
      const [scores, metas] = await Promise.all([
        inChunks(names, (chunk) => Promise.all(chunk.map((name) => this.#ask((board) => board.score(name))))),
        isDescribed ? inChunks(names, (chunk) => this.#ask((board) => board.metas(chunk))) : [],
      ]);
      const places = names.map((_, at) => at).filter((at) => scores[at] !== null);
      const rows = places.map((at) => ({ member: names[at]!, score: scores[at]!, meta: metas[at] ?? null }));
      const sorted = rows.toSorted(compareRows(this.settings.desc));
      const window = { total: rows.length, position: 1, rank: 1, rows: sorted, metas: sorted.map(({ meta }) => meta) };
      return this.#entries(window);
    });
  }

  /** Returns the best `count` entries, best first; 1 to 1000. Cost: one script, O(log n + count); with shards one for each of them. */
  top(count: number = 10): Promise<LeaderboardEntry<Meta>[]> {
    return this.operations.run("top", undefined, async () => {
      const limit = wholeBetween("count", count, 1, MAX_LIMIT);
      return this.#entries(await this.#ask((board) => board.page(0, limit, undefined)));
    });
  }

  /**
   * Returns a page of the board, or of those of its members whose scores lie between `min` and `max`, and the number of them, of one consistent
   * moment. Ranks are those on the whole board.
   * Cost: one script, O(log n + limit); with shards one for each of them, O(log n + offset + limit).
   */
  page(options?: LeaderboardPageOptions): Promise<LeaderboardPage<Meta>> {
    return this.operations.run("page", undefined, async () => {
      const { offset = 0, limit = 10, ...range } = givenOptions(options, PAGE_NAMES);
      const from = wholeBetween("offset", offset, 0, MAX_OFFSET);
      const most = wholeBetween("limit", limit, 1, MAX_LIMIT);
      const between = this.settings.scoring.range(range);
      const window = await this.#ask((board) => board.page(from, most, between));
      return { entries: this.#entries(window), total: window.total };
    });
  }

  /**
   * Returns the member and up to `distance` (0 to 500) entries above and below it, best first; none if it is not on the board.
   * Cost: one script, O(log n + distance); with shards one for each of them.
   * @throws HoldfastError with code `CONFLICT` on a sharded board where the member was written during each of five attempts
   */
  around(member: Id, distance: number = 5): Promise<LeaderboardEntry<Meta>[]> {
    return this.operations.run("around", member, async () => {
      const checked = wholeBetween("distance", distance, 0, MAX_DISTANCE);
      const named = checkId("member", member);
      const window = await this.#ask((board) => board.around(named, checked));
      return window === undefined ? [] : this.#entries(window);
    });
  }

  /** Returns how many members have a score between `min` and `max`. Cost: ZCOUNT, O(log n). */
  count(range?: LeaderboardRange): Promise<number> {
    return this.operations.run("count", undefined, async () => {
      const between = this.settings.scoring.range(givenOptions(range, RANGE_NAMES, "range"));
      return this.#ask((board) => board.count(between));
    });
  }

  /** Returns how many members are on the board. Cost: ZCARD. */
  size(): Promise<number> {
    return this.operations.run("size", undefined, () => this.#ask((board) => board.count(undefined)));
  }

  /**
   * Returns the score at a percentile, 0 (the worst) to 100 (the best), by nearest rank: the worst score that is at least as good as those of
   * `percentile` percent of the members. Undefined on an empty board.
   * Cost: one script, O(log n).
   */
  scoreAt(percentile: number): Promise<number | undefined> {
    return this.operations.run("scoreAt", undefined, async () => {
      if (typeof percentile !== "number" || !(percentile >= 0 && percentile <= 100))
        throw new InvalidArgumentError("percentile", "a number from 0 to 100", percentile);
      const score = await this.#ask((board) => board.scoreAt(percentile));
      return score === null ? undefined : this.settings.scoring.unpack(score).score;
    });
  }

  /** In the tick of the call where that is possible, so that calls made in the same tick are merged. */
  #ask<T>(question: (board: BoardReads) => Promise<T>): Promise<T> {
    const board = this.#reads();
    return board instanceof Promise ? board.then(question) : question(board);
  }

  #standing(member: string, place: Place | undefined): LeaderboardStanding<Meta> | undefined {
    if (place === undefined) return undefined;
    const { score, rank, total, worse, equal, meta } = place;
    const percentile = percentileOf(worse, equal, total);
    return {
      ...this.settings.scoring.unpack(score),
      rank,
      total,
      percentile,
      ...described(this.settings, member, meta),
    };
  }

  #entries(window: Window): LeaderboardEntry<Meta>[] {
    return entriesOf(this.settings, window);
  }
}

export function entriesOf<Meta>(settings: LeaderboardSettings<Meta>, window: Window): LeaderboardEntry<Meta>[] {
  const ranks = ranksOf(window, settings.ties);
  return window.rows.map(({ member, score }, at) => ({
    member,
    ...settings.scoring.unpack(score),
    rank: ranks[at]!,
    ...described(settings, member, window.metas[at] ?? null),
  }));
}

function described<Meta>(
  { metas }: LeaderboardSettings<Meta>,
  member: string,
  bytes: Buffer | null,
): { readonly meta?: Meta } {
  return bytes === null || metas === undefined ? {} : { meta: metas.decode(member, bytes) };
}

async function found<T>(
  members: Iterable<Id>,
  read: (member: string) => Promise<T | null | undefined>,
): Promise<Map<Id, T>> {
  const wanted = [...new Set(listOf("members", members, "members"))].map(
    (member) => [member, checkId("members", member)] as const,
  );
  const values = new Map<Id, T>();
  const reads = await inChunks(wanted, (chunk) => Promise.all(chunk.map(([, text]) => read(text))));
  for (const [at, value] of reads.entries())
    if (value !== null && value !== undefined) values.set(wanted[at]![0], value);
  return values;
}
