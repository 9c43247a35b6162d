/** The server's side of a cache: what one key's value and its load lease can be asked. */
import { type BatchKind, Lane, type Pending } from "../core/batch/lane.ts";
import type { Codec } from "../core/codec/codec.ts";
import type { Core } from "../core/core.ts";
import type { Call, Reply } from "../driver/port.ts";
import { CodecError } from "../base/errors.ts";
import type { EntryKeys, Id } from "../core/keyspace/keyspace.ts";
import { runScript } from "../core/script/run.ts";
import { abandon, extend, fill, lookup, remove, set } from "./scripts.gen.ts";
import type { Flight } from "./flights.ts";
import type { CacheSettings } from "./options.ts";

/** Not `undefined`: that is a value, the remembered "there is none". */
const MISS: unique symbol = Symbol("miss");
type Miss = typeof MISS;

/** What becomes of a read: what the method that fits gives or throws is the reader's outcome. */
export interface Reader<V, R> {
  /** `undefined` is the remembered "there is none". */
  hit(value: V | undefined): R;
  miss(): R | Promise<R>;
  failed(error: unknown): R | Promise<R>;
}

interface Read<V> {
  readonly key: string;
  readonly reader: Reader<V, unknown>;
}

export type Lookup<V> = { status: "hit"; value: V } | { status: "leased" } | { status: "wait"; leaseMs: number };

/** One question of a flight for the right to load. */
export type Attempt = Pick<Flight<unknown>, "id" | "attempt">;

/** One MGET of this many keys holds the server for some 100 microseconds. */
const MAX_KEYS_PER_READ = 512;

export class CacheStore<V> {
  readonly #core: Core;
  readonly #keys: EntryKeys;
  readonly #codec: Codec<V | undefined>;
  readonly #settings: CacheSettings;
  readonly #lane = new Lane();
  readonly #reads: BatchKind<Read<V>, unknown>;
  readonly #readCall: Call;

  constructor(core: Core, keys: EntryKeys, codec: Codec<V | undefined>, settings: CacheSettings) {
    this.#core = core;
    this.#keys = keys;
    this.#codec = codec;
    this.#settings = settings;
    this.#readCall = { op: "cache.get", class: "read", timeoutMs: settings.timeoutMs };
    this.#reads = { maxItems: MAX_KEYS_PER_READ, run: (group) => this.#readGroup(group) };
  }

  key(id: Id): string {
    return this.#keys.key(id);
  }

  /** One GET; all those of one turn of the event loop and one slot together one MGET. */
  read<R>(id: Id, reader: Reader<V, R>): Promise<R> {
    const key = this.#keys.key(id);
    return this.#lane.add(this.#reads, this.#core.driver.slotOf(key), { key, reader }) as Promise<R>;
  }

  async lookup(id: Id, flight: Attempt, reload: boolean): Promise<Lookup<V | undefined>> {
    const { value, lease } = this.#pair(id);
    const { id: flightId, attempt } = flight;
    const args = { flight: flightId, attempt, leaseMs: this.#settings.loadLeaseMs, reload };
    const answer = await runScript(this.#core.driver, lookup, { value, lease }, args, this.#call("cache.getOrSet", id));
    if (answer.status !== "hit") return answer;
    const found = this.#decode(value, answer.value);
    return found === MISS ? this.lookup(id, flight, true) : { status: "hit", value: found };
  }

  async extend(id: Id, token: string): Promise<boolean> {
    const args = { token, leaseMs: this.#settings.loadLeaseMs };
    const keys = { lease: this.#pair(id).lease };
    const answer = await runScript(this.#core.driver, extend, keys, args, this.#call("cache.getOrSet", id));
    return answer.status === "extended";
  }

  async fill(id: Id, token: string, loaded: V | undefined, ttlMs: number): Promise<boolean> {
    const { value, lease } = this.#pair(id);
    const args = { token, ttlMs, wakeChannel: this.#core.wakeups.channel, payload: this.#encode(value, loaded) };
    const answer = await runScript(this.#core.driver, fill, { value, lease }, args, this.#call("cache.getOrSet", id));
    return answer.status === "filled";
  }

  async abandon(id: Id, token: string): Promise<void> {
    const args = { token, wakeChannel: this.#core.wakeups.channel };
    await runScript(this.#core.driver, abandon, this.#pair(id), args, this.#call("cache.getOrSet", id));
  }

  async set(id: Id, next: V | undefined, ttlMs: number): Promise<void> {
    const { value, lease } = this.#pair(id);
    const args = { ttlMs, wakeChannel: this.#core.wakeups.channel, payload: this.#encode(value, next) };
    this.#sendReadsBefore(value);
    await runScript(this.#core.driver, set, { value, lease }, args, this.#call("cache.set", id));
  }

  delete(id: Id): Promise<boolean> {
    const { value, lease } = this.#pair(id);
    const args = { wakeChannel: this.#core.wakeups.channel };
    this.#sendReadsBefore(value);
    return runScript(this.#core.driver, remove, { value, lease }, args, this.#call("cache.delete", id));
  }

  #pair(id: Id): { value: string; lease: string } {
    return { value: this.#keys.key(id), lease: this.#keys.part(id, "lease") };
  }

  #call(op: string, id: Id): Omit<Call, "class"> {
    return { op, key: String(id), timeoutMs: this.#settings.timeoutMs };
  }

  #sendReadsBefore(key: string): void {
    this.#lane.flush(this.#core.driver.slotOf(key));
  }

  #readGroup(group: readonly Pending<Read<V>, unknown>[]): void {
    const first = group[0]!.item.key;
    const alone = group.length === 1;
    const args = alone ? ["GET", first] : ["MGET"];
    if (!alone) for (const { item } of group) args.push(item.key);
    this.#core.driver.send(args, this.#readCall, first).then(
      (reply) => this.#settle(group, alone ? [reply] : (reply as Reply[])),
      (error: unknown) => {
        for (const pending of group) conclude(pending, (reader) => reader.failed(error));
      },
    );
  }

  #settle(group: readonly Pending<Read<V>, unknown>[], replies: readonly Reply[]): void {
    for (let at = 0; at < group.length; at += 1) {
      const pending = group[at]!;
      const bytes = replies[at] as Buffer | null;
      conclude(pending, (reader, key) => {
        const found = this.#decode(key, bytes);
        return found === MISS ? reader.miss() : reader.hit(found);
      });
    }
  }

  /** Bytes that this configuration cannot read (another schema, another key, not ours) are worth as much as no entry. */
  #decode(key: string, bytes: Buffer | null): V | Miss | undefined {
    if (bytes === null) return MISS;
    try {
      return this.#codec.decode(bytes, { aad: key });
    } catch (error) {
      if (error instanceof CodecError) return MISS;
      throw error;
    }
  }

  #encode(key: string, value: V | undefined): Buffer {
    return this.#codec.encode(value, { aad: key });
  }
}

function conclude<V>(
  pending: Pending<Read<V>, unknown>,
  outcome: (reader: Reader<V, unknown>, key: string) => unknown,
): void {
  try {
    pending.resolve(outcome(pending.item.reader, pending.item.key));
  } catch (error) {
    pending.reject(error);
  }
}
