/** Table constructors: the sizes that Lua's compiler asks for and the order in which its bytecode fills the table. */
import { checkKey } from "./indexing.ts";
import type { Site } from "./site.ts";
import type { LuaState } from "./state.ts";
import { LuaTable } from "./table.ts";
import type { LuaValue } from "./value.ts";

/** List items are stored in groups of this many. */
const GROUP = 50;

export interface ConstructorShape {
  /** For each item "i" (list item) or "r" (record: key and value). Values beyond them are further list items. */
  readonly kinds: string;
  readonly arraySize: number;
  readonly hashSize: number;
}

/** A size as bytecode can hold it, in a "floating point byte": exact up to 15, then rounded up to 8, 9 .. 15 times 2^n. */
export function constructorSize(size: number): number {
  let rounded = size;
  let exponent = 0;
  while (rounded >= 16) {
    rounded = Math.trunc((rounded + 1) / 2);
    exponent += 1;
  }
  return rounded * 2 ** exponent;
}

/** @param values keys and values in the order of the source, the results of a last call spread at the end */
export function construct(state: LuaState, shape: ConstructorShape, values: readonly LuaValue[], site: Site): LuaTable {
  const table = new LuaTable(shape.arraySize, shape.hashSize);
  const filler = new ListFiller(table);
  let at = 0;
  for (const kind of shape.kinds) {
    if (filler.isFull) filler.store();
    if (kind === "i") {
      filler.add(values[at++]);
    } else {
      const key = values[at++];
      checkKey(state, key, site);
      table.set(key, values[at++]);
    }
  }
  if (at < values.length && filler.isFull) filler.store();
  while (at < values.length) filler.add(values[at++]);
  filler.store();
  return table;
}

class ListFiller {
  readonly #table: LuaTable;
  #pending: LuaValue[] = [];
  #stored = 0;

  constructor(table: LuaTable) {
    this.#table = table;
  }

  get isFull(): boolean {
    return this.#pending.length === GROUP;
  }

  add(value: LuaValue): void {
    this.#pending.push(value);
  }

  store(): void {
    if (this.#pending.length === 0) return;
    const last = this.#stored + this.#pending.length;
    this.#table.reserveArray(last);
    for (let at = last; at > this.#stored; at -= 1) this.#table.set(at, this.#pending[at - this.#stored - 1]);
    this.#stored = last;
    this.#pending = [];
  }
}

/** Lua 5.0's `arg`: the extra arguments and their number as `n`. */
export function argTable(values: readonly LuaValue[]): LuaTable {
  const table = new LuaTable(values.length, 1);
  for (const [at, value] of values.entries()) table.set(at + 1, value);
  table.set("n", values.length);
  return table;
}
