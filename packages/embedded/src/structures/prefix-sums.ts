/**
 * Many counts, the sums of the first n of them, and the place where a sum is reached: a Fenwick tree beside the counts.
 * P. M. Fenwick, "A new data structure for cumulative frequency tables", 1994.
 *
 * A count changes, a sum is found in O(log n). The tree is made again only when it is asked for after a count came or went; the
 * counts stand in one array for that, because a walk through as many objects would cost many times more.
 */
export class PrefixSums {
  readonly #counts: number[] = [];
  /** One-based: node i holds the sum of the `i & -i` counts that end with count i - 1. */
  #tree: number[] = [0];
  /** The largest power of two that is a node. */
  #top = 0;
  #stale = false;

  insert(index: number, count: number): void {
    this.#counts.splice(index, 0, count);
    this.#stale = true;
  }

  /** Takes out `howMany` counts. */
  delete(index: number, howMany: number): void {
    this.#counts.splice(index, howMany);
    this.#stale = true;
  }

  add(index: number, by: number): void {
    this.#counts[index] = (this.#counts[index] as number) + by;
    if (this.#stale) return;
    const tree = this.#tree;
    for (let i = index + 1; i < tree.length; i += i & -i) tree[i] = (tree[i] as number) + by;
  }

  /** The sum of the first `howMany` counts. */
  before(howMany: number): number {
    if (this.#stale) this.#rebuild();
    let sum = 0;
    for (let i = howMany; i > 0; i -= i & -i) sum += this.#tree[i] as number;
    return sum;
  }

  /** The place of the count in which the element number `rank` lies, and its number inside. */
  find(rank: number): { readonly index: number; readonly offset: number } {
    if (this.#stale) this.#rebuild();
    let index = 0;
    let offset = rank;
    for (let step = this.#top; step > 0; step >>= 1) {
      const sum = this.#tree[index + step];
      if (sum === undefined || sum > offset) continue;
      index += step;
      offset -= sum;
    }
    return { index, offset };
  }

  #rebuild(): void {
    const size = this.#counts.length;
    const tree = [0, ...this.#counts];
    for (let i = 1; i <= size; i += 1) {
      const parent = i + (i & -i);
      if (parent <= size) tree[parent] = (tree[parent] as number) + (tree[i] as number);
    }
    this.#tree = tree;
    this.#top = size === 0 ? 0 : 2 ** Math.floor(Math.log2(size));
    this.#stale = false;
  }
}
