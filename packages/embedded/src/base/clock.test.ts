import { describe, expect, it } from "vitest";
import { RealClock, VirtualClock } from "./clock.ts";

describe("a virtual clock", () => {
  it("fires timers in order of their deadline, each at its own time", () => {
    const clock = new VirtualClock(1000);
    const fired: string[] = [];
    const note = (name: string) => () => void fired.push(`${name}@${clock.nowMs()}`);
    clock.setTimer(30, note("late"));
    clock.setTimer(10, note("first"));
    clock.setTimer(10, note("second"));
    const cancelled = clock.setTimer(5, note("cancelled"));
    clock.setTimer(20, () => clock.setTimer(5, note("inner")));
    cancelled.cancel();
    expect(clock.nextDueMs()).toBe(1010);
    clock.advance(29);
    expect(fired).toEqual(["first@1010", "second@1010", "inner@1025"]);
    clock.advance(1);
    expect(fired.at(-1)).toBe("late@1030");
    expect(clock.nowMs()).toBe(1030);
    expect(clock.nowMicros()).toBe(1_030_000);
    expect(clock.nextDueMs()).toBeUndefined();
  });
});

describe("the real clock", () => {
  it("agrees with itself", () => {
    const clock = new RealClock();
    expect(Math.abs(clock.nowMicros() / 1000 - clock.nowMs())).toBeLessThan(1000);
  });

  it("fires, and does not fire what was cancelled", async () => {
    const clock = new RealClock();
    let cancelledFired = false;
    clock.setTimer(0, () => (cancelledFired = true)).cancel();
    // A real clock's timers keep nothing alive, so this one waits beside one that does.
    const alive = setTimeout(() => undefined, 60_000);
    await new Promise<void>((resolve) => clock.setTimer(5, resolve));
    clearTimeout(alive);
    expect(cancelledFired).toBe(false);
  });

  it("takes a deadline beyond what setTimeout can", () => {
    const timer = new RealClock().setTimer(2 ** 40, () => expect.unreachable("fired at once"));
    timer.cancel();
  });
});
