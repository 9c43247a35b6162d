/**
 * A leaderboard: members with scores, and where each of them stands.
 *
 * Promises: a write and what follows from it (the cap, the time to live, the index of dense ranks, what is stored with members) are one atomic
 * script; ranks, totals and neighbours in one answer are of one consistent moment; no increment is lost, and none happens
 * twice unless its caller repeats it without an `idempotencyKey`. While the server is away, calls wait for it until their
 * deadline and then reject. A `set` or `remove` whose answer was lost is repeated; an `increment` or a `best` is not: it
 * rejects with OutcomeUnknownError.
 */
import { InvalidArgumentError } from "../base/errors.ts";
import { givenOptions, listOf, type OptionNames, wholeBetween } from "../base/options.ts";
import { inChunks } from "../core/batch/in-chunks.ts";
import type { Core } from "../core/core.ts";
import { checkId, checkText, type Id } from "../core/keyspace/keyspace.ts";
import { Operations } from "../core/observe/observe.ts";
import { type LeaderboardOptions, leaderboardSettings } from "./options.ts";
import { LeaderboardReads } from "./reads.ts";
import type { LeaderboardRange } from "./scores.ts";
import { ShardedBoard } from "./sharded.ts";
import type { Board, Write } from "./board.ts";
import { BoardStore } from "./store.ts";
import { Closings } from "./windows/closing.ts";
import { type LeaderboardClosedHandler, type LeaderboardClosedOptions, LeaderboardClosings } from "./windows/runner.ts";
import { LeaderboardWindow, type LeaderboardWindowAt } from "./windows/window.ts";
import { BoardsOfPeriods } from "./windows/windows.ts";

export interface LeaderboardWriteOptions<Meta = unknown> {
  /** Of a board with subscores: which decides between equal scores. @default none; with `increment` as it is, 0 packed for a new member */
  readonly subscore?: number;
  /** What to store with the member. @default as it is */
  readonly meta?: Meta;
}

export interface LeaderboardIncrementOptions<Meta = unknown> extends LeaderboardWriteOptions<Meta> {
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

/** Of scores, or of positions: 1 for the best; without `to` all from there on. */
export type LeaderboardRemoval = LeaderboardRange | { readonly from: number; readonly to?: number };

/** A member with its score and what else is written of it. */
export type LeaderboardScored<Meta = unknown> =
  | readonly [member: Id, score: number]
  | readonly [member: Id, score: number, options: LeaderboardWriteOptions<Meta> | undefined];

const WRITE_NAMES: OptionNames<LeaderboardWriteOptions> = { subscore: true, meta: true };
const INCREMENT_NAMES: OptionNames<LeaderboardIncrementOptions> = { ...WRITE_NAMES, idempotencyKey: true };
/** All of them, as it is not known yet which were given. */
type Removal = LeaderboardRange & { readonly from?: number; readonly to?: number };

const AT_NAMES: OptionNames<LeaderboardWindowAt> = { ago: true };
const REMOVAL_NAMES: OptionNames<Removal> = { min: true, max: true, from: true, to: true };
const MAX_AGO = 1_000;
const MAX_IDEMPOTENCY_KEY = 256;
const MAX_POSITION = 2 ** 32 - 1;

/**
 * @example
 * const busiest = hf.leaderboard("busiest");
 * await busiest.increment("ATL");
 * for (const { rank, member, score } of await busiest.top(3)) console.log(rank, member, score);
 */
export class Leaderboard<Meta = unknown> extends LeaderboardReads<Meta> {
  readonly name: string;
  readonly #core: Core;
  readonly #store: Board;
  readonly #windows: BoardsOfPeriods<Meta> | undefined;
  readonly #closings: Closings<Meta> | undefined;

  constructor(core: Core, name: string, options?: LeaderboardOptions<Meta>) {
    const operations = new Operations("leaderboard", name);
    const settings = leaderboardSettings(core, operations.where, name, options);
    const windows = settings.windows && new BoardsOfPeriods(core, name, settings, settings.windows);
    const boards = 1 + (settings.windows?.windows.length ?? 0);
    const stores = Array.from({ length: settings.shards }, (_, shard) => {
      const keys = core.keys.group("leaderboard", name, shard);
      const board = { board: keys.key, distinct: keys.part("distinct"), meta: keys.part("meta") };
      return new BoardStore(core.driver, board, name, settings, windows, boards);
    });
    const store = settings.shards === 1 ? stores[0]! : new ShardedBoard(name, stores, settings);
    super(operations, settings, () => windows?.ready()?.then(() => store) ?? store);
    this.name = name;
    this.#core = core;
    this.#store = store;
    this.#windows = windows;
    this.#closings = windows && new Closings(core, name, settings, windows);
  }

  /**
   * Sets the member's score, whatever it was; false if the board is full of better ones. Idempotent.
   * Cost: one script, O(log n); sets made in the same tick share it.
   */
  set(member: Id, score: number, options?: LeaderboardWriteOptions<Meta>): Promise<boolean> {
    return this.operations.run("set", member, () => {
      const entry = this.#scored(member, score, options);
      return this.#ready(() => this.#store.set(entry));
    });
  }

  /**
   * As `set`, for many; if a member comes twice, its last score counts. Returns how many of them are on the board.
   * Cost: one script per 128 entries (42 with dense ranks, and fewer with windows), each atomic.
   */
  setMany(entries: Iterable<LeaderboardScored<Meta>>): Promise<number> {
    return this.operations.run("setMany", undefined, async () => {
      const checked = new Map<string, Write>();
      for (const entry of listOf("entries", entries, "[member, score] pairs")) {
        if (!Array.isArray(entry) || entry.length < 2 || entry.length > 3)
          throw new InvalidArgumentError("entries", "a list of [member, score] pairs", entry);
        const write = this.#scored(entry[0], entry[1], entry[2]);
        checked.set(write.member, write);
      }
      const kept = await inChunks([...checked.values()], (chunk) =>
        this.#ready(() => Promise.all(chunk.map((entry) => this.#store.set(entry)))),
      );
      return kept.filter(Boolean).length;
    });
  }

  /**
   * Adds `by`, which may be negative or a fraction (whole on a board with subscores), to the member's score (0 for a new one) and returns the
   * sum. On a full board a member whose sum is too bad falls off, and begins at 0 again.
   * Cost: one script, O(log n); increments made in the same tick share it, except those with an `idempotencyKey`.
   * @throws HoldfastError `UNSUPPORTED` if the sum would be beyond ±(2^53 - 1); nothing is changed
   * @throws OutcomeUnknownError if the answer was lost and there is no `idempotencyKey`
   */
  increment(member: Id, by: number = 1, options?: LeaderboardIncrementOptions<Meta>): Promise<number> {
    return this.operations.run("increment", member, async () => {
      const { idempotencyKey, subscore, meta } = givenOptions(options, INCREMENT_NAMES);
      const { scoring } = this.settings;
      const named = checkId("member", member);
      const entry: Write = {
        member: named,
        score: scoring.amount("by", by),
        meta: this.#encoded(named, meta),
        subscore: subscore === undefined ? undefined : scoring.subscore(subscore),
      };
      if (idempotencyKey !== undefined) checkText("idempotencyKey", idempotencyKey, MAX_IDEMPOTENCY_KEY);
      const sum = await this.#ready(() =>
        idempotencyKey === undefined ? this.#store.increment(entry) : this.#store.incrementOnce(entry, idempotencyKey),
      );
      return scoring.unpack(sum).score;
    });
  }

  /**
   * Sets the member's score if it is better than the one it has; on a board with subscores also if it is equal and the subscore is better.
   * `meta` is stored only then.
   * Cost: one script, O(log n); those made in the same tick share it.
   * @throws OutcomeUnknownError if the answer was lost; calling again is harmless
   */
  best(member: Id, score: number, options?: LeaderboardWriteOptions<Meta>): Promise<LeaderboardBestResult> {
    return this.operations.run("best", member, async () => {
      const { scoring } = this.settings;
      const entry = this.#scored(member, score, options);
      const { improved, score: standing, previous } = await this.#ready(() => this.#store.best(entry));
      const before = previous === null ? undefined : scoring.unpack(previous).score;
      return { improved, score: scoring.unpack(standing).score, previous: before };
    });
  }

  /** Removes the member; false if it was not on the board. Idempotent. Cost: one script, shared like that of `set`. */
  remove(member: Id): Promise<boolean> {
    return this.operations.run("remove", member, () => {
      const named = checkId("member", member);
      return this.#ready(() => this.#store.remove(named));
    });
  }

  /**
   * Removes all members whose scores lie between `min` and `max`, or who stand at the positions `from` to `to` (1 for the best; equal scores
   * stand in the order of their names). Returns how many. In steps, of which each is atomic; a failure leaves what was not removed yet.
   * Cost: one script per 500 members, O(log n + 500).
   * @throws OutcomeUnknownError if the answer to a removal with a `to` was lost
   */
  removeRange(range: LeaderboardRemoval): Promise<number> {
    return this.operations.run("removeRange", undefined, async () => {
      const { from, to, ...scores } = givenOptions<Removal>(range, REMOVAL_NAMES, "range");
      const between = this.settings.scoring.range(scores);
      if ((between === undefined) === (from === undefined))
        throw new InvalidArgumentError("range", "either `min` or `max` or both, or `from`", range);
      if (between !== undefined) {
        if (to !== undefined) throw new InvalidArgumentError("to", "nothing without `from`", to);
        return this.#store.removeScores(between);
      }
      const first = wholeBetween("from", from!, 1, MAX_POSITION);
      if (to === undefined) return this.#store.removeBeyond(first - 1);
      return this.#store.removePositions(first - 1, wholeBetween("to", to, first, MAX_POSITION) - 1);
    });
  }

  /** Removes everybody. Idempotency keys stay. Idempotent. Cost: UNLINK. */
  clear(): Promise<void> {
    return this.operations.run("clear", undefined, () => this.#ready(() => this.#store.clear()));
  }

  /**
   * The board of a period of one of the `windows`, to be read: the present one, or one that is over and still kept. Which one that is follows
   * from the time of each call.
   */
  window(name: string, at?: LeaderboardWindowAt): LeaderboardWindow<Meta> {
    return this.#refusing("window", () => {
      const { closings, windows } = this.#windowed();
      const { ago = 0 } = givenOptions(at, AT_NAMES);
      const window = windows.settings.windows.find((each) => each.name === name);
      const names = windows.settings.windows.map((each) => each.name).join(", ");
      if (window === undefined) throw new InvalidArgumentError("name", `one of ${names}`, name);
      const checked = wholeBetween("ago", ago, 0, MAX_AGO);
      return new LeaderboardWindow(this.operations, this.settings, closings, window, checked);
    });
  }

  /**
   * Calls `handler` with each period that is over, in one process of all that ask for it, with the best of it (`archive`); a period in which
   * nobody was on the board is left out. At least once: when the server knows that the handler has resolved, nobody is told again; if it throws,
   * or its process dies or stands still for longer than `lease`, somebody is.
   * Runs until it is closed.
   * Cost: while nothing ends, one script each 30 s; for a period that is over one script, and two and a ZRANGE for the one process.
   */
  onClosed(handler: LeaderboardClosedHandler<Meta>, options?: LeaderboardClosedOptions): LeaderboardClosings<Meta> {
    return this.#refusing("onClosed", () => {
      const { closings } = this.#windowed();
      return new LeaderboardClosings(this.#core, this.operations.where, closings, handler, options);
    });
  }

  #windowed(): { readonly closings: Closings<Meta>; readonly windows: BoardsOfPeriods<Meta> } {
    if (this.#closings === undefined || this.#windows === undefined)
      throw new InvalidArgumentError("windows", "windows, as this board was made without any", undefined);
    return { closings: this.#closings, windows: this.#windows };
  }

  #refusing<T>(verb: string, body: () => T): T {
    try {
      return body();
    } catch (error) {
      throw this.operations.refused(verb, undefined, error);
    }
  }

  /** In the tick of the call; with windows once the server's time is known, in the order of the calls. */
  #ready<T>(write: () => Promise<T>): Promise<T> {
    return this.#windows?.ready()?.then(write) ?? write();
  }

  #scored(member: Id, score: number, options: LeaderboardWriteOptions<Meta> | undefined): Write {
    const named = checkId("member", member);
    const { subscore, meta } = givenOptions(options, WRITE_NAMES);
    return { member: named, score: this.settings.scoring.pack(score, subscore), meta: this.#encoded(named, meta) };
  }

  #encoded(member: string, meta: Meta | undefined): Buffer | undefined {
    if (meta === undefined) return undefined;
    const { metas } = this.settings;
    if (metas !== undefined) return metas.encode(member, meta);
    throw new InvalidArgumentError("meta", "nothing, as the board was made without `meta`", meta);
  }
}
