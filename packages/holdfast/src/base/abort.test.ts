/**
 * What could go wrong, and the test for it:
 * - a listener per call: Node warns of a leak at the eleventh .............. "one listener"
 * - a listener that stays when the last follower has left .................. "none once"
 * - who has left is called all the same .................................... "unless it has left"
 */
import { describe, expect, it, vi } from "vitest";
import { onAbort } from "./abort.ts";
import { sleep, systemRuntime } from "./runtime.ts";

type Heard = (reason: unknown) => void;

describe("following an AbortSignal", () => {
  it("takes one listener for all followers, and none once they have left", () => {
    const { signal } = new AbortController();
    const added = vi.spyOn(signal, "addEventListener");
    const removed = vi.spyOn(signal, "removeEventListener");
    const leave = Array.from({ length: 20 }, () => onAbort(signal, () => undefined));
    for (const each of leave) each();
    expect(added).toHaveBeenCalledTimes(1);
    expect(removed.mock.calls).toEqual(added.mock.calls);
  });

  it("calls every follower with the reason, unless it has left", () => {
    const controller = new AbortController();
    const [first, second, gone] = [vi.fn<Heard>(), vi.fn<Heard>(), vi.fn<Heard>()];
    onAbort(controller.signal, first);
    onAbort(controller.signal, second);
    onAbort(controller.signal, gone)();
    controller.abort("enough");
    expect([first, second].map((each) => each.mock.calls)).toEqual([[["enough"]], [["enough"]]]);
    expect(gone).not.toHaveBeenCalled();
  });

  it("ends twenty sleeps of one signal", async () => {
    const controller = new AbortController();
    const added = vi.spyOn(controller.signal, "addEventListener");
    const sleeps = Array.from({ length: 20 }, () => sleep(systemRuntime, 60_000, controller.signal));
    controller.abort();
    await Promise.all(sleeps);
    expect(added).toHaveBeenCalledTimes(1);
  });
});
