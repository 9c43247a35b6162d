/**
 * The keys of one database: lookups with lazy expiry, and every change reported to its listeners.
 *
 * A command that changed a key's value calls `changed(key, class, event)` once, after the change: it wakes WATCH, client-side caches,
 * blocked clients and keyspace events. `removed` is for commands that may have emptied a collection.
 */
import type { Engine } from "./engine.ts";
import { CommandError, fail, WRONG_TYPE } from "../base/errors.ts";
import { EVENT, type EventClass } from "../config/notifications.ts";
import { ErrorReply } from "../base/reply.ts";
import type { Session } from "./session.ts";
import { IndexedMap, type Node } from "../structures/indexed-map.ts";
import { Bytes } from "../values/bytes.ts";
import type { Collection, Kind, Value } from "../values/value.ts";
import type { Waiter } from "./blocking.ts";

export interface Entry extends Node {
  value: Value;
  /** Milliseconds since the epoch; Infinity for a key without a time to live. */
  expiresAtMs: number;
  /** For OBJECT IDLETIME. */
  usedAtMs: number;
}

/** A key which a session watches. */
export interface Watch {
  readonly session: Session;
  readonly db: Database;
  readonly key: string;
  /** It had expired already when it was watched, so its deletion changes nothing. */
  expired: boolean;
}

export class Database {
  readonly index: number;
  readonly #engine: Engine;
  #entries = new IndexedMap<Entry>();
  /** Number of keys with a time to live. */
  #volatile = 0;
  /** Watchers of a key and waiters for one, in order of arrival. They stay with the number when SWAPDB swaps keys. */
  readonly watches: Map<string, Set<Watch>> = new Map();
  readonly waiters: Map<string, Set<Waiter>> = new Map();

  constructor(engine: Engine, index: number) {
    this.#engine = engine;
    this.index = index;
  }

  get size(): number {
    return this.#entries.size;
  }

  get volatileSize(): number {
    return this.#volatile;
  }

  // ---- looking up

  /** The live entry; an expired one is deleted on the way. Counts neither as use nor as hit. */
  find(key: string): Entry | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.expiresAtMs >= this.#engine.nowMs) return entry;
    this.expire(entry);
    return undefined;
  }

  /** For commands that read: counts hits and misses and refreshes the time of use. */
  read(key: string): Entry | undefined {
    const entry = this.inspect(key);
    if (entry !== undefined) entry.usedAtMs = this.#engine.nowMs;
    return entry;
  }

  /** As `read`, for commands that read about a key without using it. */
  inspect(key: string): Entry | undefined {
    const entry = this.find(key);
    if (entry === undefined) {
      this.#engine.stats.misses += 1;
      if (this.#engine.eventMask !== 0) this.notify(EVENT.keymiss, "keymiss", key);
      return undefined;
    }
    this.#engine.stats.hits += 1;
    return entry;
  }

  /** For commands that write: no hit is counted. */
  forWrite(key: string): Entry | undefined {
    const entry = this.find(key);
    if (entry !== undefined) entry.usedAtMs = this.#engine.nowMs;
    return entry;
  }

  has(key: string): boolean {
    return this.find(key) !== undefined;
  }

  /** The text of a string key, or undefined where there is none. WRONGTYPE for any other type. */
  readString(key: string): string | undefined {
    const entry = this.read(key);
    return entry === undefined ? undefined : textOf(entry.value);
  }

  /** As `readString`, for a command that will write. */
  stringForWrite(key: string): string | undefined {
    const entry = this.forWrite(key);
    return entry === undefined ? undefined : textOf(entry.value);
  }

  /** The string as bytes that may be changed in place, or undefined where there is no key. */
  bytesForWrite(key: string): Bytes | undefined {
    const entry = this.forWrite(key);
    if (entry === undefined) return undefined;
    if (entry.value instanceof Bytes) return entry.value;
    if (typeof entry.value !== "string") return fail(WRONG_TYPE);
    const bytes = new Bytes(entry.value);
    entry.value = bytes;
    return bytes;
  }

  /** The collection at a key for a command that reads, or undefined where there is none. WRONGTYPE for another type. */
  readAs<C extends Collection>(key: string, kind: Kind<C>): C | undefined {
    const entry = this.read(key);
    return entry === undefined ? undefined : as(entry.value, kind);
  }

  /** As `readAs`, for a command that will write. */
  getAs<C extends Collection>(key: string, kind: Kind<C>): C | undefined {
    const entry = this.forWrite(key);
    return entry === undefined ? undefined : as(entry.value, kind);
  }

  // ---- changing

  /** Makes a key which is not there, or sets a new value and no time to live on one that is. */
  set(key: string, value: Value): void {
    const entry = this.find(key);
    if (entry === undefined) return this.add(key, value);
    entry.value = value;
    entry.usedAtMs = this.#engine.nowMs;
    if (entry.expiresAtMs !== Infinity) this.setDeadline(entry, Infinity);
  }

  /** The key must not be there. */
  add(key: string, value: Value): void {
    this.#entries.add({ key, value, expiresAtMs: Infinity, usedAtMs: this.#engine.nowMs });
    if (this.#engine.eventMask !== 0) this.notify(EVENT.created, "new", key);
  }

  /** Milliseconds since the epoch, or Infinity to persist. */
  setDeadline(entry: Entry, expiresAtMs: number): void {
    if (entry.expiresAtMs !== Infinity) this.#volatile -= 1;
    if (expiresAtMs !== Infinity) this.#volatile += 1;
    entry.expiresAtMs = expiresAtMs;
    if (expiresAtMs !== Infinity) this.#engine.expiry.schedule(this, entry.key, expiresAtMs);
  }

  /** Removes a key and informs nobody. True when it was there. */
  delete(key: string): boolean {
    if (this.find(key) === undefined) return false;
    this.#drop(key);
    return true;
  }

  #drop(key: string): void {
    const entry = this.#entries.delete(key);
    if (entry !== undefined && entry.expiresAtMs !== Infinity) this.#volatile -= 1;
  }

  clear(): number {
    const removed = this.#entries.size;
    this.#entries.clear();
    this.#volatile = 0;
    return removed;
  }

  /** Exchanges the keys, not their waiters or watchers. */
  swapKeys(other: Database): void {
    [this.#entries, other.#entries] = [other.#entries, this.#entries];
    [this.#volatile, other.#volatile] = [other.#volatile, this.#volatile];
    this.#engine.expiry.rebuild();
  }

  // ---- telling

  /** A command changed the value at `key` (made, altered or deleted it). */
  changed(key: string, eventClass: EventClass, event: string): void {
    this.touched(key);
    if (this.#engine.eventMask !== 0) this.notify(eventClass, event, key);
  }

  /** As `changed`, then deletes the key when the command took the collection's last element. */
  removed(key: string, collection: Collection, eventClass: EventClass, event: string): void {
    this.changed(key, eventClass, event);
    if (collection.size > 0) return;
    this.#drop(key);
    this.touched(key);
    if (this.#engine.eventMask !== 0) this.notify(EVENT.generic, "del", key);
  }

  /**
   * As `removed`, when a client that waited for a list takes an element: its watchers and caches learnt of it already when
   * the element came.
   */
  taken(key: string, collection: Collection, eventClass: EventClass, event: string): void {
    this.#engine.stats.changes += 1;
    if (this.#engine.eventMask !== 0) this.notify(eventClass, event, key);
    if (collection.size > 0) return;
    this.#drop(key);
    if (this.#engine.eventMask !== 0) this.notify(EVENT.generic, "del", key);
  }

  /** Without an event: wakes watchers, caches and blocked clients. */
  touched(key: string): void {
    const engine = this.#engine;
    engine.stats.changes += 1;
    if (this.watches.size !== 0) touchWatches(this.watches.get(key), this.#entries.has(key));
    if (engine.tracking.active) engine.tracking.keyChanged(key);
    if (this.waiters.size !== 0 && this.waiters.has(key)) engine.blocked.signal(this, key);
  }

  notify(eventClass: EventClass, event: string, key: string): void {
    const mask = this.#engine.eventMask;
    if ((mask & eventClass) === 0) return;
    const { pubsub } = this.#engine;
    if ((mask & EVENT.keyspace) !== 0) pubsub.publish(`__keyspace@${this.index}__:${key}`, event);
    if ((mask & EVENT.keyevent) !== 0) pubsub.publish(`__keyevent@${this.index}__:${event}`, key);
  }

  /** Deletes an entry whose time has come. */
  expire(entry: Entry): void {
    this.#drop(entry.key);
    this.#engine.stats.expired += 1;
    this.touched(entry.key);
    if (this.#engine.eventMask !== 0) this.notify(EVENT.expired, "expired", entry.key);
  }

  /** Before all keys go, or are replaced by those of another database: watchers of one on either side learn of it. */
  touchAllWatches(replacement?: Database): void {
    for (const [key, watches] of this.watches) {
      if (this.#entries.has(key)) touchWatches(watches, replacement?.peek(key) !== undefined);
      else if (replacement?.has(key) === true) touchWatches(watches, true);
    }
  }

  // ---- walking

  /** Present, though perhaps expired: for whoever must not delete on the way. */
  peek(key: string): Entry | undefined {
    return this.#entries.get(key);
  }

  /** All entries, the expired ones too. */
  all(): readonly Entry[] {
    return this.#entries.values();
  }

  scan(cursor: number, count: number): { readonly cursor: number; readonly nodes: readonly Entry[] } {
    return this.#entries.scan(cursor, count);
  }

  randomKey(): string | undefined {
    for (let tries = 0; tries < 100; tries += 1) {
      const entry = this.#entries.random(this.#engine.random);
      if (entry === undefined) return undefined;
      if (this.find(entry.key) !== undefined) return entry.key;
    }
    return undefined;
  }
}

const WRONG_TYPE_REPLY = new ErrorReply(WRONG_TYPE);

function textOf(value: Value): string {
  if (typeof value === "string") return value;
  if (value instanceof Bytes) return value.toString();
  throw new CommandError(WRONG_TYPE_REPLY);
}

function as<C extends Collection>(value: Value, kind: Kind<C>): C {
  if (value instanceof kind) return value;
  throw new CommandError(WRONG_TYPE_REPLY);
}

/** A key that had expired when it was watched and is now deleted has not changed. */
export function touchWatches(watches: ReadonlySet<Watch> | undefined, exists: boolean): void {
  if (watches === undefined) return;
  for (const watch of watches) {
    if (watch.expired && !exists) watch.expired = false;
    else watch.session.watchedKeyChanged = true;
  }
}
