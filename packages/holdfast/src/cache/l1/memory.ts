/**
 * Entries in the memory of this process, most recently used ones, by their ids: a key would have to be made for each look.
 *
 * A value that was read may have been changed before it gets here: its reader notes `reads` when it asks, and what was changed since then is not kept. The changes
 * of late are known by id; of what was asked before the earliest of them nothing is kept.
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
  /** Past its time: until when it is served without a load, as one has failed. */
  restsUntil?: number;
}

/** Of a cache: all entries, those with one of the tags, or those whose ids begin so. */
export type Invalid = "all" | { readonly tags: readonly string[] } | { readonly prefix: string };

const UNTAGGED = { sequence: 0, tags: undefined };
const MAX_CHANGES = 4_096;
/** What an entry takes besides its id and its value. */
const ENTRY_BYTES = 100;

export class Memory {
  readonly #runtime: Runtime;
  readonly #settings: L1Settings;
  readonly #graceMs: number;
  readonly #entries: LRUCache<string, Kept>;
  /** The last changes, by id, in their order; each has the number that `#changes` had then. */
  readonly #changed = new Map<string, number>();
  #changes = 0;
  /** Of reads that were begun before it nothing is kept. */
  #floor = 0;

  /** @param graceMs how long an entry is kept past its time, for `late` */
  constructor(runtime: Runtime, settings: L1Settings, graceMs = 0) {
    this.#runtime = runtime;
    this.#settings = settings;
    this.#graceMs = graceMs;
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

  get(id: string, now: number): Kept | undefined {
    const kept = this.#entries.get(id);
    if (kept === undefined || kept.expiresAt > now) return kept;
    if (kept.expiresAt + this.#graceMs <= now) this.#entries.delete(id);
    return undefined;
  }

  /** Also past its time, within its grace. */
  late(id: string, now: number): Kept | undefined {
    const kept = this.#entries.get(id);
    return kept !== undefined && kept.expiresAt + this.#graceMs > now ? kept : undefined;
  }

  /**
   * @param since `changes` before the value was asked for
   */
  keep(
    id: string,
    since: number,
    leftMs: number,
    value: unknown,
    bytes: Buffer,
    { sequence, tags }: Pick<Kept, "sequence" | "tags"> = UNTAGGED,
  ): void {
    if (since < this.#floor || (this.#changed.get(id) ?? 0) > since || leftMs <= 0) return;
    const { values, ttlMs } = this.#settings;
    const isShared = values === "shared" || (values === "frozen" && frozen(value));
    this.#entries.set(id, {
      value: isShared ? value : undefined,
      // A part of a reply would keep all of it.
      bytes: isShared ? undefined : Buffer.from(bytes),
      size: bytes.length + id.length + ENTRY_BYTES,
      sequence,
      tags,
      expiresAt: this.#runtime.now() + Math.min(leftMs, ttlMs),
    });
  }

  changed(id: string): void {
    this.#entries.delete(id);
    this.#changes += 1;
    this.#changed.delete(id);
    this.#changed.set(id, this.#changes);
    if (this.#changed.size <= MAX_CHANGES) return;
    const [first] = this.#changed;
    this.#floor = first![1];
    this.#changed.delete(first![0]);
  }

  /** Nothing that is here is right any more. */
  forgetAll(): void {
    this.#entries.clear();
  }

  /** Those whose ids begin so are not right any more. */
  forgetPrefix(prefix: string): void {
    const concerned = [...this.#entries.keys()].filter((id) => id.startsWith(prefix));
    for (const id of concerned) this.#entries.delete(id);
  }

  /** What it is about is not right any more, nor is what is on its way. */
  forgetInvalid(invalid: Invalid): void {
    this.#changes += 1;
    this.#floor = this.#changes;
    this.#changed.clear();
    if (invalid === "all") return this.forgetAll();
    if ("prefix" in invalid) return this.forgetPrefix(invalid.prefix);
    const wrong = new Set(invalid.tags);
    const concerned = [...this.#entries].filter(([, { tags }]) => tags?.some((tag) => wrong.has(tag)) === true);
    for (const [id] of concerned) this.#entries.delete(id);
  }

  /** What changes is heard of again, and what changed meanwhile was not: of what was kept for its grace nothing is right for sure. */
  heardAgain(): void {
    if (this.#graceMs > 0) this.#entries.clear();
  }

  /** Anything may have changed: what is here is served no longer than `staleness`, and then for its grace. */
  forget(): void {
    this.#changes += 1;
    this.#floor = this.#changes;
    this.#changed.clear();
    const { stalenessMs } = this.#settings;
    if (stalenessMs === 0 && this.#graceMs === 0) return this.#entries.clear();
    const until = this.#runtime.now() + stalenessMs;
    for (const kept of this.#entries.values()) kept.expiresAt = Math.min(kept.expiresAt, until);
  }
}
