/** close() ends what was opened, also in the worst moment, and leaves nothing behind. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startProxy } from "../support/proxy.ts";
import { startStandalone, type Standalone } from "../support/servers.ts";
import { until } from "../support/until.ts";
import { call, failureOf, Inbox, openDriver, send, slotPrefix, targets } from "./support.ts";

/** Sockets and timers of this thread. */
function openHandles(): number {
  return process.getActiveResourcesInfo().filter((name) => /TCP|TLS|Timeout|Connect|GetAddrInfo/.test(name)).length;
}

describe.each(targets())("close over $transport [$name]", ({ transport, url, options }) => {
  it("leaves no socket and no timer", async () => {
    const before = openHandles();
    const driver = await openDriver({ url, ...options });
    const prefix = slotPrefix();
    const quiet = { message: () => undefined, gap: () => undefined, keys: () => undefined, flush: () => undefined };
    await driver.subscribe("exact", prefix, quiet, call());
    await driver.subscribe("sharded", prefix, quiet, call());
    await driver.onInvalidate(prefix, quiet, call());
    (await driver.lease(prefix, call())).release();
    await driver.lease(prefix, call());
    // In process there is nothing that could keep the process alive.
    expect(openHandles() > before).toBe(transport === "node-redis");
    await driver.close();
    await driver.close();
    await until("all handles are closed", () => openHandles() <= before);
  });

  it("answers what is under way, and refuses what comes after", async () => {
    const driver = await openDriver({ url, ...options });
    const events = new Inbox<string>();
    driver.onState(({ state }) => events.put(state));
    const key = slotPrefix();
    const reading = send(driver, ["GET", key]);
    const closing = driver.close();
    expect(await failureOf(send(driver, ["GET", key]))).toMatchObject({ code: "CLOSED" });
    expect(await reading).toBeNull();
    await closing;
    expect(await failureOf(driver.lease(key, call()))).toMatchObject({ code: "CLOSED" });
    const listener = { message: () => undefined, gap: () => undefined };
    expect(await failureOf(driver.subscribe("exact", key, listener, call()))).toMatchObject({ code: "CLOSED" });
    await events.find((state) => state === "closed");
    expect(events.all).not.toContain("down");
  });
});

describe("close while the server is away [standalone]", () => {
  let server: Standalone;
  beforeAll(async () => {
    server = await startStandalone();
  });
  afterAll(() => server.stop());

  it("does not wait for a server that is stopped", async () => {
    const before = openHandles();
    const driver = await openDriver({ url: server.url, drainTimeout: 50, resilience: { closeTimeout: 100 } });
    await server.pause();
    const outcome = failureOf(send(driver, ["INCR", slotPrefix()], "unsafe"));
    await driver.close();
    expect((await outcome).code).toBe("OUTCOME_UNKNOWN");
    server.resume();
    await until("all handles are closed", () => openHandles() <= before);
  });

  it("ends a connection that is being made to a network that is silent", async () => {
    await using proxy = await startProxy(server);
    const driver = await openDriver({ url: proxy.url, connectTimeout: "10m" });
    proxy.halfOpen();
    proxy.cut();
    await until("the next connection is being made", () => proxy.connections === 1);
    await driver.close();
    const settled = until("the connection is given up", () => proxy.connections === 0);
    await expect(settled).resolves.toBe(true);
  });

  it("ends the attempts to reconnect", async () => {
    const before = openHandles();
    const driver = await openDriver({ url: server.url });
    await server.kill();
    await until("the loss is seen", () => driver.nodes()[0]?.state === "down");
    await driver.close();
    const settled = until("all handles are closed", () => openHandles() <= before);
    await expect(settled).resolves.toBe(true);
    await server.restart();
  });
});
