/**
 * Finding records by their indexes.
 *
 * One field's entries are gone through in their order (that of `sort`, else the one with the fewest), each hit is read, and counts only if it fits as
 * it is stored now and this entry's value is the first of its own that fits: no stale entry is served, and none twice. Whose token the entry has does
 * not matter: a write in between gives a value that stays another one. Others narrow it down before
 * more is read, where few fit and their ids cost less than the records. Where few fit and the order is another's, all of them are read and sorted here.
 */
import { inChunks } from "../../core/batch/in-chunks.ts";
import { byBytes, cutKey, entryRanges, headOf, type Range, storedKeys } from "./entry.ts";
import { badCursor, cursorOf, type Place, placeFrom } from "./place.ts";
import type { IndexStore } from "./store.ts";
import { walk, type Walked } from "./walk.ts";
import { type Condition, fitting } from "./where.ts";

/** A record as it is stored, and which of its fields are known by it. */
export interface Read {
  readonly id: string;
  readonly version: number;
  readonly values: Readonly<Record<string, unknown>>;
  readonly tokens: ReadonlyMap<string, string>;
}

export interface Query {
  readonly conditions: readonly Condition[];
  /** The field in whose order they come; undefined: the one with the fewest entries. */
  readonly sort: string | undefined;
  readonly isReverse: boolean;
  readonly limit: number;
  readonly cursor: string | undefined;
}

export interface Found {
  readonly hits: readonly Read[];
  readonly cursor: string | undefined;
}

/** Records that one page reads; entries that it only looks at count too, for what they cost. */
const MAX_SPENT = 20_000;
/** Records that are read at a time, where those before were not enough. */
const MIN_READ = 16;
const MAX_READ = 256;
/** Records after which it is known how many of them do fit. */
const ENOUGH_READ = 512;
/** Records that are read to be sorted here, and ids that are kept to be looked up. */
const MAX_GATHERED = 10_000;
const MAX_IDS = 100_000;
/** What an entry costs of what a record does. */
const ENTRY_COST = 1 / 8;
const EVERYTHING: Range = { min: Buffer.alloc(0), max: Buffer.of(0xff) };

export class Finder {
  readonly #store: IndexStore;
  readonly #read: (ids: readonly string[]) => Promise<(Read | undefined)[]>;
  /** Told of what is there for nobody. */
  readonly #suspect: (partition: number, members: readonly Buffer[]) => void;

  constructor(
    store: IndexStore,
    read: (ids: readonly string[]) => Promise<(Read | undefined)[]>,
    suspect: (partition: number, members: readonly Buffer[]) => void,
  ) {
    this.#store = store;
    this.#read = read;
    this.#suspect = suspect;
  }

  async page(query: Query): Promise<Found> {
    const place = query.cursor === undefined ? undefined : placeFrom(query.cursor);
    const { conditions } = query;
    if (conditions.some(({ ranges }) => ranges.length === 0)) return { hits: [], cursor: undefined };
    const counts = await this.#counts(query, place);
    const field = place?.field ?? query.sort ?? fewest(conditions, counts);
    const driving = drivingOf(query, field);
    const smallest = fewest(conditions, counts);
    if (smallest !== undefined && smallest !== field && isWorthGathering(query, counts, smallest, field))
      return this.#gathered(
        query,
        driving,
        conditions.find((each) => each.field === smallest)!,
        counts,
        place,
      );
    return this.#walked(query, driving, counts, place);
  }

  /** How many entries fit, of records that are there or not. */
  async estimate(conditions: readonly Condition[]): Promise<number> {
    if (conditions.some(({ ranges }) => ranges.length === 0)) return 0;
    const [only] = conditions;
    if (conditions.length === 1) return sum(await this.#store.counts(entryRanges(only!.field, only!.ranges)));
    const counts = await this.#counts({ conditions, sort: undefined }, undefined);
    const [first, ...others] = conditions.toSorted((a, b) => counts.get(a.field)! - counts.get(b.field)!);
    let ids = await this.#ids(first!, Number.POSITIVE_INFINITY);
    for (const other of others) {
      const narrowed = new Set<string>();
      for await (const { id } of this.#entries(other)) if (ids!.has(id)) narrowed.add(id);
      ids = narrowed;
    }
    return ids!.size;
  }

  /** By field, how many entries fit; empty where nothing is to be chosen. */
  async #counts(
    { conditions, sort }: Pick<Query, "conditions" | "sort">,
    place: Place | undefined,
  ): Promise<Map<string, number>> {
    const [first] = conditions;
    const order = sort ?? place?.field ?? first?.field;
    if (conditions.length === 0 || (conditions.length === 1 && first!.field === order)) return new Map();
    const all = conditions.some(({ field }) => field === order)
      ? conditions
      : [...conditions, { field: order!, ranges: [EVERYTHING] }];
    const ranges = all.flatMap((each) =>
      entryRanges(each.field, each.ranges).map((range) => ({ field: each.field, range })),
    );
    const counted = await this.#store.counts(ranges.map(({ range }) => range));
    const counts = new Map<string, number>();
    for (const [at, { field }] of ranges.entries()) counts.set(field, (counts.get(field) ?? 0) + counted[at]!);
    return counts;
  }

  async #walked(
    { conditions, limit, isReverse }: Query,
    driving: Condition,
    counts: ReadonlyMap<string, number>,
    place: Place | undefined,
  ): Promise<Found> {
    const others = conditions.filter(({ field }) => field !== driving.field);
    const hits: Read[] = [];
    // At first as many as are wanted: mostly all of them fit.
    let size = Math.min(MAX_READ, limit);
    const total = counts.get(driving.field) ?? 0;
    const least = Math.min(...others.map(({ field }) => counts.get(field)!));
    // Of those that are gone through so many would be read in vain, as far as counts say.
    let sets = await this.#narrowing(others, counts, (limit * total) / Math.max(1, least) - limit);
    let isNarrowed = sets.length > 0;
    let batch: Walked[] = [];
    let [spent, read] = [0, 0];
    let lastHit: Walked | undefined;
    const full = async (): Promise<Walked | undefined> => {
      const entries = batch;
      batch = [];
      read += entries.length;
      const records = await this.#read(entries.map(({ id }) => id));
      for (const [at, entry] of entries.entries()) {
        const record = records[at];
        if (record?.tokens.get(driving.field) !== entry.token) this.#suspect(entry.partition, [entry.member]);
        // Those of one value and id that differ in their tokens come one after the other.
        const isAgain = lastHit?.id === entry.id && lastHit.key.equals(entry.key);
        if (isAgain || record === undefined || !isHit(record, entry, driving, others, isReverse)) continue;
        lastHit = entry;
        if (hits.push(record) >= limit) return entry;
      }
      return undefined;
    };
    const options = { field: driving.field, ranges: driving.ranges, isReverse, wanted: limit, from: place };
    for await (const entry of walk(this.#store, options)) {
      const isWanted = sets.every((ids) => ids.has(entry.id));
      if (isWanted) batch.push(entry);
      spent += isWanted ? 1 : ENTRY_COST;
      if (batch.length >= size || spent >= MAX_SPENT) {
        const end = await full();
        if (end !== undefined) return { hits, cursor: cursorOf(driving.field, end) };
        if (spent >= MAX_SPENT) return { hits, cursor: cursorOf(driving.field, entry) };
        size = Math.min(MAX_READ, 2 * Math.max(MIN_READ, size));
        if (!isNarrowed && read >= ENOUGH_READ) {
          const left = ((limit - hits.length) * read) / Math.max(hits.length, 0.5);
          sets = await this.#narrowing(others, counts, Math.min(left, total));
          isNarrowed = true;
        }
      }
    }
    const end = await full();
    return { hits, cursor: end === undefined ? undefined : cursorOf(driving.field, end) };
  }

  /** The ids of those conditions that cost less than the records that they spare. */
  async #narrowing(
    others: readonly Condition[],
    counts: ReadonlyMap<string, number>,
    left: number,
  ): Promise<ReadonlySet<string>[]> {
    const cheap = others.filter(({ field }) => counts.get(field)! <= MAX_IDS && counts.get(field)! * ENTRY_COST < left);
    const sets: ReadonlySet<string>[] = [];
    for (const other of cheap) {
      const ids = await this.#ids(other, MAX_IDS);
      if (ids !== undefined) sets.push(ids);
    }
    return sets;
  }

  async #gathered(
    query: Query,
    driving: Condition,
    smallest: Condition,
    counts: ReadonlyMap<string, number>,
    place: Place | undefined,
  ): Promise<Found> {
    const ids = await this.#ids(smallest, MAX_GATHERED * 2);
    if (ids === undefined) return this.#walked(query, driving, counts, place);
    const others = query.conditions.filter(({ field }) => field !== driving.field);
    const records = await inChunks([...ids], (chunk) => this.#read(chunk), { size: MAX_READ, parallel: 4 });
    const placed = records.flatMap((record) => {
      if (record === undefined || !others.every((other) => fitting(other, record.values[other.field]).length > 0))
        return [];
      const key = firstKey(driving, record, query.isReverse);
      return key === undefined
        ? []
        : [{ record, key: Buffer.concat([headOf(driving.field), cutKey(key)]), id: record.id }];
    });
    const sign = query.isReverse ? -1 : 1;
    const compare = (a: Omit<Place, "field">, b: Omit<Place, "field">): number =>
      sign * (Buffer.compare(a.key, b.key) || Buffer.compare(Buffer.from(a.id), Buffer.from(b.id)));
    const sorted = placed.toSorted(compare);
    const rest = place === undefined ? sorted : sorted.filter((each) => compare(each, place) > 0);
    const hits = rest.slice(0, query.limit);
    const cursor = hits.length === query.limit ? cursorOf(driving.field, hits.at(-1)!) : undefined;
    return { hits: hits.map(({ record }) => record), cursor };
  }

  /** Undefined where there are more than `max`. */
  async #ids(condition: Condition, max: number): Promise<Set<string> | undefined> {
    const ids = new Set<string>();
    for await (const { id } of this.#entries(condition)) {
      ids.add(id);
      if (ids.size > max) return undefined;
    }
    return ids;
  }

  #entries({ field, ranges }: Condition): AsyncGenerator<Walked> {
    return walk(this.#store, {
      field,
      ranges,
      isReverse: false,
      from: undefined,
      wanted: MAX_READ * this.#store.settings.partitions,
    });
  }
}

function isHit(
  record: Read,
  { value }: Walked,
  driving: Condition,
  others: readonly Condition[],
  isReverse: boolean,
): boolean {
  const key = firstKey(driving, record, isReverse);
  if (key === undefined || !cutKey(key).equals(value)) return false;
  return others.every((other) => fitting(other, record.values[other.field]).length > 0);
}

/** Of the record's keys that fit the one that comes first. */
function firstKey(driving: Condition, record: Read, isReverse: boolean): Buffer | undefined {
  const value = record.values[driving.field];
  const keys = driving.ranges[0] === EVERYTHING ? storedKeys(value).toSorted(byBytes) : fitting(driving, value);
  return isReverse ? keys.at(-1) : keys[0];
}

/** @throws InvalidArgumentError for a field that only the cursor of another query has */
function drivingOf({ conditions, sort, cursor }: Query, field: string): Condition {
  const condition = conditions.find((each) => each.field === field);
  if (sort === undefined ? condition === undefined : sort !== field) throw badCursor(cursor);
  return condition ?? { field, ranges: [EVERYTHING] };
}

function isWorthGathering(
  { limit }: Query,
  counts: ReadonlyMap<string, number>,
  smallest: string,
  order: string,
): boolean {
  const few = counts.get(smallest)!;
  const all = counts.get(order)!;
  // In the order of the other field, one in `all / few` fits.
  return few <= MAX_GATHERED && few <= Math.max(limit, (limit * all) / Math.max(1, few));
}

function fewest(conditions: readonly Condition[], counts: ReadonlyMap<string, number>): string {
  const [first, ...others] = conditions.map(({ field }) => field);
  return others.reduce((a, b) => ((counts.get(b) ?? 0) < (counts.get(a) ?? 0) ? b : a), first!);
}

const sum = (counts: readonly number[]): number => counts.reduce((a, b) => a + b, 0);
