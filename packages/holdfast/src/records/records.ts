/**
 * Records: objects whose top-level fields are stored one by one, so that parts of them are read and written.
 *
 * Promises: each write is one atomic step that makes a new version; a write with a `version` happens only over that
 * version, also across a deletion in between, since versions of one id only rise; patches of different fields by parallel
 * writers all survive; an `update` happens once; with a `schema` nothing that it refuses is ever stored. While the server is
 * away calls wait for it until their deadline and then reject. A `set`, `patch` or `update` whose answer was lost is repeated
 * and recognised; an `increment` is not repeated and rejects with OutcomeUnknownError.
 */
import { inChunks } from "../core/batch/in-chunks.ts";
import { checkSchema } from "../core/codec/schema.ts";
import type { Core } from "../core/core.ts";
import { InvalidArgumentError } from "../base/errors.ts";
import type { Id } from "../core/keyspace/keyspace.ts";
import { givenOptions, listOf, type OptionNames, parseOptions } from "../base/options.ts";
import { Operations } from "../core/observe/observe.ts";
import { asFields, checkNames, RecordFormat, type RecordPatch } from "./format.ts";
import { RECORDS_OPTIONS, recordSettings, type RecordSettings, type RecordsOptions } from "./options.ts";
import { ANY_VERSION, RecordStore } from "./store.ts";
import { notANumber, outOfRange, sumOf } from "./sum.ts";
import { type RecordUpdateResult, Updater } from "./updater.ts";

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

const WRITE_OPTIONS: OptionNames<RecordWriteOptions> = { version: true };
const UPDATE_OPTIONS: OptionNames<RecordUpdateOptions<object>> = { initial: true };

/** `conflict`: another version is stored, 0 when there is no record; nothing was changed. */
export type RecordSetResult =
  | { readonly status: "ok"; readonly version: number }
  | { readonly status: "conflict"; readonly version: number };

export type RecordPatchResult = RecordSetResult | { readonly status: "missing" };

export type RecordIncrementResult =
  | { readonly status: "ok"; readonly value: number; readonly version: number }
  | { readonly status: "missing" }
  | { readonly status: "conflict"; readonly version: number };

/** Names of the fields that hold numbers. */
export type RecordNumberField<T> = {
  [Field in keyof T & string]-?: NonNullable<T[Field]> extends number ? Field : never;
}[keyof T & string];

/**
 * The records of one name.
 * @example
 * const airports = hf.records<{ name: string; visits: number }>("airports", { ttl: "30d" });
 * await airports.set("SFO", { name: "San Francisco", visits: 0 });
 * await airports.increment("SFO", "visits");
 */
export class Records<T extends object> {
  readonly name: string;
  readonly #operations: Operations;
  readonly #settings: RecordSettings;
  readonly #format: RecordFormat<T>;
  readonly #store: RecordStore;
  readonly #updater: Updater<T>;

  constructor(core: Core, name: string, given?: RecordsOptions<T>) {
    this.name = name;
    this.#operations = new Operations("records", name);
    const [settings, format] = parseOptions(this.#operations.where, given, RECORDS_OPTIONS, (options) => [
      recordSettings(options),
      // For one field at a time, so without the schema of the whole.
      new RecordFormat<T>(core.codec({ ...options, schema: undefined }), checkSchema(options.schema)),
    ]);
    this.#settings = settings;
    this.#format = format;
    this.#store = new RecordStore(core.driver, core.keys.entries("record", name), this.#settings);
    this.#updater = new Updater<T>(core.driver.runtime, this.#store, this.#format, this.#settings.attempts);
  }

  /**
   * Returns the record, or those of `fields` that it has; undefined where there is none.
   * Cost: HGETALL or HMGET.
   * @throws CodecError when the record is there and this configuration cannot read it
   */
  get(id: Id): Promise<RecordEntry<T> | undefined>;
  get<Field extends keyof T & string>(
    id: Id,
    fields: readonly Field[],
  ): Promise<RecordEntry<Pick<T, Field>> | undefined>;
  get(id: Id, fields?: readonly string[]): Promise<RecordEntry<unknown> | undefined> {
    return this.#operations.run("get", id, () => this.#read(id, checkFields(fields)));
  }

  /**
   * Returns what `get` does, for many ids: a Map of those that have a record, in the order asked.
   * Cost: an HGETALL or HMGET per id, pipelined, 1024 in flight at most; `timeout` is for each of them.
   */
  getMany(ids: Iterable<Id>): Promise<Map<Id, RecordEntry<T>>>;
  getMany<Field extends keyof T & string>(
    ids: Iterable<Id>,
    fields: readonly Field[],
  ): Promise<Map<Id, RecordEntry<Pick<T, Field>>>>;
  getMany(ids: Iterable<Id>, fields?: readonly string[]): Promise<Map<Id, RecordEntry<unknown>>> {
    return this.#operations.run("getMany", undefined, async () => {
      const wanted = [...new Set(listOf("ids", ids, "ids"))];
      const names = checkFields(fields);
      const found = await inChunks(wanted, (chunk) => Promise.all(chunk.map((id) => this.#read(id, names))));
      return new Map(wanted.flatMap((id, at) => (found[at] === undefined ? [] : [[id, found[at]] as const])));
    });
  }

  /** Returns whether there is a record. Cost: EXISTS. */
  has(id: Id): Promise<boolean> {
    return this.#operations.run("has", id, () => this.#store.has(id));
  }

  /**
   * Replaces the whole record or creates it.
   * Cost: one script, shared by calls made in the same tick on the same slot.
   * @throws OutcomeUnknownError when the answer was lost and the server knows no longer whether it was written
   */
  set(id: Id, value: T, options?: RecordWriteOptions): Promise<RecordSetResult> {
    return this.#operations.run("set", id, async () => {
      const expected = checkVersion(givenOptions(options, WRITE_OPTIONS).version, 0);
      const fields = this.#format.encode(this.#store.key(id), this.#format.checked(value));
      return this.#store.replace("records.set", id, expected, fields);
    });
  }

  /**
   * Changes the given fields and leaves the others; `undefined` removes one. `conflict` only with a `version`, or
   * with a `schema` when other writes intervened each time.
   * Cost: one script, shared by calls made in the same tick on the same slot; with a `schema` as `update`.
   * @throws OutcomeUnknownError as `set`, and where the record is gone by the time of the repeat
   */
  patch(id: Id, patch: RecordPatch<T>, options?: RecordWriteOptions): Promise<RecordPatchResult> {
    return this.#operations.run("patch", id, async () => {
      const expected = checkVersion(givenOptions(options, WRITE_OPTIONS).version, 1);
      const fields = asFields("patch", patch);
      if (this.#format.checksWholes) return this.#patchWhole(id, fields, expected);
      const removed = Object.keys(fields).filter((name) => fields[name as keyof T] === undefined);
      return this.#store.patch(id, expected, removed, this.#format.encode(this.#store.key(id), fields));
    });
  }

  /**
   * Adds to a number; a field that is not there counts as 0. Sums are JavaScript's own.
   * Cost: one script, shared by calls made in the same tick on the same slot; with a `schema` or with encryption as `update`.
   * @throws HoldfastError `WRONG_TYPE` when the field holds no number; `UNSUPPORTED` when the sum of whole numbers would pass
   *   ±(2^53 - 1), or any sum the range of numbers. Nothing was changed.
   * @throws OutcomeUnknownError when the answer was lost; an `update` is repeated
   */
  increment(id: Id, field: RecordNumberField<T>, by: number = 1): Promise<RecordIncrementResult> {
    return this.#operations.run("increment", id, async () => {
      checkNames("field", [field]);
      if (!Number.isFinite(by)) throw new InvalidArgumentError("by", "a finite number", by);
      const onServer = this.#format.numbersAreOpen && !this.#format.checksWholes;
      return onServer ? this.#incrementOnServer(id, field, by) : this.#incrementHere(id, field, by);
    });
  }

  /**
   * Writes what `change` makes of the record, or of `initial` where there is none, if nobody wrote meanwhile; else again with
   * the new state, up to `attempts` times, so `change` may be called more than once. Its error is passed on and nothing is
   * written. Safe after a lost answer: the change is written once.
   * Cost: a read and a script per attempt.
   * @throws OutcomeUnknownError when an answer was lost and whether it was written can no longer be known
   */
  update(id: Id, change: (value: T) => T | Promise<T>): Promise<RecordUpdateResult<T>>;
  update(
    id: Id,
    change: (value: T) => T | Promise<T>,
    options: RecordUpdateOptions<T> & { readonly initial: T },
  ): Promise<Exclude<RecordUpdateResult<T>, { status: "missing" }>>;
  update(
    id: Id,
    change: (value: T) => T | Promise<T>,
    options?: RecordUpdateOptions<T>,
  ): Promise<RecordUpdateResult<T>>;
  update(
    id: Id,
    change: (value: T) => T | Promise<T>,
    options?: RecordUpdateOptions<T>,
  ): Promise<RecordUpdateResult<T>> {
    return this.#operations.run("update", id, async () => {
      if (typeof change !== "function") throw new InvalidArgumentError("change", "a function", change);
      const { initial } = givenOptions(options, UPDATE_OPTIONS);
      return this.#updater.run({ op: "records.update", id, expected: ANY_VERSION, change, initial });
    });
  }

  /** Removes the record; false where there was none. Idempotent. Cost: UNLINK. */
  delete(id: Id): Promise<boolean> {
    return this.#operations.run("delete", id, () => this.#store.delete(id));
  }

  async #read(id: Id, fields: readonly string[] | undefined): Promise<RecordEntry<unknown> | undefined> {
    const stored = await this.#store.read(id, fields);
    if (stored === undefined) return undefined;
    const key = this.#store.key(id);
    const { version } = stored;
    if (fields === undefined) return { value: this.#format.decode(key, stored.fields), version };
    return { value: this.#format.decodeSome(key, stored.fields), version };
  }

  async #patchWhole(id: Id, patch: RecordPatch<T>, expected: number): Promise<RecordPatchResult> {
    const outcome = await this.#updater.run({
      op: "records.patch",
      id,
      expected,
      change: (value) => ({ ...value, ...patch }),
    });
    return outcome.status === "ok" ? { status: "ok", version: outcome.version } : outcome;
  }

  async #incrementOnServer(id: Id, field: RecordNumberField<T>, by: number): Promise<RecordIncrementResult> {
    const outcome = await this.#store.increment(id, field, by);
    if (outcome.status === "notANumber") throw notANumber(id, field);
    if (outcome.status === "outOfRange") throw outOfRange(id, field);
    return outcome;
  }

  async #incrementHere(id: Id, field: RecordNumberField<T>, by: number): Promise<RecordIncrementResult> {
    const add = (value: T): T => {
      // Own fields only: every object has a `constructor`.
      const before = Object.hasOwn(value, field) ? value[field] : undefined;
      return { ...value, [field]: sumOf(id, field, before, by) };
    };
    const outcome = await this.#updater.run({ op: "records.increment", id, expected: ANY_VERSION, change: add });
    if (outcome.status !== "ok") return outcome;
    return { status: "ok", value: outcome.value[field] as number, version: outcome.version };
  }
}

function checkFields(fields: readonly string[] | undefined): readonly string[] | undefined {
  if (fields === undefined) return undefined;
  if (!Array.isArray(fields) || fields.length === 0)
    throw new InvalidArgumentError("fields", "an array with names of fields", fields);
  checkNames("fields", fields);
  return fields;
}

function checkVersion(version: number | undefined, min: 0 | 1): number {
  if (version === undefined) return ANY_VERSION;
  if (Number.isSafeInteger(version) && version >= min) return version;
  throw new InvalidArgumentError("version", "the version of a record that was read", version);
}
