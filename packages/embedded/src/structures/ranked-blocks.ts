/**
 * Elements in order of score, then of key, with their ranks: a sorted array in blocks, and prefix sums over the blocks' lengths.
 * Finding costs O(log n), a change moves at most one block. In V8 this is several times faster than a skip list, whose nodes
 * are spread over the heap.
 *
 * The sums are made again only when a rank is asked for after a block came or went, at most once in `LARGEST / 2` additions.
 */
import { PrefixSums } from "./prefix-sums.ts";

/** Its key never changes, its score only through `move`. */
export interface Ranked {
  readonly key: string;
  score: number;
}

const LARGEST = 512;
/** A block below this length is joined to its neighbour when both fit into one with room to grow. */
const SMALLEST = LARGEST / 8;

export class RankedBlocks<N extends Ranked> {
  /** No block is empty. */
  private blocks: N[][] = [];
  private readonly sums = new PrefixSums();
  private sumsAreStale = false;
  private count = 0;

  get size(): number {
    return this.count;
  }

  add(node: N): void {
    this.count++;
    const index = Math.min(this.blockOf(node), this.blocks.length - 1);
    const block = this.blocks[index];
    if (block === undefined) return this.putBlock(0, [node]);
    if (block.length === LARGEST) return this.addToFull(index, block, node);
    block.splice(placeOf(block, node), 0, node);
    if (!this.sumsAreStale) this.sums.add(index, 1);
  }

  /** The node must be inside. */
  delete(node: N): void {
    const index = this.blockOf(node);
    const block = this.blocks[index] as N[];
    this.count--;
    block.splice(placeOf(block, node), 1);
    if (block.length < SMALLEST) this.shrink(index, block);
    else if (!this.sumsAreStale) this.sums.add(index, -1);
  }

  /** Gives a node which is inside another score. A small step that passes no neighbour moves nothing. */
  move(node: N, score: number): void {
    const block = this.blocks[this.blockOf(node)] as N[];
    const place = placeOf(block, node);
    const before = block[place - 1];
    const after = block[place + 1];
    const old = node.score;
    node.score = score;
    if (before !== undefined && after !== undefined && isBefore(before, node) && isBefore(node, after)) return;
    node.score = old;
    this.delete(node);
    node.score = score;
    this.add(node);
  }

  /** Number of elements before this one, which must be inside. */
  rank(node: N): number {
    const index = this.blockOf(node);
    return this.lengthBefore(index) + placeOf(this.blocks[index] as N[], node);
  }

  /** Number of elements for which `isLess` holds; they must all stand before the others. */
  countWhile(isLess: (node: N) => boolean): number {
    const index = firstPlace(this.blocks, (block) => isLess(block[block.length - 1] as N));
    const block = this.blocks[index];
    return block === undefined ? this.count : this.lengthBefore(index) + firstPlace(block, isLess);
  }

  /** The elements with ranks from `start` to before `end`, which must be ranks. */
  slice(start: number, end: number): N[] {
    const nodes: N[] = [];
    if (start >= end) return nodes;
    let { index, offset } = this.find(start);
    while (nodes.length < end - start) {
      const block = this.blocks[index++] as N[];
      const last = Math.min(block.length, offset + end - start - nodes.length);
      for (; offset < last; offset++) nodes.push(block[offset] as N);
      offset = 0;
    }
    return nodes;
  }

  /** All elements in order. */
  *values(): Generator<N, void, undefined> {
    for (const block of this.blocks) yield* block;
  }

  /** Takes out the elements with ranks from `start` to before `end` and returns them. */
  deleteSlice(start: number, end: number): N[] {
    const removed = this.slice(start, end);
    if (removed.length < SMALLEST) {
      for (const node of removed) this.delete(node);
      return removed;
    }
    const { index, offset } = this.find(start);
    let left = removed.length;
    for (let at = index, from = offset; left > 0; at++, from = 0) {
      left -= (this.blocks[at] as N[]).splice(from, left).length;
    }
    this.blocks = this.blocks.filter((block) => block.length > 0);
    this.count -= removed.length;
    this.sumsAreStale = true;
    return removed;
  }

  private lengthBefore(index: number): number {
    if (index === 0) return 0;
    this.freshenSums();
    return this.sums.before(index);
  }

  private find(rank: number): { readonly index: number; readonly offset: number } {
    if (rank < (this.blocks[0] as N[]).length) return { index: 0, offset: rank };
    this.freshenSums();
    return this.sums.find(rank);
  }

  private freshenSums(): void {
    if (!this.sumsAreStale) return;
    this.sums.rebuild(this.blocks);
    this.sumsAreStale = false;
  }

  /** The block in which the node is or belongs; one too many for a node after all others. */
  private blockOf(node: N): number {
    const { blocks } = this;
    let low = 0;
    let high = blocks.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const block = blocks[middle] as N[];
      if (isBefore(block[block.length - 1] as N, node)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Splits in halves; but behind the last element a new block begins, so that rising scores fill their blocks. */
  private addToFull(index: number, block: N[], node: N): void {
    if (index === this.blocks.length - 1 && isBefore(block[LARGEST - 1] as N, node)) {
      this.putBlock(index + 1, [node]);
      return;
    }
    const upper = block.splice(LARGEST / 2);
    this.putBlock(index + 1, upper);
    const target = isBefore(upper[0] as N, node) ? upper : block;
    target.splice(placeOf(target, node), 0, node);
  }

  private putBlock(index: number, block: N[]): void {
    this.blocks.splice(index, 0, block);
    this.sumsAreStale = true;
  }

  private shrink(index: number, block: N[]): void {
    const next = this.blocks[index + 1];
    if (block.length > 0 && (next === undefined || block.length + next.length > LARGEST / 2)) {
      if (!this.sumsAreStale) this.sums.add(index, -1);
      return;
    }
    if (next !== undefined) for (const node of next) block.push(node);
    this.blocks.splice(block.length === 0 ? index : index + 1, 1);
    this.sumsAreStale = true;
  }
}

function isBefore(a: Ranked, b: Ranked): boolean {
  return a.score < b.score || (a.score === b.score && a.key < b.key);
}

/** Where the node is or belongs in a block. */
function placeOf(block: readonly Ranked[], node: Ranked): number {
  let low = 0;
  let high = block.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBefore(block[middle] as Ranked, node)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The first place at which `isLess` does not hold. */
function firstPlace<T>(items: readonly T[], isLess: (item: T) => boolean): number {
  let low = 0;
  let high = items.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isLess(items[middle] as T)) low = middle + 1;
    else high = middle;
  }
  return low;
}
