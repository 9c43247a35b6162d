/** A list: a deque of strings. */
import { Deque } from "../structures/deque.ts";
import { Collection } from "./value.ts";

export type End = "left" | "right";

export class ListValue extends Collection {
  readonly type = "list";
  readonly items: Deque<string> = new Deque();

  get size(): number {
    return this.items.size;
  }

  push(end: End, item: string): void {
    if (end === "left") this.items.pushFront(item);
    else this.items.pushBack(item);
  }

  /** One element from an end; the list must not be empty. */
  pop(end: End): string {
    const place = end === "left" ? 0 : this.size - 1;
    const item = this.items.at(place);
    this.items.delete(place, place + 1);
    return item;
  }

  /** Up to `count` elements from an end, in the order in which single pops would return them. */
  popSeveral(end: End, count: number): string[] {
    const taken = Math.min(count, this.size);
    const start = end === "left" ? 0 : this.size - taken;
    const popped = this.items.slice(start, start + taken);
    this.items.delete(start, start + taken);
    return end === "left" ? popped : popped.toReversed();
  }

  copy(): ListValue {
    const copy = new ListValue();
    for (let i = 0; i < this.size; i += 1) copy.items.pushBack(this.items.at(i));
    return copy;
  }

  encoding(): string {
    return "quicklist";
  }

  override elements(): Iterable<string> {
    return this.items.slice(0, this.size);
  }
}
