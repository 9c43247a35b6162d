/**
 * Records whose writes take more than their one script: with unique values, indexes, fields that expire, or a format that is migrated.
 * They go over the version that was read, so they are not in order with calls of the same tick that are not awaited.
 */
import { isDeepStrictEqual } from "node:util";
import { ServerClock } from "../core/clock/server-clock.ts";
import type { Core } from "../core/core.ts";
import type { Id } from "../core/keyspace/keyspace.ts";
import { checkFormat, type EncodedFields, type RecordFormat, type RecordPatch } from "./format.ts";
import type { Read } from "./index/finder.ts";
import { IndexStore } from "./index/store.ts";
import { type Indexed, IndexWriter } from "./index/writer.ts";
import type { RecordSettings } from "./options.ts";
import { ANY_VERSION, FORMAT, type ReplaceOp } from "./store.ts";
import type { RecordSetResult } from "./types.ts";
import { type Replaced, untilSettled, type Wholes } from "./updater.ts";

/** A whole record as it is stored, and what of it is to be seen. */
export interface Managed {
  readonly version: number;
  /** Decoded, in the format of today. */
  readonly value: Readonly<Record<string, unknown>>;
  readonly stored: ReadonlyMap<string, Buffer>;
  /** By field, when it expires. */
  readonly deadlines: ReadonlyMap<string, number>;
  /** Whether it is stored in an older format. */
  readonly isOld: boolean;
}

/** What a write puts into fields of the hash, and into indexes. */
interface EncodedWrite extends EncodedFields {
  /** Of the fields that have a value. */
  readonly names: readonly string[];
  readonly after: ReadonlyMap<string, readonly Buffer[]>;
}

const DATA = "d:";
const ENDS = "e:";
const MARK = "x:";

export class ManagedRecords<T extends object> implements Wholes<T, Managed> {
  readonly store: IndexStore;
  readonly writer: IndexWriter;
  readonly #core: Core;
  readonly #settings: RecordSettings;
  readonly #format: RecordFormat<T>;
  readonly #keyOf: (id: Id) => string;

  constructor(core: Core, name: string, settings: RecordSettings, format: RecordFormat<T>, keyOf: (id: Id) => string) {
    this.#core = core;
    this.#settings = settings;
    this.#format = format;
    this.#keyOf = keyOf;
    this.store = new IndexStore(core, name, settings);
    this.writer = new IndexWriter(this.store, settings, (id, stored) => format.decodeSome(keyOf(id), stored));
  }

  /** Whether a part can be written only together with the rest. */
  get migrates(): boolean {
    return this.#settings.migrations.length > 0;
  }

  async read(id: Id): Promise<Managed | undefined> {
    const stored = await this.store.whole("get", id);
    return stored === undefined ? undefined : this.#managed(id, stored, await this.#nowIfNeeded());
  }

  valueOf(_id: Id, { value }: Managed): T {
    return this.#format.read(value as T);
  }

  /** As a user reads it; what is in an older format is written in that of today, unless another write comes first. */
  async get(id: Id): Promise<{ value: T; version: number } | undefined> {
    const found = await this.read(id);
    if (found === undefined) return undefined;
    const value = this.valueOf(id, found);
    if (found.isOld) this.store.background(this.migrate(id, found));
    return { value, version: found.version };
  }

  async getSome(id: Id, fields: readonly string[]): Promise<{ value: Partial<T>; version: number } | undefined> {
    if (this.#settings.migrations.length > 0) {
      const found = await this.get(id);
      return found && { value: pick(found.value, fields), version: found.version };
    }
    const expiring = fields.filter((field) => this.#settings.fieldTtlMs.has(field));
    const names = [...fields.map((field) => DATA + field), ...expiring.map((field) => ENDS + field)];
    const stored = await this.store.fields("get", id, names);
    if (stored === undefined) return undefined;
    const { values } = this.#values(id, stored, await this.#nowIfNeeded());
    return { value: this.#format.filled(values, fields) as Partial<T>, version: Number(stored.get("version")) };
  }

  async set(id: Id, expected: number, value: T): Promise<RecordSetResult> {
    // At once: what the caller changes later is not written.
    const whole = this.#encoded(id, value);
    return untilSettled<Replaced>(this.#core.driver.runtime, this.#rounds(expected), async () => {
      const before = await this.writer.read("set", id);
      if (expected !== ANY_VERSION && expected !== before.version)
        return { status: "conflict", version: before.version };
      return this.#write("records.set", id, before, whole, new Map());
    });
  }

  /** Writes a whole over what was read; fields that it leaves as they are expire when they would have. */
  replace(op: ReplaceOp, id: Id, before: Managed | undefined, value: T): Promise<Replaced> {
    const kept = new Map<string, number>();
    for (const [field, endsAt] of before?.deadlines ?? [])
      if (isDeepStrictEqual(before!.value[field], (value as Record<string, unknown>)[field])) kept.set(field, endsAt);
    return this.#write(op, id, this.writer.indexed(id, before?.stored), this.#encoded(id, value), kept);
  }

  /** Whether a patch needs no more than the record's own script. */
  isPlain(fields: readonly string[]): boolean {
    const { migrations, fieldTtlMs } = this.#settings;
    return (
      migrations.length === 0 && !fields.some((field) => this.writer.fields.includes(field) || fieldTtlMs.has(field))
    );
  }

  /** To be called beside a write of the record's own script: what points to the record lives on with it. */
  async refreshed<R>(id: Id, write: () => Promise<R>): Promise<R> {
    if (this.writer.fields.length === 0) return write();
    const tokens = this.writer.tokens(id);
    tokens.catch(nothing);
    const result = await write();
    // What it could not do, the next write does.
    await tokens.then((found) => this.writer.refresh(id, found)).catch(nothing);
    return result;
  }

  async patch(
    id: Id,
    patch: RecordPatch<T>,
    expected: number,
  ): Promise<RecordSetResult | { readonly status: "missing" }> {
    const { names, after: given, layout, payload } = this.#encoded(id, patch);
    const gone = Object.keys(patch).filter((field) => !names.includes(field));
    return untilSettled<Replaced | { readonly status: "missing" }>(
      this.#core.driver.runtime,
      this.#rounds(expected),
      async () => {
        const before = await this.writer.read("patch", id);
        if (before.version === 0) return { status: "missing" };
        if (expected !== ANY_VERSION && expected !== before.version)
          return { status: "conflict", version: before.version };
        const result = await this.writer.write({
          op: "records.patch",
          id,
          before,
          after: new Map([...before.keys, ...given]),
          whole: false,
          removed: gone.flatMap((field) => [DATA + field, ENDS + field]),
          layout,
          payload,
          expiring: this.#expiring(names),
        });
        return result.status === "taken" ? { ...result, version: before.version } : result;
      },
    );
  }

  delete(id: Id): Promise<boolean> {
    return this.writer.delete(id);
  }

  /** As `Finder` wants it. @param fields that are read besides those of the query; undefined: the whole */
  async readForFind(
    ids: readonly string[],
    used: readonly string[],
    fields?: readonly string[],
  ): Promise<(Read | undefined)[]> {
    const nowMs = await this.#nowIfNeeded();
    const isWhole = fields === undefined || this.#settings.migrations.length > 0;
    const names = isWhole ? [] : [...new Set([...used, ...fields])].flatMap((field) => [DATA + field, ENDS + field]);
    return Promise.all(
      ids.map(async (id) => {
        const stored = isWhole
          ? await this.store.whole("find", id)
          : await this.store.fields("find", id, [...names, ...used.map((field) => MARK + field)]);
        if (stored === undefined) return undefined;
        const { version, value } = this.#managed(id, stored, nowMs);
        return { id, version, values: value, tokens: this.writer.tokensIn(stored) };
      }),
    );
  }

  /** What a user sees of a hit. */
  shown({ values }: Read, fields?: readonly string[]): T {
    if (fields === undefined) return this.#format.read(values as T);
    return pick(this.#format.filled(values as T, fields), fields) as T;
  }

  /** Writes a record in the format of today; false where another write came first. */
  async migrate(id: Id, found: Managed): Promise<boolean> {
    const value = this.#format.checked(found.value as T);
    return (await this.replace("records.update", id, found, value)).status === "ok";
  }

  /** As `migrate`, for a record that may be in the format of today. */
  async migrateStored(id: Id): Promise<boolean> {
    const found = await this.read(id);
    return found !== undefined && found.isOld && (await this.migrate(id, found));
  }

  #encoded(id: Id, fields: RecordPatch<T>): EncodedWrite {
    const { layout, payload } = this.#format.encode(this.#keyOf(id), fields);
    const names = layout.filter((each) => typeof each === "string");
    const after = this.writer.keysOf(fields);
    return { names, after, layout: layout.map((each) => (typeof each === "string" ? DATA + each : each)), payload };
  }

  async #write(
    op: ReplaceOp,
    id: Id,
    before: Indexed,
    { names, after, layout, payload }: EncodedWrite,
    kept: ReadonlyMap<string, number>,
  ): Promise<Replaced> {
    const extra = new Map([...kept].map(([field, endsAt]) => [ENDS + field, String(endsAt)]));
    const formats = this.#settings.migrations.length;
    if (formats > 0) extra.set(FORMAT, String(formats));
    const result = await this.writer.write({
      op,
      id,
      before,
      after,
      whole: true,
      removed: [],
      layout: [...layout, ...[...extra].flatMap(([name, text]) => [name, text.length])],
      payload: Buffer.concat([payload, Buffer.from([...extra.values()].join(""))]),
      expiring: this.#expiring(names.filter((field) => !kept.has(field))),
    });
    return result.status === "taken" ? { ...result, version: before.version } : result;
  }

  #expiring(fields: readonly string[]): (string | number)[] {
    return fields.flatMap((field) => {
      const ttl = this.#settings.fieldTtlMs.get(field);
      return ttl === undefined ? [] : [field, ttl];
    });
  }

  #managed(id: Id, stored: ReadonlyMap<string, Buffer>, nowMs: number): Managed {
    const { values, deadlines } = this.#values(id, stored, nowMs);
    const { migrations } = this.#settings;
    const format = Number(stored.get(FORMAT) ?? 0);
    checkFormat(format, migrations.length);
    const value = migrations
      .slice(format)
      .reduce<object>((each, migration) => migration(each as Readonly<Record<string, unknown>>), values);
    return {
      version: Number(stored.get("version")),
      value: value as Readonly<Record<string, unknown>>,
      stored,
      deadlines,
      isOld: format < migrations.length,
    };
  }

  /** What is there of a record that has not expired. */
  #values(
    id: Id,
    stored: ReadonlyMap<string, Buffer>,
    nowMs: number,
  ): { values: Record<string, unknown>; deadlines: Map<string, number> } {
    const fields = new Map<string, Buffer>();
    const deadlines = new Map<string, number>();
    for (const [name, bytes] of stored) {
      if (!name.startsWith(DATA)) continue;
      const field = name.slice(DATA.length);
      const endsAt = this.#settings.fieldTtlMs.has(field) ? stored.get(ENDS + field) : undefined;
      if (endsAt !== undefined && Number(endsAt) <= nowMs) continue;
      fields.set(field, bytes);
      if (endsAt !== undefined) deadlines.set(field, Number(endsAt));
    }
    return { values: this.#format.decodeSome(this.#keyOf(id), fields), deadlines };
  }

  async #nowIfNeeded(): Promise<number> {
    if (this.#settings.fieldTtlMs.size === 0) return 0;
    return ServerClock.of(this.#core.driver).required("records", { op: "records.get" });
  }

  #rounds(expected: number): number {
    return expected === ANY_VERSION ? this.#settings.attempts : 1;
  }
}

const nothing = (): void => undefined;

function pick<V extends object>(value: V, fields: readonly string[]): Partial<V> {
  return Object.fromEntries(Object.entries(value).filter(([name]) => fields.includes(name))) as Partial<V>;
}
