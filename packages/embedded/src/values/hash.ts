import type { Config } from "../config/config.ts";
import { IndexedMap, type Node, type ScanStep } from "../structures/indexed-map.ts";
import { sample } from "../structures/sample.ts";
import { Collection } from "./value.ts";

export interface Field extends Node {
  value: string;
}

/** Fields in the order of their insertion, as Redis keeps them while the hash is small. */
export class HashValue extends Collection {
  readonly type = "hash";
  readonly #fields = new IndexedMap<Field>();
  /** The most fields and the longest text it has ever had: what has once become a hash table stays one. */
  #peak = 0;
  #longest = 0;

  get size(): number {
    return this.#fields.size;
  }

  get(field: string): string | undefined {
    return this.#fields.get(field)?.value;
  }

  has(field: string): boolean {
    return this.#fields.has(field);
  }

  /** True when the field is new. */
  set(field: string, value: string): boolean {
    this.#longest = Math.max(this.#longest, field.length, value.length);
    const known = this.#fields.get(field);
    if (known !== undefined) {
      known.value = value;
      return false;
    }
    this.#fields.add({ key: field, value });
    this.#peak = Math.max(this.#peak, this.#fields.size);
    return true;
  }

  delete(field: string): boolean {
    return this.#fields.delete(field) !== undefined;
  }

  all(): Field[] {
    return this.#fields.values();
  }

  random(random: () => number): Field {
    return this.#fields.random(random) as Field;
  }

  /** Up to `count` different fields. */
  sample(count: number, random: () => number): Field[] {
    return sample(this.#fields, count, random);
  }

  /** A small hash is walked in one step. */
  scan(cursor: number, count: number, config: Config): ScanStep<Field> {
    return this.#isSmall(config) ? { cursor: 0, nodes: this.all() } : this.#fields.scan(cursor, count);
  }

  encoding(config: Config): string {
    return this.#isSmall(config) ? "listpack" : "hashtable";
  }

  copy(): HashValue {
    const copy = new HashValue();
    for (const { key, value } of this.all()) copy.set(key, value);
    copy.#peak = this.#peak;
    copy.#longest = this.#longest;
    return copy;
  }

  #isSmall(config: Config): boolean {
    return (
      this.#peak <= config.number("hash-max-listpack-entries") &&
      this.#longest <= config.number("hash-max-listpack-value")
    );
  }
}
