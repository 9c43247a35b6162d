/** What a crash or an expiry has left behind in an index: looked for a little with each write, by readers who meet it, and by `reindex`. */
import { ServerClock } from "../../core/clock/server-clock.ts";
import { readEntry, timeOfToken } from "./entry.ts";
import type { IndexStore } from "./store.ts";

/** An entry that is not its record's is nobody's when it is as old as this. */
const DEAD_MS = 600_000;
/** With one write in 16: so two for each write, whose entries they keep pace with. */
const SWEPT = 32;
const MARK = "x:";

export class Sweeper {
  readonly #store: IndexStore;
  readonly #index: ReadonlySet<string>;

  constructor(store: IndexStore, index: ReadonlySet<string>) {
    this.#store = store;
    this.#index = index;
  }

  /** Looks through some of a partition's entries for what a crash or an expiry has left behind. */
  async sweep(partition: number): Promise<void> {
    await this.removeDead(partition, await this.#store.sample(partition, SWEPT));
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
