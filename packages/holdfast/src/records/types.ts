/** What the methods of records take and return. */
import type { OptionNames } from "../base/options.ts";

/** A value, and which state of the record it is of. Versions of one id only rise; each write makes the next. */
export interface RecordEntry<T> {
  readonly value: T;
  readonly version: number;
}

export interface RecordWriteOptions {
  /** Write only over the state that was read with this version; for `set` 0 means: only where there is none. @default any state */
  readonly version?: number;
}

export interface RecordUpdateOptions<T> {
  /** What `change` is given where there is no record. @default nothing is changed, and the answer is `missing` */
  readonly initial?: T;
}

export const WRITE_OPTIONS: OptionNames<RecordWriteOptions> = { version: true };
export const UPDATE_OPTIONS: OptionNames<RecordUpdateOptions<object>> = { initial: true };

/**
 * `conflict`: another version is stored, 0 when there is no record; or, with a `field`, another record has its unique value.
 * Nothing was changed.
 */
export type RecordSetResult =
  | { readonly status: "ok"; readonly version: number }
  | { readonly status: "conflict"; readonly version: number; readonly field?: string };

export type RecordPatchResult = RecordSetResult | { readonly status: "missing" };

export type RecordIncrementResult =
  | { readonly status: "ok"; readonly value: number; readonly version: number }
  | { readonly status: "missing" }
  | { readonly status: "conflict"; readonly version: number; readonly field?: string };

/** Names of the fields that hold numbers. */
export type RecordNumberField<T> = {
  [Field in keyof T & string]-?: NonNullable<T[Field]> extends number ? Field : never;
}[keyof T & string];

/** A record that was found. */
export interface RecordFound<T> extends RecordEntry<T> {
  readonly id: string;
}

export interface RecordFindOptions<T, Field extends keyof T & string = keyof T & string> {
  /** A field in an index, in whose order they come: booleans, dates, numbers, texts by their code points. @default the one with the fewest hits, by value and id */
  readonly sort?: keyof T & string;
  /** @default "asc" */
  readonly order?: "asc" | "desc";
  /** At most so many records, 1 to 1000. @default 20 */
  readonly limit?: number;
  /** That of the page before, of the same `where`, `sort` and `order`. @default the first page */
  readonly cursor?: string;
  /** Only these fields are read, and no `schema` is asked. @default the whole record */
  readonly fields?: readonly Field[];
}

export interface RecordPage<T> {
  /** May be fewer than `limit`, also on a page that is not the last. */
  readonly records: readonly RecordFound<T>[];
  /** Undefined on the last page. */
  readonly cursor: string | undefined;
  /** False where an index was evicted, or is being built: records may be missing until `reindex` has gone through. */
  readonly complete: boolean;
}

export interface RecordCountOptions {
  /** Reads each of them; else entries are counted, and some may be of writes under way or of records that have expired. @default false */
  readonly exact?: boolean;
}

export interface RecordsChunkOptions {
  /** That of the chunk before. @default the beginning */
  readonly cursor?: string;
  /** About how many records, 1 to 10000. @default 1000 */
  readonly limit?: number;
  readonly signal?: AbortSignal;
}

export interface RecordsMigrated {
  /** Records that were looked at. */
  readonly records: number;
  /** Those of them that were written in the format of today. */
  readonly migrated: number;
  /** For the next chunk; undefined after the last one. */
  readonly cursor: string | undefined;
}

export const FIND_OPTIONS: OptionNames<RecordFindOptions<object>> = {
  sort: true,
  order: true,
  limit: true,
  cursor: true,
  fields: true,
};
export const COUNT_OPTIONS: OptionNames<RecordCountOptions> = { exact: true };
export const CHUNK_OPTIONS: OptionNames<RecordsChunkOptions> = { cursor: true, limit: true, signal: true };
