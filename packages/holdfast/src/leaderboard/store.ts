/** The server's side of a leaderboard: its two keys, which calls share a command, and what the replies mean. */
import { type BatchKind, Lane } from "../core/batch/lane.ts";
import { listKind } from "../core/batch/list-kind.ts";
import type { Driver, Reply } from "../driver/port.ts";
import { HoldfastError } from "../base/errors.ts";
import type { GroupKeys } from "../core/keyspace/keyspace.ts";
import { decodeFloat, decodeInt, decodeList, decodeOptional } from "../core/script/decode.ts";
import { decodedBy, runScript, type UnclassedCall } from "../core/script/run.ts";
import {
  around,
  best,
  type BestResult,
  increment,
  incrementOnce,
  page,
  remove,
  set,
  standings,
} from "./scripts.gen.ts";
import { percentileOf, type LeaderboardStanding, type Window } from "./entries.ts";
import type { LeaderboardSettings } from "./options.ts";

export type Scored = readonly [member: string, score: number];

/** Items in one script: about 1 ms of the server's time, in which it serves nobody else. */
const MAX_SETS = 256;
const MAX_CHANGES = 128;
const MAX_STANDINGS = 64;
/** The index of dense ranks makes a write three times as dear. */
const DENSE_SHARE = 3;
/** A board lives in one slot. */
const LANE = 0;

export class BoardStore {
  readonly #name: string;
  readonly #driver: Driver;
  readonly #keys: GroupKeys;
  readonly #settings: LeaderboardSettings;
  readonly #lane = new Lane();
  readonly #sets: BatchKind<Scored, boolean>;
  readonly #increments: BatchKind<Scored, number>;
  readonly #bests: BatchKind<Scored, BestResult[number]>;
  readonly #removals: BatchKind<string, boolean>;
  readonly #standings: BatchKind<string, LeaderboardStanding | undefined>;
  readonly #scores: BatchKind<string, number | null>;

  constructor(driver: Driver, keys: GroupKeys, name: string, settings: LeaderboardSettings) {
    this.#name = name;
    this.#driver = driver;
    this.#keys = keys;
    this.#settings = settings;
    const most = (items: number): number => Math.floor(items / (settings.ties === "dense" ? DENSE_SHARE : 1));
    this.#sets = listKind(most(MAX_SETS), (entries) => this.#set(entries));
    this.#increments = listKind(most(MAX_CHANGES), (entries) => this.#increment(entries));
    this.#bests = listKind(most(MAX_CHANGES), (entries) => this.#best(entries));
    this.#removals = listKind(most(MAX_CHANGES), (members) => this.#remove(members));
    this.#standings = listKind(MAX_STANDINGS, (members) => this.#readStandings(members));
    this.#scores = listKind(MAX_SETS, (members) => this.#readScores(members));
  }

  set(entry: Scored): Promise<boolean> {
    return this.#lane.add(this.#sets, LANE, entry);
  }

  increment(entry: Scored): Promise<number> {
    return this.#lane.add(this.#increments, LANE, entry);
  }

  best(entry: Scored): Promise<BestResult[number]> {
    return this.#lane.add(this.#bests, LANE, entry);
  }

  remove(member: string): Promise<boolean> {
    return this.#lane.add(this.#removals, LANE, member);
  }

  standing(member: string): Promise<LeaderboardStanding | undefined> {
    return this.#lane.add(this.#standings, LANE, member);
  }

  score(member: string): Promise<number | null> {
    return this.#lane.add(this.#scores, LANE, member);
  }

  async incrementOnce([member, by]: Scored, idempotencyKey: string): Promise<number> {
    this.#lane.flush(LANE);
    const { receiptTtlMs } = this.#settings;
    const keys = { ...this.#pair(), receipt: this.#keys.part("once", idempotencyKey) };
    const args = { ...this.#writing(), receiptTtlMs, by, member };
    const sum = await runScript(this.#driver, incrementOnce, keys, args, this.#call("increment"));
    if (sum === null) throw this.#beyondIntegers(member);
    return sum;
  }

  page(offset: number, limit: number): Promise<Window> {
    this.#lane.flush(LANE);
    return runScript(this.#driver, page, this.#pair(), { ...this.#reading(), offset, limit }, this.#call("page"));
  }

  async around(member: string, distance: number): Promise<Window | undefined> {
    this.#lane.flush(LANE);
    const args = { ...this.#reading(), distance, member };
    const answer = await runScript(this.#driver, around, this.#pair(), args, this.#call("around"));
    return answer.status === "missing" ? undefined : answer;
  }

  async size(): Promise<number> {
    this.#lane.flush(LANE);
    const { board } = this.#pair();
    const call = { ...this.#call("size"), class: "read" } as const;
    return decodedBy(decodeInt, await this.#driver.send(["ZCARD", board], call, board), "ZCARD", call);
  }

  async clear(): Promise<void> {
    this.#lane.flush(LANE);
    const { board, distinct } = this.#pair();
    await this.#driver.send(["UNLINK", board, distinct], { ...this.#call("clear"), class: "idempotent" }, board);
  }

  #set(entries: readonly Scored[]): Promise<boolean[]> {
    return runScript(this.#driver, set, this.#pair(), this.#writing(entries), this.#call("set"));
  }

  async #increment(entries: readonly Scored[]): Promise<(number | HoldfastError)[]> {
    const sums = await runScript(
      this.#driver,
      increment,
      this.#pair(),
      this.#writing(entries),
      this.#call("increment"),
    );
    return sums.map((sum, at) => sum ?? this.#beyondIntegers(entries[at]![0]));
  }

  #best(entries: readonly Scored[]): Promise<BestResult> {
    return runScript(this.#driver, best, this.#pair(), this.#writing(entries), this.#call("best"));
  }

  #remove(members: readonly string[]): Promise<boolean[]> {
    return runScript(this.#driver, remove, this.#pair(), { members }, this.#call("remove"));
  }

  async #readStandings(members: readonly string[]): Promise<(LeaderboardStanding | undefined)[]> {
    const args = { ...this.#reading(), members };
    const { total, rows } = await runScript(this.#driver, standings, this.#pair(), args, this.#call("rank"));
    return rows.map(({ score, rank, worse, equal }) =>
      score === null ? undefined : { score, rank, total, percentile: percentileOf(worse, equal, total) },
    );
  }

  async #readScores(members: readonly string[]): Promise<(number | null)[]> {
    const { board } = this.#pair();
    const call = { ...this.#call("scores"), class: "read" } as const;
    const reply = await this.#driver.send(["ZMSCORE", board, ...members], call, board);
    return decodedBy(decodeScores, reply, "ZMSCORE", call);
  }

  #pair(): { board: string; distinct: string } {
    return { board: this.#keys.key, distinct: this.#keys.part("distinct") };
  }

  #reading(): { ties: LeaderboardSettings["ties"]; desc: boolean } {
    return { ties: this.#settings.ties, desc: this.#settings.desc };
  }

  #writing(entries: readonly Scored[] = []): BoardWrite {
    const { maxSize, desc, ties, ttlMs, renew } = this.#settings;
    const flat: string[] = [];
    for (const [member, score] of entries) flat.push(String(score), member);
    return { maxSize, desc, dense: ties === "dense", ttlMs, renew, entries: flat };
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

/** The board's rules, which each write brings along. */
interface BoardWrite {
  readonly maxSize: number;
  readonly desc: boolean;
  readonly dense: boolean;
  readonly ttlMs: number;
  readonly renew: boolean;
  readonly entries: readonly string[];
}
