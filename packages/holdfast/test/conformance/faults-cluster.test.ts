/** Slots that move, primaries that die or step down: a cluster of the test's own. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { openTransport } from "../../src/driver/node-redis/open.ts";
import { slotOf } from "../../src/driver/slot.ts";
import { type Cluster, startCluster } from "../support/cluster.ts";
import { type ServerProcess, startProxy, until } from "../support/servers.ts";
import { call, failureOf, Inbox, openDriver, type OpenDriver, send, slotPrefix, stateEvent } from "./support.ts";

describe("a cluster that changes [cluster]", () => {
  let cluster: Cluster;
  let driver: OpenDriver;
  beforeAll(async () => {
    cluster = await startCluster();
    driver = await openDriver({ url: cluster.url, resilience: { timeout: "20s" } });
  });
  afterEach(async () => {
    await Promise.all(cluster.nodes.filter((node) => !node.running).map((node) => node.restart()));
    await cluster.waitHealthy();
  });
  afterAll(async () => {
    await driver.close();
    await cluster.stop();
  });

  const otherPrimary = (slot: number): ServerProcess => {
    const owner = cluster.nodeFor(slot);
    return cluster.primaries.find((node) => node !== owner)!;
  };

  /** Increments until told to stop; each call must succeed, and must count once. */
  const underLoad = async (key: string, change: () => Promise<void>): Promise<void> => {
    const changed = new AbortController();
    let increments = 0;
    const worker = async (): Promise<void> => {
      while (!changed.signal.aborted) {
        await send(driver, ["INCR", key], "unsafe");
        increments += 1;
      }
    };
    const workers = Array.from({ length: 8 }, worker);
    await change().finally(() => changed.abort());
    await Promise.all(workers);
    expect(increments).toBeGreaterThan(0);
    expect(await send(driver, ["GET", key])).toEqual(Buffer.from(String(increments)));
  };

  it("follows ASK and MOVED during a live migration, losing and doubling nothing", async () => {
    const prefix = slotPrefix();
    const slot = slotOf(prefix);
    const target = otherPrimary(slot);
    await Promise.all(
      Array.from({ length: 50 }, (_, n) => send(driver, ["SET", `${prefix}${n}`, String(n)], "idempotent")),
    );
    await underLoad(`${prefix}load`, async () => {
      const migration = await cluster.startMigration(slot, target);
      await migration.moveKeys([`${prefix}7`]);
      expect(await send(driver, ["GET", `${prefix}7`])).toEqual(Buffer.from("7"));
      expect(await send(driver, ["GET", `${prefix}8`])).toEqual(Buffer.from("8"));
      expect(await send(driver, ["SET", `${prefix}new`, "x"], "idempotent")).toBe("OK");
      await migration.moveKeys();
      await migration.finish();
    });
    await cluster.waitHealthy();
    const read = await Promise.all(Array.from({ length: 50 }, (_, n) => send(driver, ["GET", `${prefix}${n}`])));
    expect(read).toEqual(read.map((_, n) => Buffer.from(String(n))));
    expect(await target.command("GET", `${prefix}new`)).toBe("x");
  });

  it("dials again where a primary has become a replica and its name leads to the new one", async () => {
    const prefix = slotPrefix();
    const primary = cluster.nodeFor(slotOf(prefix));
    const replica = cluster.replicaOf(primary);
    await using name = await startProxy(primary);
    const named = `127.0.0.1:${name.port}`;
    await using behind = await openDriver({
      url: cluster.url,
      addressMap: { [primary.address]: named, [replica.address]: named },
      resilience: { timeout: "20s" },
    });
    expect(await send(behind, ["SET", `${prefix}key`, "1"], "idempotent")).toBe("OK");
    name.redirect(replica);
    await cluster.failover(replica);
    // The old connection stands. Its server sends every command of the slot to the name that it has itself.
    expect(await send(behind, ["SET", `${prefix}key`, "2"], "unsafe")).toBe("OK");
    expect(await replica.command("GET", `${prefix}key`)).toBe("2");
  });

  it("closes only when a node that serves no slots any more has answered what was asked of it", async () => {
    const prefix = slotPrefix();
    const primary = cluster.nodeFor(slotOf(prefix));
    const other = otherPrimary(slotOf(prefix));
    await using proxy = await startProxy(primary);
    const named = `127.0.0.1:${proxy.port}`;
    const options = { drainTimeout: "10m", pingInterval: "10m" } as const;
    const transport = await openTransport({
      url: cluster.url,
      addressMap: { [primary.address]: named },
      clientName: "leaver",
      ...options,
    });
    const dismissed = stateEvent(transport, ({ state, node }) => state === "closed" && node === named);
    proxy.freeze();
    const log: string[] = [];
    const settle = () => log.push("answered");
    transport.attempt(["GET", prefix], prefix, { replied: settle, failed: settle });
    await cluster.failover(cluster.replicaOf(primary));
    // A node lost is what makes it ask for the slots again.
    await other.command("CLIENT", "KILL", "TYPE", "normal");
    await dismissed;
    const closing = transport.close().then(() => log.push("closed"));
    const isLeft = async () => !String(await other.command("CLIENT", "LIST")).includes("name=leaver ");
    await until("the other connections are closed", isLeft);
    await new Promise(setImmediate);
    await proxy.heal();
    await closing;
    expect(log).toEqual(["answered", "closed"]);
  });

  it("repeats TRYAGAIN until the migration is over", async () => {
    const prefix = slotPrefix();
    const slot = slotOf(prefix);
    await send(driver, ["MSET", `${prefix}a`, "1", `${prefix}b`, "2"], "idempotent");
    const migration = await cluster.startMigration(slot, otherPrimary(slot));
    await migration.moveKeys([`${prefix}a`]);
    const both = ["MGET", `${prefix}a`, `${prefix}b`];
    const split = await failureOf(send(driver, both, "read", { timeoutMs: 150 }));
    expect(split.retryable).toBe(true);
    const waiting = send(driver, both);
    await migration.moveKeys();
    await migration.finish();
    expect(await waiting).toEqual([Buffer.from("1"), Buffer.from("2")]);
  });

  it("keeps a sharded subscription when its slot moves, and reports the gap", async () => {
    const channel = slotPrefix();
    const messages = new Inbox<string>();
    const gaps = new Inbox<unknown>();
    const listener = { message: (payload: Buffer) => messages.put(payload.toString()), gap: gaps.put };
    const subscription = await driver.subscribe("sharded", channel, listener, call());
    await cluster.migrateSlot(slotOf(channel), otherPrimary(slotOf(channel)));
    expect(await gaps.find()).toBeInstanceOf(Error);
    await driver.send(["SPUBLISH", channel, "after"], call("unsafe"), channel);
    expect(await messages.find()).toBe("after");
    await subscription.close();
  });

  it("misses no move of a sharded channel while pings are under way", async () => {
    await using busy = await openDriver({ url: cluster.url, pingInterval: 1 });
    const channel = slotPrefix();
    const gaps = new Inbox<unknown>();
    const listener = { message: () => undefined, gap: gaps.put };
    await busy.subscribe("sharded", channel, listener, call());
    await cluster.migrateSlot(slotOf(channel), otherPrimary(slotOf(channel)));
    await send(busy, ["GET", channel]);
    expect(await gaps.find()).toBeInstanceOf(Error);
  });

  it("flushes what it knew of keys when a slot moves, and hears of them from the new owner", async () => {
    const prefix = slotPrefix();
    const keys = new Inbox<string>();
    const flushes = new Inbox<unknown>();
    const listener = {
      keys: (all: readonly Buffer[]) => all.forEach((key) => keys.put(String(key))),
      flush: flushes.put,
    };
    const subscription = await driver.onInvalidate(prefix, listener, call());
    const target = otherPrimary(slotOf(prefix));
    await cluster.migrateSlot(slotOf(prefix), target);
    await send(driver, ["GET", `${prefix}a`]);
    await flushes.find();
    await target.command("SET", `${prefix}a`, "x");
    expect(await keys.find((key) => key === `${prefix}a`)).toBe(`${prefix}a`);
    await subscription.close();
  });

  it("informs the borrower of a connection that the slot is elsewhere, and lends one of the new owner", async () => {
    const key = `${slotPrefix()}n`;
    const lease = await driver.lease(key, call());
    const target = otherPrimary(slotOf(key));
    await cluster.migrateSlot(slotOf(key), target);
    const error = await failureOf(lease.send(["WATCH", key], call("unsafe")));
    expect(error).toMatchObject({ code: "UNAVAILABLE", retryable: true });
    lease.release();
    const next = await driver.lease(key, call());
    expect(next.node).toBe(target.address);
    expect(await next.send(["WATCH", key], call("unsafe"))).toBe("OK");
    next.release();
  });

  it("goes on through a failover without loss", async () => {
    const prefix = slotPrefix();
    const primary = cluster.nodeFor(slotOf(prefix));
    const lease = await driver.lease(prefix, call());
    await send(driver, ["SET", `${prefix}n`, "0"], "idempotent");
    const failover = cluster.failover(cluster.replicaOf(primary));
    for (let n = 1; n <= 200; n += 1) await send(driver, ["SET", `${prefix}n`, String(n)], "idempotent");
    await failover;
    expect(await send(driver, ["GET", `${prefix}n`])).toEqual(Buffer.from("200"));
    lease.release();
    const next = await driver.lease(prefix, call());
    expect(await next.send(["SET", `${prefix}n`, "x"], call("idempotent"))).toBe("OK");
    next.release();
  });

  it("recovers when a primary is killed, and hangs nowhere", async () => {
    const prefix = slotPrefix();
    const victim = cluster.nodeFor(slotOf(prefix));
    const channel = slotPrefix();
    const gaps = new Inbox<unknown>();
    const messages = new Inbox<string>();
    const listener = { message: (payload: Buffer) => messages.put(payload.toString()), gap: gaps.put };
    const subscription = await driver.subscribe("sharded", prefix, listener, call());
    const popping = failureOf(
      driver.blocking(["BLPOP", `${prefix}list`, "0.5"], 500, call("unsafe", { timeoutMs: 500 }), prefix),
    );
    await send(driver, ["SET", `${prefix}n`, "1"], "idempotent");
    const down = stateEvent(driver, ({ state }) => state === "down");
    await victim.kill();
    await down;
    expect((await popping).code).toMatch(/OUTCOME_UNKNOWN|TIMEOUT|UNAVAILABLE/);
    expect(await send(driver, ["SET", `${prefix}n`, "2"], "idempotent")).toBe("OK");
    expect(driver.nodes().every(({ id }) => id !== victim.address)).toBe(true);
    await gaps.find();
    await driver.send(["SPUBLISH", prefix, "after"], call("unsafe"), prefix);
    expect(await messages.find()).toBe("after");
    const keys = Array.from({ length: 100 }, (_, n) => `${channel}${n}`);
    await Promise.all(keys.map((key) => send(driver, ["SET", key, "x", "PX", "60000"], "idempotent")));
    await subscription.close();
  });

  it("opens the whole cluster from a redis:// URL of one node", async () => {
    await using other = await openDriver({ url: cluster.primaries[0]!.url });
    expect(other.caps.cluster).toBe(true);
    expect(other.nodes()).toHaveLength(3);
    const error = await failureOf(openDriver({ url: `${cluster.primaries[0]!.url}/1` }));
    expect(error.retryable).toBe(false);
  });
});
