/**
 * A board that is spread over slots: each member is on one of several boards, by a hash of its name. A write is one board's; what is read is put
 * together from all of them, each of which answers for a moment of its own: exact while nothing is written, and else nearly so.
 */
import { HoldfastError, InvalidArgumentError } from "../base/errors.ts";
import { murmurHashOf } from "../core/hash/murmur.ts";
import { compareRows, type Place, type Row, type Window } from "./entries.ts";
import type { LeaderboardSettings } from "./options.ts";
import type { ScoreRange } from "./scores.ts";
import type { Board, Improvement, ShardPlace, Write } from "./board.ts";
import type { BoardStore } from "./store.ts";

/** The last entry that a page can have. */
const MAX_DEPTH = 10_000;
const MAX_CHUNK = 1_000;
/** Of a look around a member that is written each time between its score and its shards. */
const MAX_ATTEMPTS = 5;
/** Of any, and the same for ever. */
const SEED = 0x686f6c64;

type Described = Row & { readonly meta: Buffer | null };

export class ShardedBoard<Meta> implements Board {
  readonly #name: string;
  readonly #shards: readonly BoardStore<Meta>[];
  readonly #settings: LeaderboardSettings<Meta>;
  readonly #compare: (a: Row, b: Row) => number;

  constructor(name: string, shards: readonly BoardStore<Meta>[], settings: LeaderboardSettings<Meta>) {
    this.#name = name;
    this.#shards = shards;
    this.#settings = settings;
    this.#compare = compareRows(settings.desc);
  }

  set(entry: Write): Promise<boolean> {
    return this.#home(entry.member).set(entry);
  }

  increment(entry: Write): Promise<number> {
    return this.#home(entry.member).increment(entry);
  }

  incrementOnce(entry: Write, idempotencyKey: string): Promise<number> {
    return this.#home(entry.member).incrementOnce(entry, idempotencyKey);
  }

  best(entry: Write): Promise<Improvement> {
    return this.#home(entry.member).best(entry);
  }

  remove(member: string): Promise<boolean> {
    return this.#home(member).remove(member);
  }

  removeScores(range: ScoreRange): Promise<number> {
    return this.#sum((shard) => shard.removeScores(range));
  }

  removeBeyond(): Promise<number> {
    return this.removePositions();
  }

  removePositions(): Promise<number> {
    const expected = "nothing on a board with shards, which has no positions to remove; use `min` and `max`";
    return Promise.reject(new InvalidArgumentError("from", expected, undefined));
  }

  async clear(): Promise<void> {
    await Promise.all(this.#shards.map((shard) => shard.clear()));
  }

  score(member: string): Promise<number | null> {
    return this.#home(member).score(member);
  }

  async metas(members: readonly string[]): Promise<(Buffer | null)[]> {
    const byShard = new Map<BoardStore<Meta>, string[]>();
    for (const member of members) {
      const home = this.#home(member);
      const others = byShard.get(home);
      if (others === undefined) byShard.set(home, [member]);
      else others.push(member);
    }
    const found = new Map<string, Buffer | null>();
    const read = async (shard: BoardStore<Meta>, mine: readonly string[]): Promise<void> => {
      const metas = await shard.metas(mine);
      for (const [at, member] of mine.entries()) found.set(member, metas[at]!);
    };
    await Promise.all([...byShard].map(([shard, mine]) => read(shard, mine)));
    return members.map((member) => found.get(member) ?? null);
  }

  count(range: ScoreRange | undefined): Promise<number> {
    return this.#sum((shard) => shard.count(range));
  }

  scoreAt(): Promise<never> {
    const message = `leaderboard ${JSON.stringify(this.#name)}: a board with shards does not know the score at a percentile`;
    return Promise.reject(new HoldfastError("UNSUPPORTED", message, { op: "leaderboard.scoreAt", key: this.#name }));
  }

  async place(member: string): Promise<Place | undefined> {
    const home = this.#home(member);
    const isDescribed = this.#settings.metas !== undefined;
    const [score, metas] = await Promise.all([home.score(member), isDescribed ? home.metas([member]) : []]);
    if (score === null) return undefined;
    const isOrdinal = this.#settings.ties === "ordinal";
    const places = await this.#places({ member, score }, isOrdinal, 0);
    const better = sumOf(places, (each) => each.better);
    const worse = sumOf(places, (each) => each.worse);
    // It is one of them itself, whatever was written between the answers.
    const total = Math.max(
      sumOf(places, (each) => each.total),
      better + worse + 1,
    );
    const rank = 1 + better + sumOf(places, (each) => each.before);
    return { score, rank, total, worse, equal: total - better - worse - 1, meta: metas[0] ?? null };
  }

  async around(member: string, distance: number): Promise<Window | undefined> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const score = await this.score(member);
      if (score === null) return undefined;
      const places = await this.#places({ member, score }, true, Math.max(distance, 1));
      const rows = places.flatMap(described).toSorted(this.#compare);
      const at = rows.findIndex((row) => row.member === member);
      // It was written meanwhile.
      if (at < 0) continue;
      const first = Math.max(at - distance, 0);
      const position = 1 + sumOf(places, ({ better, before }) => better + before) - (at - first);
      return this.#window(
        sumOf(places, ({ total }) => total),
        position,
        rows.slice(first, at + distance + 1),
      );
    }
    const message = `leaderboard ${JSON.stringify(this.#name)}: ${JSON.stringify(member)} was written each time while its neighbours were read; try again`;
    throw new HoldfastError("CONFLICT", message, { op: "leaderboard.around", key: this.#name, retryable: true });
  }

  async page(offset: number, limit: number, range: ScoreRange | undefined): Promise<Window> {
    if (offset + limit > MAX_DEPTH)
      throw new InvalidArgumentError("offset", `at most ${MAX_DEPTH} with \`limit\`, as the board has shards`, offset);
    const walks = this.#shards.map((shard) => new Walk(shard, range, offset + limit, this.#shards.length));
    await Promise.all(walks.map((walk) => walk.advance()));
    const rows: Described[] = [];
    for (let at = 0; at < offset + limit; at += 1) {
      let best: Walk<Meta> | undefined;
      for (const walk of walks)
        if (walk.next !== undefined && (best === undefined || this.#compare(walk.next, best.next!) < 0)) best = walk;
      if (best === undefined) break;
      if (at >= offset) rows.push(best.next!);
      if (best.take()) await best.advance();
    }
    const before = sumOf(walks, (walk) => walk.before);
    return this.#window(
      sumOf(walks, (walk) => walk.total),
      before + offset + 1,
      rows,
    );
  }

  async #window(total: number, position: number, rows: readonly Described[]): Promise<Window> {
    const rank = await this.#rankOf(position, rows[0]);
    return { total, position, rank, rows, metas: rows.map(({ meta }) => meta) };
  }

  async #rankOf(position: number, row: Row | undefined): Promise<number> {
    if (row === undefined) return 0;
    if (this.#settings.ties === "ordinal" || position === 1) return position;
    const { score } = row;
    const [low, high] = this.#settings.desc ? [`(${score}`, "+inf"] : ["-inf", `(${score}`];
    return 1 + (await this.count({ low, high, below: low, above: high }));
  }

  #home(member: string): BoardStore<Meta> {
    return this.#shards[murmurHashOf(member, SEED).low % this.#shards.length]!;
  }

  #places(of: Row, exact: boolean, distance: number): Promise<ShardPlace[]> {
    return Promise.all(this.#shards.map((shard) => shard.placeOf(of, exact, distance)));
  }

  async #sum(ask: (shard: BoardStore<Meta>) => Promise<number>): Promise<number> {
    return sumOf(await Promise.all(this.#shards.map(ask)), (count) => count);
  }
}

/** The entries of one shard, best first, read as they are needed. */
class Walk<Meta> {
  total = 0;
  /** Entries of the shard that are better than the range. */
  before = 0;
  readonly #shard: BoardStore<Meta>;
  readonly #range: ScoreRange | undefined;
  readonly #most: number;
  readonly #chunk: number;
  #rows: Described[] = [];
  #at = 0;
  #read = 0;
  #isOver = false;

  /** @param most entries that may be needed of it */
  constructor(shard: BoardStore<Meta>, range: ScoreRange | undefined, most: number, shards: number) {
    this.#shard = shard;
    this.#range = range;
    this.#most = most;
    // A little more than its share, so that mostly one request is enough.
    this.#chunk = Math.min(Math.ceil((most / shards) * 1.5) + 8, most, MAX_CHUNK);
  }

  get next(): Described | undefined {
    return this.#rows[this.#at];
  }

  /** Whether more is to be read before the next one is known. */
  take(): boolean {
    this.#at += 1;
    return this.#at === this.#rows.length && !this.#isOver;
  }

  async advance(): Promise<void> {
    const limit = Math.min(this.#chunk, this.#most - this.#read);
    const page = await this.#shard.page(this.#read, limit, this.#range);
    if (this.#read === 0) {
      this.total = page.total;
      this.before = page.position - 1;
    }
    this.#rows = described(page);
    this.#at = 0;
    this.#read += this.#rows.length;
    this.#isOver = this.#rows.length < limit || this.#read >= this.#most;
  }
}

function sumOf<T>(all: readonly T[], of: (each: T) => number): number {
  return all.reduce((sum, each) => sum + of(each), 0);
}

function described({ rows, metas }: Pick<Window, "rows" | "metas">): Described[] {
  return rows.map(({ member, score }, at) => ({ member, score, meta: metas[at] ?? null }));
}
