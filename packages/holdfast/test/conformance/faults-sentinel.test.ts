/** A primary that dies, hangs or steps down under the eyes of Sentinel: a group of the test's own. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type SentinelGroup, startSentinel } from "../support/sentinel.ts";
import { call, failureOf, Inbox, openDriver, type OpenDriver, send, slotPrefix, stateEvent } from "./support.ts";

describe("a primary that changes [sentinel]", () => {
  let group: SentinelGroup;
  let driver: OpenDriver;
  beforeAll(async () => {
    group = await startSentinel();
    driver = await openDriver({ url: group.url, resilience: { timeout: "20s" } });
  });
  afterEach(async () => {
    for (const server of group.servers) {
      if (!server.running) await server.restart();
      else if (!server.answers) server.resume();
    }
    await group.waitHealthy();
  });
  afterAll(async () => {
    await driver.close();
    await group.stop();
  });

  it("moves to the new primary at a failover, and reports the gap to subscribers", async () => {
    const key = slotPrefix();
    const gaps = new Inbox<unknown>();
    const messages = new Inbox<string>();
    const listener = { message: (payload: Buffer) => messages.put(payload.toString()), gap: gaps.put };
    const subscription = await driver.subscribe("exact", key, listener, call());
    const before = driver.nodes()[0]!;
    const primary = await group.failover();
    expect(await send(driver, ["SET", key, "x", "PX", "60000"], "idempotent")).toBe("OK");
    expect(driver.nodes()[0]).toMatchObject({ id: primary.address, state: "up" });
    expect(driver.nodes()[0]!.epoch).toBeGreaterThan(before.epoch);
    await gaps.find();
    await primary.command("PUBLISH", key, "after");
    expect(await messages.find()).toBe("after");
    await subscription.close();
  });

  it("recovers when the primary is killed", async () => {
    const key = slotPrefix();
    const victim = await group.primary();
    const down = stateEvent(driver, ({ state }) => state === "down");
    await victim.kill();
    await down;
    expect(await send(driver, ["SET", key, "x", "PX", "60000"], "idempotent")).toBe("OK");
    expect(driver.nodes()[0]!.id).not.toBe(victim.address);
  });

  it("leaves a primary that hangs, told by the sentinels", async () => {
    // Our own pings would find it out as well, so they are made to wait.
    await using patient = await openDriver({ url: group.url, pingTimeout: "1m", resilience: { timeout: "20s" } });
    const key = slotPrefix();
    const hung = await group.primary();
    const up = stateEvent(patient, ({ state }) => state === "up");
    await hung.pause();
    const stuck = failureOf(send(patient, ["INCR", key], "unsafe"));
    expect((await up).node).not.toBe(hung.address);
    expect(await stuck).toMatchObject({ code: "OUTCOME_UNKNOWN" });
    expect(await send(patient, ["SET", key, "x", "PX", "60000"], "idempotent")).toBe("OK");
  });

  it("names a master that no sentinel knows", async () => {
    const error = await failureOf(openDriver({ url: group.url.replace(/\/[^/]+$/, "/stranger") }));
    expect(error).toMatchObject({ code: "UNAVAILABLE", retryable: false });
    expect(error.message).toContain('knows no master "stranger"');
  });
});
