/**
 * A leaderboard: members with scores, and where each of them stands.
 *
 * What it promises: a write and what follows from it (the cap, the time to live, the index of dense ranks) are one atomic
 * script; ranks, totals and neighbours of one answer are of one moment; no increment is lost, and none is done twice
 * unless its caller repeats it without an `idempotencyKey`. While the server is away calls wait for it until their
 * deadline and then reject. A `set` or `remove` whose answer was lost is repeated; an `increment` or a `best` is not:
 * it rejects with OutcomeUnknownError.
 */
import type { Core } from "../core/core.ts";
import { checkId, checkText, type Id } from "../core/keyspace/keyspace.ts";
import { observed } from "../core/observe/observe.ts";
import { wholeBetween } from "../base/options.ts";
import { entriesOf, type Entry, type Page, type Standing } from "./entries.ts";
import { checkScore, type LeaderboardOptions, leaderboardSettings, type LeaderboardSettings } from "./options.ts";
import { BoardStore, type Scored } from "./store.ts";

export interface ScoreIncrementOptions {
  /** Names this increment of this board, 1 to 256 characters: a repeat changes nothing and is answered like the first. */
  readonly idempotencyKey?: string;
}

export interface BestOutcome {
  /** Whether this score is now the member's: it had none or a worse one, and it made it onto the board. */
  readonly improved: boolean;
  /** The better one of this score and the one before. */
  readonly score: number;
  readonly previous: number | undefined;
}

export interface PageOptions {
  /** Entries to leave out from the top. @default 0 */
  readonly offset?: number;
  /** Entries to give, 1 to 1000. @default 10 */
  readonly limit?: number;
}

const MAX_LIMIT = 1_000;
const MAX_DISTANCE = 500;
const MAX_OFFSET = 2 ** 32 - 1;
const MAX_IDEMPOTENCY_KEY = 256;

export class Leaderboard {
  readonly name: string;
  readonly #settings: LeaderboardSettings;
  readonly #store: BoardStore;

  constructor(core: Core, name: string, options: LeaderboardOptions = {}) {
    this.name = name;
    this.#settings = leaderboardSettings(options);
    this.#store = new BoardStore(core, name, this.#settings);
  }

  /**
   * Gives the member this score, whatever it had; false when the board is full and the score too bad for it. Idempotent.
   * Cost: one script, O(log n); the sets of one turn of the event loop share it.
   */
  set(member: Id, score: number): Promise<boolean> {
    return observed("leaderboard.set", member, async () => this.#store.set(scored(member, score)));
  }

  /**
   * As `set`, for many; of a member that comes twice the last score counts. Gives how many are on the board.
   * Cost: one script per 256 entries, each atomic.
   */
  setMany(entries: Iterable<readonly [Id, number]>): Promise<number> {
    return observed("leaderboard.setMany", undefined, async () => {
      const checked = new Map([...entries].map(([member, score]) => scored(member, score)));
      const kept = await Promise.all([...checked].map((entry) => this.#store.set(entry)));
      return kept.filter(Boolean).length;
    });
  }

  /**
   * Adds `by`, which may be negative or a fraction, to the member's score (0 for a new one) and gives the sum. On a full board a member
   * whose sum is too bad falls off, and begins at 0 again.
   * Cost: one script, O(log n); the increments of one turn of the event loop share it, but for those with an `idempotencyKey`.
   * @throws HoldfastError `UNSUPPORTED` when the sum would be beyond ±(2^53 - 1); nothing is changed
   * @throws OutcomeUnknownError when the answer was lost and there is no `idempotencyKey`
   */
  increment(member: Id, by: number = 1, options: ScoreIncrementOptions = {}): Promise<number> {
    return observed("leaderboard.increment", member, async () => {
      const entry: Scored = [checkId("member", member), checkScore("by", by)];
      const { idempotencyKey } = options;
      if (idempotencyKey === undefined) return this.#store.increment(entry);
      return this.#store.incrementOnce(entry, checkText("idempotencyKey", idempotencyKey, MAX_IDEMPOTENCY_KEY));
    });
  }

  /**
   * Gives the member this score if it is better than the one it has.
   * Cost: one script, O(log n); those of one turn of the event loop share it.
   * @throws OutcomeUnknownError when the answer was lost; to call again is harmless
   */
  best(member: Id, score: number): Promise<BestOutcome> {
    return observed("leaderboard.best", member, async () => {
      const { improved, score: standing, previous } = await this.#store.best(scored(member, score));
      return { improved, score: standing, previous: previous ?? undefined };
    });
  }

  /**
   * Where the member stands, or undefined when it is not on the board.
   * Cost: one script, O(log n); those of one turn of the event loop share it.
   */
  rank(member: Id): Promise<Standing | undefined> {
    return observed("leaderboard.rank", member, async () => this.#store.standing(checkId("member", member)));
  }

  /** Where these members stand, without those that are not on the board. Cost: one script per 256 members. */
  ranks(members: Iterable<Id>): Promise<Map<Id, Standing>> {
    return observed("leaderboard.ranks", undefined, () => found(members, (member) => this.#store.standing(member)));
  }

  /** The scores of these members, without those that are not on the board. Cost: one ZMSCORE per 256 members. */
  scores(members: Iterable<Id>): Promise<Map<Id, number>> {
    return observed("leaderboard.scores", undefined, () => found(members, (member) => this.#store.score(member)));
  }

  /** The best `count` entries, best first; 1 to 1000. Cost: one script, O(log n + count). */
  top(count: number = 10): Promise<Entry[]> {
    return observed("leaderboard.top", undefined, async () => {
      const window = await this.#store.page(0, wholeBetween("count", count, 1, MAX_LIMIT));
      return entriesOf(window, this.#settings.ties);
    });
  }

  /** A page of the board and the number of its members, both of one moment. Cost: one script, O(log n + limit). */
  page(options: PageOptions = {}): Promise<Page> {
    return observed("leaderboard.page", undefined, async () => {
      const offset = wholeBetween("offset", options.offset ?? 0, 0, MAX_OFFSET);
      const limit = wholeBetween("limit", options.limit ?? 10, 1, MAX_LIMIT);
      const window = await this.#store.page(offset, limit);
      return { entries: entriesOf(window, this.#settings.ties), total: window.total };
    });
  }

  /**
   * The member and up to `distance` (0 to 500) entries above and below it, best first; none when it is not on the board.
   * Cost: one script, O(log n + distance).
   */
  around(member: Id, distance: number = 5): Promise<Entry[]> {
    return observed("leaderboard.around", member, async () => {
      const checked = wholeBetween("distance", distance, 0, MAX_DISTANCE);
      const window = await this.#store.around(checkId("member", member), checked);
      return window === undefined ? [] : entriesOf(window, this.#settings.ties);
    });
  }

  /** Takes the member off the board; false when it was not on it. Idempotent. Cost: one script, shared as by `set`. */
  remove(member: Id): Promise<boolean> {
    return observed("leaderboard.remove", member, async () => this.#store.remove(checkId("member", member)));
  }

  /** Members on the board. Cost: ZCARD. */
  size(): Promise<number> {
    return observed("leaderboard.size", undefined, () => this.#store.size());
  }

  /** Takes everybody off the board. Keeps remembering idempotency keys. Idempotent. Cost: UNLINK. */
  clear(): Promise<void> {
    return observed("leaderboard.clear", undefined, () => this.#store.clear());
  }
}

function scored(member: Id, score: number): Scored {
  return [checkId("member", member), checkScore("score", score)];
}

async function found<T>(
  members: Iterable<Id>,
  read: (member: string) => Promise<T | null | undefined>,
): Promise<Map<Id, T>> {
  const wanted = [...new Set(members)].map((member) => [member, checkId("members", member)] as const);
  const values = new Map<Id, T>();
  const reads = await Promise.all(wanted.map(([, text]) => read(text)));
  for (const [at, value] of reads.entries())
    if (value !== null && value !== undefined) values.set(wanted[at]![0], value);
  return values;
}
