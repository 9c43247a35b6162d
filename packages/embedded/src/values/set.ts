import type { Config } from "../config/config.ts";
import { parseInt64 } from "../base/numbers.ts";
import { IndexedMap, type Node, type ScanStep } from "../structures/indexed-map.ts";
import { sample } from "../structures/sample.ts";
import { Collection } from "./value.ts";

/** Distinct members. A small set of integers lists them in ascending order, as Redis's intset does. */
export class SetValue extends Collection {
  readonly type = "set";
  readonly #nodes = new IndexedMap<Node>();
  /** Whether it has never had anything but integers, and the most members it has ever had: a hash table stays one. */
  #integersOnly = true;
  #peak = 0;

  get size(): number {
    return this.#nodes.size;
  }

  has(member: string): boolean {
    return this.#nodes.has(member);
  }

  /** True when the member is new. */
  add(member: string): boolean {
    if (this.#nodes.has(member)) return false;
    this.#nodes.add({ key: member });
    this.#peak = Math.max(this.#peak, this.#nodes.size);
    if (this.#integersOnly && parseInt64(member) === undefined) this.#integersOnly = false;
    return true;
  }

  delete(member: string): boolean {
    return this.#nodes.delete(member) !== undefined;
  }

  clear(): void {
    this.#nodes.clear();
  }

  /** In no particular order, without a copy. */
  override elements(): Generator<string, void, undefined> {
    return this.#nodes.keys();
  }

  /** In the order in which Redis shows them, where it has one. */
  members(config: Config): string[] {
    const members = [...this.#nodes.keys()];
    return this.#isIntset(config) ? members.sort(compareIntegers) : members;
  }

  random(random: () => number): string {
    return (this.#nodes.random(random) as Node).key;
  }

  /** Up to `count` different members. */
  sample(count: number, random: () => number): string[] {
    return sample(this.#nodes, count, random).map(({ key }) => key);
  }

  /** A small set of integers is walked in one step. */
  scan(cursor: number, count: number, config: Config): Pick<ScanStep<Node>, "cursor"> & { readonly members: string[] } {
    if (this.#isIntset(config)) return { cursor: 0, members: this.members(config) };
    const step = this.#nodes.scan(cursor, count);
    return { cursor: step.cursor, members: step.nodes.map(({ key }) => key) };
  }

  encoding(config: Config): string {
    return this.#isIntset(config) ? "intset" : "hashtable";
  }

  copy(): SetValue {
    const copy = new SetValue();
    for (const member of this.elements()) copy.add(member);
    copy.#integersOnly = this.#integersOnly;
    copy.#peak = this.#peak;
    return copy;
  }

  #isIntset(config: Config): boolean {
    return this.#integersOnly && this.#peak <= config.number("set-max-intset-entries");
  }
}

/** Of integers in their canonical spelling, without making numbers of them: they may have 64 bits. */
function compareIntegers(a: string, b: string): number {
  const negative = a.startsWith("-");
  if (negative !== b.startsWith("-")) return negative ? -1 : 1;
  const larger = a.length === b.length ? a > b : a.length > b.length;
  return larger === negative ? -1 : 1;
}
