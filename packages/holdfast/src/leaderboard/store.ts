/** The server's side of one board: its keys, which calls share a command, and what the replies mean. Longer than other files, as every script of a board is called here. */
import { HoldfastError, UnavailableError } from "../base/errors.ts";
import { type BatchKind, Lane } from "../core/batch/lane.ts";
import { listKind } from "../core/batch/list-kind.ts";
import { orThrow, scriptKind } from "../core/batch/script-kind.ts";
import { decodeFloat, decodeInt, decodeList, decodeOptional } from "../core/script/decode.ts";
import { type BatchItem, decodedBy, runScript, type UnclassedCall } from "../core/script/run.ts";
import type { Driver, Reply } from "../driver/port.ts";
import type { Board, BoardKeys, BoardWindows, Improvement, Periods, ShardPlace, Write } from "./board.ts";
import type { Place, Row, Window } from "./entries.ts";
import type { LeaderboardSettings } from "./options.ts";
import type { ScoreRange } from "./scores.ts";
import {
  around,
  best,
  increment,
  incrementOnce,
  page,
  place,
  type PlaceArgs,
  type PlaceKeys,
  type PlaceResult,
  remove,
  removeBeyond,
  removePositions,
  removeScores,
  scoreAt,
  set,
  standings,
} from "./scripts.gen.ts";

type ShardQuestion = BatchItem<PlaceKeys, PlaceArgs>;

/** Items in one script: less than 1 ms of the server's time at a million members, in which it serves nobody else. */
const MAX_SETS = 128;
const MAX_CHANGES = 64;
const MAX_STANDINGS = 32;
/** Of a ZMSCORE. */
const MAX_SCORES = 256;
const MAX_REMOVED = 500;
const MAX_PLACES = 16;
const DISTANCE_SHARE = 16;
/** The index of dense ranks makes a write three times as dear. */
const DENSE_SHARE = 3;
/** A board lives in one slot. */
const LANE = 0;
/** While the server's clock is set again and again. */
const MAX_ATTEMPTS = 3;
const NO_PERIODS: Periods = { windows: "", periods: [] };
const NOTHING = "";

type Stale = { readonly status: "stale"; readonly at: number };

export class BoardStore<Meta = unknown> implements Board {
  readonly keys: BoardKeys;
  readonly #name: string;
  readonly #driver: Driver;
  readonly #receipt: (idempotencyKey: string) => string;
  readonly #settings: LeaderboardSettings<Meta>;
  readonly #windows: BoardWindows | undefined;
  readonly #lane = new Lane();
  readonly #sets: BatchKind<Write, boolean>;
  readonly #increments: BatchKind<Write, number>;
  readonly #bests: BatchKind<Write, Improvement>;
  readonly #removals: BatchKind<string, boolean>;
  readonly #places: BatchKind<string, Place | undefined>;
  readonly #scores: BatchKind<string, number | null>;
  readonly #shardPlaces: BatchKind<ShardQuestion, ShardPlace>;

  /** @param boards on how many boards a write is done */
  constructor(
    driver: Driver,
    keys: BoardKeys,
    name: string,
    settings: LeaderboardSettings<Meta>,
    windows?: BoardWindows,
    boards = 1,
  ) {
    this.#name = name;
    this.#driver = driver;
    this.keys = keys;
    this.#receipt = (idempotencyKey) => `${keys.board}:once:${idempotencyKey}`;
    this.#settings = settings;
    this.#windows = windows;
    const share = (settings.ties === "dense" ? DENSE_SHARE : 1) * boards;
    const most = (items: number): number => Math.max(Math.floor(items / share), 1);
    this.#sets = listKind(most(MAX_SETS), (entries) => this.#set(entries));
    this.#increments = listKind(most(MAX_CHANGES), (entries) => this.#increment(entries));
    this.#bests = listKind(most(MAX_CHANGES), (entries) => this.#best(entries));
    this.#removals = listKind(most(MAX_CHANGES), (members) => this.#remove(members));
    this.#places = listKind(MAX_STANDINGS, (members) => this.#readPlaces(members));
    this.#scores = listKind(MAX_SCORES, (members) => this.#readScores(members));
    const places = scriptKind<PlaceKeys, PlaceArgs, PlaceResult, ShardQuestion, ShardPlace>(
      driver,
      place,
      this.#call("rank"),
      orThrow,
    );
    // Entries that are returned cost the server as much as a rank does.
    const weigh = ({ args }: ShardQuestion): number => 1 + Math.floor(args.distance / DISTANCE_SHARE);
    this.#shardPlaces = { ...places, maxItems: MAX_PLACES, weigh };
  }

  set(entry: Write): Promise<boolean> {
    return this.#lane.add(this.#sets, LANE, entry);
  }

  increment(entry: Write): Promise<number> {
    return this.#lane.add(this.#increments, LANE, entry);
  }

  best(entry: Write): Promise<Improvement> {
    return this.#lane.add(this.#bests, LANE, entry);
  }

  remove(member: string): Promise<boolean> {
    return this.#lane.add(this.#removals, LANE, member);
  }

  place(member: string): Promise<Place | undefined> {
    return this.#lane.add(this.#places, LANE, member);
  }

  score(member: string): Promise<number | null> {
    return this.#lane.add(this.#scores, LANE, member);
  }

  async incrementOnce({ member, score, meta, subscore }: Write, idempotencyKey: string): Promise<number> {
    this.#lane.flush(LANE);
    const { receiptTtlMs } = this.#settings;
    const receipt = this.#receipt(idempotencyKey);
    const { sum } = await this.#current((periods, rules) => {
      const keys = { ...this.keys, receipt, periods: periods.periods };
      const text = subscore === undefined ? NOTHING : String(subscore);
      const args = {
        ...rules,
        receiptTtlMs,
        ...this.#unit(),
        by: score,
        member,
        bytes: meta ?? NOTHING,
        subscore: text,
      };
      return runScript(this.#driver, incrementOnce, keys, args, this.#call("increment"));
    }, "increment");
    if (sum === null) throw this.#beyondIntegers(member);
    return sum;
  }

  /** Where a member of any shard would stand on this one. */
  placeOf({ member, score }: Row, exact: boolean, distance: number): Promise<ShardPlace> {
    const { desc, described } = this.#reading();
    const args = { desc, described: described && distance > 0, member, score: String(score), exact, distance };
    return this.#lane.add(this.#shardPlaces, LANE, { keys: this.keys, args, key: member });
  }

  page(offset: number, limit: number, range: ScoreRange | undefined): Promise<Window> {
    this.#lane.flush(LANE);
    const better = this.#settings.desc ? range?.above : range?.below;
    const { low = NOTHING, high = NOTHING } = range ?? {};
    const args = { ...this.#reading(), low, high, better: better ?? NOTHING, offset, limit };
    return runScript(this.#driver, page, this.keys, args, this.#call("page"));
  }

  async around(member: string, distance: number): Promise<Window | undefined> {
    this.#lane.flush(LANE);
    const args = { ...this.#reading(), distance, member };
    const answer = await runScript(this.#driver, around, this.keys, args, this.#call("around"));
    return answer.status === "missing" ? undefined : answer;
  }

  async count(range: ScoreRange | undefined): Promise<number> {
    this.#lane.flush(LANE);
    const { board } = this.keys;
    const command = range === undefined ? ["ZCARD", board] : ["ZCOUNT", board, range.low, range.high];
    const call = { ...this.#call("size"), class: "read" } as const;
    return decodedBy(decodeInt, await this.#driver.send(command, call, board), command[0]!, call);
  }

  scoreAt(percentile: number): Promise<number | null> {
    this.#lane.flush(LANE);
    const args = { desc: this.#settings.desc, percentile };
    return runScript(this.#driver, scoreAt, { board: this.keys.board }, args, this.#call("scoreAt"));
  }

  async metas(members: readonly string[]): Promise<(Buffer | null)[]> {
    this.#lane.flush(LANE);
    const { meta } = this.keys;
    const call = { ...this.#call("among"), class: "read" } as const;
    return decodedBy(decodeBytes, await this.#driver.send(["HMGET", meta, ...members], call, meta), "HMGET", call);
  }

  /** Removes what lies in the range, in steps; a failure leaves what was not removed yet. */
  removeScores({ low, high, below }: ScoreRange): Promise<number> {
    const args = { low, high, below, most: MAX_REMOVED };
    return this.#inSteps(() => runScript(this.#driver, removeScores, this.keys, args, this.#call("removeRange")));
  }

  removeBeyond(keep: number): Promise<number> {
    const args = { desc: this.#settings.desc, keep, most: MAX_REMOVED };
    return this.#inSteps(() => runScript(this.#driver, removeBeyond, this.keys, args, this.#call("removeRange")));
  }

  /** @param from 0 for the best @param to the last */
  removePositions(from: number, to: number): Promise<number> {
    let left = to - from + 1;
    return this.#inSteps(async () => {
      const most = Math.min(left, MAX_REMOVED);
      const args = { desc: this.#settings.desc, from, to: from + left - 1, most };
      const removed = await runScript(this.#driver, removePositions, this.keys, args, this.#call("removeRange"));
      left -= removed;
      return { removed, left: removed < most ? 0 : left };
    });
  }

  async clear(): Promise<void> {
    this.#lane.flush(LANE);
    const { board, distinct, meta } = this.keys;
    const keys = [board, distinct, meta, ...(this.#windows?.periods().periods ?? [])];
    await this.#driver.send(["UNLINK", ...keys], { ...this.#call("clear"), class: "idempotent" }, board);
  }

  async #inSteps(step: () => Promise<{ readonly removed: number; readonly left: number }>): Promise<number> {
    this.#lane.flush(LANE);
    for (let sum = 0; ;) {
      const { removed, left } = await step();
      sum += removed;
      // Nothing was removed: somebody else has done it meanwhile.
      if (left === 0 || removed === 0) return sum;
    }
  }

  async #set(entries: readonly Write[]): Promise<boolean[]> {
    const width = entries.some(({ meta }) => meta !== undefined) ? 3 : 2;
    const flat: (string | Buffer)[] = [];
    for (const { member, score, meta } of entries) {
      flat.push(String(score), member);
      if (width === 3) flat.push(meta ?? NOTHING);
    }
    const { kept } = await this.#current((periods, rules) => {
      const keys = { ...this.keys, periods: periods.periods };
      return runScript(this.#driver, set, keys, { ...rules, width, entries: flat }, this.#call("set"));
    }, "set");
    return kept;
  }

  async #increment(entries: readonly Write[]): Promise<(number | HoldfastError)[]> {
    const flat: (string | Buffer)[] = [];
    for (const { member, score, meta, subscore } of entries)
      flat.push(String(score), member, meta ?? NOTHING, subscore === undefined ? NOTHING : String(subscore));
    const { sums } = await this.#current((periods, rules) => {
      const keys = { ...this.keys, periods: periods.periods };
      const args = { ...rules, ...this.#unit(), entries: flat };
      return runScript(this.#driver, increment, keys, args, this.#call("increment"));
    }, "increment");
    return sums.map((sum, at) => sum ?? this.#beyondIntegers(entries[at]!.member));
  }

  async #best(entries: readonly Write[]): Promise<readonly Improvement[]> {
    const flat = entries.flatMap(({ member, score, meta }) => [String(score), member, meta ?? NOTHING]);
    const { rows } = await this.#current((periods, rules) => {
      const keys = { ...this.keys, periods: periods.periods };
      return runScript(this.#driver, best, keys, { ...rules, entries: flat }, this.#call("best"));
    }, "best");
    return rows;
  }

  async #remove(members: readonly string[]): Promise<boolean[]> {
    const { removed } = await this.#current(({ windows, periods }) => {
      const keys = { ...this.keys, periods };
      return runScript(this.#driver, remove, keys, { windows, members }, this.#call("remove"));
    }, "remove");
    return removed;
  }

  /** A write with the periods of the present time: where they were not those of the server's, it did nothing and is sent again. */
  async #current<R extends { readonly status: "ok" }>(
    write: (periods: Periods, rules: BoardRules) => Promise<R | Stale>,
    verb: string,
  ): Promise<R> {
    let now: number | undefined;
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const periods = this.#windows?.periods(now) ?? NO_PERIODS;
      const result = await write(periods, this.#rules(periods));
      if (result.status === "stale") now = result.at;
      else {
        if ("opened" in result && result.opened === true) this.#windows?.opened();
        return result;
      }
    }
    throw new UnavailableError(
      `leaderboard ${JSON.stringify(this.#name)}: the server's time keeps changing`,
      this.#call(verb),
    );
  }

  async #readPlaces(members: readonly string[]): Promise<(Place | undefined)[]> {
    const args = { ...this.#reading(), members };
    const { total, rows, metas } = await runScript(this.#driver, standings, this.keys, args, this.#call("rank"));
    return rows.map(({ score, rank, worse, equal }, at) =>
      score === null ? undefined : { score, rank, total, worse, equal, meta: metas[at] ?? null },
    );
  }

  async #readScores(members: readonly string[]): Promise<(number | null)[]> {
    const { board } = this.keys;
    const call = { ...this.#call("scores"), class: "read" } as const;
    const reply = await this.#driver.send(["ZMSCORE", board, ...members], call, board);
    return decodedBy(decodeScores, reply, "ZMSCORE", call);
  }

  #reading(): { ties: LeaderboardSettings["ties"]; desc: boolean; described: boolean } {
    const { ties, desc, metas } = this.#settings;
    return { ties, desc, described: metas !== undefined };
  }

  #rules({ windows }: Periods): BoardRules {
    const { maxSize, desc, ties, ttlMs, renew } = this.#settings;
    return { maxSize, desc, dense: ties === "dense", ttlMs, renew, windows };
  }

  #unit(): { unit: number } {
    return { unit: this.#settings.scoring.unit };
  }

  #call(operation: string): UnclassedCall {
    return { op: `leaderboard.${operation}`, key: this.#name, timeoutMs: this.#settings.timeoutMs };
  }

  #beyondIntegers(member: string): HoldfastError {
    const message = `leaderboard ${JSON.stringify(this.#name)}: the sum for ${JSON.stringify(member)} is beyond ±(2^53 - 1); nothing was changed`;
    return new HoldfastError("UNSUPPORTED", message, { op: "leaderboard.increment", key: this.#name });
  }
}

function decodeScores(reply: Reply): (number | null)[] {
  return decodeList(reply, (part) => decodeOptional(part, decodeFloat));
}

export function decodeBytes(reply: Reply): (Buffer | null)[] {
  return decodeList(reply, (part) => (Buffer.isBuffer(part) ? part : null));
}

/** The board's rules, which each write brings along. */
interface BoardRules {
  readonly maxSize: number;
  readonly desc: boolean;
  readonly dense: boolean;
  readonly ttlMs: number;
  readonly renew: boolean;
  readonly windows: string;
}
