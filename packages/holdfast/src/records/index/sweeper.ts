/** What a crash or an expiry has left behind in an index: looked for a little with each write, by readers who meet it, and by `reindex`. */
import { ServerClock } from "../../core/clock/server-clock.ts";
import { readEntry, timeOfToken } from "./entry.ts";
import type { IndexStore } from "./store.ts";

/** An entry that is not its record's is nobody's when it is as old as this. */
const DEAD_MS = 600_000;
/** Entries that are looked at for each one that a write has more than the one before: where half of them are dead, as many go as come. */
const PACE = 2;
/** At a time, so that not every write looks; the most is that of one script's time. */
const SWEPT = 32;
const MAX_SWEPT = 512;
const MARK = "x:";

export class Sweeper {
  readonly #store: IndexStore;
  readonly #index: ReadonlySet<string>;

  constructor(store: IndexStore, index: ReadonlySet<string>) {
    this.#store = store;
    this.#index = index;
  }

  /** Sees that a partition does not grow by what a crash or an expiry leaves behind; by chance, and behind the answer. */
  keepPace(partition: number, grownBy: number): void {
    const wanted = PACE * Math.max(1, grownBy);
    if (this.#store.driver.runtime.random() >= wanted / SWEPT) return;
    this.#store.background(this.#sweep(partition, Math.min(MAX_SWEPT, Math.max(SWEPT, wanted))));
  }

  async #sweep(partition: number, count: number): Promise<void> {
    await this.removeDead(partition, await this.#store.sample(partition, count));
  }

  /** Removes those of the entries that are nobody's any more; how many. */
  async removeDead(partition: number, members: readonly Buffer[]): Promise<number> {
    const nowMs = await ServerClock.of(this.#store.driver).required("records", { op: "records.sweep" });
    const old = members.flatMap((member) => {
      const entry = readEntry(member);
      return entry !== undefined && nowMs - timeOfToken(entry.token) > DEAD_MS ? [{ member, entry }] : [];
    });
    const dead = await Promise.all(
      old.map(async ({ entry }) => {
        const stored = await this.#store.fields("sweep", entry.id, [MARK + entry.field]);
        const isElsewhere = this.#store.partitionOf(entry.id) !== partition;
        return (
          isElsewhere || !this.#index.has(entry.field) || stored?.get(MARK + entry.field)?.toString() !== entry.token
        );
      }),
    );
    const removed = old.filter((_, at) => dead[at]).map(({ member }) => member);
    if (removed.length > 0) await this.#store.leave(partition, removed);
    return removed.length;
  }
}
