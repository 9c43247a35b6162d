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
      for (const one of steps) apply(sums, model, one);
      expect(seen(sums, model)).toEqual(known(model));
    }),
  );
});

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** Asked now and then, so that changes meet a fresh tree and one that is not. */
function apply(sums: PrefixSums, model: number[], { kind, place, by }: Step): void {
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
  } else {
    sums.before(index);
  }
}

interface Place {
  readonly before: number;
  /** Where its first and its last element are. */
  readonly first: unknown;
  readonly last: unknown;
}

function seen(sums: PrefixSums, model: readonly number[]): Place[] {
  return model.map((count, index) => {
    const before = sums.before(index);
    return { before, first: sums.find(before), last: sums.find(before + count - 1) };
  });
}

function known(model: readonly number[]): Place[] {
  return model.map((count, index) => ({
    before: model.slice(0, index).reduce((sum, other) => sum + other, 0),
    first: { index, offset: 0 },
    last: { index, offset: count - 1 },
  }));
}
