/**
 * Merging of operations made in the same tick.
 *
 * A lane belongs to one instance of a primitive. Neighbours of the same kind and slot are collected and handed over
 * together (one MGET, one script with n items) when the tick's promise callbacks have run. A different kind for the
 * same slot first sends what was collected, so the order in which the program called is the order on the wire: a
 * `set` that was not awaited is seen by the `get` after it.
 */
import { Deferred } from "../../base/deferred.ts";
import { nextTick } from "../../base/runtime.ts";

/** One collected operation. Whoever runs the group must settle every one of them. */
export interface Pending<I, O> {
  readonly item: I;
  resolve(value: O | PromiseLike<O>): void;
  reject(error: unknown): void;
}

export interface BatchKind<I, O> {
  /** A group is sent at once when it weighs this much, so that no single command holds the server for long. */
  readonly maxItems: number;
  /** How many ordinary items this one costs the server. @default 1 each */
  weigh?(item: I): number;
  run(group: readonly Pending<I, O>[]): void;
}

class Collected<I, O> extends Deferred<O> implements Pending<I, O> {
  readonly item: I;

  constructor(item: I) {
    super();
    this.item = item;
  }
}

interface Group {
  readonly slot: number;
  readonly kind: BatchKind<never, never>;
  readonly items: Pending<never, never>[];
  weight: number;
}

export class Lane {
  /** The group of the slot that came first; without a cluster there is no other slot, and the map stays untouched. */
  #first: Group | undefined = undefined;
  readonly #others = new Map<number, Group>();
  #scheduled = false;

  /** Nothing is collected: what is sent now overtakes nothing. */
  get isEmpty(): boolean {
    return this.#first === undefined && this.#others.size === 0;
  }

  add<I, O>(kind: BatchKind<I, O>, slot: number, item: I): Promise<O> {
    const pending = new Collected<I, O>(item);
    const weight = kind.weigh === undefined ? 1 : kind.weigh(item);
    const group = this.#group(kind, slot, weight);
    (group.items as Pending<I, O>[]).push(pending);
    group.weight += weight;
    if (group.weight >= kind.maxItems) this.flush(slot);
    return pending.promise;
  }

  /** Sends what is collected for the slot now; a caller does this before it sends something unmerged. */
  flush(slot: number): void {
    const group = this.#find(slot);
    if (group === undefined) return;
    if (group === this.#first) this.#first = undefined;
    else this.#others.delete(slot);
    runGroup(group);
  }

  #find(slot: number): Group | undefined {
    const first = this.#first;
    if (first !== undefined && first.slot === slot) return first;
    return this.#others.size === 0 ? undefined : this.#others.get(slot);
  }

  /** The group to join; one of another kind, or that would weigh too much, is sent first. */
  #group<I, O>(kind: BatchKind<I, O>, slot: number, weight: number): Group {
    const found = this.#find(slot);
    if (found !== undefined) {
      if (found.kind === kind && found.weight + weight <= kind.maxItems) return found;
      this.flush(slot);
    }
    const group: Group = { slot, kind, items: [], weight: 0 };
    if (this.#first === undefined) this.#first = group;
    else this.#others.set(slot, group);
    if (!this.#scheduled) {
      this.#scheduled = true;
      // From a promise callback it runs when the callback queue is empty: all replies of one packet have been handled.
      nextTick(this.#flushAll);
    }
    return group;
  }

  /**
   * One slot after the other, and never `clear()`: V8 links a cleared table to the one that replaces it, so a dead table
   * in the old generation would keep every group after it alive until the next full garbage collection.
   */
  readonly #flushAll = (): void => {
    this.#scheduled = false;
    const first = this.#first;
    if (first !== undefined) this.flush(first.slot);
    if (this.#others.size > 0) for (const slot of this.#others.keys()) this.flush(slot);
  };
}

/** A runner that throws would leave its items unsettled, so its error becomes theirs. */
function runGroup(group: Group): void {
  try {
    group.kind.run(group.items);
  } catch (error) {
    for (const item of group.items) item.reject(error);
  }
}
