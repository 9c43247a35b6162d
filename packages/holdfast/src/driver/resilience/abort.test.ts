import { describe, expect, it, vi } from "vitest";
import type { Call, Driver, OpClass } from "../port.ts";
import { AbortedError, OutcomeUnknownError } from "../../base/errors.ts";
import { aWhile, now, setUp, TIMEOUT_MS, useFakeTime } from "../../../test/support/fake-time.ts";
import { refused, refusedWith, watch } from "../../../test/support/scripted-transport.ts";

const ALL: OpClass[] = ["read", "idempotent", "dedupable", "unsafe"];

useFakeTime();

function callOf(opClass: OpClass, signal: AbortSignal): Call {
  return { op: "box.put", class: opClass, key: "k1", signal };
}

/** What the call failed with; undefined while it is not settled. */
function send(driver: Driver, opClass: OpClass, signal: AbortSignal): () => unknown {
  const outcome = watch(driver.send(["PUT", "k1"], callOf(opClass, signal), "k1"));
  return () => (outcome() as { error: unknown } | undefined)?.error;
}

describe("the caller's signal", () => {
  const reason = new Error("changed my mind");

  it.each(ALL)("ends a %s call before it is sent", async (opClass) => {
    const { driver, transport } = setUp([]);
    const result = send(driver, opClass, AbortSignal.abort(reason));
    await now();
    expect(result()).toBeInstanceOf(AbortedError);
    expect(result()).toMatchObject({ cause: reason });
    expect(transport.attempts).toHaveLength(0);
  });

  it.each([
    ["read", AbortedError],
    ["idempotent", OutcomeUnknownError],
    ["dedupable", OutcomeUnknownError],
    ["unsafe", OutcomeUnknownError],
  ] as const)("ends a %s call that was sent with its reason as cause", async (opClass, expected) => {
    const { driver } = setUp([]);
    const abort = new AbortController();
    const result = send(driver, opClass, abort.signal);
    abort.abort(reason);
    await now();
    expect(result()).toBeInstanceOf(expected);
    expect(result()).toMatchObject({ cause: reason });
  });

  it.each([refused, refusedWith("LOADING")])("ends a waiting write as not executed: %j", async (step) => {
    const { driver, transport } = setUp([step]);
    const abort = new AbortController();
    const result = send(driver, "unsafe", abort.signal);
    await now();
    abort.abort(reason);
    await now();
    expect(result()).toBeInstanceOf(AbortedError);
    await aWhile(TIMEOUT_MS);
    expect(transport.attempts).toHaveLength(1);
  });

  it("has one listener for all calls that follow it, and none once they are over", async () => {
    const { driver, transport } = setUp([]);
    const { signal } = new AbortController();
    const added = vi.spyOn(signal, "addEventListener");
    const removed = vi.spyOn(signal, "removeEventListener");
    const outcomes = watch(driver.batch([["A"], ["B"]], callOf("read", signal)));
    transport.attempts[0]!.resolve("a");
    await now();
    expect(added).toHaveBeenCalledTimes(1);
    expect(removed).not.toHaveBeenCalled();
    transport.attempts[1]!.resolve("b");
    await now();
    expect(outcomes()).toEqual({ value: ["a", "b"] });
    expect(removed.mock.calls).toEqual(added.mock.calls);
  });

  it("ends every call that follows it, and only those", async () => {
    const { driver } = setUp([]);
    const [mine, other] = [new AbortController(), new AbortController()];
    const results = [mine, mine, other].map(({ signal }) => send(driver, "read", signal));
    mine.abort(reason);
    await now();
    expect(results.map((result) => result())).toEqual([expect.any(AbortedError), expect.any(AbortedError), undefined]);
  });
});
