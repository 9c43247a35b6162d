/**
 * Records: objects whose top-level fields are stored one by one, so that parts of them are read and written.
 *
 * Promises: each write is one atomic step that makes a new version; a write with a `version` happens only over that
 * version, also across a deletion in between, since versions of one id only rise; patches of different fields by parallel
 * writers all survive; an `update` happens once; with a `schema` nothing that it refuses is ever stored. A `unique` value is one
 * record's, and `find` neither serves what no longer fits nor misses what does, wherever writers died. While the server is
 * away calls wait for it until their deadline and then reject. A `set`, `patch` or `update` whose answer was lost is repeated
 * and recognised; an `increment` is not repeated and rejects with OutcomeUnknownError.
 */
import { inChunks } from "../core/batch/in-chunks.ts";
import { checkSchema } from "../core/codec/schema.ts";
import type { Core } from "../core/core.ts";
import { InvalidArgumentError } from "../base/errors.ts";
import type { Id } from "../core/keyspace/keyspace.ts";
import { givenOptions, listOf, parseOptions } from "../base/options.ts";
import { Operations } from "../core/observe/observe.ts";
import { checkFields, checkOpen, checkVersion } from "./checks.ts";
import { asFields, checkNames, RecordFormat, type RecordPatch } from "./format.ts";
import type { RecordsReindexed } from "./index/reindex.ts";
import type { RecordWhere } from "./index/where.ts";
import { type Managed, ManagedRecords } from "./managed.ts";
import { mergePatch, type RecordMergePatch } from "./merge-patch.ts";
import { isManaged, RECORDS_OPTIONS, recordSettings, type RecordSettings, type RecordsOptions } from "./options.ts";
import { RecordQueries } from "./queries.ts";
import { ANY_VERSION, RecordStore } from "./store.ts";
import { notANumber, outOfRange, withSum } from "./sum.ts";
import {
  type RecordCountOptions,
  type RecordEntry,
  type RecordFindOptions,
  type RecordFound,
  type RecordIncrementResult,
  type RecordNumberField,
  type RecordPage,
  type RecordPatchResult,
  type RecordsChunkOptions,
  type RecordSetResult,
  type RecordsMigrated,
  type RecordUpdateOptions,
  type RecordWriteOptions,
  UPDATE_OPTIONS,
  WRITE_OPTIONS,
} from "./types.ts";
import { type Change, plainWholes, type RecordUpdateResult, Updater } from "./updater.ts";

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
  readonly #update: (change: Change<T>) => Promise<RecordUpdateResult<T>>;
  /** Where a write takes more than the record's own script. */
  readonly #managed: ManagedRecords<T> | undefined;
  readonly #queries: RecordQueries<T> | undefined;

  constructor(core: Core, name: string, given?: RecordsOptions<T>) {
    this.name = name;
    this.#operations = new Operations("records", name);
    const [settings, format] = parseOptions(this.#operations.where, given, RECORDS_OPTIONS, (options) => {
      // For one field at a time, so without the schema of the whole.
      const codec = core.codec({ ...options, schema: undefined });
      const parsed = recordSettings(options);
      const made = new RecordFormat<T>(codec, checkSchema(options.schema), options.defaults);
      checkOpen(made, parsed);
      return [parsed, made] as const;
    });
    this.#settings = settings;
    this.#format = format;
    this.#store = new RecordStore(core.driver, core.keys.entries("record", name), this.#settings);
    const keyOf = (id: Id): string => this.#store.key(id);
    const { runtime } = core.driver;
    if (isManaged(settings)) {
      this.#managed = new ManagedRecords<T>(core, name, settings, format, keyOf);
      this.#queries = new RecordQueries<T>(this.#managed, settings);
      const updater = new Updater<T, Managed>(runtime, this.#managed, format, settings.attempts, keyOf);
      this.#update = (change) => updater.run(change);
    } else {
      const updater = new Updater<T>(runtime, plainWholes(this.#store, format), format, settings.attempts, keyOf);
      this.#update = (change) => updater.run(change);
    }
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
      const whole = this.#format.checked(value);
      if (this.#managed !== undefined) return this.#managed.set(id, expected, whole);
      return this.#store.replace("records.set", id, expected, this.#format.encode(this.#store.key(id), whole));
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
      if (this.#format.checksWholes || this.#managed?.migrates === true)
        return this.#changed({ op: "records.patch", id, expected, change: (value) => ({ ...value, ...fields }) });
      const names = Object.keys(fields);
      if (this.#managed?.isPlain(names) === false) return this.#managed.patch(id, fields, expected);
      const removed = names.filter((name) => fields[name as keyof T] === undefined);
      const encoded = this.#format.encode(this.#store.key(id), fields);
      const write = (): Promise<RecordPatchResult> => this.#store.patch(id, expected, removed, encoded);
      return this.#managed?.refreshed(id, write) ?? write();
    });
  }

  /**
   * Merges a document into the record (RFC 7396): objects in depth, null removes, arrays and all else replace; `undefined` is left out.
   * `conflict` only with a `version`, or when other writes intervened each time.
   * Cost: as `update`.
   * @throws OutcomeUnknownError as `update`
   */
  merge(id: Id, patch: RecordMergePatch<T>, options?: RecordWriteOptions): Promise<RecordPatchResult> {
    return this.#operations.run("merge", id, async () => {
      const expected = checkVersion(givenOptions(options, WRITE_OPTIONS).version, 1);
      // Also an instance of a class is a patch: in depth it would replace.
      const fields = { ...asFields("patch", patch) };
      return this.#changed({ op: "records.merge", id, expected, change: (value) => mergePatch(value, fields) as T });
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
      const isPlain = this.#managed?.isPlain([field]) !== false && !this.#format.hasDefault(field);
      const onServer = isPlain && this.#format.numbersAreOpen && !this.#format.checksWholes;
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
      return this.#update({ op: "records.update", id, expected: ANY_VERSION, change, initial });
    });
  }

  /** Removes the record; false where there was none. Idempotent. Cost: UNLINK. */
  delete(id: Id): Promise<boolean> {
    return this.#operations.run("delete", id, () => (this.#managed ?? this.#store).delete(id));
  }

  /**
   * Returns the record that has this value of a field that is `unique`, or undefined.
   * Cost: GET and HGETALL.
   */
  getBy<Field extends keyof T & string>(field: Field, value: T[Field]): Promise<RecordFound<T> | undefined> {
    return this.#operations.run("getBy", field, () => this.#queried("unique").getBy(field, value));
  }

  /**
   * Returns records by fields that are in an `index`: a page of those that fit all of `where`, as they are stored when they are read.
   * Cost: for each partition ZRANGEBYLEX and a look at its marks, ZLEXCOUNT where there are several fields to choose from, and HGETALL (with
   * `fields` HMGET) for each record that is read: those of the page, and those that fit one field and not the others; 20,000 at most.
   */
  find(where: RecordWhere<T>, options?: Omit<RecordFindOptions<T>, "fields">): Promise<RecordPage<T>>;
  find<Field extends keyof T & string>(
    where: RecordWhere<T>,
    options: RecordFindOptions<T, Field> & { readonly fields: readonly Field[] },
  ): Promise<RecordPage<Pick<T, Field>>>;
  find(where: RecordWhere<T>, options?: RecordFindOptions<T>): Promise<RecordPage<T>> {
    return this.#operations.run("find", undefined, () => this.#queried("index").find(where, options));
  }

  /**
   * Returns how many records fit.
   * Cost: ZLEXCOUNT for each partition; with several fields all their entries; with `exact` as `find` of all of them.
   */
  count(where: RecordWhere<T>, options?: RecordCountOptions): Promise<number> {
    return this.#operations.run("count", undefined, () => this.#queried("index").count(where, options));
  }

  /** Returns the record with the least value of a field that is in an `index`, of those that fit `where`. Cost: as `find`. */
  min(field: keyof T & string, where: RecordWhere<T> = {}): Promise<RecordFound<T> | undefined> {
    return this.#operations.run("min", field, () => this.#queried("index").first(field, where, "asc"));
  }

  /** As `min`, with the greatest. */
  max(field: keyof T & string, where: RecordWhere<T> = {}): Promise<RecordFound<T> | undefined> {
    return this.#operations.run("max", field, () => this.#queried("index").first(field, where, "desc"));
  }

  /**
   * Brings indexes and claims in order, a chunk at a time: for records that were stored before there was an index, and after an eviction.
   * To be called until there is no `cursor`; changes no record's value.
   * Cost: SCAN over all keys of the server, and HMGET, ZMSCORE and a script per unique field for each record.
   */
  reindex(options?: RecordsChunkOptions): Promise<RecordsReindexed> {
    return this.#operations.run("reindex", undefined, () => this.#queried("index").reindex(options));
  }

  /**
   * Writes records in the format of today that are stored in an older one, a chunk at a time. To be called until there is no `cursor`.
   * Cost: SCAN over all keys of the server, HGETALL for each record, and a write for each old one.
   */
  migrateAll(options?: RecordsChunkOptions): Promise<RecordsMigrated> {
    return this.#operations.run("migrateAll", undefined, () => this.#queried("migrations").migrateAll(options));
  }

  #queried(option: string): RecordQueries<T> {
    if (this.#queries !== undefined) return this.#queries;
    throw new InvalidArgumentError(option, "an option of these records", undefined);
  }

  async #read(id: Id, fields: readonly string[] | undefined): Promise<RecordEntry<unknown> | undefined> {
    const managed = this.#managed;
    if (managed !== undefined) return fields === undefined ? managed.get(id) : managed.getSome(id, fields);
    const stored = await this.#store.read(id, fields);
    if (stored === undefined) return undefined;
    const key = this.#store.key(id);
    const { version } = stored;
    if (fields === undefined) return { value: this.#format.decode(key, stored.fields), version };
    return { value: this.#format.filled(this.#format.decodeSome(key, stored.fields), fields), version };
  }

  async #changed(change: Change<T>): Promise<RecordPatchResult> {
    const outcome = await this.#update(change);
    return outcome.status === "ok" ? { status: "ok", version: outcome.version } : outcome;
  }

  async #incrementOnServer(id: Id, field: RecordNumberField<T>, by: number): Promise<RecordIncrementResult> {
    const write = (): ReturnType<RecordStore["increment"]> => this.#store.increment(id, field, by);
    const outcome = await (this.#managed?.refreshed(id, write) ?? write());
    if (outcome.status === "notANumber") throw notANumber(id, field);
    if (outcome.status === "outOfRange") throw outOfRange(id, field);
    return outcome;
  }

  async #incrementHere(id: Id, field: RecordNumberField<T>, by: number): Promise<RecordIncrementResult> {
    const change = (value: T): T => withSum(id, value, field, by);
    const outcome = await this.#update({ op: "records.increment", id, expected: ANY_VERSION, change });
    if (outcome.status !== "ok") return outcome;
    return { status: "ok", value: outcome.value[field] as number, version: outcome.version };
  }
}
