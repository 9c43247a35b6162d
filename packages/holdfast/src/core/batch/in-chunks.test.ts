// What could go wrong, and the test for each:
// - all chunks are in flight at once ................... "has at most `parallel` chunks in flight"
// - results come back in another order ................. "returns the results in the order of the items"
// - a failure is lost, or work goes on after it ........ "rejects with the first failure and begins no chunk after it"
import { describe, expect, it } from "vitest";
import { Deferred } from "../../base/deferred.ts";
import { inChunks } from "./in-chunks.ts";

const numbers = (count: number): number[] => Array.from({ length: count }, (_, at) => at);

describe("inChunks", () => {
  it("has at most `parallel` chunks in flight", async () => {
    const open: Deferred<void>[] = [];
    let begun = 0;
    const all = inChunks(
      numbers(10),
      async (chunk) => {
        begun += 1;
        const gate = new Deferred<void>();
        open.push(gate);
        await gate.promise;
        return chunk;
      },
      { size: 2, parallel: 2 },
    );
    expect(begun).toBe(2);
    for (let at = 0; at < 5; at += 1) {
      open[at]!.resolve();
      // Lets the chunk's result travel and the next begin.
      await new Promise(setImmediate);
      expect(begun).toBe(Math.min(5, at + 3));
    }
    expect(await all).toEqual(numbers(10));
  });

  it("returns the results in the order of the items", async () => {
    const gates = numbers(3).map(() => new Deferred<void>());
    const all = inChunks(
      numbers(5),
      async (chunk) => {
        await gates[chunk[0]! / 2]!.promise;
        return chunk.map(String);
      },
      { size: 2, parallel: 3 },
    );
    for (const gate of gates.toReversed()) gate.resolve();
    expect(await all).toEqual(["0", "1", "2", "3", "4"]);
  });

  it("hands few items over as one chunk, and none at all for none", async () => {
    const chunks: (readonly number[])[] = [];
    const task = async (chunk: readonly number[]): Promise<readonly number[]> => {
      chunks.push(chunk);
      return chunk;
    };
    expect(await inChunks(numbers(2), task, { size: 2 })).toEqual([0, 1]);
    expect(await inChunks([], task)).toEqual([]);
    expect(chunks).toEqual([[0, 1]]);
  });

  it("rejects with the first failure and begins no chunk after it", async () => {
    const seen: number[] = [];
    const failing = inChunks(
      numbers(10),
      async (chunk) => {
        seen.push(chunk[0]!);
        if (chunk[0] === 2) throw new Error("no");
        return chunk;
      },
      { size: 2, parallel: 1 },
    );
    await expect(failing).rejects.toThrow("no");
    expect(seen).toEqual([0, 2]);
  });
});
