import fc from "fast-check";
import { expect, it } from "vitest";
import { PrefixSums } from "./prefix-sums.ts";

const step = fc.record({
  kind: fc.constantFrom("insert", "insert", "delete", "add", "add", "ask"),
  place: fc.double({ min: 0, max: 0.999, noNaN: true }),
  by: fc.integer({ min: 1, max: 9 }),
});

it("knows the sums of an array of counts", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const sums = new PrefixSums();
      const model: number[] = [];
      for (const { kind, place, by } of steps) {
        const index = Math.floor(place * model.length);
        if (kind === "insert") {
          sums.insert(index, by);
          model.splice(index, 0, by);
        } else if (kind === "delete") {
          sums.delete(index, by);
          model.splice(index, by);
        } else if (kind === "add" && model.length > 0) {
          sums.add(index, by);
          model[index] = (model[index] as number) + by;
        } else compare(sums, model);
      }
      compare(sums, model);
    }),
  );
});

function compare(sums: PrefixSums, model: readonly number[]): void {
  let before = 0;
  for (const [index, count] of model.entries()) {
    expect(sums.before(index)).toBe(before);
    expect(sums.find(before)).toEqual({ index, offset: 0 });
    expect(sums.find(before + count - 1)).toEqual({ index, offset: count - 1 });
    before += count;
  }
  expect(sums.before(model.length)).toBe(before);
}
