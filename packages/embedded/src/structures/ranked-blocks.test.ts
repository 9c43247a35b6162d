import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { SeededRandom } from "../base/random.ts";
import { RankedBlocks } from "./ranked-blocks.ts";
import type { Ranked } from "./score-block.ts";

function byRank(a: Ranked, b: Ranked): number {
  return a.score - b.score || (a.key < b.key ? -1 : 1);
}

/** Grows to several blocks, shrinks, and grows again, along with a sorted array. */
function run(seed: number, steps: number): { readonly blocks: RankedBlocks<Ranked>; readonly model: Ranked[] } {
  const random = new SeededRandom(seed);
  const blocks = new RankedBlocks<Ranked>();
  let model: Ranked[] = [];
  let growing = 0.8;
  for (let i = 0; i < steps; i += 1) {
    if (random.chance(0.001)) growing = random.pick([0.1, 0.5, 0.9]);
    if (random.chance(growing) || model.length === 0) {
      const node = { key: `k${i}`, score: random.chance(0.3) ? i : random.integer(0, 50) };
      blocks.add(node);
      model.push(node);
    } else {
      model = change(random, blocks, model);
    }
    if (i % 250 === 0) compare(random, blocks, model);
  }
  return { blocks, model: model.sort(byRank) };
}

function change(random: SeededRandom, blocks: RankedBlocks<Ranked>, model: Ranked[]): Ranked[] {
  const node = random.pick(model);
  if (random.chance(0.5)) {
    blocks.move(node, random.chance(0.5) ? node.score + 0.01 : random.integer(0, 50));
    return model;
  }
  if (random.chance(0.98)) {
    blocks.delete(node);
    return model.filter((other) => other !== node);
  }
  const start = random.integer(0, model.length);
  const end = Math.min(model.length, start + random.integer(0, 700));
  const kept = model.sort(byRank).filter((_, i) => i < start || i >= end);
  expect(blocks.deleteSlice(start, end).length).toBe(end - start);
  return kept;
}

function compare(random: SeededRandom, blocks: RankedBlocks<Ranked>, model: Ranked[]): void {
  model.sort(byRank);
  expect([...blocks.values()]).toEqual(model);
  expect(blocks.size).toBe(model.length);
  if (model.length === 0) return;
  const at = random.integer(0, model.length - 1);
  expect(blocks.rank(model[at] as Ranked)).toBe(at);
  expect(blocks.slice(at, Math.min(at + 600, model.length))).toEqual(model.slice(at, at + 600));
  const score = random.integer(-1, 60);
  expect(blocks.countScores(score, false)).toBe(model.filter((node) => node.score < score).length);
  expect(blocks.countScores(score, true)).toBe(model.filter((node) => node.score <= score).length);
}

describe("ranked blocks", () => {
  it("hold what a sorted array would hold, through many blocks", () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const { blocks, model } = run(seed, 6000);
        expect([...blocks.values()]).toEqual(model);
      }),
      { numRuns: 8 },
    );
  });

  it("order equal scores by key, through many blocks", () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer({ min: 0, max: 4000 }), (seed, bound) => {
        const random = new SeededRandom(seed);
        const blocks = new RankedBlocks<Ranked>();
        const nodes = Array.from({ length: 4000 }, (_, i) => ({ key: String(i).padStart(4, "0"), score: 7 }));
        const inOrder = [...nodes];
        while (nodes.length > 0) blocks.add(nodes.splice(random.integer(0, nodes.length - 1), 1)[0] as Ranked);
        expect([...blocks.values()]).toEqual(inOrder);
        const key = String(bound).padStart(4, "0");
        expect(blocks.countKeys((other) => other < key)).toBe(bound);
        for (let i = 0; i < 4000; i += 97) expect(blocks.rank(inOrder[i] as Ranked)).toBe(i);
      }),
      { numRuns: 4 },
    );
  });
});
