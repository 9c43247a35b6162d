/**
 * `vi.useFakeTimers()` in a user's test stops their time, not ours. What could go wrong, and the test for each:
 * - a server with a virtual clock waits for a `setImmediate` that never fires ... "a test server"
 * - a call under fake timers leaves its handle dead for good ............................ "a test server", "goes on after"
 * - a simulation stands still ............................................................ "a simulation"
 */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { connect } from "../connect.ts";
import { createTestServer, simulate } from "./index.ts";

describe("under fake timers", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it.each(["real", "virtual"] as const)("a test server with a %s clock serves, waits and closes", async (clock) => {
    const server = await createTestServer({ clock });
    const hf = await server.connect();
    const users = hf.cache<string>("users", { ttl: "5m" });
    expect(await users.getOrSet("ada", () => "Ada")).toBe("Ada");
    expect(await users.get("ada")).toBe("Ada");
    const heard = new Promise(
      (resolve) =>
        void hf
          .channel("news")
          .subscribe(resolve)
          .then(() => hf.channel("news").publish("hello")),
    );
    expect(await heard).toBe("hello");
    await server.close();
  });

  it("a test server's virtual clock moves by itself alone", async () => {
    const server = await createTestServer({ clock: "virtual" });
    const hf = await server.connect();
    const users = hf.cache<string>("users", { ttl: "5m" });
    await users.set("ada", "Ada");
    vi.advanceTimersByTime(600_000);
    expect(await users.get("ada")).toBe("Ada");
    await server.clock.advance("10m");
    expect(await users.get("ada")).toBeUndefined();
    await server.close();
  });

  it("a handle on the embedded server answers, and goes on after them", async () => {
    const hf = await connect("embedded://");
    expect(await hf.counter("c").increment("x")).toMatchObject({ status: "ok" });
    await hf.lock("l").run(() => undefined);
    vi.useRealTimers();
    expect(await hf.counter("c").increment("x")).toMatchObject({ status: "ok", value: 2 });
    await hf.close();
  });

  it("a handle answers also where process.nextTick is a fake", async () => {
    const hf = await connect("embedded://");
    vi.useFakeTimers({ toFake: ["nextTick"] });
    expect(await hf.counter("c").increment("x")).toMatchObject({ status: "ok" });
    expect(await hf.cache("c").getOrSet("x", () => "loaded")).toBe("loaded");
    vi.useRealTimers();
    await hf.close();
  });

  it("a simulation runs to its end", async () => {
    const report = await simulate({ schedules: 2, seed: 1 }, async ({ clients, sleep }) => {
      await sleep(5_000);
      await clients[0]!.hf.counter("c").increment("x");
    });
    expect(report.simulatedMs).toBeGreaterThan(0);
  });
});
