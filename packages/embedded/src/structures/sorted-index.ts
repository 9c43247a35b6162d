/**
 * Items in order of their key, found by key: a list of sorted blocks. A search is two binary searches, a change moves the
 * pointers of one block, and items that arrive in order fill their blocks. At most one item per key.
 */
const BLOCK = 512;

export class SortedIndex<K, T> {
  #blocks: T[][] = [];
  #count = 0;
  readonly #keyOf: (item: T) => K;
  readonly #compare: (a: K, b: K) => number;

  constructor(keyOf: (item: T) => K, compare: (a: K, b: K) => number) {
    this.#keyOf = keyOf;
    this.#compare = compare;
  }

  get size(): number {
    return this.#count;
  }

  first(): T | undefined {
    return this.#blocks[0]?.[0];
  }

  last(): T | undefined {
    return this.#blocks.at(-1)?.at(-1);
  }

  get(key: K): T | undefined {
    const item = this.ceiling(key);
    return item !== undefined && this.#compare(this.#keyOf(item), key) === 0 ? item : undefined;
  }

  /** The first item whose key is not below this one. */
  ceiling(key: K): T | undefined {
    const at = this.#blockOf(key);
    const block = this.#blocks[at] ?? [];
    return block[this.#placeIn(block, key)] ?? this.#blocks[at + 1]?.[0];
  }

  /** The key must not be there. */
  add(item: T): void {
    this.#count += 1;
    const key = this.#keyOf(item);
    const at = this.#blockOf(key);
    const block = this.#blocks[at];
    if (block === undefined) {
      this.#blocks.push([item]);
      return;
    }
    const place = this.#placeIn(block, key);
    if (block.length < BLOCK) block.splice(place, 0, item);
    else if (place === BLOCK && at === this.#blocks.length - 1) this.#blocks.push([item]);
    else this.#split(at, place, item);
  }

  delete(key: K): T | undefined {
    const at = this.#blockOf(key);
    const block = this.#blocks[at];
    if (block === undefined) return undefined;
    const place = this.#placeIn(block, key);
    const item = block[place];
    if (item === undefined || this.#compare(this.#keyOf(item), key) !== 0) return undefined;
    block.splice(place, 1);
    if (block.length === 0) this.#blocks.splice(at, 1);
    this.#count -= 1;
    return item;
  }

  *[Symbol.iterator](): Generator<T> {
    for (const block of this.#blocks) yield* block;
  }

  /** In order, from the first item whose key is not below `start`. Nothing may be changed meanwhile. */
  *from(start: K): Generator<T> {
    const first = this.#blockOf(start);
    for (let at = first; at < this.#blocks.length; at += 1) {
      const block = this.#blocks[at] as T[];
      for (let i = at === first ? this.#placeIn(block, start) : 0; i < block.length; i += 1) yield block[i] as T;
    }
  }

  #split(at: number, place: number, item: T): void {
    const block = this.#blocks[at] as T[];
    block.splice(place, 0, item);
    this.#blocks.splice(at + 1, 0, block.splice(BLOCK >> 1));
  }

  /** The last block that begins at or below the key, or the first block. Most often items come at the end. */
  #blockOf(key: K): number {
    let low = 0;
    let high = this.#blocks.length - 1;
    if (high > 0 && this.#compare(this.#keyOf(this.#blocks[high]?.[0] as T), key) <= 0) return high;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.#compare(this.#keyOf(this.#blocks[middle]?.[0] as T), key) <= 0) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** The first place whose key is not below this one. */
  #placeIn(block: readonly T[], key: K): number {
    let low = 0;
    let high = block.length;
    if (high > 0 && this.#compare(this.#keyOf(block[high - 1] as T), key) < 0) return high;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#compare(this.#keyOf(block[middle] as T), key) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
