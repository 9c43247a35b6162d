/**
 * What could go wrong, and the test for each:
 * - a deadline comes early, late or never ......................... "on time", "is not early", "idle for long"
 * - an entry that has left expires all the same ................... "never expires an entry that was removed"
 * - the one timer under all deadlines is lost ..................... "heals by the next entry", "heals by the first"
 */
import { describe, expect, it, vi } from "vitest";
import { fakeTimeRuntime, SLACK_MS, useFakeTime } from "../../../test/support/fake-time.ts";
import type { Runtime } from "../../base/runtime.ts";
import { WaitingRoom } from "./waiting-room.ts";
import { DeadlineWheel, WheelNode } from "./deadline-wheel.ts";

const ROUND_MS = 1_024 * 5;

class Entry extends WheelNode {
  expiredAt: number | undefined = undefined;
  onExpire: () => void = () => {};

  override expire(): void {
    this.expiredAt = performance.now();
    this.onExpire();
  }
}

/** The first timer that is set never fires. */
function withoutFirstTimer(): Runtime {
  let lost = false;
  const unlessFirst = (task: () => void): (() => void) => {
    const isFirst = !lost;
    lost = true;
    return isFirst ? () => undefined : task;
  };
  return {
    ...fakeTimeRuntime,
    setInterval: (task, ms) => fakeTimeRuntime.setInterval(unlessFirst(task), ms),
    setTimeout: (task, ms) => fakeTimeRuntime.setTimeout(unlessFirst(task), ms),
  };
}

useFakeTime();

describe("the deadline wheel", () => {
  it.each([1, 5, 12, 1_000, ROUND_MS - 1, ROUND_MS, 3 * ROUND_MS + 7])(
    "expires an entry of %d ms on time",
    (waitMs) => {
      vi.advanceTimersByTime(3);
      const wheel = new DeadlineWheel(fakeTimeRuntime);
      const entry = new Entry();
      const start = performance.now();
      wheel.add(entry, waitMs);
      vi.advanceTimersByTime(waitMs + SLACK_MS);
      expect(entry.expiredAt! - start).toBeGreaterThanOrEqual(waitMs);
      expect(entry.expiredAt! - start).toBeLessThanOrEqual(waitMs + SLACK_MS);
      expect(wheel.entries).toBe(0);
    },
  );

  it.each([0, 1, 2, 3, 4])("is not early for an entry that is scheduled %d ms after a tick", (offsetMs) => {
    const wheel = new DeadlineWheel(fakeTimeRuntime);
    wheel.add(new Entry(), 1_000);
    vi.advanceTimersByTime(5 + offsetMs);
    const entry = new Entry();
    const start = performance.now();
    wheel.schedule(entry, wheel.tickIn(10));
    vi.advanceTimersByTime(10 + SLACK_MS);
    expect(entry.expiredAt! - start).toBeGreaterThanOrEqual(10);
  });

  it("heals by the next entry where its timer was lost, and nothing is forgotten", () => {
    const wheel = new DeadlineWheel(withoutFirstTimer());
    const [forgotten, next] = [new Entry(), new Entry()];
    wheel.add(forgotten, 50);
    vi.advanceTimersByTime(5_000);
    expect(forgotten.expiredAt).toBeUndefined();
    for (let at = 0; at < 64; at += 1) wheel.add(at === 63 ? next : new Entry(), 50);
    vi.advanceTimersByTime(50 + SLACK_MS);
    expect(forgotten.expiredAt).toBeDefined();
    expect(next.expiredAt).toBeDefined();
    expect(wheel.entries).toBe(0);
  });

  it("heals by the first entry after it was empty", () => {
    const wheel = new DeadlineWheel(withoutFirstTimer());
    const [answered, next] = [new Entry(), new Entry()];
    wheel.add(answered, 50);
    wheel.remove(answered);
    vi.advanceTimersByTime(5_000);
    wheel.add(next, 50);
    vi.advanceTimersByTime(50 + SLACK_MS);
    expect(next.expiredAt).toBeDefined();
  });

  it("never expires an entry that was removed, however far it had come", () => {
    const wheel = new DeadlineWheel(fakeTimeRuntime);
    const [incoming, dated] = [new Entry(), new Entry()];
    wheel.add(dated, 50);
    vi.advanceTimersByTime(20);
    wheel.add(incoming, 50);
    for (const entry of [incoming, dated, dated]) wheel.remove(entry);
    expect(wheel.entries).toBe(0);
    vi.advanceTimersByTime(ROUND_MS);
    expect([incoming.expiredAt, dated.expiredAt]).toEqual([undefined, undefined]);
  });

  it("holds nothing of an entry that has left", () => {
    const wheel = new DeadlineWheel(fakeTimeRuntime);
    const entries = [new Entry(), new Entry(), new Entry()];
    for (const entry of entries) wheel.add(entry, 50);
    wheel.remove(entries[1]!);
    expect(wheel.nodes()).toEqual([entries[0], entries[2]]);
    expect(entries[1]!.next).toBe(entries[1]);
    expect(entries[1]!.prev).toBe(entries[1]);
  });

  it("moves an entry to a tick of its own, also to one that has passed", () => {
    const wheel = new DeadlineWheel(fakeTimeRuntime);
    const [later, past] = [new Entry(), new Entry()];
    for (const entry of [later, past]) wheel.add(entry, 20);
    wheel.schedule(later, wheel.tickIn(200));
    wheel.schedule(past, wheel.tickIn(-100));
    vi.advanceTimersByTime(100);
    expect(past.expiredAt).toBeDefined();
    expect(later.expiredAt).toBeUndefined();
    vi.advanceTimersByTime(100 + SLACK_MS);
    expect(later.expiredAt).toBeDefined();
  });

  it("lets an entry come back while it expires", () => {
    const wheel = new DeadlineWheel(fakeTimeRuntime);
    const entry = new Entry();
    entry.onExpire = () => {
      entry.onExpire = () => {};
      wheel.add(entry, 50);
    };
    wheel.add(entry, 50);
    vi.advanceTimersByTime(50 + SLACK_MS);
    expect(wheel.entries).toBe(1);
    vi.advanceTimersByTime(50 + SLACK_MS);
    expect(wheel.entries).toBe(0);
  });

  it("runs one timer, and none while it is empty", () => {
    const wheel = new DeadlineWheel(fakeTimeRuntime);
    const entries = Array.from({ length: 100 }, () => new Entry());
    for (const entry of entries) wheel.add(entry, 1_000);
    expect(vi.getTimerCount()).toBe(1);
    for (const entry of entries) wheel.remove(entry);
    vi.advanceTimersByTime(SLACK_MS);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("works again after it was idle for long", () => {
    const wheel = new DeadlineWheel(fakeTimeRuntime);
    wheel.add(new Entry(), 10);
    vi.advanceTimersByTime(10 * ROUND_MS);
    const entry = new Entry();
    wheel.add(entry, 10);
    vi.advanceTimersByTime(10 + SLACK_MS);
    expect(entry.expiredAt).toBeDefined();
  });

  it("reports when the last entry has left", () => {
    const wheel = new DeadlineWheel(fakeTimeRuntime);
    const empty = vi.fn<() => void>();
    wheel.onEmpty = empty;
    const [first, second] = [new Entry(), new Entry()];
    wheel.add(first, 10);
    wheel.add(second, 10);
    wheel.remove(first);
    expect(empty).not.toHaveBeenCalled();
    wheel.remove(second);
    expect(empty).toHaveBeenCalledTimes(1);
  });
});

describe("a blocked event loop", () => {
  it("lets a reply that has already come win over its deadline", async () => {
    vi.useRealTimers();
    const wheel = new DeadlineWheel(fakeTimeRuntime);
    const [answered, silent] = [new Entry(), new Entry()];
    const silentExpired = new Promise<void>((resolve) => {
      silent.onExpire = resolve;
    });
    const dated = new Entry();
    await new Promise<void>((resolve) => {
      dated.onExpire = resolve;
      wheel.add(dated, 1);
      for (const entry of [answered, silent]) wheel.add(entry, 500);
    });
    // From the check phase on, the timers are next and the poll comes after them.
    await new Promise((resolve) => setImmediate(resolve));
    // Both deadlines pass in here. The reply is input that the next poll finds, before the check phase.
    const { port1, port2 } = new MessageChannel();
    port2.once("message", () => wheel.remove(answered));
    port1.postMessage("reply");
    const start = performance.now();
    while (performance.now() - start < 700);
    await silentExpired;
    port1.close();
    expect(answered.expiredAt).toBeUndefined();
  });
});

describe("the waiting room", () => {
  it("heals by the next call that parks where its timer was lost", () => {
    const room = new WaitingRoom(10, withoutFirstTimer());
    let woken = 0;
    const waiter = { wake: () => void (woken += 1) };
    room.park({ ...waiter });
    vi.advanceTimersByTime(60_000);
    expect(woken).toBe(0);
    room.park({ ...waiter });
    vi.advanceTimersByTime(2_000);
    expect(woken).toBe(2);
  });
});
