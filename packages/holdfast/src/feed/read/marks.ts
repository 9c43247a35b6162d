/** What a reader has seen and read. */
import type { Place } from "../entry.ts";

export class Marks {
  /** All up to this time (us) was seen. */
  readonly seenTo: number;
  readonly #readTo: number;
  readonly #read: ReadonlyMap<string, number>;

  constructor(places: readonly Place[]) {
    this.#read = new Map(places.map(({ id, score }) => [id, score]));
    this.seenTo = this.#read.get("!seen") ?? 0;
    this.#readTo = this.#read.get("!read") ?? 0;
  }

  isSeen({ score }: Place): boolean {
    return score <= this.seenTo;
  }

  /** A group that has grown since is not read any more. */
  isRead({ id, score }: Place): boolean {
    return score <= this.#readTo || (this.#read.get(id) ?? -1) >= score;
  }
}
