/**
 * What could go wrong, and the test for it:
 * - an entry in memory costs much more than its value ........... "costs at most 1.3"
 * - what is known of changes grows with their number ............ "a million changes leave nothing"
 */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { backends } from "../support/backends.ts";
import { endOf, Mortals } from "../support/mortal.ts";

interface Outcome {
  readonly size: number;
  readonly entries: number;
  readonly bareBytes: number;
  readonly l1Bytes: number;
  readonly changes: number;
  readonly changedBytes: number;
}

describe.each(backends("standalone"))("a cache's memory [$name]", ({ url }) => {
  it("costs at most 1.3 times that of a bare lru-cache, and a million changes leave nothing", async () => {
    await using program = await Mortals.of(new URL("memory.child.ts", import.meta.url));
    const child = program.start(url, `test-${randomUUID()}`);
    const ended = endOf(child).then((by) => Promise.reject(new Error(`it ended by ${by}`)));
    const [outcome] = (await Promise.race([once(child, "message"), ended])) as [Outcome];
    const { size, entries, bareBytes, l1Bytes, changes, changedBytes } = outcome;
    expect([size, entries]).toEqual([100_000, 100_000]);
    expect(l1Bytes / bareBytes).toBeLessThan(1.3);
    expect(changes).toBe(1_000_000);
    // The last few thousand of them are known by their ids.
    expect(changedBytes).toBeLessThan(1_000_000);
  });
});
