/**
 * Elements by key which also stand in one array, in order of insertion: a random element costs O(1) on average, and a scan
 * needs no snapshot. Used for the keys of a database; made for hashes and sets too.
 *
 * Scanning runs from the end of the array to its beginning; the cursor is the number of places not yet visited. New
 * elements go to the end, and closing gaps only moves elements towards the beginning. So an element which is there
 * during the whole scan is never missed, whatever is added or deleted between two steps; it may be seen twice.
 */
import { PlaceIndex } from "./place-index.ts";

export interface Node {
  readonly key: string;
}

export interface ScanStep<N> {
  /** 0 when the scan is complete. */
  readonly cursor: number;
  readonly nodes: readonly N[];
}

/** Below this size gaps are not worth closing. */
const SMALL = 16;
/** Up to so many places comparing the keys in turn is as fast as an index, and takes no memory for one. */
const UNINDEXED = 8;

export class IndexedMap<N extends Node> {
  #places: (N | undefined)[] = [];
  #count = 0;
  /** From more than `UNINDEXED` places on. */
  #index: PlaceIndex | undefined;

  get size(): number {
    return this.#count;
  }

  get(key: string): N | undefined {
    const index = this.#index;
    const places = this.#places;
    if (index === undefined) return this.#search(key);
    const slot = index.find(key, places);
    return slot === -1 ? undefined : places[index.placeAt(slot)];
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  /** The key must not be present. */
  add(node: N): void {
    this.#count += 1;
    const place = this.#places.push(node) - 1;
    if (this.#index !== undefined) this.#index.add(node.key, place);
    else if (place === UNINDEXED) this.#index = this.#indexed();
  }

  delete(key: string): N | undefined {
    const place = this.#forget(key);
    if (place === -1) return undefined;
    const node = this.#places[place];
    this.#count -= 1;
    if (place === this.#places.length - 1) this.#places.pop();
    else this.#places[place] = undefined;
    if (this.#places.length > SMALL && this.#places.length > this.#count * 2) this.#closeGaps();
    return node;
  }

  clear(): void {
    this.#places = [];
    this.#count = 0;
    this.#index = undefined;
  }

  /** In order of insertion; an array of its own, so that the map may be changed on the way through it. */
  values(): N[] {
    return this.#places.filter((node) => node !== undefined);
  }

  /** In order of insertion, without a copy: nothing may be changed meanwhile. */
  *keys(): Generator<string, void, undefined> {
    for (const node of this.#places) if (node !== undefined) yield node.key;
  }

  /** At least half of the places are taken, so two tries are expected. `random` returns 0 <= x < 1. */
  random(random: () => number): N | undefined {
    if (this.#count === 0) return undefined;
    for (;;) {
      const node = this.#places[Math.floor(random() * this.#places.length)];
      if (node !== undefined) return node;
      if (this.#count <= SMALL) this.#closeGaps();
    }
  }

  /** Visits up to `count` elements; begins again with cursor 0. */
  scan(cursor: number, count: number): ScanStep<N> {
    const nodes: N[] = [];
    let place = cursor === 0 ? this.#places.length : Math.min(cursor, this.#places.length);
    while (place > 0 && nodes.length < count) {
      const node = this.#places[--place];
      if (node !== undefined) nodes.push(node);
    }
    return { cursor: place, nodes };
  }

  /** Without an index. */
  #search(key: string): N | undefined {
    for (const node of this.#places) if (node !== undefined && node.key === key) return node;
    return undefined;
  }

  /** Takes a key out of the index and returns the place where it stands, or -1. */
  #forget(key: string): number {
    const index = this.#index;
    if (index === undefined) return this.#places.findIndex((node) => node?.key === key);
    const slot = index.find(key, this.#places);
    if (slot === -1) return -1;
    const place = index.placeAt(slot);
    index.delete(slot);
    return place;
  }

  #indexed(): PlaceIndex {
    const index = new PlaceIndex();
    for (const [place, node] of this.#places.entries()) if (node !== undefined) index.add(node.key, place);
    return index;
  }

  #closeGaps(): void {
    const places = this.#places;
    const moved = new Int32Array(places.length);
    let end = 0;
    for (let place = 0; place < places.length; place += 1) {
      const node = places[place];
      if (node === undefined) continue;
      moved[place] = end;
      places[end++] = node;
    }
    places.length = end;
    this.#index?.renumber(moved);
  }
}
