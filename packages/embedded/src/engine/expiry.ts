/**
 * Deletes keys when their time has come, without waiting for somebody to look at them. A heap holds one deadline per change of a
 * time to live; a deadline which no longer is its key's is skipped, and such are dropped when they are the majority. That costs
 * no more than there are deadlines, however many keys live for ever.
 */
import type { Database, Entry } from "./database.ts";
import type { Engine } from "./engine.ts";
import type { Timer } from "../base/clock.ts";
import { MinHeap } from "../structures/min-heap.ts";

interface Deadline {
  readonly db: Database;
  readonly key: string;
  readonly atMs: number;
}

/** Keys deleted in one go. */
const CHUNK = 1000;
/** Below this size stale deadlines do not matter. */
const SMALL = 1024;

export class Expiry {
  readonly #engine: Engine;
  readonly #heap = new MinHeap<Deadline>((a, b) => a.atMs < b.atMs);
  #timer: Timer | undefined;
  #timerAtMs = Infinity;
  #active = true;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  schedule(db: Database, key: string, atMs: number): void {
    this.#heap.push({ db, key, atMs });
    if (this.#heap.size > SMALL && this.#heap.size > 2 * this.#volatileKeys()) this.#dropStale();
    this.#arm();
  }

  /** DEBUG SET-ACTIVE-EXPIRE: with false, keys go only when somebody looks. */
  setActive(active: boolean): void {
    this.#active = active;
    this.#arm();
  }

  /** From the keys themselves: follows them to their new database after SWAPDB. */
  rebuild(): void {
    const deadlines: Deadline[] = [];
    for (const db of this.#engine.databases) {
      if (db.volatileSize === 0) continue;
      for (const entry of db.all()) {
        if (entry.expiresAtMs !== Infinity) deadlines.push({ db, key: entry.key, atMs: entry.expiresAtMs });
      }
    }
    this.#heap.replace(deadlines);
    this.#arm();
  }

  close(): void {
    this.#disarm();
    this.#active = false;
    this.#heap.replace([]);
  }

  /** Of several deadlines of one key, only one can be its own, and it is kept once. */
  #dropStale(): void {
    const kept = new Set<Entry>();
    this.#heap.filter(({ db, key, atMs }) => {
      const entry = db.peek(key);
      if (entry?.expiresAtMs !== atMs || kept.has(entry)) return false;
      kept.add(entry);
      return true;
    });
  }

  #volatileKeys(): number {
    return this.#engine.databases.reduce((sum, db) => sum + db.volatileSize, 0);
  }

  /** A key lives through its last millisecond, so the timer is for the one after. */
  #arm(): void {
    const next = this.#heap.peek();
    if (!this.#active || next === undefined) return this.#disarm();
    if (this.#timer !== undefined && this.#timerAtMs <= next.atMs) return;
    this.#disarm();
    this.#timerAtMs = next.atMs;
    this.#timer = this.#engine.setTimer(next.atMs + 1 - this.#engine.clock.nowMs(), () => this.#run());
  }

  #disarm(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerAtMs = Infinity;
  }

  #run(): void {
    this.#timer = undefined;
    this.#timerAtMs = Infinity;
    try {
      this.#engine.outsideCommand(() => this.#expireDue());
    } finally {
      this.#arm();
    }
  }

  #expireDue(): void {
    for (let i = 0; i < CHUNK; i += 1) {
      const next = this.#heap.peek();
      if (next === undefined || next.atMs >= this.#engine.nowMs) break;
      this.#heap.pop();
      const entry = next.db.peek(next.key);
      if (entry !== undefined && entry.expiresAtMs < this.#engine.nowMs) next.db.expire(entry);
    }
  }
}
