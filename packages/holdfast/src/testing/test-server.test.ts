/**
 * What could go wrong, and the test for it:
 * - time moves by itself, or a ttl, a deadline or a retry does not follow it .. "a virtual clock"
 * - it is paid for by the heartbeats of what is idle ......................... "a day in which nothing happens"
 * - a fault does what it does not say, or outlives its end ................... "faults"
 * - the faults are another client's too ...................................... "over TCP"
 * - closing hangs with a fault or an unanswered call ......................... "close"
 */
import { createClient } from "@redis/client";
import { describe, expect, it } from "vitest";
import { OutcomeUnknownError, UnavailableError } from "../base/errors.ts";
import { createTestServer, type TestServer } from "./index.ts";

const OP = { op: "test", class: "unsafe" } as const;

describe("a virtual clock", () => {
  it("stands still, and moves the server's ttls exactly", async () => {
    await using server = await createTestServer({ clock: "virtual", startAt: new Date("2030-01-01T00:00:00Z") });
    const hf = await server.connect();
    const cache = hf.cache<string>("c", { ttl: "10m", jitter: 0 });
    await cache.set("a", "one");
    expect(new Date(server.clock.now()).toISOString()).toBe("2030-01-01T00:00:00.000Z");
    await server.clock.advance("9m");
    expect(await cache.get("a")).toBe("one");
    await server.clock.advance(60_001);
    expect(await cache.get("a")).toBeUndefined();
    expect(server.clock.now()).toBe(Date.parse("2030-01-01T00:10:00.001Z"));
  });

  it("moves the handle's own timers: a lock is renewed, and lost when the server is away", async () => {
    await using server = await createTestServer({ clock: "virtual" });
    const hf = await server.connect();
    const lock = await hf.lock("l", { ttl: "10s" }).acquire();
    await server.clock.advance("1m");
    expect(lock.held).toBe(true);
    using _gone = server.faults.partition();
    await server.clock.advance("11s");
    expect(lock.held).toBe(false);
    expect(lock.signal.aborted).toBe(true);
  });

  it("brings the deadline of a call that nobody answers", async () => {
    await using server = await createTestServer({ clock: "virtual" });
    const hf = await server.connect({ timeout: "5s" });
    using _gone = server.faults.pause();
    const call = hf.driver.send(["SET", "k", "v"], OP, "k").catch((error: unknown) => error);
    await server.clock.advance("4s");
    const early = await Promise.race([call, Promise.resolve("pending")]);
    expect(early).toBe("pending");
    await server.clock.advance("2s");
    expect(await call).toBeInstanceOf(OutcomeUnknownError);
  });

  it("a day in which nothing happens costs no command, and a silence after it is found by its pings", async () => {
    await using server = await createTestServer({ clock: "virtual" });
    const hf = await server.connect({ pingInterval: "2s", pingTimeout: "5s" });
    const values = hf.cache<number>("values", { l1: true, ttl: "7d" });
    await values.set("a", 1);
    await values.get("a");
    await hf.channel<string>("news").subscribe(() => undefined);
    const executed = async (): Promise<number> =>
      Number(/total_commands_processed:(\d+)/.exec(String(await hf.command("INFO", "stats")))![1]);
    const before = await executed();
    await server.clock.advance("1d");
    expect(await executed()).toBe(before + 1);
    const states: string[] = [];
    hf.onState(({ state }) => states.push(state));
    const fault = server.faults.partition();
    await server.clock.advance("6999ms");
    expect(states).toEqual([]);
    await server.clock.advance("1ms");
    expect(states).toEqual(["down"]);
    fault.heal();
    await server.clock.advance("10s");
    expect(states).toEqual(["down", "up"]);
  });

  it("a real clock is not moved", async () => {
    await using server = await createTestServer();
    await expect(server.clock.advance("1s")).rejects.toThrow(/createTestServer\(\{ clock: "virtual" \}\)/);
    expect(Math.abs(server.clock.now() - Date.now())).toBeLessThan(60_000);
  });
});

describe.each(["real", "virtual"] as const)("faults under a %s clock", (clock) => {
  const stored = async (server: TestServer, key: string): Promise<string> =>
    String(await (await server.connect()).driver.send(["GET", key], { op: "test", class: "read" }, key));

  it("dropReplies: the command is executed and its sender does not know", async () => {
    await using server = await createTestServer({ clock });
    const hf = await server.connect();
    server.faults.dropReplies();
    await expect(hf.driver.send(["INCR", "k"], OP, "k")).rejects.toBeInstanceOf(OutcomeUnknownError);
    expect(await stored(server, "k")).toBe("1");
  });

  it("dropRequests: the command is not executed", async () => {
    await using server = await createTestServer({ clock });
    const hf = await server.connect();
    server.faults.dropRequests();
    await expect(hf.driver.send(["INCR", "k"], OP, "k")).rejects.toBeInstanceOf(OutcomeUnknownError);
    expect(await stored(server, "k")).toBe("null");
  });

  it("partition: what is sent waits and arrives when it heals", async () => {
    await using server = await createTestServer({ clock });
    const hf = await server.connect();
    const partition = server.faults.partition();
    const call = hf.driver.send(["INCR", "k"], OP, "k");
    expect(await Promise.race([call, turns(20)])).toBe("pending");
    partition.heal();
    expect(await call).toBe(1);
    partition.heal();
  });

  it("partition towards the client: executed, and not answered until it heals", async () => {
    await using server = await createTestServer({ clock });
    const [hf, other] = [await server.connect(), await server.connect()];
    await other.ping();
    const partition = server.faults.partition("toClient");
    const call = hf.driver.send(["INCR", "k"], OP, "k");
    expect(await Promise.race([call, turns(20)])).toBe("pending");
    partition.heal();
    expect(await call).toBe(1);
  });

  it("cut: calls under way are lost, the next ones are served", async () => {
    await using server = await createTestServer({ clock });
    const hf = await server.connect();
    const hold = server.faults.pause();
    const call = hf.driver.send(["INCR", "k"], OP, "k").catch((error: unknown) => error);
    await turns(5);
    server.faults.cut();
    hold.heal();
    expect(await call).toBeInstanceOf(OutcomeUnknownError);
    expect(await stored(server, "k")).toBe("null");
  });

  it("restart keeps the data or loses it; scripts are loaded again without anybody noticing", async () => {
    await using server = await createTestServer({ clock });
    const counter = (await server.connect()).counter("n");
    await counter.increment("a");
    server.faults.restart();
    expect(await reading(server, () => counter.increment("a"))).toMatchObject({ value: 2 });
    server.faults.restart({ keepData: false });
    expect(await reading(server, () => counter.increment("a"))).toMatchObject({ value: 1 });
  });

  it("failover loses what was not replicated, and nothing where all was", async () => {
    await using server = await createTestServer({ clock });
    const hf = await server.connect();
    const set = (value: string): Promise<unknown> =>
      reading(server, () => hf.driver.send(["SET", "k", value], { op: "test", class: "idempotent" }, "k"));
    await set("old");
    server.faults.stopReplication();
    await set("new");
    server.faults.failover();
    expect(await stored(server, "k")).toBe("old");
    await set("newer");
    server.faults.failover();
    expect(await stored(server, "k")).toBe("newer");
  });

  it("down: nobody is let in until it heals", async () => {
    await using server = await createTestServer({ clock });
    const hf = await server.connect({ timeout: "50ms" });
    const down = server.faults.down();
    const call = hf.ping().catch((error: unknown) => error);
    if (clock === "virtual") await server.clock.advance("1s");
    expect(await call).toBeInstanceOf(UnavailableError);
    const refused = server.connect({ connectTimeout: "50ms" }).catch((error: unknown) => error);
    if (clock === "virtual") await server.clock.advance("1s");
    expect(String(await refused)).toContain("ECONNREFUSED");
    down.heal();
    await reading(server, () => hf.driver.send(["PING"], { op: "test", class: "read", timeoutMs: 10_000 }));
  });

  it("close ends with a fault, and with a call that nobody answers", async () => {
    const server = await createTestServer({ clock });
    const hf = await server.connect();
    server.faults.partition();
    const call = hf.driver.blocking(["BLPOP", "list", "0"], 3_600_000, OP, "list").catch((error: unknown) => error);
    await turns(5);
    await server.close();
    await server.close();
    expect(await call).toBeInstanceOf(Error);
  });
});

describe("over TCP", () => {
  it("any client, and the faults are its own too", async () => {
    await using server = await createTestServer({ password: "secret" });
    const url = (await server.listen()).replace("//", "//:secret@");
    const client = createClient({ url, socket: { reconnectStrategy: false } });
    client.on("error", ignore);
    await client.connect();
    expect(await client.incr("k")).toBe(1);
    server.faults.dropReplies();
    await expect(client.incr("k")).rejects.toThrow(/closed|reset/i);
    const hf = await server.connect({ password: "secret" });
    expect(String(await hf.driver.send(["GET", "k"], { op: "test", class: "read" }, "k"))).toBe("2");
    using _down = server.faults.down();
    await expect(
      createClient({ url, socket: { reconnectStrategy: false } })
        .on("error", ignore)
        .connect(),
    ).rejects.toThrow(/closed|reset/i);
    client.destroy();
  });
});

const ignore = (): void => undefined;

async function turns(count: number): Promise<"pending"> {
  for (let turn = 0; turn < count; turn++) await new Promise((resolve) => setImmediate(resolve));
  return "pending";
}

/** The outcome of what may wait for a connection that comes back after a pause, by whatever clock. */
async function reading<T>(server: TestServer, ask: () => Promise<T>): Promise<T> {
  const answer = ask();
  await server.clock.advance("3s").catch(() => undefined);
  return answer;
}
