/**
 * A Fenwick tree: sums of the first n of many counts, and the place where a sum is reached, in O(log n).
 * P. M. Fenwick, "A new data structure for cumulative frequency tables", 1994.
 */
export class PrefixSums {
  /** One-based: node i holds the sum of the `i & -i` counts that end with count i - 1. */
  private tree: number[] = [0];
  /** The largest power of two that is a node. */
  private top = 0;

  rebuild(counts: readonly { readonly length: number }[]): void {
    const size = counts.length;
    const tree = Array.from({ length: size + 1 }, () => 0);
    for (let i = 1; i <= size; i++) {
      const sum = (tree[i] as number) + (counts[i - 1] as { readonly length: number }).length;
      tree[i] = sum;
      const parent = i + (i & -i);
      if (parent <= size) tree[parent] = (tree[parent] as number) + sum;
    }
    this.tree = tree;
    this.top = size === 0 ? 0 : 2 ** Math.floor(Math.log2(size));
  }

  add(index: number, by: number): void {
    const { tree } = this;
    for (let i = index + 1; i < tree.length; i += i & -i) tree[i] = (tree[i] as number) + by;
  }

  /** The sum of the first `count` counts. */
  before(count: number): number {
    let sum = 0;
    for (let i = count; i > 0; i -= i & -i) sum += this.tree[i] as number;
    return sum;
  }

  /** The place of the count in which the element number `rank` lies, and its number inside. */
  find(rank: number): { readonly index: number; readonly offset: number } {
    let index = 0;
    let offset = rank;
    for (let step = this.top; step > 0; step >>= 1) {
      const sum = this.tree[index + step];
      if (sum === undefined || sum > offset) continue;
      index += step;
      offset -= sum;
    }
    return { index, offset };
  }
}
