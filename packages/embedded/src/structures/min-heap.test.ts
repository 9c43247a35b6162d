import fc from "fast-check";
import { expect, it } from "vitest";
import { MinHeap } from "./min-heap.ts";

it("returns its elements in order, also after its content was replaced or filtered", () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), fc.array(fc.integer()), (first, second) => {
      const heap = new MinHeap<number>((a, b) => a < b);
      for (const item of second) heap.push(item);
      heap.replace([...first]);
      for (const item of second) heap.push(item);
      heap.filter((item) => item % 3 !== 0);
      for (const item of second) heap.push(item);
      const taken: number[] = [];
      for (let item = heap.pop(); item !== undefined; item = heap.pop()) taken.push(item);
      const kept = [...first, ...second].filter((item) => item % 3 !== 0);
      expect(taken).toEqual([...kept, ...second].sort((a, b) => a - b));
    }),
  );
});
