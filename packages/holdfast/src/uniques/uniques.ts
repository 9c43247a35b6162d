/**
 * Uniques: how many different members there were, by id and window of time: visitors of a page by day, buyers of a shop by month.
 *
 * Promises: up to 128 members a window is exact; beyond that it is a HyperLogLog, 12 KB at most, and a count is an estimate and says so.
 * A member that was answered `ok` is in every count over its window until the window expires; adding it again changes nothing, so a lost
 * answer does not matter. Every key expires. While the server is away, calls wait for it until their deadline and then reject.
 */
import { InvalidArgumentError } from "../base/errors.ts";
import { givenOptions, listOf, type OptionNames, timeOf, wholeBetween } from "../base/options.ts";
import { inChunks } from "../core/batch/in-chunks.ts";
import { ServerClock } from "../core/clock/server-clock.ts";
import type { Core } from "../core/core.ts";
import { checkId, type Id } from "../core/keyspace/keyspace.ts";
import { Operations } from "../core/observe/observe.ts";
import { ClosedWindows, SETTLED_MS } from "../core/window/closed-windows.ts";
import type { Moment, Window } from "../core/window/windows.ts";
import { type UniquesOptions, type UniquesSettings, uniquesSettings } from "./options.ts";
import { UniquesStore } from "./store.ts";
import { hashOfMember, Union, type UniquesCount } from "./union.ts";

export interface UniquesAddOptions {
  /** When they were there, at most a day ahead; not with `ttl`. @default the server's time now */
  readonly at?: Date | number;
}

/** `late`: its window is no longer kept, and nothing was stored. */
export interface UniquesAddResult {
  readonly status: "ok" | "late";
}

export interface UniquesCountOptions {
  /** So many windows; a member that was in several of them counts once. @default 1 */
  readonly last?: number;
  /** A moment in the last of them, or the date of one of its days, such as `"2026-11-27"`. @default now */
  readonly to?: Moment;
}

export interface UniquesWindow extends UniquesCount {
  /** The date of its first day; of a part of a day its first moment, in UTC. */
  readonly name: string;
  /** Its first moment, in milliseconds since 1970. */
  readonly at: number;
}

const ADD_NAMES: OptionNames<UniquesAddOptions> = { at: true };
const COUNT_NAMES: OptionNames<UniquesCountOptions> = { last: true, to: true };
const MAX_AHEAD_MS = 86_400_000;
/** Of one call. */
const MAX_IDS = 1_000;
const MAX_WINDOWS = 20_000;
const READ_AT_ONCE = 64;
/** Ids whose closed windows are kept in this process; each has up to 16 KB, or as much as a list of so many hashes. */
const MAX_CLOSED = 256;
const MAX_CLOSED_HASHES = 2_048;

/**
 * @example
 * const visitors = hf.uniques("visitors", { window: "1d", keep: 30, timeZone: "Europe/Berlin" });
 * await visitors.add("home", userId);
 * const { count, exact } = await visitors.count("home", { last: 7 });
 */
export class Uniques {
  readonly name: string;
  readonly #operations: Operations;
  readonly #settings: UniquesSettings;
  readonly #store: UniquesStore;
  readonly #closed: ClosedWindows<Union>;
  readonly #clock: ServerClock;

  constructor(core: Core, name: string, options?: UniquesOptions) {
    this.name = name;
    this.#operations = new Operations("uniques", name);
    this.#settings = uniquesSettings(this.#operations.where, options);
    this.#store = new UniquesStore(core, name, this.#settings);
    const space = `${name}\0${this.#settings.span.windows?.label}`;
    this.#closed = new ClosedWindows(core, core.driver.runtime, "uniques", space, MAX_CLOSED, isSmall);
    this.#clock = ServerClock.of(core.driver);
  }

  /**
   * Adds a member, or several, to a window of an id.
   * Cost: one script (GETRANGE, then GET and APPEND, or PFADD), about 4 us; those of the same tick and slot share it, those of one
   * window share its commands.
   */
  add(id: Id, members: Id | Iterable<Id>, options?: UniquesAddOptions): Promise<UniquesAddResult> {
    return this.#operations.run("add", id, async () => {
      const { at } = givenOptions(options, ADD_NAMES);
      const named = checkId("id", id);
      const all =
        typeof members === "string" || typeof members === "number" ? [members] : listOf("members", members, "members");
      const hashes = all.map((member) => hashOfMember(checkId("members", member)));
      const { span } = this.#settings;
      if (span.windows === undefined) {
        if (at !== undefined)
          throw new InvalidArgumentError("at", "nothing beside `ttl`, with which there are no windows", at);
        await this.#add(named, this.#store.keyOf(named, undefined), hashes, 0);
        return { status: "ok" };
      }
      const given = at === undefined ? undefined : timeOf("at", at);
      const now = this.#clock.now() ?? (await this.#now("add"));
      if (given !== undefined && given > now + MAX_AHEAD_MS)
        throw new InvalidArgumentError("at", "a time at most a day ahead", at);
      const window = span.windows.at(given ?? now);
      const expiresAt = span.windows.numbered(window.number + span.keep).start;
      if (expiresAt <= now) return { status: "late" };
      const isLate = window.end <= now;
      await this.#add(named, this.#store.keyOf(named, window), hashes, expiresAt);
      if (isLate) this.#closed.forget(named);
      return { status: "ok" };
    });
  }

  /**
   * Returns how many different members an id had, or several ids together (at most 1,000), in the last windows together.
   * Cost: one MGET per slot and 64 windows, of 12 KB at most each, merged in this process. Windows that are over are read once a minute.
   */
  count(ids: Id | Iterable<Id>, options?: UniquesCountOptions): Promise<UniquesCount> {
    const isOne = typeof ids === "string" || typeof ids === "number";
    return this.#operations.run("count", isOne ? ids : undefined, async () => {
      const wanted = idsOf(isOne ? [ids] : ids);
      const windows = await this.#windows("count", options, wanted.length);
      const [first = new Union(), ...others] = await this.#unions(wanted, windows);
      for (const union of others) first.merge(union);
      return first.count();
    });
  }

  /** Returns the count of each of these ids, at most 1,000; 0 for one that has none. Cost: as `count` of each of them. */
  countMany(ids: Iterable<Id>, options?: UniquesCountOptions): Promise<Map<Id, UniquesCount>> {
    return this.#operations.run("countMany", undefined, async () => {
      const wanted = idsOf(ids);
      const unions = await this.#unions(wanted, await this.#windows("countMany", options, wanted.length));
      return new Map(wanted.map((id, at) => [id, unions[at]!.count()]));
    });
  }

  /** Returns the count of each of the last windows, the oldest first. Not with `ttl`. Cost: one MGET per 64 windows. */
  history(id: Id, options?: UniquesCountOptions): Promise<UniquesWindow[]> {
    return this.#operations.run("history", id, async () => {
      const named = checkId("id", id);
      const { windows } = this.#settings.span;
      if (windows === undefined)
        throw new InvalidArgumentError("history", "windows, which there are none of with `ttl`", undefined);
      const all = await this.#windows("history", options, 1);
      const counts = await inChunks(
        all,
        (chunk) => Promise.all(chunk.map(async (window) => (await this.#union(named, [window])).count())),
        { size: READ_AT_ONCE },
      );
      return all.map((window, at) => ({ name: windows.nameOf(window!.number), at: window!.start, ...counts[at]! }));
    });
  }

  /** Removes all windows of an id; false if there was none. Idempotent. Cost: one UNLINK per 512 windows. */
  remove(id: Id): Promise<boolean> {
    return this.#operations.run("remove", id, async () => {
      const named = checkId("id", id);
      const { span } = this.#settings;
      let keys = [this.#store.keyOf(named, undefined)];
      if (span.windows !== undefined) {
        const now = await this.#now("remove");
        const last = span.windows.at(now + MAX_AHEAD_MS).number;
        const first = span.windows.at(now).number - span.keep;
        keys = Array.from({ length: last - first + 1 }, (_, at) =>
          this.#store.keyOf(named, span.windows.numbered(first + at)),
        );
      }
      const removed = await this.#store.unlink(named, keys);
      this.#closed.forget(named);
      return removed > 0;
    });
  }

  async #add(id: string, key: string, hashes: readonly Buffer[], expiresAt: number): Promise<void> {
    // As most are.
    if (hashes.length === 1) return this.#store.add(id, key, hashes[0]!, expiresAt);
    await inChunks(hashes, (chunk) => Promise.all(chunk.map((hash) => this.#store.add(id, key, hash, expiresAt))));
  }

  /** The windows that are asked for, oldest first; the one there is without windows is undefined. */
  async #windows(verb: string, options: UniquesCountOptions | undefined, ids: number): Promise<(Window | undefined)[]> {
    const { last, to } = givenOptions(options, COUNT_NAMES);
    const { span } = this.#settings;
    if (span.windows === undefined) {
      for (const [name, value] of Object.entries({ last, to }))
        if (value !== undefined)
          throw new InvalidArgumentError(name, "nothing beside `ttl`, with which there are no windows", value);
      return [undefined];
    }
    const count = wholeBetween("last", last ?? 1, 1, span.keep);
    if (count * ids > MAX_WINDOWS)
      throw new InvalidArgumentError("last", `at most ${MAX_WINDOWS} windows of all ids`, last);
    const newest = to === undefined ? span.windows.at(await this.#now(verb)) : span.windows.named("to", to);
    return Array.from({ length: count }, (_, at) => span.windows.numbered(newest.number - count + 1 + at));
  }

  /** Of each id. */
  async #unions(ids: readonly Id[], windows: readonly (Window | undefined)[]): Promise<Union[]> {
    const now = this.#clock.now() ?? 0;
    const open = windows.findIndex((window) => window === undefined || window.end + SETTLED_MS > now);
    const closed = open < 0 ? windows : windows.slice(0, open);
    const rest = windows.slice(closed.length);
    const of = async (id: string): Promise<Union> => {
      // Asked for in one tick, so that both are in one MGET.
      const [union, fresh] = await Promise.all([
        closed.length < 2
          ? this.#union(id, closed)
          : this.#closed.read(id, closed[0]!.number, closed.at(-1)!.number, () => this.#union(id, closed)),
        this.#union(id, rest),
      ]);
      fresh.merge(union);
      return fresh;
    };
    const perChunk = Math.max(1, Math.floor(READ_AT_ONCE / windows.length));
    return inChunks(ids, (chunk) => Promise.all(chunk.map((id) => of(String(id)))), { size: perChunk });
  }

  async #union(id: string, windows: readonly (Window | undefined)[]): Promise<Union> {
    const union = new Union();
    await inChunks(
      windows,
      (chunk) =>
        Promise.all(
          chunk.map(async (window) => {
            const key = this.#store.keyOf(id, window);
            union.add(await this.#store.read(id, key), key);
          }),
        ),
      { size: READ_AT_ONCE },
    );
    return union;
  }

  async #now(verb: string): Promise<number> {
    return Math.floor(
      this.#clock.now() ?? (await this.#clock.required(this.#operations.where, { op: `uniques.${verb}` })),
    );
  }
}

function idsOf(ids: Iterable<Id>): Id[] {
  const all = [...new Set(listOf("ids", ids, "ids"))];
  for (const id of all) checkId("ids", id);
  if (all.length > MAX_IDS) throw new InvalidArgumentError("ids", `at most ${MAX_IDS} ids`, ids);
  return all;
}

function isSmall({ listed }: Union): boolean {
  return listed <= MAX_CLOSED_HASHES;
}
