/**
 * Entries in the memory of this process, most recently used ones.
 *
 * A value that was read may have been changed before it gets here: its reader notes `reads` when it asks, and what was changed since then is not kept. The changes
 * of late are known by key; of what was asked before the earliest of them nothing is kept.
 */
import { LRUCache } from "lru-cache";
import type { Runtime } from "../../base/runtime.ts";
import { frozen } from "./freeze.ts";
import type { L1Settings } from "./options.ts";

/** What is kept: a value that is shared, or the bytes that each caller gets a value from. */
export interface Kept {
  readonly value: unknown;
  readonly bytes: Buffer | undefined;
  readonly size: number;
  /** By which it is known whether it was invalidated (versions/versions.ts). */
  readonly sequence: number;
  readonly tags: readonly string[] | undefined;
  /** By the process's own clock. */
  expiresAt: number;
}

const UNTAGGED = { sequence: 0, tags: undefined };
const MAX_CHANGES = 4_096;
/** What an entry takes besides its key and its value. */
const ENTRY_BYTES = 100;

export class Memory {
  readonly #runtime: Runtime;
  readonly #settings: L1Settings;
  readonly #entries: LRUCache<string, Kept>;
  /** The last changes, by key, in their order; each has the number that `#changes` had then. */
  readonly #changed = new Map<string, number>();
  #changes = 0;
  /** Of reads that were begun before it nothing is kept. */
  #floor = 0;

  constructor(runtime: Runtime, settings: L1Settings) {
    this.#runtime = runtime;
    this.#settings = settings;
    const { max, maxBytes } = settings;
    this.#entries = new LRUCache({
      max,
      maxSize: maxBytes,
      maxEntrySize: maxBytes,
      sizeCalculation: ({ size }) => size,
    });
  }

  get size(): number {
    return this.#entries.size;
  }

  get bytes(): number {
    return this.#entries.calculatedSize;
  }

  /** A count of the changes so far: for `keep`, to be noted before the value is asked for. */
  get changes(): number {
    return this.#changes;
  }

  get(key: string, now: number): Kept | undefined {
    const kept = this.#entries.get(key);
    if (kept === undefined || kept.expiresAt > now) return kept;
    this.#entries.delete(key);
    return undefined;
  }

  /**
   * @param since `changes` before the value was asked for
   */
  keep(
    key: string,
    since: number,
    leftMs: number,
    value: unknown,
    bytes: Buffer,
    { sequence, tags }: Pick<Kept, "sequence" | "tags"> = UNTAGGED,
  ): void {
    if (since < this.#floor || (this.#changed.get(key) ?? 0) > since || leftMs <= 0) return;
    const { values, ttlMs } = this.#settings;
    const isShared = values === "shared" || (values === "frozen" && frozen(value));
    this.#entries.set(key, {
      value: isShared ? value : undefined,
      // A part of a reply would keep all of it.
      bytes: isShared ? undefined : Buffer.from(bytes),
      size: bytes.length + key.length + ENTRY_BYTES,
      sequence,
      tags,
      expiresAt: this.#runtime.now() + Math.min(leftMs, ttlMs),
    });
  }

  changed(key: string): void {
    this.#entries.delete(key);
    this.#changes += 1;
    this.#changed.delete(key);
    this.#changed.set(key, this.#changes);
    if (this.#changed.size <= MAX_CHANGES) return;
    const [first] = this.#changed;
    this.#floor = first![1];
    this.#changed.delete(first![0]);
  }

  /** Nothing that is here is right any more. */
  forgetAll(): void {
    this.#entries.clear();
  }

  /** Anything may have changed: what is here is served no longer than `staleness`. */
  forget(): void {
    this.#changes += 1;
    this.#floor = this.#changes;
    this.#changed.clear();
    const { stalenessMs } = this.#settings;
    if (stalenessMs === 0) return this.#entries.clear();
    const until = this.#runtime.now() + stalenessMs;
    for (const kept of this.#entries.values()) kept.expiresAt = Math.min(kept.expiresAt, until);
  }
}
