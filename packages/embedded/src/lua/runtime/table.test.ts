import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LuaTable } from "./table.ts";
import type { LuaValue } from "./value.ts";

function keys(table: LuaTable): LuaValue[] {
  const found: LuaValue[] = [];
  for (let at = table.nextPosition(-1); at !== -1; at = table.nextPosition(at)) found.push(table.keyAt(at));
  return found;
}

describe("order and border are Lua's", () => {
  it("string keys lie by their hash", () => {
    const table = new LuaTable();
    for (const key of ["a", "b", "c", "d", "e"]) table.set(key, 1);
    expect(keys(table)).toEqual(["a", "c", "b", "e", "d"]);
  });

  it("integers move to the array part when it would be more than half full", () => {
    const table = new LuaTable();
    for (let at = 8; at >= 1; at -= 1) table.set(at, at);
    expect(table.array.length).toBe(8);
    expect(keys(table)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it("the border of a list with holes depends on the size of the array part", () => {
    const constructed = new LuaTable(4);
    for (const [at, value] of [1, 2, undefined, 4].entries()) constructed.set(at + 1, value);
    expect(constructed.length()).toBe(4);
    const grown = new LuaTable();
    for (const at of [1, 2, 4]) grown.set(at, at);
    expect(grown.length()).toBe(4);
    grown.set(4, undefined);
    expect(grown.length()).toBe(2);
  });
});

type Step = { readonly key: LuaValue; readonly value: LuaValue };

const key = fc.oneof(
  fc.integer({ min: -3, max: 40 }),
  fc.constantFrom("a", "b", "name", "", "\xff"),
  fc.boolean(),
  fc.double({ noNaN: true }),
);
const step: fc.Arbitrary<Step> = fc.record({ key, value: fc.option(fc.integer(), { nil: undefined }) });

it("holds what a Map holds", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const table = new LuaTable();
      const model = new Map<LuaValue, LuaValue>();
      for (const { key, value } of steps) {
        table.set(key, value);
        if (value === undefined) model.delete(key);
        else model.set(key, value);
      }
      expect(new Set(keys(table).map((key) => (key === 0 ? 0 : key)))).toEqual(new Set(model.keys()));
      for (const [key, value] of model) expect(table.get(key)).toBe(value);
      const border = table.length();
      expect(border === 0 || table.get(border) !== undefined).toBe(true);
      expect(table.get(border + 1)).toBeUndefined();
    }),
  );
});

it("a traversal survives that what it meets is removed", () => {
  const table = new LuaTable();
  for (let at = 0; at < 100; at += 1) table.set(`k${at}`, at);
  let met = 0;
  for (let key: LuaValue = undefined; ; met += 1) {
    const position: number = table.nextPosition(table.positionOf(key)!);
    if (position === -1) break;
    key = table.keyAt(position);
    table.set(key, undefined);
  }
  expect(met).toBe(100);
  expect(keys(table)).toEqual([]);
});
