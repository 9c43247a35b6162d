import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { IndexedMap, type Node } from "./indexed-map.ts";

const key = fc.integer({ min: 0, max: 60 }).map(String);
const change = fc.record({ add: fc.boolean(), key });

function apply(map: IndexedMap<Node>, { add, key }: { add: boolean; key: string }): void {
  if (!add) map.delete(key);
  else if (!map.has(key)) map.add({ key });
}

describe("an indexed map", () => {
  it("holds what a plain set would hold", () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 300 }), (changes) => {
        const map = new IndexedMap<Node>();
        const model = new Set<string>();
        for (const one of changes) {
          apply(map, one);
          if (one.add) model.add(one.key);
          else model.delete(one.key);
        }
        expect([...map.keys()].sort()).toEqual([...model].sort());
        expect(
          map
            .scan(0, 1000)
            .nodes.map(({ key }) => key)
            .sort(),
        ).toEqual([...model].sort());
        expect(map.size).toBe(model.size);
        const any = map.random(Math.random);
        expect(any === undefined ? model.size === 0 : model.has(any.key)).toBe(true);
      }),
    );
  });

  it("misses nothing in a scan that was there all the time", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(key),
        fc.array(fc.array(change, { maxLength: 30 })),
        fc.integer({ min: 1, max: 9 }),
        (first, rounds, count) => {
          const map = new IndexedMap<Node>();
          for (const key of first) map.add({ key });
          const always = new Set(first);
          const seen = new Set<string>();
          let cursor = 0;
          let round = 0;
          do {
            const step = map.scan(cursor, count);
            for (const node of step.nodes) seen.add(node.key);
            cursor = step.cursor;
            for (const one of rounds[round++] ?? []) {
              apply(map, one);
              if (!one.add) always.delete(one.key);
            }
          } while (cursor !== 0);
          for (const key of always) expect(seen).toContain(key);
        },
      ),
    );
  });
});
