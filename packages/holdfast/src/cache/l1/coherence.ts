/**
 * What the memories of one process learn of changes to the entries of one cache.
 *
 * Others' changes come from the server (RESP3 tracking by prefix), on the connection that carries the reads and in order with its replies; this handle's own
 * are said here, by every cache object of the name. When the connection is lost, or a server was replaced, everything may have changed; and while this process
 * was stopped, nothing was heard, so that it first reads what its connections have.
 */
import { channel } from "node:diagnostics_channel";
import { ClosedError, isOutage } from "../../base/errors.ts";
import { ServerClock } from "../../core/clock/server-clock.ts";
import type { Timer } from "../../base/runtime.ts";
import type { Core } from "../../core/core.ts";
import type { EntryKeys } from "../../core/keyspace/keyspace.ts";
import type { InvalidationSubscription } from "../../driver/port.ts";
import type { Invalid, Memory } from "./memory.ts";

/** On the channel `holdfast:cache:coherence`: when memory begins to be possibly out of date, and when that ends. */
export interface CacheCoherenceEvent {
  /** The cache's name. */
  readonly cache: string;
  readonly isCoherent: boolean;
}

const coherences = channel("holdfast:cache:coherence");

const RETRY_MS = 1_000;
const TICK_MS = 1_000;
/** A process that has not looked at its connections for so long, because it was stopped, may have missed what they say. */
const MAX_SILENCE_MS = 3 * TICK_MS;
const all = new WeakMap<Core, Map<string, Coherence>>();

export class Coherence {
  readonly #core: Core;
  readonly #cache: string;
  readonly #keys: EntryKeys;
  /** A cache object that is not used any more takes its memory with it. */
  readonly #memories = new Set<WeakRef<Memory>>();
  readonly #clock: ServerClock;
  #asking: Promise<InvalidationSubscription> | undefined;
  #subscription: InvalidationSubscription | undefined;
  #askAt = 0;
  #changes = 0;
  /** When this process last had read all that its connections had. */
  #readAt = 0;
  #timer: Timer | undefined;
  /** Since when what is in memory may be out of date. */
  #lostAt: number | undefined;

  private constructor(core: Core, cache: string, keys: EntryKeys) {
    this.#core = core;
    this.#cache = cache;
    this.#keys = keys;
    this.#clock = ServerClock.of(core.driver);
  }

  /** That of the handle for the entries of these keys. */
  static of(core: Core, cache: string, keys: EntryKeys): Coherence {
    let known = all.get(core);
    if (known === undefined) all.set(core, (known = new Map()));
    let coherence = known.get(keys.head);
    if (coherence === undefined) known.set(keys.head, (coherence = new Coherence(core, cache, keys)));
    return coherence;
  }

  /** Whether every server says what changes. */
  get isHeard(): boolean {
    return this.#subscription?.isLive === true;
  }

  /** Whether this process has heard lately what there was to hear. */
  isAwake(now: number): boolean {
    return now - this.#readAt < MAX_SILENCE_MS;
  }

  /** Entries that others have changed, as far as it is known. */
  get changes(): number {
    return this.#changes;
  }

  get incoherentMs(): number {
    return this.#lostAt === undefined ? 0 : this.#core.driver.runtime.now() - this.#lostAt;
  }

  /** Since this process last had read all that its connections had; 0 before it listens. */
  get silentMs(): number {
    return this.#subscription === undefined ? 0 : this.#core.driver.runtime.now() - this.#readAt;
  }

  join(memory: Memory): void {
    for (const reference of this.#memories) if (reference.deref() === undefined) this.#memories.delete(reference);
    this.#memories.add(new WeakRef(memory));
  }

  /** How long an entry may be served on, or undefined where that is not known; asked when an entry is to be kept. */
  leftMs(expiresAt: number): number | undefined {
    if (this.#subscription === undefined) this.#listen();
    if (!this.isHeard) return undefined;
    this.#look();
    const now = this.#clock.now();
    return now === undefined ? undefined : expiresAt - now;
  }

  /** This handle changes an entry: the server does not report that to it. */
  changed(key: string): void {
    if (this.#memories.size === 0) return;
    const id = this.#keys.idOf(key);
    for (const reference of this.#memories) reference.deref()?.changed(id);
  }

  forgetInvalid(invalid: Invalid): void {
    for (const reference of this.#memories) reference.deref()?.forgetInvalid(invalid);
  }

  #listen(): void {
    const { driver } = this.#core;
    if (this.#asking !== undefined || driver.runtime.now() < this.#askAt) return;
    this.#askAt = driver.runtime.now() + RETRY_MS;
    const listener = {
      keys: (keys: readonly Buffer[]) => {
        this.#changes += keys.length;
        for (const key of keys) this.changed(key.toString());
      },
      flush: () => {
        this.#clock.forget();
        for (const reference of this.#memories) reference.deref()?.forget();
        if (this.isHeard) this.#heardAgain();
        this.#look();
      },
    };
    const call = { op: "cache.l1", class: "read" } as const;
    this.#asking = driver.onInvalidate(this.#keys.head, listener, call);
    this.#asking.then(
      (subscription) => this.#hear(subscription),
      (error: unknown) => {
        this.#asking = undefined;
        if (error instanceof ClosedError || isOutage(error)) return;
        this.#askAt = Number.POSITIVE_INFINITY;
        const said = error instanceof Error ? error.message : String(error);
        process.emitWarning(
          `cache: its entries are not kept in memory, as the server does not say what changes: ${said}`,
        );
      },
    );
  }

  #hear(subscription: InvalidationSubscription): void {
    const { runtime } = this.#core.driver;
    this.#subscription = subscription;
    this.#readAt = runtime.now();
    // Timers come before input, what is immediate after it.
    const read = (): void => {
      this.#readAt = runtime.now();
      this.#look();
    };
    const tick = (): void => runtime.setImmediate(read);
    this.#timer = runtime.setInterval(tick, TICK_MS);
    this.#timer.unref();
    this.#core.own({ close: async () => runtime.clearInterval(this.#timer) });
  }

  #heardAgain(): void {
    for (const reference of this.#memories) reference.deref()?.heardAgain();
  }

  /** Whether it is lost, or was found again: the driver says only that it may be. */
  #look(): void {
    if (this.#subscription === undefined) return;
    const isLost = !this.isHeard;
    if (isLost === (this.#lostAt !== undefined)) return;
    this.#lostAt = isLost ? this.#core.driver.runtime.now() : undefined;
    if (!isLost) this.#heardAgain();
    coherences.publish({ cache: this.#cache, isCoherent: !isLost } satisfies CacheCoherenceEvent);
  }
}
