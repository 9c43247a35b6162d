/** Places for runs, shared by what one worker claims from: each of its partitions, each of its queues. */

/** One that claims, as the others see it. */
export interface Claimant {
  /** Runs under way. */
  readonly running: number;
  /** A place may be free. */
  look(): void;
}

export class Slots {
  readonly #most: number;
  readonly #claimants: Claimant[] = [];
  readonly #starved = new Set<Claimant>();
  #reserved = 0;

  constructor(most: number) {
    this.#most = most;
  }

  join(claimant: Claimant): void {
    this.#claimants.push(claimant);
  }

  get free(): number {
    let taken = this.#reserved;
    for (const { running } of this.#claimants) taken += running;
    return Math.max(this.#most - taken, 0);
  }

  /** Holds `count` places that nothing runs in. */
  hold(count: number): void {
    this.#reserved += count;
  }

  release(count: number): void {
    this.#reserved -= count;
    this.freed();
  }

  /** Holds `count` places while it is not known how many of them will be used. */
  async reserving<T>(count: number, ask: () => Promise<T>): Promise<T> {
    this.hold(count);
    try {
      return await ask();
    } finally {
      // What was asked for in vain is another's chance.
      this.release(count);
    }
  }

  /** `claimant` would claim more, and is called when a place is free. */
  starve(claimant: Claimant): void {
    this.#starved.add(claimant);
  }

  /** The one that has waited longest comes first. */
  freed(): void {
    for (const claimant of this.#starved) {
      if (this.free === 0) return;
      this.#starved.delete(claimant);
      claimant.look();
    }
  }
}
