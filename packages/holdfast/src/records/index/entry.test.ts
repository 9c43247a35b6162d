// What could go wrong, and the test for each:
// - bytes order otherwise than values .................................. "order as the values do"
// - an entry is read as something else than it was made of ............. "an entry is read back"
// - a bound leaves out what fits, where texts are cut or have a NUL .... "whatever fits is within the bounds"
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cutKey, entryOf, entryRanges, headOf, placeOf, readEntry, valueKey } from "./entry.ts";
import { conditionsOf, fitting } from "./where.ts";

const TOKEN = "abcdefgh00000000";
const NUMBER = fc.double({ noNaN: true });
/** Short ones of few letters, and long ones that differ behind where entries are cut. */
const TEXT = fc.oneof(
  fc.string({ unit: fc.constantFrom("a", "b", "\0", "é", "😀", "\x01"), maxLength: 5 }),
  fc
    .tuple(fc.integer({ min: 250, max: 260 }), fc.string({ unit: fc.constantFrom("a", "\0", "é"), maxLength: 8 }))
    .map(([length, end]) => "a".repeat(length) + end),
);
const ID = fc.string({ unit: fc.constantFrom("a", "b", "\0", "é"), minLength: 1, maxLength: 4 });
const VALUE = fc.oneof(NUMBER, TEXT, fc.boolean(), fc.constant(null), fc.date({ noInvalidDate: true }));

const compare = (a: unknown, b: unknown): number => {
  if (typeof a === "string") return Buffer.compare(Buffer.from(a), Buffer.from(b as string));
  return Number(a) < Number(b) ? -1 : Number(a) > Number(b) ? 1 : 0;
};

describe("entries of an index", () => {
  it.each<[string, fc.Arbitrary<unknown>]>([
    ["numbers", NUMBER],
    ["texts", TEXT],
    ["booleans", fc.boolean()],
    ["dates", fc.date({ noInvalidDate: true })],
  ])("order as the values do: %s", (_name, of) => {
    const property = fc.property(of, of, (a, b) => Buffer.compare(valueKey(a)!, valueKey(b)!) === compare(a, b));
    expect(() => fc.assert(property, { seed: 1, numRuns: 500 })).not.toThrow();
  });

  it("an entry is read back, and what is none is not", () => {
    const property = fc.property(VALUE, ID, (value, id) => {
      const key = valueKey(value)!;
      const read = readEntry(entryOf("field", key, id, TOKEN))!;
      expect(read).toMatchObject({ field: "field", id, token: TOKEN });
      expect(read.value.equals(cutKey(key))).toBe(true);
      expect(read.key.equals(Buffer.concat([headOf("field"), cutKey(key)]))).toBe(true);
    });
    expect(() => fc.assert(property, { seed: 1, numRuns: 500 })).not.toThrow();
    for (const text of [
      "",
      "\0",
      "\0!12",
      "field",
      "field\0",
      "field\0s",
      "field\0x\0id\0tooshort",
      `f\0sa\0\0${TOKEN}`,
    ])
      expect(readEntry(Buffer.from(text))).toBeUndefined();
  });

  it("whatever fits is within the bounds", () => {
    const bound = fc.oneof(TEXT, NUMBER);
    const where = fc.oneof(
      bound,
      fc.record({ gte: bound, lt: bound }),
      fc.record({ gt: bound }),
      fc.record({ lte: bound }),
      fc.record({ prefix: TEXT }),
      fc.record({ in: fc.array(bound, { minLength: 1, maxLength: 4 }) }),
    );
    const property = fc.property(where, fc.oneof(TEXT, NUMBER), ID, (given, value, id) => {
      const [condition] = conditionsOf({ f: given }, () => true);
      if (fitting(condition!, value).length === 0) return;
      const entry = entryOf("f", valueKey(value)!, id, TOKEN);
      const within = entryRanges("f", condition!.ranges).filter(
        ({ min, max }) => Buffer.compare(entry, min) >= 0 && Buffer.compare(entry, max) < 0,
      );
      expect(within).toHaveLength(1);
    });
    expect(() => fc.assert(property, { seed: 1, numRuns: 3_000 })).not.toThrow();
  });

  it("a place is behind all entries of its value and id, and before those of the next", () => {
    const property = fc.property(TEXT, ID, ID, (value, id, other) => {
      const key = Buffer.concat([headOf("f"), cutKey(valueKey(value)!)]);
      const { min, max } = placeOf({ key, id });
      const entry = entryOf("f", valueKey(value)!, other, TOKEN);
      const sides = [Buffer.compare(entry, min), Buffer.compare(entry, max)];
      expect(other === id ? sides.join() === "1,-1" : sides[0] === sides[1]).toBe(true);
    });
    expect(() => fc.assert(property, { seed: 1, numRuns: 2_000 })).not.toThrow();
  });
});
