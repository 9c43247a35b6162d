// What could go wrong, and the test for each:
// - a commit has what letters have changed of the state, and does not settle all of them ... "what changes the state"
// - a commit settles more letters than is good for the server .............................. "in parts"
import { describe, expect, it } from "vitest";
import { systemRuntime } from "../../base/runtime.ts";
import { jsonCodec } from "../../core/codec/codec.ts";
import { PartitionState } from "../state/partition-state.ts";
import { StateCodec } from "../state/stored.ts";
import { Share } from "./share.ts";

function handled(count: number, state?: PartitionState): Share {
  const share = new Share(
    systemRuntime,
    { partition: 0, fence: 1, size: 10, cursor: 0, tries: "", state },
    () => undefined,
  );
  for (let at = 0; at < count; at += 1) share.skipLetter({ name: `1.${at}`, place: String(at) });
  return share;
}

describe("letters that are handled", () => {
  it("go with what changes the state, all of them in its commit", () => {
    const codec = new StateCodec(jsonCodec, "test");
    const state = new PartitionState({ codec, maxNames: 10, names: 0, read: () => Promise.resolve([]) });
    const share = handled(2_500, state);
    expect(share.takeHandledLetters()).toHaveLength(2_500);
    expect(share.hasHandledLetters).toBe(false);
  });

  it("go in parts where there is no state, none twice", () => {
    const share = handled(2_500);
    const parts = [1, 2, 3].map(() => share.takeHandledLetters());
    expect(parts.map(({ length }) => length)).toEqual([1_000, 1_000, 500]);
    expect(new Set(parts.flat().map(({ name }) => name)).size).toBe(2_500);
  });
});
