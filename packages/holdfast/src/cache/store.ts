/** The server's side of a cache: what one key's value and its load lease can be asked. */
import { CodecError, HoldfastError } from "../base/errors.ts";
import { type BatchKind, Lane } from "../core/batch/lane.ts";
import { type KeyRead, readKind } from "../core/batch/read-kind.ts";
import { orThrow, scriptKind } from "../core/batch/script-kind.ts";
import type { Codec } from "../core/codec/codec.ts";
import { holdsUndefined } from "../core/codec/header.ts";
import type { Core } from "../core/core.ts";
import type { EntryKeys, Id } from "../core/keyspace/keyspace.ts";
import { type BatchItem, itemError, MAX_BATCH_ITEMS, MAX_MERGED_BYTES } from "../core/script/run.ts";
import type { BatchScript } from "../core/script/script.ts";
import type { Arg, Call, Driver, Reply } from "../driver/port.ts";
import { MISS, payloadOf } from "./entry.ts";
import type { Flight } from "./flights.ts";
import { Coherence } from "./l1/coherence.ts";
import type { CacheOptions, CacheSettings } from "./options.ts";
import { abandon, extend, fill, lookup, remove, set } from "./scripts.gen.ts";

export type Lookup = { status: "hit"; bytes: Buffer } | { status: "leased" } | { status: "wait"; leaseMs: number };

const OP_GET = "cache.get";
const OP_LOAD = "cache.getOrSet";

interface Pair {
  readonly value: string;
  readonly lease: string;
}

/** A script about one entry; its calls of the same tick and slot share a command. */
type Kind<Args, Result> = BatchKind<BatchItem<Pair, Args>, Result>;

/** Makes the caller's answer of what came back from its read. */
type Answer<Read> = (outcome: Reply | HoldfastError, read: Read) => unknown;

export class CacheStore<Read extends KeyRead = never> {
  readonly coherence: Coherence;
  readonly #core: Core;
  readonly #keys: EntryKeys;
  /** Not under the prefix of the values, whose changes are told to those who keep them in memory. */
  readonly #leases: EntryKeys;
  readonly #codec: Codec<unknown>;
  readonly #settings: CacheSettings;
  readonly #lane = new Lane();
  readonly #reads: BatchKind<Read, unknown>;
  readonly #answer: Answer<Read>;
  readonly #kinds: ReturnType<typeof kindsOf>;
  /** The last reads of the lane had nothing to share a command with. */
  #quiet = true;
  #aloneUnderWay = false;

  constructor(core: Core, name: string, codec: Codec<unknown>, settings: CacheSettings, answer: Answer<Read>) {
    this.#core = core;
    this.#keys = core.keys.entries("cache", name);
    this.#leases = core.keys.entries("load", name);
    this.coherence = Coherence.of(core, this.#keys.head);
    this.#codec = codec;
    this.#settings = settings;
    this.#answer = answer;
    const merged = readKind(core.driver, { op: OP_GET, class: "read", timeoutMs: settings.timeoutMs }, answer);
    const run: typeof merged.run = (group) => {
      this.#quiet = group.length === 1;
      merged.run(group);
    };
    this.#reads = { maxItems: merged.maxItems, run };
    this.#kinds = kindsOf(core.driver, settings.timeoutMs);
  }

  key(id: Id): string {
    return this.#keys.key(id);
  }

  /**
   * One GET; those of the same tick and slot together one MGET. A read that finds the cache quiet is sent at once: to wait
   * for others to share its command would cost it more than it can save.
   */
  read(read: Read): Promise<unknown> {
    if (!this.#quiet || this.#aloneUnderWay || !this.#lane.isEmpty) return this.readMerged(read);
    this.#aloneUnderWay = true;
    const { id, key } = read;
    // Written out: a spread here cost a fifth of the whole call.
    const call: Call = { op: OP_GET, class: "read", key: String(id), timeoutMs: this.#settings.timeoutMs };
    return this.#core.driver.ask(["GET", key], call, key, (outcome) => this.#conclude(outcome, read));
  }

  /** As `read`, for one that is known to have company. */
  readMerged(read: Read): Promise<unknown> {
    return this.#lane.add(this.#reads, this.#core.driver.slotOf(read.key), read);
  }

  async lookup(id: Id, flight: Pick<Flight, "id" | "attempt">, reload: boolean): Promise<Lookup> {
    const args = { flight: flight.id, attempt: flight.attempt, leaseMs: this.#settings.loadLeaseMs, reload };
    const answer = await this.#add(this.#kinds.lookup, id, args);
    if (answer.status === "refused") throw itemError(lookup, answer.reason, OP_LOAD, String(id));
    if (answer.status !== "hit") return answer;
    const bytes = payloadOf(answer.value);
    if (bytes === undefined || this.decode(this.key(id), answer.value) === MISS) return this.lookup(id, flight, true);
    return { status: "hit", bytes };
  }

  async extend(id: Id, token: string): Promise<boolean> {
    const { status } = await this.#add(this.#kinds.extend, id, { token, leaseMs: this.#settings.loadLeaseMs });
    return status === "extended";
  }

  async fill(id: Id, token: string, payload: Buffer, ttlMs: number): Promise<boolean> {
    const args = { token, ttlMs: this.#jittered(ttlMs), wakeChannel: this.#core.wakeups.channel, payload };
    const { status } = await this.#change(this.#kinds.fill, id, args);
    return status === "filled";
  }

  async abandon(id: Id, token: string): Promise<void> {
    await this.#add(this.#kinds.abandon, id, { token, wakeChannel: this.#core.wakeups.channel });
  }

  async set(id: Id, payload: Buffer, ttlMs: number): Promise<void> {
    const args = { ttlMs: this.#jittered(ttlMs), wakeChannel: this.#core.wakeups.channel, payload };
    await this.#change(this.#kinds.set, id, args);
  }

  delete(id: Id): Promise<boolean> {
    return this.#change(this.#kinds.remove, id, { wakeChannel: this.#core.wakeups.channel });
  }

  encode(key: string, value: unknown): Buffer {
    return this.#codec.encode(value, { aad: key });
  }

  /** What this configuration cannot read (another schema, another key, not ours) counts as no entry. */
  decode(key: string, stored: Buffer | null): unknown {
    const bytes = stored === null ? undefined : payloadOf(stored);
    if (bytes === undefined) return MISS;
    try {
      return this.decodeOrThrow(key, bytes);
    } catch (error) {
      if (error instanceof CodecError) return MISS;
      throw error;
    }
  }

  decodeOrThrow(key: string, bytes: Buffer): unknown {
    return this.#codec.decode(bytes, { aad: key });
  }

  /** Nothing older is served from memory from now on; said again when it is done, since a repetition may come after a read. */
  async #change<Args, Result>(kind: Kind<Args, Result>, id: Id, args: Args): Promise<Result> {
    const key = this.key(id);
    this.coherence.changed(key);
    try {
      return await this.#add(kind, id, args);
    } finally {
      this.coherence.changed(key);
    }
  }

  #add<Args, Result>(kind: Kind<Args, Result>, id: Id, args: Args): Promise<Result> {
    const value = this.key(id);
    const keys = { value, lease: this.#leases.key(id) };
    return this.#lane.add(kind, this.#core.driver.slotOf(value), { keys, args, key: String(id) });
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

function weigh({ args }: { readonly args: { readonly payload: Arg } }): number {
  return args.payload.length > MAX_MERGED_BYTES ? MAX_BATCH_ITEMS : 1;
}

function kindsOf(driver: Driver, timeoutMs: number) {
  const kind = <Args, Result>(op: string, script: BatchScript<Pair, Args, Result>): Kind<Args, Result> =>
    scriptKind(driver, script, { op, timeoutMs }, orThrow);
  return {
    lookup: kind(OP_LOAD, lookup),
    extend: kind(OP_LOAD, extend),
    abandon: kind(OP_LOAD, abandon),
    fill: { ...kind(OP_LOAD, fill), weigh },
    set: { ...kind("cache.set", set), weigh },
    remove: kind("cache.delete", remove),
  };
}

/** For a value, or for the remembered "there is none", which no schema is asked about. */
export function entryCodec<V>(core: Core, options: CacheOptions<V>): Codec<unknown> {
  const { schema, ...unchecked } = options;
  const any = core.codec<unknown>(unchecked);
  if (schema === undefined) return any;
  const checked = core.codec<V>(options);
  return {
    name: checked.name,
    encode: (value, context) =>
      value === undefined ? any.encode(value, context) : checked.encode(value as V, context),
    decode: (bytes, context) => (holdsUndefined(bytes) ? any.decode(bytes, context) : checked.decode(bytes, context)),
  };
}
