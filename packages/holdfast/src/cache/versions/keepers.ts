/** The levels in memory that hear when entries have become invalid that have no tag for it. */
export interface Keeper {
  forgetAll(): void;
  /** @param prefix of their ids */
  forgetPrefix(prefix: string): void;
}

/** A cache object that is not used any more takes its memory with it. */
export class Keepers {
  readonly #references = new Set<WeakRef<Keeper>>();

  join(keeper: Keeper): void {
    for (const reference of this.#references) if (reference.deref() === undefined) this.#references.delete(reference);
    this.#references.add(new WeakRef(keeper));
  }

  forgetAll(): void {
    for (const reference of this.#references) reference.deref()?.forgetAll();
  }

  forgetPrefix(prefix: string): void {
    for (const reference of this.#references) reference.deref()?.forgetPrefix(prefix);
  }
}
