import { afterEach, describe, expect, it, vi } from "vitest";
import { createServer } from "../server.ts";
import type { Reply } from "./reply.ts";
import { system } from "./system.ts";
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

describe("under a test's fake timers", () => {
  afterEach(() => vi.useRealTimers());

  it("a real clock goes on", async () => {
    const before = Date.now();
    vi.useFakeTimers({ now: 0, toFake: ["setTimeout", "clearTimeout", "setImmediate", "Date", "performance"] });
    const clock = new RealClock();
    expect(clock.nowMs()).toBeGreaterThanOrEqual(before);
    const alive = system.setTimeout(() => undefined, 60_000);
    await new Promise<void>((resolve) => clock.setTimer(5, resolve));
    system.clearTimeout(alive);
  });

  it("a server answers: a busy script, a wait, a key that expires", async () => {
    vi.useFakeTimers();
    await using server = createServer();
    const events: unknown[] = [];
    const listener = server.connectInProcess({ push: (message) => events.push(message) });
    const client = server.connectInProcess();
    const ask = (...args: readonly string[]): Promise<Reply> => new Promise((resolve) => client.send(args, resolve));
    // Nothing else keeps the process from ending.
    const alive = system.setTimeout(() => undefined, 60_000);
    await ask("CONFIG", "SET", "busy-reply-threshold", "1", "notify-keyspace-events", "Ex");
    listener.send(["SUBSCRIBE", "__keyevent@0__:expired"], () => undefined);
    expect(await ask("EVAL", "local n = 0 while n < 3e6 do n = n + 1 end return n", "0")).toBe(3_000_000);
    await ask("SET", "key", "value", "PX", "1");
    expect(await ask("BLPOP", "nothing", "0.01")).toMatchObject({ kind: "nil-array" });
    while (events.length === 0) await new Promise((resolve) => system.setTimeout(resolve, 1));
    expect(events).toHaveLength(1);
    system.clearTimeout(alive);
  });
});
