/**
 * What could go wrong, and the test for it:
 * - a value loaded before a delete or set is stored or served after it ... "no stale value"
 * - every process loads the same key at once ............................. "one load for the fleet"
 * - the process that loads dies, and the others wait for ever ............ "takes over from a dead loader"
 * - a load fails or hangs, and its callers with it ....................... "a loader that fails", "a load beyond loadTimeout"
 */
import { describe, expect, it } from "vitest";
import { backends } from "../../test/support/backends.ts";
import { randomName, TwoHandles } from "../../test/support/two-handles.ts";
import { connect } from "../connect.ts";
import { TimeoutError } from "../base/errors.ts";
import type { Holdfast } from "../holdfast.ts";
import type { Cache } from "./cache.ts";

interface Gate {
  readonly opened: Promise<void>;
  open(): void;
}

function gate(): Gate {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

describe.each(backends())("getOrSet [$name]", ({ url, options }) => {
  const two = new TwoHandles({ url, options });

  /** The same cache as two processes see it. */
  const pair = (settings: Parameters<Holdfast["cache"]>[1] = {}): [Cache<unknown>, Cache<unknown>] => {
    const name = randomName();
    return [two.a.cache(name, settings), two.b.cache(name, settings)];
  };

  it("one load for the fleet: a hundred callers in two processes, one loader call", async () => {
    const [here, there] = pair();
    let loads = 0;
    const hold = gate();
    const load = async (): Promise<string> => {
      loads += 1;
      await hold.opened;
      return "loaded";
    };
    const callers = Array.from({ length: 100 }, (_, at) => (at % 2 === 0 ? here : there).getOrSet("k", load));
    await expect.poll(() => here.stats().waited + there.stats().waited).toBe(1);
    hold.open();
    expect(new Set(await Promise.all(callers))).toEqual(new Set(["loaded"]));
    expect(loads).toBe(1);
    expect(here.stats().joined + there.stats().joined).toBe(98);
  });

  it("no stale value: a delete while a load runs", async () => {
    const [here, there] = pair();
    const reading = gate();
    const hold = gate();
    const old = here.getOrSet("k", async () => {
      reading.open();
      await hold.opened;
      return "old";
    });
    await reading.opened;
    await there.delete("k");
    // A caller of the very process whose load is stale begins after the delete: it must not join.
    const fresh = await here.getOrSet("k", () => "new");
    expect(fresh).toBe("new");
    hold.open();
    expect(await old).toBe("old");
    expect(await there.get("k")).toBe("new");
    expect(here.stats().superseded).toBe(1);
  });

  it("no stale value: a set while a load runs", async () => {
    const [here, there] = pair();
    const reading = gate();
    const hold = gate();
    const old = here.getOrSet("k", async () => {
      reading.open();
      await hold.opened;
      return "old";
    });
    await reading.opened;
    await there.set("k", "written");
    hold.open();
    await old;
    expect(await here.get("k")).toBe("written");
  });

  it("no stale value: racing loads, sets and deletes against a versioned source", async () => {
    const [here, there] = pair();
    let version = 0;
    const load = async (): Promise<number> => {
      const read = version;
      await new Promise((resolve) => setImmediate(resolve));
      return read;
    };
    for (let round = 0; round < 60; round += 1) {
      const reads = [here, there, here, there].map((cache) => cache.getOrSet("k", load));
      version += 1;
      const written = version;
      await (round % 3 === 0 ? there.set("k", written) : here.delete("k"));
      // Whatever the loads in flight had read, no caller from now on may see less than what was written.
      expect(await there.getOrSet("k", load)).toBeGreaterThanOrEqual(written);
      expect(await here.getOrSet("k", load)).toBeGreaterThanOrEqual(written);
      await Promise.all(reads);
      expect(await here.getOrSet("k", load)).toBeGreaterThanOrEqual(written);
    }
  });

  it("a loader that fails rejects all its callers, stores nothing, and lets the next one try", async () => {
    const [here, there] = pair();
    const failing = (): Promise<never> => Promise.reject(new Error("database down"));
    const callers = await Promise.allSettled([here.getOrSet("k", failing), here.getOrSet("k", failing)]);
    expect(callers.map((caller) => (caller as PromiseRejectedResult).reason.message)).toEqual([
      "database down",
      "database down",
    ]);
    expect(await there.getOrSet("k", () => "second")).toBe("second");
  });

  it("a waiter is woken when the loader of another process fails, and loads itself", async () => {
    const [here, there] = pair({ loadLease: "30s", loadTimeout: "20s" });
    const hold = gate();
    const first = here.getOrSet("k", async () => {
      await hold.opened;
      throw new Error("database down");
    });
    await expect.poll(() => here.stats().loads).toBe(1);
    const second = there.getOrSet("k", () => "mine");
    await expect.poll(() => there.stats().waited).toBe(1);
    hold.open();
    await expect(first).rejects.toThrow("database down");
    expect(await second).toBe("mine");
  });

  it("takes over from a dead loader once its short lease has ended", async () => {
    const [, there] = pair({ loadLease: 300 });
    const dead = await connect(url, { ...options, prefix: two.prefix });
    const dying = dead.cache(there.name, { loadLease: 300 });
    const began = gate();
    const lost = dying.getOrSet("k", (): Promise<string> => {
      began.open();
      return new Promise(() => undefined);
    });
    lost.catch(() => undefined);
    await began.opened;
    await dead.close(); // its renewals end with it, as if the process had died
    expect(await there.getOrSet("k", () => "taken over")).toBe("taken over");
  });

  it("undefined is remembered only with negativeTtl, null is a value", async () => {
    const [plain] = pair();
    const [negative] = pair({ negativeTtl: "1m" });
    let loads = 0;
    const none = (): undefined => void (loads += 1);
    await plain.getOrSet("k", none);
    await plain.getOrSet("k", none);
    expect(loads).toBe(2);
    await negative.getOrSet("k", none);
    await negative.getOrSet("k", none);
    expect(loads).toBe(3);
    expect(await plain.getOrSet("n", () => null)).toBeNull();
    expect(await plain.get("n")).toBeNull();
  });

  it("a load beyond loadTimeout: its callers get a TimeoutError and its signal fires", async () => {
    const [here] = pair({ loadTimeout: 50 });
    let reason: unknown;
    const slow = here.getOrSet(
      "k",
      ({ signal }) => new Promise<string>(() => signal.addEventListener("abort", () => (reason = signal.reason))),
    );
    await expect(slow).rejects.toBeInstanceOf(TimeoutError);
    expect(reason).toBeInstanceOf(TimeoutError);
  });

  it("a caller may stop waiting; the load goes on for the others", async () => {
    const [here] = pair();
    const hold = gate();
    const controller = new AbortController();
    const load = async (): Promise<string> => {
      await hold.opened;
      return "v";
    };
    const impatient = here.getOrSet("k", load, { signal: controller.signal });
    const patient = here.getOrSet("k", load);
    controller.abort(new Error("client went away"));
    await expect(impatient).rejects.toMatchObject({ code: "ABORTED" });
    hold.open();
    expect(await patient).toBe("v");
  });
});
