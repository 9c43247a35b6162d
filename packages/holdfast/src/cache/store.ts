/** The server's side of a cache: what one key's value and its load lease can be asked. */
import { CodecError, HoldfastError, isOutage } from "../base/errors.ts";
import { Lane } from "../core/batch/lane.ts";
import type { Codec } from "../core/codec/codec.ts";
import { holdsUndefined } from "../core/codec/header.ts";
import type { Core } from "../core/core.ts";
import type { EntryKeys, Id } from "../core/keyspace/keyspace.ts";
import { itemError } from "../core/script/run.ts";
import type { Call } from "../driver/port.ts";
import { aboutOf, isEntry, markOf, MISS, payloadOf, sequenceBytes, sequenceOf } from "./entry.ts";
import type { Flight } from "./flights.ts";
import { Coherence } from "./l1/coherence.ts";
import type { CacheSettings } from "./options.ts";
import { EntryArgs, type NewEntry } from "./entry-args.ts";
import { type EntryScript, type EntryScripts, entryScripts, OP_LOAD } from "./entry-scripts.ts";
import { type FillArgs, lookup, type SetArgs } from "./scripts.gen.ts";
import { IndexKeys, type SlotKeys } from "./index/keys.ts";
import type { Invalid } from "./l1/memory.ts";
import { type EntryInvalidation, Recovery } from "./recovery.ts";
import type { EntryTerms } from "./writer/port.ts";
import { timesOf } from "./ttl.ts";
import { Validity } from "./validity.ts";
import { Versions } from "./versions/versions.ts";

export type Lookup = { status: "hit"; stored: Buffer } | { status: "leased" } | { status: "wait"; leaseMs: number };

/** Of scripts that say what stood before the value, where there was one within its time. */
type WhereServed = { status: "missing" } | { status: "touched" | "expired" | "removed"; head: Buffer };

const NOTHING = Buffer.alloc(0);

export class CacheStore {
  readonly coherence: Coherence;
  readonly versions: Versions;
  readonly recovery: Recovery;
  readonly validity: Validity;
  /** Of all that is sent about entries, so that its order is kept. */
  readonly lane: Lane = new Lane();
  readonly #core: Core;
  readonly #keys: EntryKeys;
  /** Not under the prefix of the values, whose changes are told to those who keep them in memory. */
  readonly #leases: EntryKeys;
  readonly #codec: Codec<unknown>;
  readonly #settings: CacheSettings;
  readonly #scripts: EntryScripts;
  readonly #index: IndexKeys | undefined;
  readonly #args: EntryArgs;

  constructor(core: Core, name: string, codec: Codec<unknown>, settings: CacheSettings) {
    this.#core = core;
    this.#keys = core.keys.entries("cache", name, settings.hashesLongIds);
    this.#leases = core.keys.entries("load", name, settings.hashesLongIds);
    this.coherence = Coherence.of(core, name, this.#keys);
    this.versions = Versions.of(core, name);
    this.recovery = Recovery.of(core, name, { versions: this.versions, coherence: this.coherence }, settings.timeoutMs);
    this.validity = new Validity(this.versions, this.recovery, settings.timeoutMs);
    this.#codec = codec;
    this.#settings = settings;
    this.#index = settings.index ? new IndexKeys(core, name) : undefined;
    this.#args = new EntryArgs(core, settings, this.versions);
    this.#scripts = entryScripts(core.driver, settings);
  }

  invalidate(op: string, invalid: Invalid): Promise<void> {
    return this.versions.invalidate(invalid, { op, timeoutMs: this.#settings.timeoutMs });
  }

  key(id: Id): string {
    return this.#keys.key(id);
  }

  /** The id as it stands in its key. */
  nameOf(id: Id): string {
    return this.#keys.nameOf(id);
  }

  leaseKey(id: Id): string {
    return this.#leases.key(id);
  }

  /** Where the ids of the entry's slot are; its own key where there is no index. */
  indexKeys(key: string): SlotKeys {
    return this.#index === undefined ? { ids: key, ends: key } : this.#index.of(key);
  }

  /** How a writer stores an entry: as `set` does. */
  entry(ttlMs: number | undefined): EntryTerms {
    const { graceMs } = this.#settings;
    const { sequence } = this.versions;
    return this.#args.entry({ payload: NOTHING, ttlMs, graceMs, sequence, about: undefined });
  }

  /** @param known how the entry begins that the caller has, of no use to it if `reload` */
  async lookup(
    id: Id,
    flight: Pick<Flight, "id" | "attempt">,
    known: Buffer | undefined,
    reload: boolean,
  ): Promise<Lookup> {
    const { loadLeaseMs: leaseMs } = this.#settings;
    const args = { flight: flight.id, attempt: flight.attempt, leaseMs, known: known ?? NOTHING, reload };
    const answer = await this.#add(this.#scripts.lookup, id, args);
    if (answer.status === "refused") throw itemError(lookup, answer.reason, OP_LOAD, String(id));
    if (answer.status !== "hit") return answer;
    const stored = answer.value;
    if (await this.#isUsable(id, stored)) return { status: "hit", stored };
    return this.lookup(id, flight, markOf(stored), true);
  }

  async extend(id: Id, token: string): Promise<boolean> {
    const { status } = await this.#add(this.#scripts.extend, id, { token, leaseMs: this.#settings.loadLeaseMs });
    return status === "extended";
  }

  async fill(id: Id, token: string, entry: NewEntry): Promise<boolean> {
    const args: FillArgs = { token, ...this.#args.of(id, entry) };
    const { status } = await this.#change(this.#scripts.fill, id, args);
    return status === "filled";
  }

  /** @param keepMs 0: as long as it would have been kept */
  async renew(
    id: Id,
    token: string,
    mark: Buffer,
    { freshMs, keepMs, sequence }: { readonly freshMs: number; readonly keepMs: number; readonly sequence: number },
  ): Promise<boolean> {
    const args = {
      token,
      head: mark,
      ...timesOf(freshMs, keepMs),
      sequence: sequenceBytes(sequence),
      ...this.#args.common(id),
    };
    const { status } = await this.#change(this.#scripts.renew, id, args);
    return status === "renewed";
  }

  async abandon(id: Id, token: string): Promise<void> {
    await this.#add(this.#scripts.abandon, id, { token, wakeChannel: this.#core.wakeups.channel });
  }

  /** Also where the cache was cleared, or one of the tags invalidated, by somebody else just before. Returns whether it was stored. */
  async set(id: Id, entry: NewEntry, only?: "absent" | "present"): Promise<boolean> {
    const { versions } = this;
    const args = { ...this.#args.of(id, entry), only: only ?? "", known: NOTHING };
    const { invalidations } = versions;
    const known = this.validity.heardOf();
    const isStored = only === undefined ? await this.#setPlainly(id, args) : await this.#setOnly(id, args, known);
    // Also what was heard of meanwhile.
    await (known ?? this.validity.heardOf());
    // What this handle has invalidated since was called after it.
    const isBehind = versions.sequence === entry.sequence || versions.invalidations !== invalidations;
    if (!isStored || isBehind) return isStored;
    const head = args.head.subarray(1);
    await this.#change(this.#scripts.restamp, id, { head, sequence: sequenceBytes(versions.sequence) });
    return true;
  }

  async #setPlainly(id: Id, args: SetArgs): Promise<boolean> {
    const { status } = await this.#change(this.#scripts.set, id, args);
    return status === "stored";
  }

  /** What is there may be invalid, which only this side knows: then it is asked again, for an entry that counts as none. */
  async #setOnly(id: Id, args: SetArgs, upToDate: Promise<void> | undefined): Promise<boolean> {
    await upToDate;
    let known: Buffer = NOTHING;
    if (args.only === "present") {
      const stored = await this.#stored(id);
      if (stored !== null && !(await this.#isValue(id, stored))) known = markOf(stored);
    }
    for (;;) {
      const asked: SetArgs = { ...args, known };
      const result = await this.#change(this.#scripts.set, id, asked);
      if (result.status !== "present") return result.status === "stored";
      if (await this.#isValue(id, result.value)) return false;
      known = markOf(result.value);
    }
  }

  /** What is stored, as it is; a key of another type is as good as none. */
  async #stored(id: Id): Promise<Buffer | null> {
    const key = this.key(id);
    const call: Call = { op: "cache.set", class: "read", key: String(id), timeoutMs: this.#settings.timeoutMs };
    try {
      return (await this.#core.driver.send(["GET", key], call, key)) as Buffer | null;
    } catch (error) {
      if (error instanceof HoldfastError && error.code === "WRONG_TYPE") return null;
      throw error;
    }
  }

  /** Removes what there is, and returns it if it may be served. */
  async take(id: Id): Promise<Buffer | undefined> {
    const taken = await this.#change(this.#scripts.take, id, this.#args.common(id));
    return taken.status === "taken" && (await this.#isUsable(id, taken.value)) ? taken.value : undefined;
  }

  touch(id: Id, ttlMs: number | undefined): Promise<boolean> {
    return this.#whereServed(this.#scripts.touch, id, this.#args.touched(id, ttlMs));
  }

  /** What is stored, how long it is kept, and whether somebody has the right to load it. */
  async look(id: Id): Promise<{ readonly stored: Buffer | null; readonly keptMs: number; readonly leaseMs: number }> {
    const key = this.key(id);
    const call: Call = { op: "cache.explain", class: "read", key: String(id), timeoutMs: this.#settings.timeoutMs };
    const commands = ["GET", "PTTL", "PTTL"].map((name, at) => [name, at === 2 ? this.leaseKey(id) : key]);
    const [stored, keptMs, leaseMs] = await this.#core.driver.batch(commands, call, key);
    for (const outcome of [stored, keptMs, leaseMs]) if (outcome instanceof HoldfastError) throw outcome;
    return { stored: stored as Buffer | null, keptMs: Number(keptMs), leaseMs: Number(leaseMs) };
  }

  delete(id: Id): Promise<boolean> {
    return this.#whereServed(this.#scripts.remove, id, this.#args.common(id));
  }

  expire(id: Id): Promise<boolean> {
    return this.#whereServed(this.#scripts.expire, id, this.#args.expired());
  }

  /** One that has failed, to be kept until it can be sent (recovery.ts). */
  failed(kind: "delete" | "expire", id: Id): EntryInvalidation {
    const send = (): Promise<unknown> =>
      kind === "delete"
        ? this.#change(this.#scripts.removeAgain, id, this.#args.common(id))
        : this.#change(this.#scripts.expireAgain, id, this.#args.expired());
    return { kind, key: this.key(id), send };
  }

  /** Changes what there is; returns whether it was served until then. */
  async #whereServed<Args>(kind: EntryScript<Args, WhereServed>, id: Id, args: Args): Promise<boolean> {
    const heardOf = this.validity.heardOf();
    const result = await this.#change(kind, id, args);
    if (result.status === "missing") return false;
    try {
      return await this.validity.verify(this.key(id), sequenceOf(result.head), aboutOf(result.head)?.t, heardOf);
    } catch (error) {
      // It is done: that it may have been invalid before must not look as if it were not.
      if (isOutage(error)) return true;
      throw error;
    }
  }

  async #isUsable(id: Id, stored: Buffer): Promise<boolean> {
    const key = this.key(id);
    if (this.decode(key, stored) === MISS) return false;
    return this.validity.verify(key, sequenceOf(stored), aboutOf(stored)?.t);
  }

  /** Whether it is of use, and not the remembered "there is none". */
  async #isValue(id: Id, stored: Buffer): Promise<boolean> {
    return (await this.#isUsable(id, stored)) && !holdsUndefined(payloadOf(stored));
  }

  encode(key: string, value: unknown): Buffer {
    return this.#codec.encode(value, { aad: key });
  }

  /** What this configuration cannot read (another schema, another key, not ours) counts as no entry. */
  decode(key: string, stored: Buffer | null): unknown {
    if (stored === null || !isEntry(stored)) return MISS;
    try {
      return this.decodeOrThrow(key, payloadOf(stored));
    } catch (error) {
      if (error instanceof CodecError) return MISS;
      throw error;
    }
  }

  decodeOrThrow(key: string, bytes: Buffer): unknown {
    return this.#codec.decode(bytes, { aad: key });
  }

  /** Nothing older is served from memory from now on; said again when it is done, since a repetition may come after a read. */
  async #change<Args, Result>(kind: EntryScript<Args, Result>, id: Id, args: Args): Promise<Result> {
    const key = this.key(id);
    this.coherence.changed(key);
    try {
      return await this.#add(kind, id, args);
    } finally {
      this.coherence.changed(key);
    }
  }

  #add<Args, Result>(kind: EntryScript<Args, Result>, id: Id, args: Args): Promise<Result> {
    const value = this.key(id);
    const { ids, ends } = this.indexKeys(value);
    const keys = { value, lease: this.#leases.key(id), ids, ends };
    return this.lane.add(kind, this.#core.driver.slotOf(value), { keys, args, key: String(id) });
  }
}
