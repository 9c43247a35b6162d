/**
 * What the memories of one process learn of changes to the entries of one cache.
 *
 * Others' changes come from the server (RESP3 tracking by prefix), on the connection that carries the reads and in order with its replies; this handle's own
 * are said here, by every cache object of the name. When the connection is lost, or a server was replaced, everything may have changed; and while this process
 * was stopped, nothing was heard, so that it first reads what its connections have.
 */
import { ClosedError, isOutage } from "../../base/errors.ts";
import { ServerClock } from "../../core/clock/server-clock.ts";
import type { Timer } from "../../base/runtime.ts";
import type { Core } from "../../core/core.ts";
import type { InvalidationSubscription } from "../../driver/port.ts";
import type { Memory } from "./memory.ts";

const RETRY_MS = 1_000;
const TICK_MS = 1_000;
/** A process that has not looked at its connections for so long, because it was stopped, may have missed what they say. */
const MAX_SILENCE_MS = 3 * TICK_MS;
const all = new WeakMap<Core, Map<string, Coherence>>();

export class Coherence {
  readonly #core: Core;
  readonly #prefix: string;
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

  private constructor(core: Core, prefix: string) {
    this.#core = core;
    this.#prefix = prefix;
    this.#clock = ServerClock.of(core.driver);
  }

  /** That of the handle for entries whose keys begin with `prefix`. */
  static of(core: Core, prefix: string): Coherence {
    let known = all.get(core);
    if (known === undefined) all.set(core, (known = new Map()));
    let coherence = known.get(prefix);
    if (coherence === undefined) known.set(prefix, (coherence = new Coherence(core, prefix)));
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

  join(memory: Memory): void {
    for (const reference of this.#memories) if (reference.deref() === undefined) this.#memories.delete(reference);
    this.#memories.add(new WeakRef(memory));
  }

  /** How long an entry may be served on, or undefined where that is not known; asked when an entry is to be kept. */
  leftMs(expiresAt: number): number | undefined {
    if (this.#subscription === undefined) this.#listen();
    if (!this.isHeard) return undefined;
    const now = this.#clock.now();
    return now === undefined ? undefined : expiresAt - now;
  }

  /** This handle changes an entry: the server does not report that to it. */
  changed(key: string): void {
    for (const reference of this.#memories) reference.deref()?.changed(key);
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
      },
    };
    const call = { op: "cache.l1", class: "read" } as const;
    this.#asking = driver.onInvalidate(this.#prefix, listener, call);
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
    const tick = (): void => runtime.setImmediate(() => (this.#readAt = runtime.now()));
    this.#timer = runtime.setInterval(tick, TICK_MS);
    this.#timer.unref();
    this.#core.own({ close: async () => runtime.clearInterval(this.#timer) });
  }
}
