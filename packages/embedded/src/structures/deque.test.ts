import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Deque } from "./deque.ts";

/** Places as fractions of the size, so that they always fit. */
const step = fc.record({
  kind: fc.constantFrom("front", "back", "back", "insert", "set", "delete", "each"),
  from: fc.double({ min: 0, max: 0.999, noNaN: true }),
  to: fc.double({ min: 0, max: 0.999, noNaN: true }),
  item: fc.integer(),
});

function apply(
  deque: Deque<number>,
  model: number[],
  { kind, from, to, item }: typeof step extends fc.Arbitrary<infer S> ? S : never,
): void {
  const place = Math.floor(from * model.length);
  const end = place + Math.floor(to * (model.length - place + 1));
  if (kind === "front") {
    deque.pushFront(item);
    model.unshift(item);
  } else if (kind === "back") {
    deque.pushBack(item);
    model.push(item);
  } else if (kind === "insert") {
    deque.insert(place, item);
    model.splice(place, 0, item);
  } else if (kind === "set" && model.length > 0) {
    deque.set(place, item);
    model[place] = item;
  } else if (kind === "delete") {
    deque.delete(place, end);
    model.splice(place, end - place);
  } else if (kind === "each") {
    const places = model.map((_, i) => i).filter((i) => (i * 7 + item) % 3 === 0);
    deque.deleteEach(places);
    for (const at of places.toReversed()) model.splice(at, 1);
  }
}

describe("a deque", () => {
  it("holds what an array would hold", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const deque = new Deque<number>();
        const model: number[] = [];
        for (const one of steps) {
          apply(deque, model, one);
          expect(deque.slice(0, deque.size)).toEqual(model);
        }
        expect(deque.size).toBe(model.length);
      }),
    );
  });
});
