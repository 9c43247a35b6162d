import fc from "fast-check";
import { expect, it } from "vitest";
import { PlaceIndex } from "./place-index.ts";

/** Few keys, many changes: slots are taken, freed and moved together again and again. */
const change = fc.record({
  kind: fc.constantFrom("add", "add", "add", "delete", "delete", "renumber"),
  key: fc.integer({ min: 0, max: 200 }).map((number) => `key:${number}`),
});

it("finds every key where it stands, and no other", () => {
  fc.assert(
    fc.property(fc.array(change, { maxLength: 600 }), (changes) => {
      const index = new PlaceIndex();
      let nodes: ({ readonly key: string } | undefined)[] = [];
      for (const { kind, key } of changes) {
        const slot = index.find(key, nodes);
        if (kind === "add" && slot === -1) index.add(key, nodes.push({ key }) - 1);
        else if (kind === "delete" && slot !== -1) {
          nodes[index.placeAt(slot)] = undefined;
          index.delete(slot);
        } else if (kind === "renumber") nodes = closed(index, nodes);
      }
      for (let number = 0; number <= 200; number += 1) {
        const slot = index.find(`key:${number}`, nodes);
        const place = nodes.findIndex((node) => node?.key === `key:${number}`);
        expect(slot === -1 ? -1 : index.placeAt(slot)).toBe(place);
      }
    }),
  );
});

function closed<T>(index: PlaceIndex, nodes: readonly (T | undefined)[]): (T | undefined)[] {
  const kept = nodes.filter((node) => node !== undefined);
  index.renumber(Int32Array.from(nodes, (node) => (node === undefined ? 0 : kept.indexOf(node))));
  return kept;
}
