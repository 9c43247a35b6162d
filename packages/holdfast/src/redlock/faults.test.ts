/**
 * Five real servers that die, stop and forget.
 *
 * What could go wrong, and the test for each:
 * - a minority that is away holds everybody up ............ "while two of five are stopped"
 * - what a stopped server was sent is granted later ....... "is taken back when it goes on"
 * - a holder does not notice that it lost a majority ...... "its signal aborts before another has it"
 * - a lock is lost to restarts that a majority survives ... "a restart of all servers, one after the other"
 * - a server that came back empty gives a second vote ..... "has forgotten its vote, and does not give it twice"
 * - a waiter gives up while no majority answers ........... "waiters wait for a majority"
 */
import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startStandalone, type Standalone } from "../../test/support/servers.ts";
import { until } from "../../test/support/until.ts";
import { connect, type Holdfast, type Redlock, redlock, type RedlockOptions } from "../index.ts";

const AT_ONCE: RedlockOptions = { delayedRestart: false };

describe("redlock on five servers [standalone]", () => {
  let servers: Standalone[];
  let handles: Holdfast[];
  let others: Holdfast[];
  let red: Redlock;
  let other: Redlock;
  const prefix = `test-${randomUUID()}`;
  const open = (): Promise<Holdfast[]> =>
    Promise.all(servers.map(({ url }) => connect(url, { prefix, breaker: false, drainTimeout: "100ms" })));
  const voteOn = (at: number, name: string): Promise<unknown> =>
    servers[at]!.command("GET", `${prefix}:redlock:{${name}}`);
  const votes = async (name: string): Promise<number> => {
    const all = await Promise.all(servers.map((_, at) => voteOn(at, name)));
    return all.filter((vote) => vote !== null).length;
  };

  beforeAll(async () => {
    servers = await Promise.all(Array.from({ length: 5 }, () => startStandalone()));
    [handles, others] = [await open(), await open()];
    red = redlock(handles, AT_ONCE);
    other = redlock(others, AT_ONCE);
  });
  afterAll(async () => {
    await Promise.all([...(handles ?? []), ...(others ?? [])].map((hf) => hf.close()));
    await Promise.all((servers ?? []).map((server) => server.stop()));
  });

  it("is acquired and kept while two of five are stopped, and what they were sent is taken back when it goes on", async () => {
    await red.lock("warm").run(() => undefined);
    await Promise.all([servers[0]!.pause(), servers[1]!.pause()]);
    try {
      const held = await red.lock("stopped", { ttl: "3s" }).acquire();
      expect(await other.lock("stopped").tryAcquire()).toEqual({ status: "busy" });
      const before = held.remainingMs;
      await until("time has passed", () => held.remainingMs < before - 200);
      await until("it is renewed", () => held.remainingMs > before - 100);
      expect(await held.release()).toEqual({ status: "ok" });
    } finally {
      servers[0]!.resume();
      servers[1]!.resume();
    }
    await until("nothing is left", async () => (await votes("stopped")) === 0);
    expect(await other.lock("stopped").tryAcquire()).toMatchObject({ status: "ok" });
  });

  it("is lost when three of five are killed: its signal aborts before another has it, and waiters wait for a majority", async () => {
    const held = await red.lock("killed", { ttl: "2s" }).acquire();
    const order: string[] = [];
    const lost = new Promise((resolve) => held.signal.addEventListener("abort", () => resolve(held.signal.reason)));
    const waiting = other.lock("killed", { ttl: "2s" }).acquire({ wait: "30s" });
    void lost.then(() => order.push("lost"));
    void waiting.then(() => order.push("acquired by another"));
    await Promise.all([0, 1, 2].map((at) => servers[at]!.kill()));
    expect(await lost).toMatchObject({ code: "LEASE_LOST", reason: "expired" });
    await expect(red.lock("x").tryAcquire()).rejects.toMatchObject({ code: "UNAVAILABLE", op: "redlock.acquire" });
    await expect(red.lock("x").tryAcquire()).rejects.toThrow("needs 3 of 5 servers: 3 did not answer");
    await Promise.all([0, 1, 2].map((at) => servers[at]!.restart()));
    const next = await waiting;
    expect(order).toEqual(["lost", "acquired by another"]);
    expect(next.fence).toBeGreaterThan(held.fence);
    await next.release();
  });

  it("survives a restart of all servers, one after the other, none of which keeps its data", async () => {
    const held = await red.lock("rolling", { ttl: "3s" }).acquire();
    for (const [at, server] of servers.entries()) {
      await server.restart();
      await until("its vote is there again", async () => (await voteOn(at, "rolling")) !== null);
    }
    expect(held).toMatchObject({ held: true, signal: { aborted: false } });
    expect(await other.lock("rolling").tryAcquire()).toEqual({ status: "busy" });
    const { fence } = held;
    expect(await held.release()).toEqual({ status: "ok" });
    await using next = await other.lock("rolling").acquire();
    expect(next.fence).toBeGreaterThan(fence);
  });

  it("a server has forgotten its vote, and does not give it twice before it is old enough", async () => {
    const terms: RedlockOptions = { maxTtl: "1s", timeout: 300 };
    const [mine, theirs] = [redlock(handles, terms), redlock(others, terms)];
    await until("all vote", async () => {
      await using held = await mine.lock("young", { ttl: "1s" }).acquire();
      return held.held;
    });
    // Three have it, and two have been somebody else's in the meantime.
    await Promise.all([3, 4].map((at) => servers[at]!.command("SET", `${prefix}:redlock:{young}`, "x", "PX", 60_000)));
    const held = await mine.lock("young", { ttl: "1s", renew: false }).acquire();
    await Promise.all([3, 4].map((at) => servers[at]!.command("DEL", `${prefix}:redlock:{young}`)));
    await servers[0]!.restart();
    const first = await theirs
      .lock("young", { ttl: "1s" })
      .tryAcquire()
      .catch(() => undefined);
    // What was asked while the server was young does not count, however it was answered.
    expect(held.held && first?.status === "ok").toBe(false);
    const next = await theirs.lock("young", { ttl: "1s" }).acquire();
    expect([held.held, next.held]).toEqual([false, true]);
    await next.release();
  });
});
