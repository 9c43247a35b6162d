import { describe, expect, it, vi } from "vitest";
import type { Call, Driver } from "../port.ts";
import { TimeoutError, UnavailableError } from "../../base/errors.ts";
import { Breakers } from "./breaker.ts";
import type { ResilienceOptions } from "./driver.ts";
import { fakeTimeRuntime, type Scripted, setUp as setUpDriver, useFakeTime } from "../../../test/support/fake-time.ts";
import {
  lost,
  NODE,
  refused,
  refusedWith,
  repliedWith,
  reply,
  watch,
} from "../../../test/support/scripted-transport.ts";

const PATIENCE_MS = 1_000;
const COOL_DOWN_MS = 400;
const OPTIONS = { enabled: true, failures: 3, patienceMs: PATIENCE_MS, coolDownMs: COOL_DOWN_MS };
const READ: Call = { op: "box.get", class: "read" };

useFakeTime();

function opened(): Breakers {
  const breakers = new Breakers(OPTIONS, fakeTimeRuntime);
  for (let failure = 0; failure < OPTIONS.failures; failure++) breakers.failed("n", PATIENCE_MS);
  return breakers;
}

describe("a breaker", () => {
  it("stays closed through a burst of failures that is shorter than a deadline", () => {
    const breakers = new Breakers(OPTIONS, fakeTimeRuntime);
    for (let failure = 0; failure < 100; failure++) breakers.failed("n", 0);
    vi.advanceTimersByTime(PATIENCE_MS - 1);
    breakers.failed("n", 0);
    expect(breakers.holdMs("n")).toBe(0);
    vi.advanceTimersByTime(1);
    breakers.failed("n", 0);
    expect(breakers.holdMs("n")).toBeGreaterThan(0);
  });

  it("stays closed at few failures, however long ago the first one was", () => {
    const breakers = new Breakers(OPTIONS, fakeTimeRuntime);
    breakers.failed("n", PATIENCE_MS);
    breakers.failed("n", PATIENCE_MS);
    expect(breakers.holdMs("n")).toBe(0);
  });

  it("counts failures in a row: a success begins again", () => {
    const breakers = new Breakers(OPTIONS, fakeTimeRuntime);
    breakers.failed("n", PATIENCE_MS);
    breakers.failed("n", PATIENCE_MS);
    breakers.clear("n");
    breakers.failed("n", PATIENCE_MS);
    expect(breakers.holdMs("n")).toBe(0);
  });

  it("lets one probe through after the cool-down, and doubles it", () => {
    const breakers = opened();
    expect(breakers.admit("n")).toBeGreaterThanOrEqual(COOL_DOWN_MS / 2);
    vi.advanceTimersByTime(COOL_DOWN_MS);
    expect(breakers.admit("n")).toBe(0);
    expect(breakers.admit("n")).toBeGreaterThanOrEqual(COOL_DOWN_MS);
  });

  it("stops doubling the cool-down at 30 s", () => {
    const breakers = opened();
    for (let probe = 0; probe < 20; probe++) {
      vi.advanceTimersByTime(30_000);
      expect(breakers.admit("n")).toBe(0);
    }
    expect(breakers.holdMs("n")).toBeLessThanOrEqual(30_000);
  });

  it("holds back a call of little patience sooner, with probes of its own, and no other", () => {
    const breakers = new Breakers({ ...OPTIONS, failures: 10 }, fakeTimeRuntime);
    for (let failure = 0; failure < 3; failure++) breakers.failed("n", 100);
    expect(breakers.admit("n", 101)).toBe(0);
    expect(breakers.admit("n", 100)).toBeGreaterThanOrEqual(COOL_DOWN_MS / 2);
    expect([breakers.admit("n"), breakers.admit("n", PATIENCE_MS)]).toEqual([0, 0]);
    vi.advanceTimersByTime(COOL_DOWN_MS);
    expect(breakers.admit("n", 100)).toBe(0);
    expect(breakers.admit("n", 100)).toBeGreaterThan(0);
    breakers.clear("n");
    expect(breakers.admit("n", 100)).toBe(0);
  });

  it("takes a failure after the cool-down for that of a probe, also where nobody asked for one", () => {
    const breakers = opened();
    for (let failure = 0; failure < 3; failure++) breakers.failed("n", 100);
    expect(breakers.admit("n", 100)).toBeGreaterThan(0);
    vi.advanceTimersByTime(COOL_DOWN_MS);
    breakers.failed("n", 0);
    expect(breakers.holdMs("n")).toBeGreaterThanOrEqual(COOL_DOWN_MS);
    expect(breakers.holdMs("n", 100)).toBeGreaterThanOrEqual(COOL_DOWN_MS);
  });

  it("is one per node, and watched only while one is suspected", () => {
    const breakers = opened();
    expect(breakers.admit("other")).toBe(0);
    expect(breakers.watching).toBe(true);
    breakers.clear("n");
    expect(breakers.watching).toBe(false);
    expect(breakers.admit("n")).toBe(0);
  });
});

describe("a driver's breaker", () => {
  function setUp(options: ResilienceOptions = {}): Scripted {
    return setUpDriver([], { timeout: PATIENCE_MS, breakerFailures: 3, breakerCoolDown: COOL_DOWN_MS, ...options });
  }

  function send(driver: Driver, timeoutMs?: number): () => { value: unknown } | { error: unknown } | undefined {
    return watch(driver.send(["GET", "k"], { ...READ, timeoutMs }, "k"));
  }

  /** Calls that get no answer, until the breaker is open. */
  async function open(driver: Driver): Promise<void> {
    for (let call = 0; call < 3; call++) send(driver);
    await vi.advanceTimersByTimeAsync(PATIENCE_MS + 20);
  }

  it("fails calls at once while a stopped server answers nothing", async () => {
    const { driver, transport } = setUp();
    await open(driver);
    const result = send(driver);
    await vi.advanceTimersByTimeAsync(0);
    expect(result()).toMatchObject({ error: expect.any(UnavailableError) });
    expect(result()).toMatchObject({
      error: { code: "UNAVAILABLE", message: expect.stringMatching(/breaker is open for \d+ ms/) },
    });
    expect(transport.attempts).toHaveLength(3);
  });

  it("closes when the probe is answered", async () => {
    const { driver, transport } = setUp();
    await open(driver);
    await vi.advanceTimersByTimeAsync(COOL_DOWN_MS);
    transport.next(reply("probe"), reply("next"));
    const results = [send(driver), send(driver)];
    await vi.advanceTimersByTimeAsync(0);
    expect(results.map((result) => result())).toMatchObject([{ value: "probe" }, { error: { code: "UNAVAILABLE" } }]);
    expect(await driver.send(["GET", "k"], READ, "k")).toBe("next");
  });

  it("stays open when the probe fails", async () => {
    const { driver, transport } = setUp();
    await open(driver);
    await vi.advanceTimersByTimeAsync(COOL_DOWN_MS);
    transport.next(refused);
    const probe = send(driver);
    await vi.advanceTimersByTimeAsync(0);
    expect(probe()).toMatchObject({ error: { code: "UNAVAILABLE" } });
  });

  it("closes when an answer comes that nobody waits for any more", async () => {
    const { driver, transport } = setUp({ breakerCoolDown: "1h" });
    await open(driver);
    await expect(driver.send(["GET", "k"], READ, "k")).rejects.toThrow("breaker is open");
    transport.attempts[0]!.resolve("late");
    await vi.advanceTimersByTimeAsync(0);
    transport.next(reply("v"));
    expect(await driver.send(["GET", "k"], READ, "k")).toBe("v");
  });

  it.each(["up", "closed"] as const)("closes when the node's connection is %s", async (state) => {
    const { driver, transport } = setUp();
    await open(driver);
    transport.emit(state);
    transport.next(reply("v"));
    expect(await driver.send(["GET", "k"], READ, "k")).toBe("v");
  });

  it("stays open when the node's connection is down once more", async () => {
    const { driver, transport } = setUp();
    await open(driver);
    transport.emit("down");
    await expect(driver.send(["GET", "k"], READ, "k")).rejects.toThrow("breaker is open");
  });

  it.each([
    ["an error reply", repliedWith("ERR")],
    ["a refusal by the server", refusedWith("BUSY")],
  ])("takes %s as proof of life", async (_name, step) => {
    const { driver, transport } = setUp();
    for (let call = 0; call < 20; call++) {
      transport.next(step);
      send(driver, 5);
      await vi.advanceTimersByTimeAsync(PATIENCE_MS);
    }
    transport.next(reply("v"));
    expect(await driver.send(["GET", "k"], READ, "k")).toBe("v");
  });

  it("ignores deadlines that are shorter than the default", async () => {
    const { driver, transport } = setUp();
    for (let call = 0; call < 20; call++) send(driver, 5);
    await vi.advanceTimersByTimeAsync(50);
    transport.next(reply("v"));
    expect(await driver.send(["GET", "k"], READ, "k")).toBe("v");
  });

  it("does not blame the server for a pool of connections that is in use", async () => {
    const { driver, transport } = setUp();
    transport.connecting = "silence";
    for (let call = 0; call < 20; call++) watch(driver.lease("k", READ));
    await vi.advanceTimersByTimeAsync(PATIENCE_MS + 20);
    transport.next(reply("v"));
    expect(await driver.send(["GET", "k"], READ, "k")).toBe("v");
  });

  it("watches each named node of a cluster by itself", async () => {
    const { driver, transport } = setUp();
    transport.nodeIds = [NODE, "other:1"];
    for (let call = 0; call < 3; call++) watch(driver.send(["PING"], READ, { node: NODE }));
    await vi.advanceTimersByTimeAsync(PATIENCE_MS + 20);
    transport.next(reply("PONG"));
    expect(await driver.send(["PING"], READ, { node: "other:1" })).toBe("PONG");
    await expect(driver.send(["PING"], READ, { node: NODE })).rejects.toThrow("breaker is open");
  });

  it("ends waiting for a lost node by the node's name alone", async () => {
    const { driver, transport } = setUp({ timeout: PATIENCE_MS });
    transport.nodeIds = [NODE, "other:1"];
    transport.rest = lost;
    for (let call = 0; call < 2; call++) {
      send(driver);
      await vi.advanceTimersByTimeAsync(2 * PATIENCE_MS);
    }
    const result = send(driver);
    await vi.advanceTimersByTimeAsync(0);
    expect(result()).toMatchObject({ error: { message: expect.stringContaining("breaker is open") } });
  });

  it("can be turned off", async () => {
    const { driver } = setUp({ breaker: false });
    await open(driver);
    const result = send(driver);
    await vi.advanceTimersByTimeAsync(PATIENCE_MS + 20);
    expect(result()).toMatchObject({ error: expect.any(TimeoutError) });
  });
});
