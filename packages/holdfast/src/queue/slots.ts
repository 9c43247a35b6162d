/**
 * Places for runs, shared by what one worker claims from: each of its queues has a share of them, and each partition of a queue claims
 * from its queue's share. Places that one has no jobs for are the others'.
 *
 * Shares are kept by stride scheduling (Waldspurger and Weihl, 1995): each place that a queue takes moves it on by one over its weight, and where
 * several want one, the one that is furthest behind gets it. One that had nothing to do begins where the others are.
 */

/** One that claims, as the others see it. */
export interface Claimant {
  /** Runs under way. */
  readonly running: number;
  /** A place may be free. */
  look(): void;
}

/** `strict`: the first queue that has jobs gets all places that it wants. */
export type SlotsOrder = "weighted" | "strict";

export class Slots {
  readonly #most: number;
  readonly #order: SlotsOrder;
  readonly #claimants: Claimant[] = [];
  /** Those that are to be called when a place is free. */
  readonly #starved = new Set<Claimant>();
  readonly #shares: Share[] = [];
  #held = 0;
  /** Where the one that took the last place was. */
  #clock = 0;

  constructor(most: number, order: SlotsOrder = "weighted") {
    this.#most = most;
    this.#order = order;
  }

  /** For a queue; in strict order the earlier ones come first. */
  share(weight = 1): Share {
    const share = new Share(this, weight);
    this.#shares.push(share);
    return share;
  }

  join(claimant: Claimant): void {
    this.#claimants.push(claimant);
  }

  get free(): number {
    let taken = this.#held;
    for (const { running } of this.#claimants) taken += running;
    return Math.max(this.#most - taken, 0);
  }

  /** Holds `count` places that nothing runs in. */
  hold(count: number): void {
    this.#held += count;
  }

  release(count: number): void {
    this.#held -= count;
    this.freed();
  }

  /** `claimant` would claim more, and is called when a place is free. */
  starve(claimant: Claimant): void {
    this.#starved.add(claimant);
  }

  leave(claimant: Claimant): void {
    this.#starved.delete(claimant);
  }

  /** The one that has waited longest comes first. */
  freed(): void {
    for (const claimant of this.#starved) {
      if (this.free === 0) return;
      this.#starved.delete(claimant);
      claimant.look();
    }
  }

  /** How many of the free places are that share's, beside those that want some too. */
  portionOf(share: Share): number {
    const { free } = this;
    if (free === 0 || this.#shares.length === 1) return free;
    const wanting = this.#shares.filter((other) => other === share || other.isWanting);
    if (wanting.length === 1) return free;
    if (this.#order === "strict") return wanting[0] === share ? free : 0;
    return this.#portion(wanting, share, free);
  }

  /** Moves a share on by what it has taken. */
  charge(share: Share, count: number): void {
    share.keepUp(this.#clock);
    this.#clock = Math.max(this.#clock, share.at);
    share.at += count / share.weight;
  }

  get clock(): number {
    return this.#clock;
  }

  #portion(wanting: readonly Share[], share: Share, free: number): number {
    const places = wanting.map(({ at }, index) => (wanting[index]!.isWanting ? at : Math.max(at, this.#clock)));
    let own = 0;
    for (let given = 0; given < free; given += 1) {
      const next = places.indexOf(Math.min(...places));
      places[next]! += 1 / wanting[next]!.weight;
      if (wanting[next] === share) own += 1;
    }
    return own;
  }
}

/** One queue's. */
export class Share {
  readonly weight: number;
  /** How far it has come. */
  at = 0;
  readonly #slots: Slots;
  /** Those that had more jobs than places when they last asked. */
  readonly #wanting = new Set<Claimant>();
  /** Those that were not answered when they last asked. */
  readonly #failed = new Set<Claimant>();

  constructor(slots: Slots, weight: number) {
    this.#slots = slots;
    this.weight = weight;
  }

  get isWanting(): boolean {
    return this.#wanting.size > 0;
  }

  join(claimant: Claimant): void {
    this.#slots.join(claimant);
  }

  /** How many places it may claim for now. One that was not answered asks for one first, as the others could use what it holds in vain. */
  portionOf(claimant: Claimant): number {
    const portion = this.#slots.portionOf(this);
    return this.#failed.has(claimant) ? Math.min(portion, 1) : portion;
  }

  /** Holds `count` places while it is not known how many of them will be used. @param ask answers with how many jobs there were, for at most `most` */
  async claiming(
    claimant: Claimant,
    count: number,
    most: number,
    ask: (slots: number) => Promise<number>,
  ): Promise<void> {
    const asked = Math.min(count, most);
    this.#slots.leave(claimant);
    this.#slots.charge(this, count);
    this.#slots.hold(count);
    let used = 0;
    try {
      used = await ask(asked);
      this.#failed.delete(claimant);
      if (used < asked) this.#wanting.delete(claimant);
      else if (asked > 0) this.#want(claimant);
    } catch (error) {
      this.#failed.add(claimant);
      this.#wanting.delete(claimant);
      throw error;
    } finally {
      this.at -= (count - used) / this.weight;
      // What was asked for in vain is another's chance.
      this.#slots.release(count);
    }
  }

  /** There may be more jobs for the claimant, and no place. */
  starve(claimant: Claimant): void {
    this.#want(claimant);
    this.#slots.starve(claimant);
  }

  /** It wants no more. */
  leave(claimant: Claimant): void {
    this.#wanting.delete(claimant);
    this.#slots.leave(claimant);
    this.#slots.freed();
  }

  freed(): void {
    this.#slots.freed();
  }

  /** What it did not want earlier it does not get later. */
  keepUp(clock: number): void {
    if (!this.isWanting) this.at = Math.max(this.at, clock);
  }

  #want(claimant: Claimant): void {
    this.keepUp(this.#slots.clock);
    this.#wanting.add(claimant);
  }
}
