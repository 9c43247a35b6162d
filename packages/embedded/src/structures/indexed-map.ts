/**
 * A hash table whose elements also stand in one array, in order of insertion: a random element costs O(1) on average, and a scan
 * needs no snapshot. Used for the keys of a database; made for hashes and sets too.
 *
 * Scanning runs from the end of the array to its beginning; the cursor is the number of places not yet visited. New
 * elements go to the end, and closing gaps only moves elements towards the beginning. So an element which is there
 * during the whole scan is never missed, whatever is added or deleted between two steps; it may be seen twice.
 */
export interface Node {
  readonly key: string;
  /** Its place in the array; owned by the map. */
  index: number;
}

export interface ScanStep<N> {
  /** 0 when the scan is complete. */
  readonly cursor: number;
  readonly nodes: readonly N[];
}

/** Below this size gaps are not worth closing. */
const SMALL = 16;

export class IndexedMap<N extends Node> {
  private readonly nodes = new Map<string, N>();
  private places: (N | undefined)[] = [];

  get size(): number {
    return this.nodes.size;
  }

  get(key: string): N | undefined {
    return this.nodes.get(key);
  }

  has(key: string): boolean {
    return this.nodes.has(key);
  }

  /** The key must not be present. */
  add(node: N): void {
    node.index = this.places.length;
    this.places.push(node);
    this.nodes.set(node.key, node);
  }

  delete(key: string): N | undefined {
    const node = this.nodes.get(key);
    if (node === undefined) return undefined;
    this.nodes.delete(key);
    if (node.index === this.places.length - 1) this.places.pop();
    else this.places[node.index] = undefined;
    if (this.places.length > SMALL && this.places.length > this.nodes.size * 2) this.closeGaps();
    return node;
  }

  clear(): void {
    this.nodes.clear();
    this.places = [];
  }

  values(): MapIterator<N> {
    return this.nodes.values();
  }

  keys(): MapIterator<string> {
    return this.nodes.keys();
  }

  /** At least half of the places are taken, so two tries are expected. `random` gives 0 <= x < 1. */
  random(random: () => number): N | undefined {
    if (this.nodes.size === 0) return undefined;
    for (;;) {
      const node = this.places[Math.floor(random() * this.places.length)];
      if (node !== undefined) return node;
      if (this.nodes.size <= SMALL) this.closeGaps();
    }
  }

  /** Visits up to `count` elements; begins anew with cursor 0. */
  scan(cursor: number, count: number): ScanStep<N> {
    const nodes: N[] = [];
    let place = cursor === 0 ? this.places.length : Math.min(cursor, this.places.length);
    while (place > 0 && nodes.length < count) {
      const node = this.places[--place];
      if (node !== undefined) nodes.push(node);
    }
    return { cursor: place, nodes };
  }

  private closeGaps(): void {
    let end = 0;
    for (const node of this.places) {
      if (node === undefined) continue;
      node.index = end;
      this.places[end++] = node;
    }
    this.places.length = end;
  }
}
