/**
 * The most frequent members of many: trending topics, searches, pages, by window of time, without a counter for each member.
 *
 * Promises: a count is never too low, and too high by at most `error`, which is at most all additions divided by `counters`; so every
 * member with more additions than that is in the list. An addition with an `idempotencyKey` counts once, however often it is sent. Every
 * key expires. While the server is away, calls wait for it until their deadline and then reject; an addition without an `idempotencyKey`
 * whose answer was lost rejects with OutcomeUnknownError, because it may have been counted.
 */
import { InvalidArgumentError } from "../base/errors.ts";
import { type Duration, givenOptions, listOf, type OptionNames, timeOf, toMs, wholeBetween } from "../base/options.ts";
import { inChunks } from "../core/batch/in-chunks.ts";
import { ServerClock } from "../core/clock/server-clock.ts";
import type { Core } from "../core/core.ts";
import { checkId, checkText, type Id } from "../core/keyspace/keyspace.ts";
import { Operations } from "../core/observe/observe.ts";
import { ClosedWindows, SETTLED_MS } from "../core/window/closed-windows.ts";
import type { Moment, Window } from "../core/window/windows.ts";
import { merged, type TopKEntry } from "./merge.ts";
import { type TopKOptions, type TopKSettings, topKSettings } from "./options.ts";
import { type List, TopKStore } from "./store.ts";

export interface TopKAddOptions {
  /** When it was, at most a day ahead; only with windows. @default the server's time now */
  readonly at?: Date | number;
  /** Names this addition, 1 to 256 characters: a repeat changes nothing. */
  readonly idempotencyKey?: string;
}

/** `late`: its window is no longer kept, and nothing was counted. */
export interface TopKAddResult {
  readonly status: "ok" | "late";
}

export interface TopKCountOptions {
  /** So many windows together. @default 1 */
  readonly last?: number;
  /** A moment in the last of them, or the date of one of its days, such as `"2026-11-27"`. @default now */
  readonly to?: Moment;
}

export interface TopKListOptions extends TopKCountOptions {
  /** A window counts half when it began so long before the last one. @default none: all count the same */
  readonly halfLife?: Duration;
  /** At most so many, up to `counters`. @default `k` */
  readonly limit?: number;
}

const ADD_NAMES: OptionNames<TopKAddOptions> = { at: true, idempotencyKey: true };
const COUNT_NAMES: OptionNames<TopKCountOptions> = { last: true, to: true };
const LIST_NAMES: OptionNames<TopKListOptions> = { last: true, to: true, halfLife: true, limit: true };
const MAX_AHEAD_MS = 86_400_000;
const MAX_BY = 1_000_000_000;
const MAX_IDEMPOTENCY_KEY = 256;
const MAX_MEMBERS = 1_000;
/** Lists whose closed windows are kept in this process, unless they are more than so many counts. */
const MAX_CLOSED = 16;
const MAX_CLOSED_COUNTS = 50_000;
const PARALLEL = { size: 1, parallel: 8 };

/**
 * @example
 * const searches = hf.topk("searches", { k: 10, window: "1h", keep: 48 });
 * await searches.add("red shoes");
 * const trending = await searches.list({ last: 24, halfLife: "3h" });
 */
export class TopK {
  readonly name: string;
  readonly #operations: Operations;
  readonly #settings: TopKSettings;
  readonly #store: TopKStore;
  readonly #closed: ClosedWindows<readonly List[]>;
  readonly #clock: ServerClock;

  constructor(core: Core, name: string, options?: TopKOptions) {
    this.name = name;
    this.#operations = new Operations("topk", name);
    this.#settings = topKSettings(this.#operations.where, options);
    this.#store = new TopKStore(core, name, this.#settings);
    const space = `${name}\0${this.#settings.counters}\0${this.#settings.span.windows?.label}`;
    this.#closed = new ClosedWindows(core, core.driver.runtime, "topk", space, MAX_CLOSED, isSmall);
    this.#clock = ServerClock.of(core.driver);
  }

  /**
   * Counts a member, once or `by` times.
   * Cost: one script (ZSCORE, then ZINCRBY, or ZPOPMIN and ZADD), about 5 us; those of the same tick share it, those of one member are
   * added up before.
   * @throws OutcomeUnknownError if the answer was lost and there is no `idempotencyKey`
   */
  add(member: Id, by: number = 1, options?: TopKAddOptions): Promise<TopKAddResult> {
    return this.#operations.run("add", member, async () => {
      const { at, idempotencyKey } = givenOptions(options, ADD_NAMES);
      const named = checkId("member", member);
      wholeBetween("by", by, 1, MAX_BY);
      if (idempotencyKey !== undefined) checkText("idempotencyKey", idempotencyKey, MAX_IDEMPOTENCY_KEY);
      const { span } = this.#settings;
      let window: Window | undefined;
      let expiresAt = 0;
      if (span.windows === undefined) {
        if (at !== undefined) throw new InvalidArgumentError("at", "nothing without `window`", at);
      } else {
        const given = at === undefined ? undefined : timeOf("at", at);
        const now = await this.#now("add");
        if (given !== undefined && given > now + MAX_AHEAD_MS)
          throw new InvalidArgumentError("at", "a time at most a day ahead", at);
        window = span.windows.at(given ?? now);
        expiresAt = span.windows.numbered(window.number + span.keep).start;
        if (expiresAt <= now) return { status: "late" };
      }
      const counted = { member: named, count: by };
      if (idempotencyKey === undefined) await this.#store.add(window, expiresAt, named, by);
      else await this.#store.addOnce(window, expiresAt, counted, idempotencyKey);
      if (at !== undefined) this.#closed.forget("");
      return { status: "ok" };
    });
  }

  /**
   * Returns the members that were added most in the last windows together, the highest count first.
   * Cost: of one window ZRANGE of its head; of several a ZRANGE of each, about 0.2 us for each of its `counters`. Windows that are over
   * are read once a minute.
   */
  list(options?: TopKListOptions): Promise<TopKEntry[]> {
    return this.#operations.run("list", undefined, async () => {
      const { halfLife, limit = this.#settings.k, ...span } = givenOptions(options, LIST_NAMES);
      wholeBetween("limit", limit, 1, this.#settings.counters);
      const halfLifeMs = halfLife === undefined ? undefined : toMs("halfLife", halfLife);
      if (halfLife !== undefined && this.#settings.span.windows === undefined)
        throw new InvalidArgumentError("halfLife", "nothing without `window`", halfLife);
      const windows = await this.#windows("list", span);
      if (windows.length === 1) return merged([await this.#store.head(windows[0], limit)], [1], limit);
      const newest = windows.at(-1)!.start;
      const weights = windows.map((window) =>
        halfLifeMs === undefined ? 1 : 0.5 ** ((newest - window!.start) / halfLifeMs),
      );
      return merged(await this.#lists(windows), weights, limit);
    });
  }

  /**
   * Returns how often these members, at most 1,000, were added in the last windows together.
   * Cost: one ZMSCORE for each window.
   */
  counts(members: Iterable<Id>, options?: TopKCountOptions): Promise<Map<Id, Omit<TopKEntry, "member">>> {
    return this.#operations.run("counts", undefined, async () => {
      const wanted = [...new Set(listOf("members", members, "members"))];
      const named = wanted.map((member) => checkId("members", member));
      if (named.length > MAX_MEMBERS)
        throw new InvalidArgumentError("members", `at most ${MAX_MEMBERS} members`, members);
      const windows = await this.#windows("counts", givenOptions(options, COUNT_NAMES));
      if (named.length === 0) return new Map();
      const found = await inChunks(
        windows,
        (chunk) => Promise.all(chunk.map((window) => this.#store.scores(window, named))),
        PARALLEL,
      );
      const error = found.reduce((sum, each) => sum + each.error, 0);
      const countOf = (place: number): number =>
        found.reduce((sum, each) => sum + (each.counts[place] ?? each.error), 0);
      return new Map(wanted.map((member, place) => [member, { count: countOf(place), error }]));
    });
  }

  /** Removes all lists. Idempotent. Cost: one UNLINK per 512 windows. */
  clear(): Promise<void> {
    return this.#operations.run("clear", undefined, async () => {
      const { span } = this.#settings;
      const keys = [this.#store.keyOf(undefined)];
      if (span.windows !== undefined) {
        const now = await this.#now("clear");
        const last = span.windows.at(now + MAX_AHEAD_MS).number;
        for (let at = span.windows.at(now).number - span.keep; at <= last; at += 1)
          keys.push(this.#store.keyOf(span.windows.numbered(at)));
      }
      await this.#store.unlink(keys);
      this.#closed.forget("");
    });
  }

  /** Those that are asked for, oldest first; without windows there is one, undefined. */
  async #windows(verb: string, { last, to }: TopKCountOptions): Promise<(Window | undefined)[]> {
    const { span } = this.#settings;
    if (span.windows === undefined) {
      for (const [name, value] of Object.entries({ last, to }))
        if (value !== undefined) throw new InvalidArgumentError(name, "nothing without `window`", value);
      return [undefined];
    }
    const count = wholeBetween("last", last ?? 1, 1, span.keep);
    const newest = to === undefined ? span.windows.at(await this.#now(verb)) : span.windows.named("to", to);
    return Array.from({ length: count }, (_, at) => span.windows.numbered(newest.number - count + 1 + at));
  }

  async #lists(windows: readonly (Window | undefined)[]): Promise<List[]> {
    const now = this.#clock.now() ?? 0;
    const read = (some: readonly (Window | undefined)[]): Promise<List[]> =>
      inChunks(some, (chunk) => Promise.all(chunk.map((window) => this.#store.whole(window))), PARALLEL);
    const open = windows.findIndex((window) => window!.end + SETTLED_MS > now);
    const closed = open < 0 ? windows : windows.slice(0, open);
    if (closed.length === 0) return read(windows);
    const [first, last] = [closed[0]!.number, closed.at(-1)!.number];
    const [known, fresh] = await Promise.all([
      this.#closed.read("", first, last, () => read(closed)),
      read(windows.slice(closed.length)),
    ]);
    return [...known, ...fresh];
  }

  async #now(verb: string): Promise<number> {
    return this.#clock.now() ?? (await this.#clock.required(this.#operations.where, { op: `topk.${verb}` }));
  }
}

function isSmall(lists: readonly List[]): boolean {
  return lists.reduce((sum, { counts }) => sum + counts.length, 0) <= MAX_CLOSED_COUNTS;
}
