/** Work that is done one after the other: what comes first is done first, however long it takes. */

/** So much waits; our client waits for each to be done. */
const MAX_WAITING = 32;

export class Turns {
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;

  /**
   * Resolves when it is done. Undefined where too much waits.
   * @param work does not reject
   */
  take(work: () => Promise<void>): Promise<void> | undefined {
    if (this.#waiting >= MAX_WAITING) return undefined;
    this.#waiting += 1;
    this.#last = this.#after(this.#last, work);
    return this.#last;
  }

  async #after(last: Promise<void>, work: () => Promise<void>): Promise<void> {
    await last;
    await work();
    this.#waiting -= 1;
  }
}
