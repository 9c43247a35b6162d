/**
 * What could go wrong, and the test for each:
 * - windows that are over are read each time, or never again ......... "once a minute"
 * - what was read is kept however large it is ........................ "not kept"
 * - what was forgotten while it was read comes back ................... "forgotten"
 */
import { describe, expect, it } from "vitest";
import type { Runtime } from "../../base/runtime.ts";
import { ClosedWindows } from "./closed-windows.ts";

describe("closed windows", () => {
  const clock = { ms: 0 };
  const made = (): ClosedWindows<readonly number[]> =>
    new ClosedWindows({}, { now: () => clock.ms } as Runtime, "test", "x", 4, ({ length }) => length < 3);
  const list = (length: number): Promise<number[]> => Promise.resolve(Array.from({ length }, () => 0));

  it("are read once a minute", async () => {
    const closed = made();
    expect(await closed.read("a", 1, 5, () => list(1))).toHaveLength(1);
    expect(await closed.read("a", 1, 5, () => list(2))).toHaveLength(1);
    expect(await closed.read("a", 2, 6, () => list(2))).toHaveLength(2);
    clock.ms += 60_000;
    expect(await closed.read("a", 2, 6, () => list(0))).toHaveLength(0);
  });

  it("are not kept where they are large", async () => {
    const closed = made();
    expect(await closed.read("a", 1, 5, () => list(3))).toHaveLength(3);
    expect(await closed.read("a", 1, 5, () => list(1))).toHaveLength(1);
  });

  it("that were forgotten while they were read are read again", async () => {
    const closed = made();
    const reading = closed.read("a", 1, 5, () => list(1));
    closed.forget("a");
    expect(await reading).toHaveLength(1);
    expect(await closed.read("a", 1, 5, () => list(2))).toHaveLength(2);
  });
});
