/** Looking for records: by unique values and by indexes. */
import { checkSignal } from "../base/abort.ts";
import { InvalidArgumentError } from "../base/errors.ts";
import { givenOptions, wholeBetween } from "../base/options.ts";
import { inChunks } from "../core/batch/in-chunks.ts";
import { checkFields } from "./checks.ts";
import { valueKey } from "./index/entry.ts";
import { Finder, type Query } from "./index/finder.ts";
import { CHUNKS, idsFrom, Reindexer, type RecordsReindexed } from "./index/reindex.ts";
import { type Condition, conditionsOf } from "./index/where.ts";
import type { ManagedRecords } from "./managed.ts";
import {
  CHUNK_OPTIONS,
  COUNT_OPTIONS,
  FIND_OPTIONS,
  type RecordCountOptions,
  type RecordFindOptions,
  type RecordFound,
  type RecordPage,
  type RecordsChunkOptions,
  type RecordsMigrated,
} from "./types.ts";

const MAX_LIMIT = 1_000;
const MAX_CHUNK = 10_000;

export class RecordQueries<T extends object> {
  readonly #managed: ManagedRecords<T>;
  readonly #unique: ReadonlySet<string>;
  readonly #index: ReadonlySet<string>;

  constructor(managed: ManagedRecords<T>, { unique, index }: { unique: readonly string[]; index: readonly string[] }) {
    this.#managed = managed;
    this.#unique = new Set(unique);
    this.#index = new Set(index);
  }

  async getBy(field: string, value: unknown): Promise<RecordFound<T> | undefined> {
    if (!this.#unique.has(field)) throw new InvalidArgumentError("field", "a field that is named in `unique`", field);
    const key = typeof value === "string" && !value.isWellFormed() ? undefined : valueKey(value);
    if (key === undefined || value === null)
      throw new InvalidArgumentError("value", "a well-formed string, a number, a boolean or a Date", value);
    const { store, writer } = this.#managed;
    // Again where it changed hands between the two reads.
    for (let attempt = 0, last = ""; attempt < 3; attempt += 1) {
      const holder = await writer.claims.holder(field, key);
      if (holder === undefined || holder.stored === last) return undefined;
      const { id, stored } = holder;
      const found = await this.#managed.read(id);
      if (found !== undefined && writer.indexed(id, found.stored).keys.get(field)?.[0]?.equals(key) === true)
        return { id, version: found.version, value: this.#managed.valueOf(id, found) };
      store.background(writer.claims.releaseStale(field, key, stored));
      last = stored;
    }
    return undefined;
  }

  async find(where: object, options: RecordFindOptions<T> | undefined): Promise<RecordPage<T>> {
    const given = givenOptions<RecordFindOptions<T>>(options, FIND_OPTIONS);
    const { sort, order = "asc", limit = 20, cursor, fields } = given;
    if (order !== "asc" && order !== "desc") throw new InvalidArgumentError("order", '"asc" or "desc"', order);
    checkFields(fields);
    const conditions = this.#conditions(where, sort);
    const query: Query = {
      conditions,
      sort: sort === undefined ? undefined : this.#indexed("sort", sort),
      isReverse: order === "desc",
      limit: wholeBetween("limit", limit, 1, MAX_LIMIT),
      cursor: checkCursor(cursor),
    };
    const [{ hits, cursor: next }, complete] = await Promise.all([
      this.#finder(conditions, sort, fields).page(query),
      this.#managed.store.areWhole(),
    ]);
    const records = hits.map((hit) => ({ id: hit.id, value: this.#managed.shown(hit, fields), version: hit.version }));
    return { records, cursor: next, complete };
  }

  async count(where: object, options: RecordCountOptions | undefined): Promise<number> {
    const { exact = false } = givenOptions(options, COUNT_OPTIONS);
    if (typeof exact !== "boolean") throw new InvalidArgumentError("exact", "a boolean", exact);
    const conditions = this.#conditions(where, undefined);
    const finder = this.#finder(conditions, undefined, []);
    if (!exact) return finder.estimate(conditions);
    let count = 0;
    let cursor: string | undefined;
    do {
      const page = await finder.page({ conditions, sort: undefined, isReverse: false, limit: MAX_LIMIT, cursor });
      count += page.hits.length;
      cursor = page.cursor;
    } while (cursor !== undefined);
    return count;
  }

  async first(field: keyof T & string, where: object, order: "asc" | "desc"): Promise<RecordFound<T> | undefined> {
    let cursor: string | undefined;
    do {
      const page = await this.find(where, { sort: field, order, limit: 1, ...(cursor !== undefined && { cursor }) });
      if (page.records.length > 0) return page.records[0];
      cursor = page.cursor;
    } while (cursor !== undefined);
    return undefined;
  }

  async reindex(options: RecordsChunkOptions | undefined): Promise<RecordsReindexed> {
    const { cursor, limit, signal } = chunkOf(options);
    if (this.#unique.size + this.#index.size === 0)
      throw new InvalidArgumentError("index", "at least one field in `index` or `unique`", 0);
    return new Reindexer(this.#managed.store, this.#managed.writer).chunk(cursor, limit, signal);
  }

  async migrateAll(options: RecordsChunkOptions | undefined): Promise<RecordsMigrated> {
    const { cursor, limit, signal } = chunkOf(options);
    const chunk = await idsFrom(this.#managed.store, cursor, limit, signal);
    const migrate = (ids: readonly string[]): Promise<boolean[]> =>
      Promise.all(ids.map((id) => this.#managed.migrateStored(id)));
    const migrated = await inChunks(chunk.ids, migrate, CHUNKS);
    return { records: chunk.ids.length, migrated: migrated.filter(Boolean).length, cursor: chunk.cursor };
  }

  #conditions(where: object, sort: string | undefined): Condition[] {
    const conditions = conditionsOf(where, (field) => this.#index.has(field));
    if (conditions.length > 0 || sort !== undefined) return conditions;
    throw new InvalidArgumentError("where", "at least one field, or a `sort` to go by", where);
  }

  #indexed(option: string, field: string): string {
    if (this.#index.has(field)) return field;
    throw new InvalidArgumentError(option, "a field that is named in `index`", field);
  }

  #finder(conditions: readonly Condition[], sort: string | undefined, fields: readonly string[] | undefined): Finder {
    const { store, writer } = this.#managed;
    const used = [...new Set([...conditions.map(({ field }) => field), ...(sort === undefined ? [] : [sort])])];
    return new Finder(
      store,
      (ids) => this.#managed.readForFind(ids, used, fields),
      (partition, members) => store.background(writer.sweeper.removeDead(partition, members)),
    );
  }
}

function chunkOf(given: RecordsChunkOptions | undefined): {
  cursor: string | undefined;
  limit: number;
  signal: AbortSignal | undefined;
} {
  const { cursor, limit = 1_000, signal } = givenOptions(given, CHUNK_OPTIONS);
  return {
    cursor: checkCursor(cursor),
    limit: wholeBetween("limit", limit, 1, MAX_CHUNK),
    signal: checkSignal(signal),
  };
}

function checkCursor(cursor: string | undefined): string | undefined {
  if (cursor === undefined || typeof cursor === "string") return cursor;
  throw new InvalidArgumentError("cursor", "a cursor that was returned for the page before", cursor);
}
