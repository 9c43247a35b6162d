/** The table library (ltablib.c). */
import { LuaError } from "../runtime/errors.ts";
import { READONLY_MESSAGE } from "../runtime/indexing.ts";
import { callValue, lessThan, toText } from "../runtime/operators.ts";
import { LIBRARY_SITE } from "../runtime/site.ts";
import type { LuaState } from "../runtime/state.ts";
import type { LuaTable } from "../runtime/table.ts";
import { typeName } from "../runtime/type-name.ts";
import { first, isTruthy, type LuaResult, type LuaValue, NOTHING } from "../runtime/value.ts";
import {
  type Args,
  checkFunction,
  checkInt32,
  checkTable,
  library,
  optionalInt32,
  optionalString,
} from "./arguments.ts";

export function tableLibrary(state: LuaState): LuaTable {
  return library({
    concat: (args) => concatenate(state, args),
    foreach: (args) => forEach(state, args),
    foreachi: (args) => forEachItem(state, args),
    getn: (args) => checkTable(state, args, 0).length(),
    maxn: (args) => largestKey(checkTable(state, args, 0)),
    insert: (args) => insert(state, args),
    remove: (args) => remove(state, args),
    setn: (args) => {
      checkTable(state, args, 0);
      throw state.error("'setn' is obsolete");
    },
    sort: (args) => sort(state, args),
  });
}

/** Sets as lua_rawseti does: without metamethods, but not into a read-only table. */
function setItem(table: LuaTable, at: number, value: LuaValue): void {
  if (table.readonly) throw new LuaError(READONLY_MESSAGE);
  table.set(at, value);
}

function concatenate(state: LuaState, args: Args): string {
  const separator = optionalString(state, args, 1, "");
  const table = checkTable(state, args, 0);
  const from = optionalInt32(state, args, 2, 1);
  const to = args[3] === undefined ? table.length() : checkInt32(state, args, 3);
  const pieces: string[] = [];
  for (let at = from; at <= to; at += 1) {
    const text = toText(table.get(at));
    if (text === undefined) {
      throw state.error(`invalid value (${typeName(table.get(at))}) at index ${at} in table for 'concat'`);
    }
    state.charge(text.length + separator.length);
    pieces.push(text);
  }
  return pieces.join(separator);
}

function forEach(state: LuaState, args: Args): LuaResult {
  const table = checkTable(state, args, 0);
  const visit = checkFunction(state, args, 1);
  for (let at = table.nextPosition(-1); at !== -1; at = table.nextPosition(at)) {
    const result = first(callValue(state, visit, [table.keyAt(at), table.valueAt(at)]));
    if (result !== undefined) return result;
  }
  return NOTHING;
}

function forEachItem(state: LuaState, args: Args): LuaResult {
  const table = checkTable(state, args, 0);
  const visit = checkFunction(state, args, 1);
  const last = table.length();
  for (let at = 1; at <= last; at += 1) {
    const result = first(callValue(state, visit, [at, table.get(at)]));
    if (result !== undefined) return result;
  }
  return NOTHING;
}

function largestKey(table: LuaTable): number {
  let largest = 0;
  for (let at = table.nextPosition(-1); at !== -1; at = table.nextPosition(at)) {
    const key = table.keyAt(at);
    if (typeof key === "number" && key > largest) largest = key;
  }
  return largest;
}

function insert(state: LuaState, args: Args): LuaResult {
  const table = checkTable(state, args, 0);
  let end = table.length() + 1;
  if (args.length === 2) {
    setItem(table, end, args[1]);
    return NOTHING;
  }
  if (args.length !== 3) throw state.error("wrong number of arguments to 'insert'");
  const position = checkInt32(state, args, 1);
  if (position > end) end = position;
  moveUp(state, table, position, end);
  setItem(table, position, args[2]);
  return NOTHING;
}

/** So many places are always looked at one by one. */
const FEW = 1000;

/** Moves all items from `from` to `to - 1` up by one. Of a table that is mostly holes, only the items are looked at. */
function moveUp(state: LuaState, table: LuaTable, from: number, to: number): void {
  const size = table.array.length + table.nodes.length;
  state.charge(Math.min(to - from, size + FEW) * 8);
  if (to - from > size + FEW) return moveUpSparsely(table, from, to);
  for (let at = to; at > from; at -= 1) setItem(table, at, table.get(at - 1));
}

function moveUpSparsely(table: LuaTable, from: number, to: number): void {
  const places = new Set<number>();
  for (let at = table.nextPosition(-1); at !== -1; at = table.nextPosition(at)) {
    const key = table.keyAt(at);
    if (typeof key !== "number" || !Number.isInteger(key)) continue;
    for (const place of [key, key + 1]) if (place > from && place <= to) places.add(place);
  }
  for (const at of [...places].sort((a, b) => b - a)) setItem(table, at, table.get(at - 1));
}

function remove(state: LuaState, args: Args): LuaResult {
  const table = checkTable(state, args, 0);
  const end = table.length();
  const position = optionalInt32(state, args, 1, end);
  if (position < 1 || position > end) return NOTHING;
  const removed = table.get(position);
  state.charge((end - position) * 8);
  for (let at = position; at < end; at += 1) setItem(table, at, table.get(at + 1));
  setItem(table, end, undefined);
  return removed;
}

function sort(state: LuaState, args: Args): LuaResult {
  const table = checkTable(state, args, 0);
  const size = table.length();
  const comparator = args[1] === undefined ? undefined : checkFunction(state, args, 1);
  const before =
    comparator === undefined
      ? (a: LuaValue, b: LuaValue) => lessThan(state, a, b, LIBRARY_SITE)
      : (a: LuaValue, b: LuaValue) => isTruthy(first(callValue(state, comparator, [a, b])));
  new Quicksort(state, table, before).sort(1, size);
  return NOTHING;
}

/** Lua's own quicksort, step by step: what an unstable or a wrong comparator makes of a list is the same as there. */
class Quicksort {
  readonly #state: LuaState;
  readonly #table: LuaTable;
  readonly #before: (a: LuaValue, b: LuaValue) => boolean;

  constructor(state: LuaState, table: LuaTable, before: (a: LuaValue, b: LuaValue) => boolean) {
    this.#state = state;
    this.#table = table;
    this.#before = before;
  }

  sort(from: number, to: number): void {
    let [low, high] = [from, to];
    while (low < high) {
      this.#order(low, high);
      if (high - low === 1) return;
      const middle = Math.trunc((low + high) / 2);
      if (!this.#order(low, middle)) this.#order(middle, high);
      if (high - low === 2) return;
      const split = this.#partition(low, high, middle);
      // The smaller half by recursion, the larger one by the loop.
      if (split - low < high - split) {
        this.sort(low, split - 1);
        low = split + 1;
      } else {
        this.sort(split + 1, high);
        high = split - 1;
      }
    }
  }

  /** Swaps two items that are in the wrong order. */
  #order(low: number, high: number): boolean {
    const [a, b] = [this.#table.get(low), this.#table.get(high)];
    const wrong = this.#before(b, a);
    if (wrong) this.#store(low, b, high, a);
    return wrong;
  }

  #store(first: number, a: LuaValue, second: number, b: LuaValue): void {
    setItem(this.#table, first, a);
    setItem(this.#table, second, b);
  }

  #partition(low: number, high: number, middle: number): number {
    const pivot = this.#table.get(middle);
    this.#store(middle, this.#table.get(high - 1), high - 1, pivot);
    let [left, right] = [low, high - 1];
    for (;;) {
      while (this.#before(this.#table.get(++left), pivot)) if (left > high) throw this.#invalidOrder();
      while (this.#before(pivot, this.#table.get(--right))) if (right < low) throw this.#invalidOrder();
      if (right < left) break;
      this.#store(left, this.#table.get(right), right, this.#table.get(left));
    }
    this.#store(high - 1, this.#table.get(left), left, this.#table.get(high - 1));
    return left;
  }

  #invalidOrder(): LuaError {
    return this.#state.error("invalid order function for sorting");
  }
}
