/**
 * A leaderboard: members with scores, and where each of them stands.
 *
 * Promises: a write and what follows from it (the cap, the time to live, the index of dense ranks) are one atomic
 * script; ranks, totals and neighbours in one answer are of one consistent moment; no increment is lost, and none happens
 * twice unless its caller repeats it without an `idempotencyKey`. While the server is away, calls wait for it until their
 * deadline and then reject. A `set` or `remove` whose answer was lost is repeated; an `increment` or a `best` is not: it
 * rejects with OutcomeUnknownError.
 */
import { inChunks } from "../core/batch/in-chunks.ts";
import type { Core } from "../core/core.ts";
import { checkId, checkText, type Id } from "../core/keyspace/keyspace.ts";
import { Operations } from "../core/observe/observe.ts";
import { givenOptions, listOf, type OptionNames, pairsOf, wholeBetween } from "../base/options.ts";
import { entriesOf, type LeaderboardEntry, type LeaderboardPage, type LeaderboardStanding } from "./entries.ts";
import { checkScore, type LeaderboardOptions, leaderboardSettings, type LeaderboardSettings } from "./options.ts";
import { BoardStore, type Scored } from "./store.ts";

export interface LeaderboardIncrementOptions {
  /** Names this increment of this board, 1 to 256 characters: a repeat changes nothing and returns the first answer. */
  readonly idempotencyKey?: string;
}

export interface LeaderboardBestResult {
  /** Whether this score is now the member's: it had none or a worse one, and the score made it onto the board. */
  readonly improved: boolean;
  /** The better of this score and the one before. */
  readonly score: number;
  readonly previous: number | undefined;
}

export interface LeaderboardPageOptions {
  /** Entries to skip from the top. @default 0 */
  readonly offset?: number;
  /** Entries to return, 1 to 1000. @default 10 */
  readonly limit?: number;
}

const INCREMENT_NAMES: OptionNames<LeaderboardIncrementOptions> = { idempotencyKey: true };
const PAGE_NAMES: OptionNames<LeaderboardPageOptions> = { offset: true, limit: true };
const MAX_LIMIT = 1_000;
const MAX_DISTANCE = 500;
const MAX_OFFSET = 2 ** 32 - 1;
const MAX_IDEMPOTENCY_KEY = 256;

/**
 * @example
 * const busiest = hf.leaderboard("busiest");
 * await busiest.increment("ATL");
 * for (const { rank, member, score } of await busiest.top(3)) console.log(rank, member, score);
 */
export class Leaderboard {
  readonly name: string;
  readonly #operations: Operations;
  readonly #settings: LeaderboardSettings;
  readonly #store: BoardStore;

  constructor(core: Core, name: string, options?: LeaderboardOptions) {
    this.name = name;
    this.#operations = new Operations("leaderboard", name);
    const keys = core.keys.group("leaderboard", name);
    this.#settings = leaderboardSettings(name, options);
    this.#store = new BoardStore(core.driver, keys, name, this.#settings);
  }

  /**
   * Sets the member's score, whatever it was; false if the board is full of better ones. Idempotent.
   * Cost: one script, O(log n); sets made in the same tick share it.
   */
  set(member: Id, score: number): Promise<boolean> {
    return this.#operations.run("set", member, () => this.#store.set(scored(member, score)));
  }

  /**
   * As `set`, for many; if a member comes twice, its last score counts. Returns how many of them are on the board.
   * Cost: one script per 256 entries (85 with dense ranks), each atomic.
   */
  setMany(entries: Iterable<readonly [member: Id, score: number]>): Promise<number> {
    return this.#operations.run("setMany", undefined, async () => {
      const pairs = pairsOf("entries", entries, "[member, score] pairs");
      const checked = new Map(pairs.map(([member, score]) => scored(member, score)));
      const kept = await inChunks([...checked], (chunk) => Promise.all(chunk.map((entry) => this.#store.set(entry))));
      return kept.filter(Boolean).length;
    });
  }

  /**
   * Adds `by`, which may be negative or a fraction, to the member's score (0 for a new one) and returns the sum. On a
   * full board a member whose sum is too bad falls off, and begins at 0 again.
   * Cost: one script, O(log n); increments made in the same tick share it, except those with an `idempotencyKey`.
   * @throws HoldfastError `UNSUPPORTED` if the sum would be beyond ±(2^53 - 1); nothing is changed
   * @throws OutcomeUnknownError if the answer was lost and there is no `idempotencyKey`
   */
  increment(member: Id, by: number = 1, options?: LeaderboardIncrementOptions): Promise<number> {
    return this.#operations.run("increment", member, async () => {
      const entry: Scored = [checkId("member", member), checkScore("by", by)];
      const { idempotencyKey } = givenOptions(options, INCREMENT_NAMES);
      if (idempotencyKey === undefined) return this.#store.increment(entry);
      return this.#store.incrementOnce(entry, checkText("idempotencyKey", idempotencyKey, MAX_IDEMPOTENCY_KEY));
    });
  }

  /**
   * Sets the member's score if it is better than the one it has.
   * Cost: one script, O(log n); those made in the same tick share it.
   * @throws OutcomeUnknownError if the answer was lost; calling again is harmless
   */
  best(member: Id, score: number): Promise<LeaderboardBestResult> {
    return this.#operations.run("best", member, async () => {
      const { improved, score: standing, previous } = await this.#store.best(scored(member, score));
      return { improved, score: standing, previous: previous ?? undefined };
    });
  }

  /**
   * Returns where the member stands, or undefined if it is not on the board.
   * Cost: one script, O(log n); those made in the same tick share it.
   */
  rank(member: Id): Promise<LeaderboardStanding | undefined> {
    return this.#operations.run("rank", member, () => this.#store.standing(checkId("member", member)));
  }

  /** Returns where these members stand, without those that are not on the board. Cost: one script per 64 members. */
  ranks(members: Iterable<Id>): Promise<Map<Id, LeaderboardStanding>> {
    return this.#operations.run("ranks", undefined, () => found(members, (member) => this.#store.standing(member)));
  }

  /** Returns the scores of these members, without those that are not on the board. Cost: one ZMSCORE per 256 members. */
  scores(members: Iterable<Id>): Promise<Map<Id, number>> {
    return this.#operations.run("scores", undefined, () => found(members, (member) => this.#store.score(member)));
  }

  /** Returns the best `count` entries, best first; 1 to 1000. Cost: one script, O(log n + count). */
  top(count: number = 10): Promise<LeaderboardEntry[]> {
    return this.#operations.run("top", undefined, async () => {
      const window = await this.#store.page(0, wholeBetween("count", count, 1, MAX_LIMIT));
      return entriesOf(window, this.#settings.ties);
    });
  }

  /** Returns a page of the board and the number of its members, of one consistent moment. Cost: one script, O(log n + limit). */
  page(options?: LeaderboardPageOptions): Promise<LeaderboardPage> {
    return this.#operations.run("page", undefined, async () => {
      const { offset = 0, limit = 10 } = givenOptions(options, PAGE_NAMES);
      const from = wholeBetween("offset", offset, 0, MAX_OFFSET);
      const window = await this.#store.page(from, wholeBetween("limit", limit, 1, MAX_LIMIT));
      return { entries: entriesOf(window, this.#settings.ties), total: window.total };
    });
  }

  /**
   * Returns the member and up to `distance` (0 to 500) entries above and below it, best first; none if it is not on the board.
   * Cost: one script, O(log n + distance).
   */
  around(member: Id, distance: number = 5): Promise<LeaderboardEntry[]> {
    return this.#operations.run("around", member, async () => {
      const checked = wholeBetween("distance", distance, 0, MAX_DISTANCE);
      const window = await this.#store.around(checkId("member", member), checked);
      return window === undefined ? [] : entriesOf(window, this.#settings.ties);
    });
  }

  /** Removes the member; false if it was not on the board. Idempotent. Cost: one script, shared like that of `set`. */
  remove(member: Id): Promise<boolean> {
    return this.#operations.run("remove", member, () => this.#store.remove(checkId("member", member)));
  }

  /** Returns how many members are on the board. Cost: ZCARD. */
  size(): Promise<number> {
    return this.#operations.run("size", undefined, () => this.#store.size());
  }

  /** Removes everybody. Idempotency keys stay. Idempotent. Cost: UNLINK. */
  clear(): Promise<void> {
    return this.#operations.run("clear", undefined, () => this.#store.clear());
  }
}

function scored(member: Id, score: number): Scored {
  return [checkId("member", member), checkScore("score", score)];
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
