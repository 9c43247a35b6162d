/**
 * What could go wrong, and the test for it:
 * - a wake-up comes between the question and the wait .. "join, then ask again", "is kept for the next call"
 * - a wake-up is lost with its message ................. "the timer"
 * - a wake-up is lost with the connection .............. "after a gap"
 * - the wrong ones are woken, or one who has left ...... "wakes those who wait for its key"
 * - a wait outlives its handle or its caller ........... "close", "signal", "leave"
 * - the one to whom something was handed is dead ....... "looks again when it was not accepted"
 * - a failed subscription is never tried again ......... "is tried again"
 */
import { randomUUID } from "node:crypto";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openDriver, type OpenDriver } from "../../../test/conformance/support.ts";
import { backends } from "../../../test/support/backends.ts";
import { startProxy, startStandalone, type Proxy, type Standalone } from "../../../test/support/servers.ts";
import { until } from "../../../test/support/until.ts";
import { Keyspace } from "../keyspace/keyspace.ts";
import { Wakeups } from "./wakeups.ts";

/** A wait that is not woken in time fails the test by its timeout. */
const LONG_MS = 600_000;

/** Whether a promise has settled by the next `setImmediate`. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const turn = new Promise<"pending">((resolve) => setImmediate(() => resolve("pending")));
  return (await Promise.race([promise, turn])) !== "pending";
}

describe.each(backends())("wake-ups [$name]", ({ url, options }) => {
  let driver: OpenDriver;
  let wakeups: Wakeups;

  beforeAll(async () => {
    driver = await openDriver({ url, ...options });
  });
  afterAll(() => driver.close());
  beforeEach(() => {
    wakeups = new Wakeups(driver, new Keyspace(`t${randomUUID()}`));
  });
  afterEach(() => wakeups.close());

  /** As a script does it that has freed `key`. By one node, so that wake-ups keep their order in a cluster too. */
  const free = (key: string): Promise<unknown> =>
    driver.send(["PUBLISH", wakeups.channel, key], { op: "test", class: "unsafe" }, wakeups.channel);

  it("a message wakes those who wait for its key, and nobody else", async () => {
    const [one, two, other] = await Promise.all([wakeups.join("a"), wakeups.join("a"), wakeups.join("b")]);
    const foreign = other.next(LONG_MS);
    const woken = [one.next(LONG_MS), two.next(LONG_MS)];
    await free("a");
    await Promise.all(woken);
    expect(await isSettled(foreign)).toBe(false);
    await free("b");
    await foreign;
  });

  it("wakes the one to whom something was handed; those behind it look again when it was not accepted", async () => {
    const [taker, second, fourth] = await Promise.all([wakeups.join("a"), wakeups.join("b"), wakeups.join("d")]);
    const behind = [second.next(LONG_MS), fourth.next(LONG_MS)];
    const woken = taker.next(LONG_MS);
    const begun = driver.runtime.now();
    await free("handed a b c d");
    await woken;
    expect(await Promise.all(behind.map(isSettled))).toEqual([false, false]);
    await behind[0];
    expect(driver.runtime.now() - begun).toBeGreaterThanOrEqual(1_000);
    expect(await isSettled(behind[1]!)).toBe(false);
    fourth.leave();
  });

  it("looks again also where nobody was in next() when it was told, and no later than it would have", async () => {
    const waiter = await wakeups.join("b");
    const witness = await wakeups.join("a");
    const begun = driver.runtime.now();
    const seen = witness.next(LONG_MS);
    await free("handed a b");
    await seen;
    await waiter.next(1);
    expect(driver.runtime.now() - begun).toBeLessThan(1_000);
    await free("handed x b");
    await free("a");
    await witness.next(LONG_MS);
    await waiter.next(LONG_MS);
  });

  it("join, then ask again: what is freed after join is never missed, also if nobody is in next()", async () => {
    const waiter = await wakeups.join("a");
    const witness = await wakeups.join("a");
    const seen = witness.next(LONG_MS);
    await free("a");
    await seen;
    expect(await isSettled(waiter.next(LONG_MS))).toBe(true);
  });

  it("a wake-up is kept for the next call, however many there were, and then used up", async () => {
    const waiter = await wakeups.join("a");
    const witness = await wakeups.join("last");
    const seen = witness.next(LONG_MS);
    await free("a");
    await free("a");
    await free("last");
    await seen;
    await waiter.next(LONG_MS);
    const again = waiter.next(LONG_MS);
    expect(await isSettled(again)).toBe(false);
    await free("a");
    await again;
  });

  it("the timer wakes where the message was lost", async () => {
    const waiter = await wakeups.join("a");
    const begun = performance.now();
    await waiter.next(20);
    // Timers count in whole milliseconds, so one may be short of its time by a part of one.
    expect(performance.now() - begun).toBeGreaterThan(18);
  });

  it("a signal ends the wait; one that has fired does not let it begin", async () => {
    const waiter = await wakeups.join("a");
    const controller = new AbortController();
    const waiting = waiter.next(LONG_MS, controller.signal);
    controller.abort();
    await waiting;
    await waiter.next(LONG_MS, controller.signal);
    const again = waiter.next(LONG_MS);
    expect(await isSettled(again)).toBe(false);
    waiter.leave();
    await again;
  });

  it("leave ends the wait, takes the waiter out, and is idempotent", async () => {
    const [waiter, stays] = await Promise.all([wakeups.join("a"), wakeups.join("a")]);
    const waiting = waiter.next(LONG_MS);
    waiter.leave();
    waiter.leave();
    await waiting;
    const seen = stays.next(LONG_MS);
    await free("a");
    await seen;
    const after = waiter.next(LONG_MS);
    expect(await isSettled(after)).toBe(false);
    waiter.leave();
    await after;
  });

  it("close wakes all, and is idempotent", async () => {
    const [one, two] = await Promise.all([wakeups.join("a"), wakeups.join("b")]);
    const waits = [one.next(LONG_MS), two.next(LONG_MS)];
    await wakeups.close();
    expect(await Promise.all(waits)).toHaveLength(2);
    await wakeups.close();
  });
});

describe.runIf(backends("standalone").length > 0)("wake-ups under faults [standalone]", () => {
  let server: Standalone;
  let proxy: Proxy;

  beforeAll(async () => {
    server = await startStandalone();
    proxy = await startProxy({ port: server.port });
  });
  afterAll(async () => {
    await proxy?.stop();
    await server?.stop();
  });

  it("one subscription for all waits of a handle; none is left after close", async () => {
    await using driver = await openDriver({ url: server.url });
    const wakeups = new Wakeups(driver, new Keyspace("one"));
    const subscribers = async (): Promise<unknown> =>
      ((await server.command("PUBSUB", "NUMSUB", wakeups.channel)) as unknown[])[1];
    await wakeups.close();
    expect(await subscribers()).toBe(0);
    const joined = new Wakeups(driver, new Keyspace("one"));
    await Promise.all(Array.from({ length: 20 }, (_, at) => joined.join(String(at))));
    expect(await subscribers()).toBe(1);
    await joined.close();
    expect(await subscribers()).toBe(0);
  });

  it("after a gap everybody is woken: any wake-up may have been missed", async () => {
    await using driver = await openDriver({ url: server.url });
    const wakeups = new Wakeups(driver, new Keyspace("gap"));
    const [one, two] = await Promise.all([wakeups.join("a"), wakeups.join("b")]);
    const waits = [one.next(LONG_MS), two.next(LONG_MS)];
    await server.command("CLIENT", "KILL", "TYPE", "pubsub");
    expect(await Promise.all(waits)).toHaveLength(2);
    const again = one.next(LONG_MS);
    await server.command("PUBLISH", wakeups.channel, "a");
    await again;
    await wakeups.close();
  });

  it("a subscription that failed is tried again by the next join", async () => {
    await using driver = await openDriver({ url: proxy.url, resilience: { timeout: 200 } });
    const wakeups = new Wakeups(driver, new Keyspace("again"));
    proxy.refuse();
    proxy.cut();
    const refused = await Promise.allSettled([wakeups.join("a"), wakeups.join("a")]);
    expect(refused.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    await proxy.heal();
    const waiter = await until("a join", () => wakeups.join("a"));
    const woken = waiter.next(LONG_MS);
    await server.command("PUBLISH", wakeups.channel, "a");
    await woken;
    await wakeups.close();
  });

  it("close settles although a subscription cannot be made", async () => {
    await using driver = await openDriver({ url: proxy.url, resilience: { timeout: 300 } });
    const wakeups = new Wakeups(driver, new Keyspace("close"));
    proxy.freeze();
    const joining = wakeups.join("a").then(
      () => "joined",
      () => "refused",
    );
    const closed = wakeups.close();
    expect(await joining).toBe("refused");
    await closed;
    await proxy.heal();
  });
});
