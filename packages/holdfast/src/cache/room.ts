/** How many may be in at a time; the others wait in the order of their coming. */
export class Room {
  readonly #max: number;
  readonly #waiting: (() => void)[] = [];
  #inside = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /** Resolves with what is to be called on leaving. */
  async enter(): Promise<() => void> {
    if (this.#inside >= this.#max) await new Promise<void>((resolve) => void this.#waiting.push(resolve));
    else this.#inside += 1;
    return () => {
      const next = this.#waiting.shift();
      if (next === undefined) this.#inside -= 1;
      else next();
    };
  }
}
