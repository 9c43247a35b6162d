/**
 * A double-ended queue in a ring. Both ends, and any element by its place, cost O(1); inserting and deleting inside move the
 * shorter side.
 *
 * The ring's length is a power of two, so that a place is one addition and one mask.
 */
const SMALLEST = 8;

export class Deque<T> {
  #ring: (T | undefined)[] = Array.from({ length: SMALLEST });
  #head = 0;
  #length = 0;

  get size(): number {
    return this.#length;
  }

  /** The place must be one of those taken, as in all that follows. */
  at(index: number): T {
    return this.#ring[(this.#head + index) & (this.#ring.length - 1)] as T;
  }

  set(index: number, item: T | undefined): void {
    this.#ring[(this.#head + index) & (this.#ring.length - 1)] = item;
  }

  pushBack(item: T): void {
    if (this.#length === this.#ring.length) this.#resize(this.#length * 2);
    this.set(this.#length++, item);
  }

  pushFront(item: T): void {
    if (this.#length === this.#ring.length) this.#resize(this.#length * 2);
    this.#moveHead(-1);
    this.#length += 1;
    this.set(0, item);
  }

  /** Makes room before the element at `index`; `size` appends. */
  insert(index: number, item: T): void {
    if (index > this.#length / 2) {
      this.pushBack(item);
      for (let i = this.#length - 1; i > index; i -= 1) this.set(i, this.at(i - 1));
    } else {
      this.pushFront(item);
      for (let i = 0; i < index; i += 1) this.set(i, this.at(i + 1));
    }
    this.set(index, item);
  }

  /** Takes out the elements from `start` to before `end`. */
  delete(start: number, end: number): void {
    const count = end - start;
    if (start > this.#length - end) {
      for (let i = end; i < this.#length; i += 1) this.set(i - count, this.at(i));
      this.#truncate(this.#length - count);
      return;
    }
    for (let i = start - 1; i >= 0; i -= 1) this.set(i + count, this.at(i));
    for (let i = 0; i < count; i += 1) this.set(i, undefined);
    this.#moveHead(count);
    this.#length -= count;
    this.#shrink();
  }

  /** Takes out the elements at these places, which must rise. One pass, however many they are. */
  deleteEach(places: readonly number[]): void {
    const first = places[0];
    if (first === undefined) return;
    if (places.length === 1) return this.delete(first, first + 1);
    let kept = first;
    let next = 0;
    for (let i = first; i < this.#length; i += 1) {
      if (i === places[next]) next += 1;
      else this.set(kept++, this.at(i));
    }
    this.#truncate(kept);
  }

  /** The elements from `start` to before `end`. */
  slice(start: number, end: number): T[] {
    const items: T[] = [];
    for (let i = start; i < end; i += 1) items.push(this.at(i));
    return items;
  }

  #truncate(length: number): void {
    for (let i = length; i < this.#length; i += 1) this.set(i, undefined);
    this.#length = length;
    this.#shrink();
  }

  #moveHead(by: number): void {
    this.#head = (this.#head + by) & (this.#ring.length - 1);
  }

  /** To half when three quarters are free: a long way from growing again. */
  #shrink(): void {
    let capacity = this.#ring.length;
    while (capacity > SMALLEST && this.#length <= capacity / 4) capacity /= 2;
    if (capacity < this.#ring.length) this.#resize(capacity);
  }

  #resize(capacity: number): void {
    const ring: (T | undefined)[] = this.slice(0, this.#length);
    while (ring.length < capacity) ring.push(undefined);
    this.#ring = ring;
    this.#head = 0;
  }
}
