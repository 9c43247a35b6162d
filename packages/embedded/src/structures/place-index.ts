/**
 * Where keys stand in an array: a hash table with open addressing that holds each key's hash and place as two numbers side by
 * side. A look-up among a million reads one slot and then the one element it names. V8's `Map` reads on average two entries and
 * the strings they point to, each a wait for the memory: it takes two to three times as long, and as long as this one where
 * everything is in the processor's cache. Growing needs no key, as the hashes are kept.
 */

/** Slots; a power of two, of which at most half are taken. */
const SMALLEST = 16;
/** Another in each process, so that keys chosen to collide in one do not in another. */
const SEED = Math.trunc(Math.random() * 2 ** 32);

interface Keyed {
  readonly key: string;
}

export class PlaceIndex {
  /** Hash, and place plus one, in turn; 0 in the second of a free slot. */
  #slots = new Int32Array(2 * SMALLEST);
  /** Number of slots less one. */
  #mask = SMALLEST - 1;
  #count = 0;

  /** The slot of a key, or -1; `nodes` is the array in which it would stand. */
  find(key: string, nodes: readonly (Keyed | undefined)[]): number {
    const slots = this.#slots;
    const mask = this.#mask;
    const hash = hashOf(key);
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const place = slots[2 * slot + 1] as number;
      if (place === 0) return -1;
      if (slots[2 * slot] === hash && nodes[place - 1]?.key === key) return slot;
    }
  }

  placeAt(slot: number): number {
    return (this.#slots[2 * slot + 1] as number) - 1;
  }

  /** The key must not be there. */
  add(key: string, place: number): void {
    if (2 * ++this.#count > this.#mask + 1) this.#resize(2 * (this.#mask + 1));
    this.#put(hashOf(key), place + 1);
  }

  /** Frees a slot. Those behind it that were pushed on by it come nearer to where they belong. */
  delete(slot: number): void {
    const slots = this.#slots;
    const mask = this.#mask;
    let hole = slot;
    for (let i = (slot + 1) & mask; slots[2 * i + 1] !== 0; i = (i + 1) & mask) {
      const home = (slots[2 * i] as number) & mask;
      if (((i - home) & mask) < ((i - hole) & mask)) continue;
      slots[2 * hole] = slots[2 * i] as number;
      slots[2 * hole + 1] = slots[2 * i + 1] as number;
      hole = i;
    }
    slots[2 * hole + 1] = 0;
    this.#count -= 1;
  }

  /** Every key has moved from its place to `places[place]`. Frees what is no longer needed. */
  renumber(places: Int32Array): void {
    const slots = this.#slots;
    for (let i = 1; i < slots.length; i += 2) {
      if (slots[i] !== 0) slots[i] = (places[(slots[i] as number) - 1] as number) + 1;
    }
    let size = SMALLEST;
    while (size < 2 * this.#count) size *= 2;
    if (size <= this.#mask) this.#resize(size);
  }

  #resize(size: number): void {
    const slots = this.#slots;
    this.#slots = new Int32Array(2 * size);
    this.#mask = size - 1;
    for (let i = 0; i < slots.length; i += 2) {
      if (slots[i + 1] !== 0) this.#put(slots[i] as number, slots[i + 1] as number);
    }
  }

  #put(hash: number, taken: number): void {
    const slots = this.#slots;
    const mask = this.#mask;
    let slot = hash & mask;
    while (slots[2 * slot + 1] !== 0) slot = (slot + 1) & mask;
    slots[2 * slot] = hash;
    slots[2 * slot + 1] = taken;
  }
}

/** 32 bits, after the manner of MurmurHash2: each character multiplied in, then all bits mixed so that the lowest depend on all. */
function hashOf(key: string): number {
  let hash = SEED ^ key.length;
  for (let i = 0; i < key.length; i += 1) {
    hash = Math.imul(hash ^ key.charCodeAt(i), 0x5bd1e995);
    hash ^= hash >>> 15;
  }
  hash = Math.imul(hash ^ (hash >>> 13), 0x5bd1e995);
  return hash ^ (hash >>> 15);
}
