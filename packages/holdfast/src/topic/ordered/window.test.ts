// What could go wrong, and the test for each:
// - the cursor passes a message that is not finished ...... "passes what is finished, and nothing above what is not"
// - a place in the ring is taken for finished from its last use ... as above, many rounds
// - a commit names the time of another message ............ "knows when the message at the cursor was published"
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Window } from "./window.ts";

describe("what is read and not committed", () => {
  it("passes what is finished, and nothing above what is not; never holds more than its size", () => {
    const run = fc.property(
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 0, max: 1_000 }),
      fc.array(fc.nat(), { maxLength: 200 }),
      (size, cursor, choices) => {
        const window = new Window(size, cursor);
        const open: number[] = [];
        for (const choice of choices) {
          if (choice % 3 === 0) window.committed = window.passed;
          if (window.room > 0 && (choice % 2 === 0 || open.length === 0)) open.push(window.begin());
          else if (open.length === 0) window.committed = window.passed;
          else window.finish(open.splice(choice % open.length, 1)[0]!);
          const expected = open.length === 0 ? window.read : Math.min(...open) - 1;
          expect(window.passed).toBe(expected);
          // After a crash it is delivered again.
          expect(window.read - window.committed).toBeLessThanOrEqual(size);
        }
      },
    );
    fc.assert(run, { numRuns: 200, seed: 1 });
  });

  it("knows when the message at the cursor was published, and of those before it nothing", () => {
    const window = new Window(10, 4);
    window.stretch(5, 6, 100);
    window.stretch(7, 7, 200);
    expect(window.passedAt()).toBe(0);
    for (let count = 0; count < 3; count += 1) window.begin();
    window.finish(6);
    expect(window.passedAt()).toBe(0);
    window.finish(5);
    expect([window.passed, window.passedAt()]).toEqual([6, 100]);
    window.finish(7);
    expect([window.passed, window.passedAt()]).toEqual([7, 200]);
    window.jump(20);
    expect([window.passed, window.read, window.passedAt()]).toEqual([20, 20, 0]);
  });
});
