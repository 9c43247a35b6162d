import type { StandardSchemaV1 } from "@standard-schema/spec";
import { CODEC_OPTIONS, type CodecOptions } from "../core/codec/codec.ts";
import { InvalidArgumentError, kindGiven } from "../base/errors.ts";
import { type Duration, listOf, type OptionNames, toMs, toTimerMs, wholeBetween } from "../base/options.ts";

/** Makes a record of one format into the next one. Must not change what it is given. */
export type RecordMigration = (record: Readonly<Record<string, unknown>>) => object;

export interface RecordsOptions<T> extends Omit<CodecOptions<unknown>, "schema"> {
  /** A record expires this long after its last write. @default "90d" */
  readonly ttl?: Duration;
  /**
   * Checks the whole of a record whenever it is written, and whenever the whole of it is read; what it returns is stored,
   * and returned. It must be synchronous, and must accept its own output. @default none
   */
  readonly schema?: StandardSchemaV1<unknown, T>;
  /** Fields whose value no two records have; 8 at most. The same in all processes. @default none */
  readonly unique?: readonly (keyof T & string)[];
  /** Fields by which records are found; 16 at most. The same in all processes. @default none */
  readonly index?: readonly (keyof T & string)[];
  /** Slots that the indexes are spread over, 1 to 64. The same in all processes. @default 4 */
  readonly partitions?: number;
  /** What a field is that a record does not have: stored by `set`, and read from records that lack it. @default none */
  readonly defaults?: Partial<T>;
  /** By field: how long it is there after it was written. @default as long as the record */
  readonly fieldTtl?: { readonly [Field in keyof T]?: Duration };
  /** What makes older records like those of today: the first for those that were stored before there was any, each once. @default none */
  readonly migrations?: readonly RecordMigration[];
  /** How often `update` tries when other writes intervene, 1 to 10000. @default 20 */
  readonly attempts?: number;
  /** Deadline of each operation on the server. @default the handle's `timeout` */
  readonly timeout?: Duration;
}

export const RECORDS_OPTIONS: OptionNames<RecordsOptions<object>> = {
  ...CODEC_OPTIONS,
  ttl: true,
  unique: true,
  index: true,
  partitions: true,
  defaults: true,
  fieldTtl: true,
  migrations: true,
  attempts: true,
  timeout: true,
};

const MAX_ATTEMPTS = 10_000;
const MAX_UNIQUE = 8;
const MAX_INDEX = 16;
const MAX_PARTITIONS = 64;
const MAX_MIGRATIONS = 1_000;
/** It stands in keys and entries, and ends at a colon or at NUL there. */
const FIELD_NAME = /^[^\0:]{1,64}$/;

export interface RecordSettings {
  readonly ttlMs: number;
  readonly attempts: number;
  readonly timeoutMs: number | undefined;
  readonly unique: readonly string[];
  readonly index: readonly string[];
  readonly partitions: number;
  readonly fieldTtlMs: ReadonlyMap<string, number>;
  readonly migrations: readonly RecordMigration[];
}

/** Whether a write takes more than its one script. */
export function isManaged({ unique, index, fieldTtlMs, migrations }: RecordSettings): boolean {
  return unique.length + index.length + fieldTtlMs.size + migrations.length > 0;
}

export function recordSettings<T>(options: RecordsOptions<T>): RecordSettings {
  const settings: RecordSettings = {
    ttlMs: toMs("ttl", options.ttl ?? "90d"),
    attempts: wholeBetween("attempts", options.attempts ?? 20, 1, MAX_ATTEMPTS),
    timeoutMs: options.timeout === undefined ? undefined : toTimerMs("timeout", options.timeout),
    unique: fieldNames("unique", options.unique ?? [], MAX_UNIQUE),
    index: fieldNames("index", options.index ?? [], MAX_INDEX),
    partitions: wholeBetween("partitions", options.partitions ?? 4, 1, MAX_PARTITIONS),
    fieldTtlMs: fieldTtls(options.fieldTtl ?? {}),
    migrations: migrationsOf(options.migrations ?? []),
  };
  const both = [...settings.unique, ...settings.index].find((field) => settings.fieldTtlMs.has(field));
  if (both === undefined) return settings;
  throw new InvalidArgumentError("fieldTtl", "fields that are neither unique nor in an index", both);
}

function fieldNames(option: string, given: readonly string[], max: number): readonly string[] {
  const names = listOf(option, given, "names of fields");
  if (names.length > max) throw new InvalidArgumentError(option, `at most ${max} fields`, names.length);
  if (!names.every((name) => typeof name === "string" && name.isWellFormed() && FIELD_NAME.test(name)))
    throw new InvalidArgumentError(option, "names of 1 to 64 characters without a colon", given);
  return [...new Set(names)];
}

function fieldTtls(given: object): ReadonlyMap<string, number> {
  if (typeof given !== "object" || given === null || Array.isArray(given))
    throw new InvalidArgumentError("fieldTtl", 'an object such as { code: "10m" }', kindGiven(given));
  const known = Object.entries(given).filter(([, ttl]) => ttl !== undefined);
  return new Map(known.map(([field, ttl]) => [field, toMs(`fieldTtl.${field}`, ttl as Duration)]));
}

function migrationsOf(given: readonly RecordMigration[]): readonly RecordMigration[] {
  const migrations = listOf("migrations", given, "functions");
  if (migrations.length > MAX_MIGRATIONS)
    throw new InvalidArgumentError("migrations", `at most ${MAX_MIGRATIONS} of them`, migrations.length);
  const broken = migrations.find((each) => typeof each !== "function");
  if (broken !== undefined) throw new InvalidArgumentError("migrations", "a list of functions", broken);
  return migrations;
}
