/** All locks that are held, page by page, without a look at every key of the server. */
import { InvalidArgumentError } from "../base/errors.ts";
import { type OptionNames, parseOptions, wholeBetween } from "../base/options.ts";
import { inChunks } from "../core/batch/in-chunks.ts";
import type { Core } from "../core/core.ts";
import { observed } from "../core/observe/observe.ts";
import { LockIndex, lockOf, PARTITIONS } from "./lock-index.ts";
import { lockLabel } from "./options.ts";
import { type LockInfo, LockStore } from "./store.ts";
import type { LockPaths } from "./store.ts";

export interface LocksListOptions {
  /** The `cursor` of the page before. @default the beginning */
  readonly cursor?: string;
  /** How many holds are looked at: a page has as many rows at most, fewer where some have ended. From 1 to 1000. @default 100 */
  readonly limit?: number;
}

export interface ListedLock extends LockInfo {
  readonly name: string;
}

export interface LocksPage {
  readonly locks: readonly ListedLock[];
  /** For the next page; undefined after the last one. */
  readonly cursor: string | undefined;
}

interface Place {
  readonly partition: number;
  /** The last entry before; undefined at the beginning of a partition. */
  readonly after: string | undefined;
}

const OPTIONS: OptionNames<LocksListOptions> = { cursor: true, limit: true };
const MAX_LIMIT = 1_000;
const CURSOR = /^(\d{1,2})\.([\w-]+)$/;
/** Locks that are asked at a time. */
const AT_A_TIME = { size: 64, parallel: 2 };

/**
 * The locks of those that have the option `index: true`.
 * @example
 * const { locks, cursor } = await hf.locks.list({ limit: 50 });
 */
export class Locks {
  readonly #core: Core;
  readonly #paths: LockPaths;
  readonly #index: LockIndex;

  constructor(core: Core, paths: LockPaths) {
    this.#core = core;
    this.#paths = paths;
    this.#index = new LockIndex(core);
  }

  /**
   * Returns a page of the locks that are held, each as its lock itself has it now, in no order that means anything. A lock that is
   * acquired or released meanwhile may be missing; one that is held throughout is not.
   * Cost: ZRANGE for each of 16 partitions of the index that the page touches, one script per lock.
   */
  list(options?: LocksListOptions): Promise<LocksPage> {
    const body = async (): Promise<LocksPage> => {
      const { place, limit } = parseOptions("locks", options, OPTIONS, ({ cursor, limit: most = 100 }) => ({
        place: cursor === undefined ? { partition: 0, after: undefined } : placeOf(cursor),
        limit: wholeBetween("limit", most, 1, MAX_LIMIT),
      }));
      const { entries, next } = await this.#entries(place, limit);
      const names = new Set(entries.map(lockOf));
      // Shown on the page before, for another of its holds.
      if (place.after !== undefined) names.delete(lockOf(place.after));
      const ask = (chunk: readonly string[]): Promise<(ListedLock | undefined)[]> =>
        Promise.all(chunk.map((name) => this.#look(name)));
      const rows = await inChunks([...names], ask, AT_A_TIME);
      const cursor = next === undefined ? undefined : cursorOf(next);
      return { locks: rows.filter((row) => row !== undefined), cursor };
    };
    return observed("locks.list", undefined, body, undefined, { where: "locks" });
  }

  async #entries(
    { partition, after }: Place,
    limit: number,
  ): Promise<{ readonly entries: readonly string[]; readonly next: Place | undefined }> {
    const entries: string[] = [];
    let from = after;
    for (let at = partition; at < PARTITIONS; at += 1) {
      entries.push(...(await this.#index.page(at, from, limit - entries.length)));
      if (entries.length === limit) return { entries, next: { partition: at, after: entries.at(-1) } };
      from = undefined;
    }
    return { entries, next: undefined };
  }

  async #look(name: string): Promise<ListedLock | undefined> {
    const info = await new LockStore(this.#core, this.#paths, name, lockLabel(name)).inspect();
    return info === undefined ? undefined : { name, ...info };
  }
}

function cursorOf({ partition, after = "" }: Place): string {
  return `${partition}.${Buffer.from(after).toString("base64url")}`;
}

function placeOf(cursor: string): Place {
  const [, partition, after] = (typeof cursor === "string" && CURSOR.exec(cursor)) || [];
  if (after !== undefined && Number(partition) < PARTITIONS)
    return { partition: Number(partition), after: Buffer.from(after, "base64url").toString() };
  throw new InvalidArgumentError("cursor", "the `cursor` of a page before", cursor);
}
