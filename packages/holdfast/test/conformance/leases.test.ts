import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { until } from "../support/until.ts";
import { call, failureOf, openDriver, type OpenDriver, send, slotPrefix, targets } from "./support.ts";

describe.each(targets())("leases over $transport [$name]", ({ url, options }) => {
  let driver: OpenDriver;
  beforeAll(async () => {
    driver = await openDriver({ url, ...options, maxLeases: 2 });
  });
  afterAll(() => driver.close());

  it("runs an optimistic transaction", async () => {
    const key = `${slotPrefix()}n`;
    const lease = await driver.lease(key, call());
    await lease.send(["WATCH", key], call("unsafe"));
    await lease.send(["MULTI"], call("unsafe"));
    await lease.send(["INCR", key], call("unsafe"));
    expect(await lease.send(["EXEC"], call("unsafe"))).toEqual([1]);
    await lease.send(["WATCH", key], call("unsafe"));
    await send(driver, ["INCR", key], "unsafe");
    await lease.send(["MULTI"], call("unsafe"));
    await lease.send(["INCR", key], call("unsafe"));
    expect(await lease.send(["EXEC"], call("unsafe"))).toBeNull();
    lease.release();
    await send(driver, ["DEL", key], "idempotent");
  });

  it("does not hand a leaked WATCH or MULTI to the next borrower", async () => {
    // With a single connection, so that the next borrower is sure to get the same one.
    await using own = await openDriver({ url, ...options, maxLeases: 1 });
    const key = `${slotPrefix()}n`;
    for (const leak of [["WATCH", key], ["MULTI"]]) {
      const first = await own.lease(key, call());
      await first.send(leak, call("unsafe"));
      first.release();
      const second = await own.lease(key, call());
      await send(driver, ["INCR", key], "unsafe");
      await second.send(["MULTI"], call("unsafe"));
      await second.send(["PING"], call("unsafe"));
      expect(await second.send(["EXEC"], call("unsafe"))).toEqual(["PONG"]);
      second.release();
    }
    await send(driver, ["DEL", key], "idempotent");
  });

  it("uses a clean connection again, and closes one whose state it cannot restore", async () => {
    // CLIENT INFO is refused as a change of the connection's state, so it is told by the server from outside.
    const connections = async (): Promise<number> => {
      const list = await driver.send(["CLIENT", "LIST"], call(), slotRoute);
      return String(list).match(new RegExp(`name=${name} `, "g"))?.length ?? 0;
    };
    const name = `hf-${randomUUID()}`;
    const slotRoute = slotPrefix();
    await using own = await openDriver({ url, ...options, clientName: name });
    const before = await connections();
    for (let n = 0; n < 3; n += 1) {
      const lease = await own.lease(slotRoute, call());
      await lease.send(["PING"], call());
      lease.release();
    }
    expect(await connections()).toBe(before + 1);
    const spoiled = await own.lease(slotRoute, call());
    await spoiled.send(["CLIENT", "NO-EVICT", "on"], call("unsafe"));
    spoiled.release();
    await until("the spoiled connection is closed", async () => (await connections()) === before);
  });

  it("lends no more than maxLeases per node, in the order of asking", async () => {
    const key = slotPrefix();
    const [one, two] = [await driver.lease(key, call()), await driver.lease(key, call())];
    const order: string[] = [];
    const third = driver.lease(key, call()).then((lease) => {
      order.push("third");
      return lease;
    });
    const fourth = driver.lease(key, call()).then((lease) => {
      order.push("fourth");
      return lease;
    });
    const late = await failureOf(driver.lease(key, call("read", { timeoutMs: 100 })));
    expect(late.retryable).toBe(true);
    expect(order).toEqual([]);
    one.release();
    (await third).release();
    (await fourth).release();
    expect(order).toEqual(["third", "fourth"]);
    two.release();
  });

  it("frees its place when the waiting is aborted", async () => {
    const key = slotPrefix();
    const [one, two] = [await driver.lease(key, call()), await driver.lease(key, call())];
    const abort = new AbortController();
    const waiting = failureOf(driver.lease(key, call("read", { signal: abort.signal })));
    abort.abort(new Error("enough"));
    expect(await waiting).toMatchObject({ code: "ABORTED" });
    one.release();
    two.destroy();
    const next = await driver.lease(key, call());
    expect(await next.send(["PING"], call())).toBe("PONG");
    next.release();
  });

  it("blocks on a connection of its own", async () => {
    const key = `${slotPrefix()}list`;
    const popped = driver.blocking(["BLPOP", key, "5"], 5_000, call("unsafe"), key);
    expect(await send(driver, ["EXISTS", key])).toBe(0);
    await send(driver, ["RPUSH", key, "x"], "unsafe");
    expect(await popped).toEqual([Buffer.from(key), Buffer.from("x")]);
    expect(await driver.blocking(["BLPOP", key, "0.01"], 10, call("unsafe"), key)).toBeNull();
  });
});
