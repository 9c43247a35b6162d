/**
 * Lua 5.1's table (ltable.c), node for node: an array part whose size is recomputed only when the hash part is full, and
 * a hash part in which a new key that collides takes the highest free node. Both are visible to scripts, in the order of
 * `pairs` and in what `#` answers for an array with holes. A Map finds the node of a key, so that a lookup costs
 * no hashing of our own.
 */
import { mainPosition } from "./hash.ts";
import { bestArraySize, ceilLog2, countInteger, SIZE_CLASSES } from "./table-size.ts";
import type { LuaValue } from "./value.ts";

/** One key of the hash part. It stays the same object while its key lives, so compiled code may hold on to it. */
export interface TableNode {
  key: LuaValue;
  value: LuaValue;
  slot: number;
}

const MAX_INT = 0x7fff_ffff;

/** What an empty one takes, about. */
export const TABLE_BYTES = 128;

export class LuaTable {
  metatable: LuaTable | undefined = undefined;
  /** Set on the globals and the libraries, which no script may change. */
  readonly = false;
  /** Slots 1..n of the array part. Its length is the size of that part, empty slots included. */
  array: LuaValue[] = [];
  /** The hash part; its length is 0 or a power of two. */
  nodes: (TableNode | undefined)[] = [];
  #index: Map<LuaValue, TableNode> | undefined = undefined;
  /** Every node at or above it is in use. */
  #lastFree = 0;

  constructor(arraySize = 0, hashSize = 0) {
    if (arraySize > 0) this.#growArray(arraySize);
    if (hashSize > 0) this.#newNodes(hashSize);
  }

  /** A table as it is after the values were appended one by one. None of them is nil. */
  static ofList(values: LuaValue[]): LuaTable {
    const table = new LuaTable();
    table.array = values;
    if (values.length > 0) table.#growArray(2 ** Math.ceil(Math.log2(values.length)));
    return table;
  }

  get(key: LuaValue): LuaValue {
    if (typeof key === "number") {
      const at = key - 1;
      if (at >= 0 && at < this.array.length && Number.isInteger(at)) return this.array[at];
    }
    return this.#index?.get(key)?.value;
  }

  getString(key: string): LuaValue {
    return this.#index?.get(key)?.value;
  }

  /** The node of a key, undefined for keys of the array part and for keys never set. */
  node(key: LuaValue): TableNode | undefined {
    return this.#index?.get(key);
  }

  /** Sets without metamethods. The key is neither nil nor NaN. A nil value still claims a node for a new key, as in Lua. */
  set(key: LuaValue, value: LuaValue): void {
    if (typeof key === "number") {
      const at = key - 1;
      if (at >= 0 && at < this.array.length && Number.isInteger(at)) {
        this.array[at] = value;
        return;
      }
    }
    const node = this.#index?.get(key);
    if (node === undefined) this.#insert(key, value);
    else node.value = value;
  }

  /** A border: some n with t[n] not nil and t[n+1] nil, the same one that Lua finds. */
  length(): number {
    const size = this.array.length;
    if (size > 0 && this.array[size - 1] === undefined) {
      return this.#border(0, size, (at) => this.array[at - 1]);
    }
    return this.nodes.length === 0 ? size : this.#borderBeyondArray(size);
  }

  /** Position of a key in a traversal, -1 for nil (before the first), undefined for a key that is not in the table. */
  positionOf(key: LuaValue): number | undefined {
    if (key === undefined) return -1;
    if (typeof key === "number" && key > 0 && key <= this.array.length && Number.isInteger(key)) return key - 1;
    const node = this.#index?.get(key);
    return node === undefined ? undefined : this.array.length + node.slot;
  }

  /** The next position after `position` that holds a value, -1 at the end. */
  nextPosition(position: number): number {
    const size = this.array.length;
    let at = position + 1;
    for (; at < size; at += 1) if (this.array[at] !== undefined) return at;
    for (const end = size + this.nodes.length; at < end; at += 1) {
      if (this.nodes[at - size]?.value !== undefined) return at;
    }
    return -1;
  }

  keyAt(position: number): LuaValue {
    return position < this.array.length ? position + 1 : this.nodes[position - this.array.length]?.key;
  }

  valueAt(position: number): LuaValue {
    const size = this.array.length;
    return position < size ? this.array[position] : this.nodes[position - size]?.value;
  }

  /** Makes room for `size` array slots (a constructor's list items); never shrinks. */
  reserveArray(size: number): void {
    if (size > this.array.length) this.#resize(size, this.nodes.length);
  }

  #insert(key: LuaValue, value: LuaValue): void {
    const size = this.nodes.length;
    if (size === 0) return this.#insertAfterRehash(key, value);
    const main = mainPosition(key, size);
    const there = this.nodes[main];
    if (there === undefined) this.#place(main, key, value);
    else if (there.value === undefined) this.#replaceDead(there, key, value);
    else this.#insertColliding(there, key, value);
  }

  /** The occupant stays if it is in its own main position; otherwise it makes way. */
  #insertColliding(there: TableNode, key: LuaValue, value: LuaValue): void {
    const free = this.#takeFree();
    if (free === -1) return this.#insertAfterRehash(key, value);
    const main = there.slot;
    if (mainPosition(there.key, this.nodes.length) === main) {
      this.#place(free, key, value);
    } else {
      this.nodes[free] = there;
      there.slot = free;
      this.#place(main, key, value);
    }
  }

  #place(slot: number, key: LuaValue, value: LuaValue): void {
    const node: TableNode = { key, value, slot };
    this.nodes[slot] = node;
    (this.#index ??= new Map()).set(key, node);
  }

  #replaceDead(node: TableNode, key: LuaValue, value: LuaValue): void {
    const index = (this.#index ??= new Map());
    index.delete(node.key);
    this.#place(node.slot, key, value);
  }

  #takeFree(): number {
    while (this.#lastFree > 0) {
      this.#lastFree -= 1;
      if (this.nodes[this.#lastFree] === undefined) return this.#lastFree;
    }
    return -1;
  }

  #insertAfterRehash(key: LuaValue, value: LuaValue): void {
    const counts = filled(SIZE_CLASSES, 0);
    const inArray = this.#countArray(counts);
    let integers = inArray;
    let total = inArray + 1;
    for (const node of this.nodes) {
      if (node?.value === undefined) continue;
      integers += countInteger(node.key, counts);
      total += 1;
    }
    integers += countInteger(key, counts);
    const [size, kept] = bestArraySize(counts, integers);
    this.#resize(size, total - kept);
    this.set(key, value);
  }

  #countArray(counts: number[]): number {
    let used = 0;
    for (let at = 0; at < this.array.length; at += 1) {
      if (this.array[at] === undefined) continue;
      counts[ceilLog2(at + 1)]! += 1;
      used += 1;
    }
    return used;
  }

  #resize(arraySize: number, hashSize: number): void {
    const old = this.nodes;
    if (arraySize > this.array.length) this.#growArray(arraySize);
    this.#newNodes(hashSize);
    if (arraySize < this.array.length) {
      const vanishing = this.array.splice(arraySize);
      for (const [at, value] of vanishing.entries()) if (value !== undefined) this.set(arraySize + at + 1, value);
    }
    for (let at = old.length - 1; at >= 0; at -= 1) {
      const node = old[at];
      if (node !== undefined && node.value !== undefined) this.set(node.key, node.value);
    }
  }

  #growArray(size: number): void {
    while (this.array.length < size) this.array.push(undefined);
  }

  #newNodes(size: number): void {
    const rounded = size === 0 ? 0 : 2 ** ceilLog2(size);
    this.nodes = filled(rounded, undefined);
    this.#index = undefined;
    this.#lastFree = rounded;
  }

  #borderBeyondArray(from: number): number {
    let present = from;
    let absent = from + 1;
    while (this.get(absent) !== undefined) {
      present = absent;
      absent *= 2;
      if (absent > MAX_INT) return this.#borderByCounting();
    }
    return this.#border(present, absent, (at) => this.get(at));
  }

  /** For a table that was built to defeat the doubling. */
  #borderByCounting(): number {
    let at = 1;
    while (this.get(at) !== undefined) at += 1;
    return at - 1;
  }

  #border(present: number, absent: number, valueAt: (at: number) => LuaValue): number {
    let [low, high] = [present, absent];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (valueAt(middle) === undefined) high = middle;
      else low = middle;
    }
    return low;
  }
}

function filled<T>(length: number, value: T): T[] {
  const items: T[] = [];
  for (let at = 0; at < length; at += 1) items.push(value);
  return items;
}
