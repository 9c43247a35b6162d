/** The prefixes of ids that were cleared in one cache, as beginnings of keys, each with the sequence of its last clearing. */
import type { Core } from "../../core/core.ts";
import type { EntryKeys } from "../../core/keyspace/keyspace.ts";
import type { Call, Driver } from "../../driver/port.ts";
import type { Keepers } from "./keepers.ts";
import { pairsOf } from "./replies.ts";

/** That the server knows at most, and a process. */
export const MAX_PREFIXES = 1_000;

export class Prefixes {
  /** Where the server has them. */
  readonly key: string;
  readonly #driver: Driver;
  readonly #entries: EntryKeys;
  readonly #keepers: Keepers;
  readonly #cleared = new Map<string, number>();
  readonly #lengths = new Set<number>();
  #last = 0;

  constructor({ driver, keys }: Core, name: string, keepers: Keepers) {
    this.key = keys.entries("versions", name).part(name, "prefixes");
    this.#driver = driver;
    this.#entries = keys.entries("cache", name);
    this.#keepers = keepers;
  }

  /** The greatest sequence: entries from then on are not concerned. */
  get last(): number {
    return this.#last;
  }

  /** Whether the entry of that key was cleared after this sequence. */
  concern(key: string, sequence: number): boolean {
    if (sequence >= this.#last) return false;
    for (const length of this.#lengths) {
      if ((this.#cleared.get(key.slice(0, length)) ?? 0) > sequence) return true;
    }
    return false;
  }

  /** Learns what is newer from the server, whose latest is `last`; returns as `learn` does. */
  async ask(last: number, call: Call): Promise<number> {
    const args = ["ZRANGE", this.key, `(${this.#last}`, "+inf", "BYSCORE", "WITHSCORES"];
    const forgotten = this.learn(pairsOf(await this.#driver.send(args, call, this.key)));
    // Where the latest is gone, all were lost.
    return this.#last < last ? last : forgotten;
  }

  /** Returns the sequence before which every entry counts as cleared, as its prefix may have been forgotten. */
  learn(cleared: readonly (readonly [string, number])[]): number {
    for (const [prefix, sequence] of cleared) {
      const beginning = this.#entries.beginning(prefix);
      this.#cleared.set(beginning, Math.max(this.#cleared.get(beginning) ?? 0, sequence));
      this.#lengths.add(beginning.length);
      this.#last = Math.max(this.#last, sequence);
      this.#keepers.forgetPrefix(prefix);
    }
    return this.#cleared.size > MAX_PREFIXES ? this.#forgetSome() : 0;
  }

  #forgetSome(): number {
    const earliest = [...this.#cleared].toSorted(([, a], [, b]) => a - b).slice(0, -MAX_PREFIXES * 0.9);
    for (const [beginning] of earliest) this.#cleared.delete(beginning);
    this.#lengths.clear();
    for (const beginning of this.#cleared.keys()) this.#lengths.add(beginning.length);
    return earliest.at(-1)![1];
  }
}
