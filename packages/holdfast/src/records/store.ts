/** The server's side of records: which calls share a command, and what the replies mean. */
import { type BatchKind, Lane } from "../core/batch/lane.ts";
import { orThrow, scriptKind } from "../core/batch/script-kind.ts";
import type { Arg, Call, Driver } from "../driver/port.ts";
import type { EntryKeys, Id } from "../core/keyspace/keyspace.ts";
import { type BatchItem, MAX_MERGED_BYTES, type UnclassedCall } from "../core/script/run.ts";
import { unknownAfterRepeat } from "../core/update/compare-and-set.ts";
import { checkFormat, type EncodedFields } from "./format.ts";
import {
  increment,
  type IncrementArgs,
  type IncrementKeys,
  type IncrementResult,
  patch,
  type PatchArgs,
  type PatchKeys,
  type PatchResult,
  set,
  type SetArgs,
  type SetKeys,
  type SetResult,
} from "./scripts.gen.ts";
import type { RecordSettings } from "./options.ts";

export interface StoredRecord {
  readonly version: number;
  /** By the names that the user gave them. */
  readonly fields: ReadonlyMap<string, Buffer>;
}

export type Written =
  | { readonly status: "ok"; readonly version: number }
  | { readonly status: "conflict"; readonly version: number };

/** An operation that replaces a whole record if its version is the expected one; errors name it. */
export type ReplaceOp = "records.set" | "records.update" | "records.patch" | "records.increment" | "records.merge";

/** Any version, for the scripts. */
export const ANY_VERSION = -1;

type Replace = BatchItem<SetKeys, SetArgs>;
type Patch = BatchItem<PatchKeys, PatchArgs>;
type Add = BatchItem<IncrementKeys, IncrementArgs>;

const VERSION = "version";
const DATA = "d:";
/** Which migrations it has been through, where there are any. */
export const FORMAT = "format";

export class RecordStore {
  readonly #driver: Driver;
  readonly #keys: EntryKeys;
  readonly #settings: RecordSettings;
  readonly #lane = new Lane();
  readonly #replaces: Readonly<Record<ReplaceOp, BatchKind<Replace, SetResult>>>;
  readonly #patches: BatchKind<Patch, PatchResult>;
  readonly #adds: BatchKind<Add, IncrementResult>;

  constructor(driver: Driver, keys: EntryKeys, settings: RecordSettings) {
    this.#driver = driver;
    this.#keys = keys;
    this.#settings = settings;
    const replaces = (op: ReplaceOp): BatchKind<Replace, SetResult> => scriptKind(driver, set, this.#call(op), orThrow);
    this.#replaces = {
      "records.set": replaces("records.set"),
      "records.update": replaces("records.update"),
      "records.patch": replaces("records.patch"),
      "records.increment": replaces("records.increment"),
      "records.merge": replaces("records.merge"),
    };
    this.#patches = scriptKind(driver, patch, this.#call("records.patch"), orThrow);
    this.#adds = scriptKind(driver, increment, this.#call("records.increment"), orThrow);
  }

  key(id: Id): string {
    return this.#keys.key(id);
  }

  /**
   * Returns the whole record, or with `fields` those of them that it has. Reads go by themselves, pipelined: handing the
   * fields through Lua would cost the server three times as much.
   */
  async read(id: Id, fields?: readonly string[]): Promise<StoredRecord | undefined> {
    const key = this.key(id);
    const call: Call = { ...this.#call("records.get"), class: "read", key: String(id) };
    this.#lane.flush(this.#driver.slotOf(key));
    if (fields === undefined) return wholeOf((await this.#driver.send(["HGETALL", key], call, key)) as Buffer[]);
    const names = fields.map((field) => DATA + field);
    const values = (await this.#driver.send(["HMGET", key, VERSION, ...names], call, key)) as (Buffer | null)[];
    return partOf(fields, values);
  }

  async has(id: Id): Promise<boolean> {
    const key = this.key(id);
    this.#lane.flush(this.#driver.slotOf(key));
    const call: Call = { ...this.#call("records.has"), class: "read", key: String(id) };
    return (await this.#driver.send(["EXISTS", key], call, key)) === 1;
  }

  /** @throws OutcomeUnknownError for a write whose answer was lost and which the record may have forgotten */
  replace(op: ReplaceOp, id: Id, expected: number, fields: EncodedFields): Promise<Written> {
    const args = { ...this.#write(), againMs: 0, expected, ...fields };
    return this.#addOnce(op, this.#replaces[op], id, args, fields.payload.length);
  }

  /** @throws OutcomeUnknownError as `replace` */
  patch(
    id: Id,
    expected: number,
    removed: readonly string[],
    fields: EncodedFields,
  ): Promise<Written | { readonly status: "missing" }> {
    const args = { ...this.#write(), againMs: 0, expected, removed, ...fields };
    return this.#addOnce("records.patch", this.#patches, id, args, fields.payload.length);
  }

  increment(id: Id, field: string, by: number): Promise<IncrementResult> {
    return this.#add(this.#adds, this.#item(id, { ...this.#write(), field, by }), 0);
  }

  async delete(id: Id): Promise<boolean> {
    const key = this.key(id);
    this.#lane.flush(this.#driver.slotOf(key));
    const call: Call = { ...this.#call("records.delete"), class: "idempotent", key: String(id) };
    return (await this.#driver.send(["UNLINK", key], call, key)) === 1;
  }

  /** By its random id the server recognises a write that is sent again. */
  #write(): { opId: string; ttlMs: number } {
    return { opId: this.#driver.runtime.randomBytes(6).toString("base64url"), ttlMs: this.#settings.ttlMs };
  }

  async #addOnce<Args, Result extends SetResult | PatchResult>(
    op: string,
    kind: BatchKind<BatchItem<{ readonly record: Arg }, Args>, Result>,
    id: Id,
    args: Args,
    bytes: number,
  ): Promise<Exclude<Result, { status: "forgotten" }>> {
    const againMs = this.#settings.timeoutMs ?? this.#driver.timeoutMs;
    const onRepeat = (): Args => ({ ...args, againMs });
    const result = await this.#add(kind, { ...this.#item(id, args), onRepeat }, bytes);
    if (result.status === "forgotten") throw unknownAfterRepeat(op, String(id));
    return result as Exclude<Result, { status: "forgotten" }>;
  }

  #item<Args>(id: Id, args: Args): BatchItem<{ record: string }, Args> {
    return { keys: { record: this.key(id) }, args, key: String(id) };
  }

  #add<Item extends BatchItem<{ readonly record: unknown }, unknown>, Result>(
    kind: BatchKind<Item, Result>,
    item: Item,
    bytes: number,
  ): Promise<Result> {
    const slot = this.#driver.slotOf(item.keys.record as string);
    const alone = bytes > MAX_MERGED_BYTES;
    if (alone) this.#lane.flush(slot);
    const result = this.#lane.add(kind, slot, item);
    if (alone) this.#lane.flush(slot);
    return result;
  }

  #call(op: string): UnclassedCall {
    return { op, timeoutMs: this.#settings.timeoutMs };
  }
}

/** @param flat names and values in alternation */
function wholeOf(flat: readonly Buffer[]): StoredRecord | undefined {
  let version: number | undefined;
  const fields = new Map<string, Buffer>();
  for (let at = 0; at < flat.length; at += 2) {
    const name = flat[at]!.toString();
    if (name.startsWith(DATA)) fields.set(name.slice(DATA.length), flat[at + 1]!);
    else if (name === VERSION) version = Number(flat[at + 1]);
    else if (name === FORMAT) checkFormat(Number(flat[at + 1]), 0);
  }
  return version === undefined ? undefined : { version, fields };
}

function partOf(names: readonly string[], [version, ...values]: readonly (Buffer | null)[]): StoredRecord | undefined {
  if (version === null || version === undefined) return undefined;
  const fields = new Map<string, Buffer>();
  for (const [at, name] of names.entries()) {
    const value = values[at];
    if (value) fields.set(name, value);
  }
  return { version: Number(version), fields };
}
