/**
 * Active users: who was there on which day, in one bit each. How many on a day, in a week, on each of several days, and how many of one
 * day's came back on the days after it.
 *
 * Promises: counts are exact. A user who was marked is in every count over that window until the window expires; marking again changes
 * nothing, so a lost answer does not matter. There are no more users than `maxUsers`, and every key expires. While the server is away,
 * calls wait for it until their deadline and then reject.
 */
import { InvalidArgumentError } from "../base/errors.ts";
import { givenOptions, listOf, type OptionNames, timeOf, wholeBetween } from "../base/options.ts";
import { inChunks } from "../core/batch/in-chunks.ts";
import { ServerClock } from "../core/clock/server-clock.ts";
import type { Core } from "../core/core.ts";
import { checkId, type Id } from "../core/keyspace/keyspace.ts";
import { Operations } from "../core/observe/observe.ts";
import type { Moment, Window } from "../core/window/windows.ts";
import { type Bits, both, countOf, Union } from "./bits.ts";
import { type ActivesOptions, type ActivesSettings, activesSettings } from "./options.ts";
import { addRetention, type Matrix } from "./retention.ts";
import { ActivesStore } from "./store.ts";

export interface ActivesMarkOptions {
  /** When they were active, at most a day ahead. @default the server's time now */
  readonly at?: Date | number;
}

/** `late`: the window is no longer kept. `limit`: the user is new, and there are `maxUsers`. In both cases nothing was stored. */
export interface ActivesMarkResult {
  readonly status: "ok" | "late" | "limit";
}

export interface ActivesCountOptions {
  /** So many windows; a user of several of them counts once. @default 1 */
  readonly last?: number;
  /** A moment in the last of them, or the date of one of its days, such as `"2026-11-27"`. @default now */
  readonly to?: Moment;
}

export interface ActivesWindow {
  /** The date of its first day; of a part of a day its first moment, in UTC. */
  readonly name: string;
  /** Its first moment, in milliseconds since 1970. */
  readonly at: number;
  readonly count: number;
}

export interface ActivesRetentionOptions {
  /** The first window with a cohort: a moment in it, or the date of one of its days. */
  readonly from: Moment;
  /** How many windows have one, and are looked at. */
  readonly windows: number;
  /** Whether a cohort is all who were active in its window, or those of them who were in none before, as far as windows are kept. @default "active" */
  readonly of?: "active" | "new";
}

export interface ActivesCohort {
  /** As that of its window. */
  readonly name: string;
  /** The first moment of its window, in milliseconds since 1970. */
  readonly at: number;
  readonly users: number;
  /** How many of them were active so many windows later: the first is `users`. Windows that have not begun are not in it. */
  readonly active: readonly number[];
}

const MARK_NAMES: OptionNames<ActivesMarkOptions> = { at: true };
const COUNT_NAMES: OptionNames<ActivesCountOptions> = { last: true, to: true };
const RETENTION_NAMES: OptionNames<ActivesRetentionOptions> = { from: true, windows: true, of: true };
const MAX_AHEAD_MS = 86_400_000;
const PARALLEL = { size: 1, parallel: 4 };

/**
 * @example
 * const actives = hf.actives("app", { timeZone: "Europe/Berlin" });
 * await actives.mark(userId);
 * const monthly = await actives.count({ last: 30 });
 * const cohorts = await actives.retention({ from: "2026-11-01", windows: 28, of: "new" });
 */
export class Actives {
  readonly name: string;
  readonly #operations: Operations;
  readonly #settings: ActivesSettings;
  readonly #store: ActivesStore;
  readonly #clock: ServerClock;

  constructor(core: Core, name: string, options?: ActivesOptions) {
    this.name = name;
    this.#operations = new Operations("actives", name);
    this.#settings = activesSettings(this.#operations.where, options);
    core.keys.group("actives", name);
    this.#store = new ActivesStore(core, name, this.#settings);
    this.#clock = ServerClock.of(core.driver);
  }

  /**
   * Marks a user as active.
   * Cost: one script (HMGET, GET, GETRANGE, SETBIT), about 7 us; those of the same tick and slot share it. A new user, or the first mark of
   * a window: some writes more.
   */
  mark(user: Id, options?: ActivesMarkOptions): Promise<ActivesMarkResult> {
    return this.#operations.run("mark", user, async () => {
      const named = checkId("user", user);
      return this.#mark([named], await this.#window("mark", options));
    });
  }

  /** As `mark`, for users of one window. The first outcome that is not `ok` is that of the call; the others are marked all the same. */
  markMany(users: Iterable<Id>, options?: ActivesMarkOptions): Promise<ActivesMarkResult> {
    return this.#operations.run("markMany", undefined, async () => {
      const named = listOf("users", users, "users").map((user) => checkId("users", user));
      return this.#mark(named, await this.#window("markMany", options));
    });
  }

  /** Returns how many users were active in the last windows together: of 1, 7 and 30 days, DAU, WAU and MAU. Cost: one MGET per partition and 64 windows, of a bit for each user and window. */
  count(options?: ActivesCountOptions): Promise<number> {
    return this.#operations.run("count", undefined, async () => this.#united(await this.#last("count", options)));
  }

  /** Returns how many were active in each of the last windows, the oldest first. Cost: as `count`. */
  history(options?: ActivesCountOptions): Promise<ActivesWindow[]> {
    return this.#operations.run("history", undefined, async () => {
      const windows = await this.#last("history", options);
      const counts = windows.map(() => 0);
      await this.#eachPartition(windows, (all) => {
        for (const [at, bits] of all.entries()) if (bits !== undefined) counts[at]! += countOf(bits.words);
      });
      return windows.map((window, at) => ({ ...this.#described(window), count: counts[at]! }));
    });
  }

  /** Returns how many users were active in any of these windows. Cost: as `count`. */
  union(windows: Iterable<Moment>): Promise<number> {
    return this.#operations.run("union", undefined, async () => this.#united(this.#named(windows)));
  }

  /** Returns how many users were active in each of these windows. Cost: as `count`. */
  intersection(windows: Iterable<Moment>): Promise<number> {
    return this.#operations.run("intersection", undefined, async () => {
      const wanted = this.#named(windows);
      let count = 0;
      await this.#eachPartition(wanted, (all) => {
        const [first, ...rest] = all;
        if (first === undefined || rest.some((bits) => bits?.epoch !== first.epoch)) return;
        count += countOf(rest.reduce((words, bits) => both(words, bits!.words), first.words));
      });
      return count;
    });
  }

  /**
   * Returns for each window from `from` on how many were active in it, and how many of them in the windows after it.
   * Cost: as `count` of these windows, with `of: "new"` of all that are kept before them too; counted in this process.
   */
  retention(options: ActivesRetentionOptions): Promise<ActivesCohort[]> {
    return this.#operations.run("retention", undefined, async () => {
      const { from, windows: asked, of = "active" } = givenOptions(options, RETENTION_NAMES);
      if (of !== "active" && of !== "new") throw new InvalidArgumentError("of", '"active" or "new"', of);
      const { windows, keep } = this.#settings;
      const cohorts = wholeBetween("windows", asked, 1, keep);
      const first = windows.named("from", from).number;
      const now = windows.at(await this.#now("retention")).number;
      const last = Math.min(first + cohorts - 1, now);
      if (last < first) return [];
      const oldest = of === "new" ? Math.min(first, now - keep + 1) : first;
      const all = Array.from({ length: last - oldest + 1 }, (_, at) => windows.numbered(oldest + at));
      const matrix: Matrix = Array.from({ length: last - first + 1 }, (_, cohort) =>
        Array.from({ length: last - first + 1 - cohort }, () => 0),
      );
      await this.#eachPartition(all, (bits) => {
        addRetention(matrix, bits, first - oldest, matrix.length, of === "new");
      });
      return matrix.map((active, cohort) => ({
        ...this.#described(windows.numbered(first + cohort)),
        users: active[0]!,
        active,
      }));
    });
  }

  /** Removes all users and windows. Idempotent. Cost: one UNLINK per partition and 512 keys. */
  clear(): Promise<void> {
    return this.#operations.run("clear", undefined, async () => {
      const { windows, keep, partitions } = this.#settings;
      const now = await this.#now("clear");
      const first = windows.at(now).number - keep;
      const last = windows.at(now + MAX_AHEAD_MS).number;
      const all = Array.from({ length: last - first + 1 }, (_, at) => windows.numbered(first + at));
      for (let partition = 0; partition < partitions; partition += 1) await this.#store.remove(partition, all);
    });
  }

  async #mark(users: readonly string[], window: Window | undefined): Promise<ActivesMarkResult> {
    if (window === undefined) return { status: "late" };
    const { windows, keep } = this.#settings;
    const expiresAt = windows.numbered(window.number + keep).start;
    const results = await inChunks(users, (chunk) =>
      Promise.all(chunk.map((user) => this.#store.mark(user, window, expiresAt))),
    );
    return { status: results.find(({ status }) => status !== "ok")?.status ?? "ok" };
  }

  /** Undefined where it is no longer kept. */
  async #window(verb: string, options: ActivesMarkOptions | undefined): Promise<Window | undefined> {
    const { at } = givenOptions(options, MARK_NAMES);
    const given = at === undefined ? undefined : timeOf("at", at);
    const now = await this.#now(verb);
    if (given !== undefined && given > now + MAX_AHEAD_MS)
      throw new InvalidArgumentError("at", "a time at most a day ahead", at);
    const { windows, keep } = this.#settings;
    const window = windows.at(given ?? now);
    return windows.numbered(window.number + keep).start <= now ? undefined : window;
  }

  async #last(verb: string, options: ActivesCountOptions | undefined): Promise<Window[]> {
    const { last = 1, to } = givenOptions(options, COUNT_NAMES);
    const { windows, keep } = this.#settings;
    const count = wholeBetween("last", last, 1, keep);
    const newest = to === undefined ? windows.at(await this.#now(verb)) : windows.named("to", to);
    return Array.from({ length: count }, (_, at) => windows.numbered(newest.number - count + 1 + at));
  }

  #named(given: Iterable<Moment>): Window[] {
    const { windows, keep } = this.#settings;
    const numbers = new Set(listOf("windows", given, "moments").map((each) => windows.named("windows", each).number));
    if (numbers.size === 0 || numbers.size > keep)
      throw new InvalidArgumentError("windows", `1 to ${keep} of them, as many as are kept`, given);
    return [...numbers].map((number) => windows.numbered(number));
  }

  async #united(windows: readonly Window[]): Promise<number> {
    let count = 0;
    await this.#eachPartition(windows, (all) => {
      const union = new Union();
      for (const bits of all) union.add(bits);
      count += union.count();
    });
    return count;
  }

  async #eachPartition(windows: readonly Window[], use: (all: readonly (Bits | undefined)[]) => void): Promise<void> {
    const partitions = Array.from({ length: this.#settings.partitions }, (_, partition) => partition);
    await inChunks(
      partitions,
      async ([partition]) => {
        use(await this.#store.read(partition!, windows));
        return [undefined];
      },
      PARALLEL,
    );
  }

  #described({ number, start }: Window): { readonly name: string; readonly at: number } {
    return { name: this.#settings.windows.nameOf(number), at: start };
  }

  async #now(verb: string): Promise<number> {
    return this.#clock.now() ?? (await this.#clock.required(this.#operations.where, { op: `actives.${verb}` }));
  }
}
