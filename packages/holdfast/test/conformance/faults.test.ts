/** A server that is cut off, reset, stopped or killed, with a server and a proxy of the test's own. */
import { type AddressInfo, createConnection, createServer, type Socket } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Proxy, startProxy } from "../support/proxy.ts";
import { startStandalone, type Standalone } from "../support/servers.ts";
import { call, failureOf, Inbox, openDriver, script, send, slotPrefix, stateEvent } from "./support.ts";

const INCREMENT_ONCE = script(`
  if redis.call('SET', KEYS[2], '1', 'NX', 'PX', 60000) then redis.call('INCR', KEYS[1]) end
  return redis.call('GET', KEYS[1])`);

describe("faults of the network [standalone]", () => {
  let server: Standalone;
  let proxy: Proxy;
  beforeAll(async () => {
    server = await startStandalone();
    proxy = await startProxy(server);
  });
  beforeEach(() => proxy.heal());
  afterAll(async () => {
    await proxy.stop();
    await server.stop();
  });

  it("reports an unsafe write whose answer was lost as unknown, and sends it once", async () => {
    await using driver = await openDriver({ url: proxy.url });
    const key = `${slotPrefix()}n`;
    proxy.dropReplies();
    const executed = proxy.sawReply(":1\r\n");
    const outcome = failureOf(send(driver, ["INCR", key], "unsafe", { key: "counter" }));
    await executed;
    proxy.reset();
    expect(await outcome).toMatchObject({ code: "OUTCOME_UNKNOWN", key: "counter" });
    await proxy.heal();
    expect(await send(driver, ["GET", key])).toEqual(Buffer.from("1"));
  });

  it("repeats a dedupable write, which has exactly one effect", async () => {
    await using driver = await openDriver({ url: proxy.url });
    const prefix = slotPrefix();
    const keys = [`${prefix}n`, `${prefix}op`];
    const run = (): Promise<unknown> => driver.script(INCREMENT_ONCE, keys, [], call("dedupable"));
    // Loads the script, under another operation id.
    await driver.script(INCREMENT_ONCE, [`${prefix}warm`, `${prefix}warm-op`], [], call("dedupable"));
    proxy.dropReplies();
    const executed = proxy.sawReply("$1\r\n1\r\n");
    const result = run();
    await executed;
    proxy.reset();
    await proxy.heal();
    expect(await result).toEqual(Buffer.from("1"));
    expect(await server.command("GET", `${prefix}n`)).toEqual("1");
  });

  it("repeats even an unsafe write that was never sent", async () => {
    await using driver = await openDriver({ url: proxy.url });
    const prefix = slotPrefix();
    proxy.freeze();
    // Enough to fill the sockets' buffers on the way, so that what comes after it stays in this process.
    const ballast = Buffer.alloc(8 << 20, "x");
    const stuck = Array.from({ length: 4 }, (_, n) =>
      send(driver, ["SET", `${prefix}${n}`, ballast, "PX", "1000"], "idempotent"),
    );
    await new Promise((resolve) => setImmediate(resolve));
    const increment = send(driver, ["INCR", `${prefix}n`], "unsafe");
    await new Promise((resolve) => setImmediate(resolve));
    proxy.reset();
    await proxy.heal();
    expect(await increment).toBe(1);
    await Promise.all(stuck);
  });

  it("finds a half-open connection by its pings, busy or idle, and makes a new one", async () => {
    await using driver = await openDriver({ url: proxy.url, pingInterval: 50, pingTimeout: 500, connectTimeout: "1s" });
    const down = stateEvent(driver, ({ state }) => state === "down");
    proxy.halfOpen();
    const lost = failureOf(send(driver, ["INCR", `${slotPrefix()}n`], "unsafe", { timeoutMs: 400 }));
    expect(String((await down).cause)).toContain("PING");
    expect(await lost).toMatchObject({ code: "OUTCOME_UNKNOWN" });
    const up = stateEvent(driver, ({ state }) => state === "up");
    await proxy.heal();
    expect((await up).epoch).toBe(2);
    expect(await send(driver, ["PING"])).toBe("PONG");
  });

  it("gives up a connection that is accepted and then left alone, and tries again", async () => {
    const connections: Socket[] = [];
    const listener = createServer((client) => {
      connections.push(client);
      client.on("error", () => undefined);
      // The second one gets no answer, not even to its greeting.
      if (connections.length === 2) return;
      const upstream = createConnection(server.port, "127.0.0.1");
      upstream.on("error", () => undefined).on("close", () => client.destroy());
      client.on("close", () => upstream.destroy());
      client.pipe(upstream).pipe(client);
    });
    await new Promise<void>((resolve) => void listener.listen(0, "127.0.0.1", resolve));
    const { port } = listener.address() as AddressInfo;
    await using driver = await openDriver({ url: `redis://127.0.0.1:${port}`, connectTimeout: "1s" });
    connections[0]!.destroy();
    expect(await send(driver, ["PING"])).toBe("PONG");
    expect(connections).toHaveLength(3);
    listener.close();
  });

  it("reports refused connections as down, and is up again when the server is back", async () => {
    await using driver = await openDriver({ url: proxy.url });
    const down = stateEvent(driver, ({ state }) => state === "down");
    proxy.refuse();
    proxy.cut();
    await down;
    expect(driver.nodes()[0]).toMatchObject({ state: "down", epoch: 1 });
    expect((await failureOf(send(driver, ["PING"], "read", { timeoutMs: 200 }))).retryable).toBe(true);
    const waiting = send(driver, ["PING"]);
    await proxy.heal();
    expect(await waiting).toBe("PONG");
    expect(driver.nodes()[0]).toMatchObject({ state: "up", epoch: 2 });
  });

  it("restores subscriptions after a cut and reports the gap", async () => {
    await using driver = await openDriver({ url: proxy.url });
    const channel = slotPrefix();
    for (const kind of ["exact", "pattern", "sharded"] as const) {
      const messages = new Inbox<string>();
      const gaps = new Inbox<unknown>();
      const listener = { message: (payload: Buffer) => messages.put(payload.toString()), gap: gaps.put };
      const subscription = await driver.subscribe(kind, channel, listener, call());
      proxy.cut();
      expect(await gaps.find()).toBeInstanceOf(Error);
      await server.command(kind === "sharded" ? "SPUBLISH" : "PUBLISH", channel, "after");
      expect(await messages.find()).toBe("after");
      expect(gaps.all).toHaveLength(1);
      await subscription.close();
    }
  });

  it("flushes what it knew of keys at a loss, and hears of changes again", async () => {
    await using driver = await openDriver({ url: proxy.url });
    const prefix = slotPrefix();
    const keys = new Inbox<string>();
    const flushes = new Inbox<unknown>();
    const listener = {
      keys: (all: readonly Buffer[]) => all.forEach((key) => keys.put(String(key))),
      flush: flushes.put,
    };
    await driver.onInvalidate(prefix, listener, call());
    const up = stateEvent(driver, ({ state }) => state === "up");
    proxy.cut();
    await flushes.find();
    await up;
    const flushed = flushes.all.length;
    expect(flushed).toBeGreaterThanOrEqual(2);
    await server.command("SET", `${prefix}a`, "x", "PX", "60000");
    expect(await keys.find()).toBe(`${prefix}a`);
    await server.command("FLUSHALL");
    await flushes.find(() => flushes.all.length > flushed);
  });

  it("does not lend a connection that was cut while nobody used it", async () => {
    await using driver = await openDriver({ url: proxy.url });
    const first = await driver.lease(undefined, call());
    first.release();
    const up = stateEvent(driver, ({ state }) => state === "up");
    proxy.cut();
    await up;
    const second = await driver.lease(undefined, call());
    expect(await second.send(["PING"], call())).toBe("PONG");
    second.release();
  });
});

describe("a server that stops [standalone]", () => {
  let server: Standalone;
  beforeAll(async () => {
    server = await startStandalone({ persistence: true });
  });
  afterAll(() => server.stop());

  it("settles every call by its deadline while the server is stopped, and goes on after SIGCONT", async () => {
    await using driver = await openDriver({ url: server.url, connectTimeout: "1s" });
    const prefix = slotPrefix();
    const listener = { message: () => undefined, gap: () => undefined };
    const tracker = { keys: () => undefined, flush: () => undefined };
    await server.pause();
    const brief = { timeoutMs: 300 };
    const outcomes = await Promise.all([
      failureOf(send(driver, ["GET", prefix], "read", brief)),
      failureOf(send(driver, ["INCR", prefix], "unsafe", brief)),
      failureOf(driver.lease(undefined, call("read", brief))),
      failureOf(driver.blocking(["BLPOP", prefix, "0.1"], 100, call("unsafe", brief), prefix)),
      failureOf(driver.subscribe("exact", prefix, listener, call("read", brief))),
      failureOf(driver.onInvalidate(prefix, tracker, call("read", brief))),
    ]);
    expect(outcomes.map(({ code }) => code)).toEqual([
      "TIMEOUT",
      "OUTCOME_UNKNOWN",
      expect.stringMatching(/TIMEOUT|UNAVAILABLE/),
      expect.stringMatching(/TIMEOUT|UNAVAILABLE/),
      expect.stringMatching(/TIMEOUT|UNAVAILABLE/),
      expect.stringMatching(/TIMEOUT|UNAVAILABLE/),
    ]);
    server.resume();
    expect(await send(driver, ["PING"])).toBe("PONG");
    const subscription = await driver.subscribe("exact", prefix, listener, call());
    await subscription.close();
  });

  it("works again after kill -9 and a restart", async () => {
    await using driver = await openDriver({ url: server.url });
    const key = `${slotPrefix()}n`;
    await send(driver, ["SET", key, "kept", "PX", "60000"], "idempotent");
    const down = stateEvent(driver, ({ state }) => state === "down");
    await server.kill();
    await down;
    const read = send(driver, ["GET", key]);
    await server.restart();
    expect(await read).toEqual(Buffer.from("kept"));
    expect(driver.nodes()[0]?.epoch).toBeGreaterThanOrEqual(2);
  });
});

describe("a name whose owner changes [standalone]", () => {
  it("is resolved again when its server has become a replica, and writes go on", async () => {
    await using first = await startStandalone();
    await using second = await startStandalone();
    await using name = await startProxy(first);
    await using driver = await openDriver({ url: name.url });
    const key = `${slotPrefix()}moved`;
    expect(await send(driver, ["SET", key, "1", "PX", "60000"], "idempotent")).toBe("OK");
    await first.command("REPLICAOF", "127.0.0.1", String(second.port));
    name.redirect(second);
    // The old connection stands, and its server refuses every write.
    expect(await send(driver, ["SET", key, "2", "PX", "60000"], "unsafe")).toBe("OK");
    expect(await second.command("GET", key)).toBe("2");
  });
});
