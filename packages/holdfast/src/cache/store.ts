/** The server's side of a cache: what one key's value and its load lease can be asked. */
import { CodecError, HoldfastError } from "../base/errors.ts";
import { type BatchKind, Lane } from "../core/batch/lane.ts";
import { type KeyRead, readKind } from "../core/batch/read-kind.ts";
import type { Codec } from "../core/codec/codec.ts";
import type { Core } from "../core/core.ts";
import type { EntryKeys, Id } from "../core/keyspace/keyspace.ts";
import { itemError } from "../core/script/run.ts";
import type { Call, Reply } from "../driver/port.ts";
import { type About, aboutOf, headOf, isEntry, markOf, MISS, payloadOf, sequenceBytes, sequenceOf } from "./entry.ts";
import type { Flight } from "./flights.ts";
import { Coherence } from "./l1/coherence.ts";
import type { CacheSettings } from "./options.ts";
import { type EntryScript, type EntryScripts, entryScripts, OP_LOAD } from "./entry-scripts.ts";
import { type FillArgs, lookup, type SetArgs } from "./scripts.gen.ts";
import type { EntryTerms } from "./writer/port.ts";
import { Versions } from "./versions/versions.ts";

export type Lookup = { status: "hit"; stored: Buffer } | { status: "leased" } | { status: "wait"; leaseMs: number };

const OP_GET = "cache.get";

/** What is to be stored. */
export interface NewEntry {
  readonly payload: Buffer;
  /** Undefined: the cache's, less some jitter. */
  readonly ttlMs: number | undefined;
  readonly graceMs: number;
  /** `Versions.sequence` before its value was read. */
  readonly sequence: number;
  readonly about: About | undefined;
}

const NOTHING = Buffer.alloc(0);

/** Makes the caller's answer of what came back from its read. */
type Answer<Read> = (outcome: Reply | HoldfastError, read: Read) => unknown;

export class CacheStore<Read extends KeyRead = never> {
  readonly coherence: Coherence;
  readonly versions: Versions;
  /** Of all that is sent about entries, so that its order is kept. */
  readonly lane: Lane = new Lane();
  readonly #core: Core;
  readonly #keys: EntryKeys;
  /** Not under the prefix of the values, whose changes are told to those who keep them in memory. */
  readonly #leases: EntryKeys;
  readonly #codec: Codec<unknown>;
  readonly #settings: CacheSettings;
  readonly #reads: BatchKind<Read, unknown>;
  readonly #answer: Answer<Read>;
  readonly #scripts: EntryScripts;
  /** The last reads of the lane had nothing to share a command with. */
  #quiet = true;
  #aloneUnderWay = false;

  constructor(core: Core, name: string, codec: Codec<unknown>, settings: CacheSettings, answer: Answer<Read>) {
    this.#core = core;
    this.#keys = core.keys.entries("cache", name);
    this.#leases = core.keys.entries("load", name);
    this.coherence = Coherence.of(core, this.#keys.head);
    this.versions = Versions.of(core, name, settings.timeoutMs);
    this.#codec = codec;
    this.#settings = settings;
    this.#answer = answer;
    const merged = readKind(core.driver, { op: OP_GET, class: "read", timeoutMs: settings.timeoutMs }, answer);
    const run: typeof merged.run = (group) => {
      this.#quiet = group.length === 1;
      merged.run(group);
    };
    this.#reads = { maxItems: merged.maxItems, run };
    this.#scripts = entryScripts(core.driver, settings.timeoutMs);
  }

  key(id: Id): string {
    return this.#keys.key(id);
  }

  leaseKey(id: Id): string {
    return this.#leases.key(id);
  }

  /** How a writer stores an entry: as `set` does. */
  entry(ttlMs: number | undefined): EntryTerms {
    const { graceMs } = this.#settings;
    const { sequence } = this.versions;
    return this.#argsOf({ payload: NOTHING, ttlMs, graceMs, sequence, about: undefined });
  }

  /**
   * One GET; those of the same tick and slot together one MGET. A read that finds the cache quiet is sent at once: to wait
   * for others to share its command would cost it more than it can save.
   */
  read(read: Read): Promise<unknown> {
    if (!this.#quiet || this.#aloneUnderWay || !this.lane.isEmpty) return this.readMerged(read);
    this.#aloneUnderWay = true;
    const { id, key } = read;
    // Written out: a spread here cost a fifth of the whole call.
    const call: Call = { op: OP_GET, class: "read", key: String(id), timeoutMs: this.#settings.timeoutMs };
    return this.#core.driver.ask(["GET", key], call, key, (outcome) => this.#conclude(outcome, read));
  }

  /** As `read`, for one that is known to have company. */
  readMerged(read: Read): Promise<unknown> {
    return this.lane.add(this.#reads, this.#core.driver.slotOf(read.key), read);
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
    const args: FillArgs = { token, ...this.#argsOf(entry) };
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
    const wakeChannel = this.#core.wakeups.channel;
    const args = { token, head: mark, freshMs, keepMs, sequence: sequenceBytes(sequence), wakeChannel };
    const { status } = await this.#change(this.#scripts.renew, id, args);
    return status === "renewed";
  }

  async abandon(id: Id, token: string): Promise<void> {
    await this.#add(this.#scripts.abandon, id, { token, wakeChannel: this.#core.wakeups.channel });
  }

  /** Also where the cache was cleared, or one of the tags invalidated, by somebody else just before. Returns whether it was stored. */
  async set(id: Id, entry: NewEntry, only?: "absent" | "present"): Promise<boolean> {
    const { versions } = this;
    const args = { ...this.#argsOf(entry), only: only ?? "", known: NOTHING };
    const { invalidations } = versions;
    const known = this.#catchUp();
    const isStored = only === undefined ? await this.#setPlainly(id, args) : await this.#setOnly(id, args, known);
    // Also what was heard of meanwhile.
    await (known ?? this.#catchUp());
    // What this handle has invalidated since was called after it.
    const isBehind = versions.sequence === entry.sequence || versions.invalidations !== invalidations;
    if (!isStored || isBehind) return isStored;
    const head = args.head.subarray(1);
    await this.#change(this.#scripts.restamp, id, { head, sequence: sequenceBytes(versions.sequence) });
    return true;
  }

  #catchUp(): Promise<void> | undefined {
    return this.versions.isExact ? undefined : this.versions.catchUp().catch(() => undefined);
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
      if (stored !== null && !(await this.#isUsable(id, stored))) known = markOf(stored);
    }
    for (;;) {
      const asked: SetArgs = { ...args, known };
      const result = await this.#change(this.#scripts.set, id, asked);
      if (result.status !== "present") return result.status === "stored";
      if (await this.#isUsable(id, result.value)) return false;
      known = markOf(result.value);
    }
  }

  /** What is stored, as it is. */
  async #stored(id: Id): Promise<Buffer | null> {
    const key = this.key(id);
    const call: Call = { op: OP_GET, class: "read", key: String(id), timeoutMs: this.#settings.timeoutMs };
    return (await this.#core.driver.send(["GET", key], call, key)) as Buffer | null;
  }

  /** Removes what there is, and returns it if it may be served. */
  async take(id: Id): Promise<Buffer | undefined> {
    const taken = await this.#change(this.#scripts.take, id, { wakeChannel: this.#core.wakeups.channel });
    return taken.status === "taken" && (await this.#isUsable(id, taken.value)) ? taken.value : undefined;
  }

  touch(id: Id, ttlMs: number | undefined): Promise<boolean> {
    const freshMs = ttlMs ?? this.#jittered(this.#settings.ttlMs);
    return this.#change(this.#scripts.touch, id, { freshMs, keepMs: freshMs + this.#settings.graceMs });
  }

  /** What is stored, how long it is kept, and whether somebody has the right to load it. */
  async look(id: Id): Promise<{ readonly stored: Buffer | null; readonly keptMs: number; readonly leaseMs: number }> {
    const key = this.key(id);
    const lease = this.#leases.key(id);
    const call: Call = { op: "cache.explain", class: "read", key: String(id), timeoutMs: this.#settings.timeoutMs };
    const commands = [
      ["GET", key],
      ["PTTL", key],
      ["PTTL", lease],
    ];
    const [stored, keptMs, leaseMs] = await this.#core.driver.batch(commands, call, key);
    for (const outcome of [stored, keptMs, leaseMs]) if (outcome instanceof HoldfastError) throw outcome;
    return { stored: stored as Buffer | null, keptMs: Number(keptMs), leaseMs: Number(leaseMs) };
  }

  delete(id: Id): Promise<boolean> {
    return this.#change(this.#scripts.remove, id, { wakeChannel: this.#core.wakeups.channel });
  }

  expire(id: Id): Promise<boolean> {
    return this.#change(this.#scripts.expire, id, { wakeChannel: this.#core.wakeups.channel });
  }

  #argsOf({ payload, ttlMs, graceMs, sequence, about }: NewEntry) {
    const freshMs = ttlMs ?? this.#jittered(this.#settings.ttlMs);
    const wakeChannel = this.#core.wakeups.channel;
    return { freshMs, keepMs: freshMs + graceMs, wakeChannel, head: headOf(sequence, graceMs > 0, about), payload };
  }

  async #isUsable(id: Id, stored: Buffer): Promise<boolean> {
    if (this.decode(this.key(id), stored) === MISS) return false;
    return this.versions.verify(sequenceOf(stored), aboutOf(stored)?.t);
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
    const keys = { value, lease: this.#leases.key(id) };
    return this.lane.add(kind, this.#core.driver.slotOf(value), { keys, args, key: String(id) });
  }

  #conclude(outcome: Reply | HoldfastError, read: Read): unknown {
    this.#aloneUnderWay = false;
    const isForeign = outcome instanceof HoldfastError && outcome.code === "WRONG_TYPE";
    return this.#answer(isForeign ? null : outcome, read);
  }

  /** Up to the share `jitter` shorter, so that what was stored together does not expire together. */
  #jittered(ttlMs: number): number {
    return Math.max(1, Math.round(ttlMs * (1 - this.#core.driver.runtime.random() * this.#settings.jitter)));
  }
}
