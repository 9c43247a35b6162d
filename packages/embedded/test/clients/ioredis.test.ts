/** ioredis, as it comes: a pipelining client, which reads INFO before it is ready. Version 5 speaks RESP2, version 6 RESP3. */
import { createServer, type EmbeddedServer } from "holdfast-embedded";
import { Redis, type RedisOptions } from "ioredis";
import { Redis as Redis6, type RedisOptions as Redis6Options } from "ioredis6";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

let server: EmbeddedServer;
beforeAll(async () => {
  server = createServer();
  await server.listen();
});
afterAll(() => server.close());

/** The two have the same methods. */
const create6 = (options: RedisOptions, protocol: 2 | 3 = 3): Redis =>
  new Redis6({ ...options, protocol } as unknown as Redis6Options & { replyMapping: "legacy" }) as unknown as Redis;
const versions: readonly (readonly [name: string, create: (options: RedisOptions) => Redis])[] = [
  ["ioredis 5", (options) => new Redis(options)],
  ["ioredis 6", (options) => create6(options)],
  ["ioredis 6, RESP2", (options) => create6(options, 2)],
];

describe.each(versions)("%s", (version, create) => {
  const connect = (options: RedisOptions = {}): Redis => create({ port: server.port, ...options });

  let client: Redis;
  beforeAll(() => {
    client = connect();
  });
  afterAll(() => client.disconnect());
  beforeEach(() => client.flushall());

  it("runs commands of every family", async () => {
    expect(await client.set("text", "häß", "EX", 60)).toBe("OK");
    expect(await client.get("text")).toBe("häß");
    expect(await client.getBuffer("text")).toEqual(Buffer.from("häß"));
    expect(await client.hset("hash", { a: 1, b: 2 })).toBe(2);
    expect(await client.hgetall("hash")).toEqual({ a: "1", b: "2" });
    expect(await client.rpush("list", "x", "y")).toBe(2);
    expect(await client.lrange("list", 0, -1)).toEqual(["x", "y"]);
    expect(await client.sadd("set", "m", "n")).toBe(2);
    expect(await client.zadd("zset", 1.5, "one", "+inf", "last")).toBe(2);
    expect(await client.zrange("zset", 0, -1, "WITHSCORES")).toEqual(["one", "1.5", "last", "inf"]);
    expect(await client.setbit("bits", 7, 1)).toBe(0);
    expect(await client.getBuffer("bits")).toEqual(Buffer.from([1]));
    await expect(client.lpush("text", "x")).rejects.toThrow(/^WRONGTYPE /);
  });

  it("walks a hash by a stream", async () => {
    await client.hset("hash", Object.fromEntries(Array.from({ length: 1000 }, (_, at) => [`f${at}`, at])));
    const found = new Set<string>();
    for await (const page of client.hscanStream("hash", { count: 100 }) as AsyncIterable<string[]>) {
      for (const [at, field] of page.entries()) if (at % 2 === 0) found.add(field);
    }
    expect(found.size).toBe(1000);
  });

  it("pipelines, by hand and by itself, and runs transactions", async () => {
    expect(await client.pipeline().set("a", 1).incr("a").lpush("a", "x").exec()).toMatchObject([
      [null, "OK"],
      [null, 2],
      [{ message: expect.stringMatching(/^WRONGTYPE /) as string }],
    ]);
    const automatic = connect({ enableAutoPipelining: true });
    const counted = await Promise.all(Array.from({ length: 500 }, () => automatic.incr("counter")));
    expect(counted).toEqual(Array.from({ length: 500 }, (_, at) => at + 1));
    automatic.disconnect();
    expect(await client.multi().set("b", 1).get("b").exec()).toEqual([
      [null, "OK"],
      [null, "1"],
    ]);
  });

  it("answers null for a transaction whose watched key has changed", async () => {
    const other = connect();
    await client.watch("stock");
    await other.set("stock", 0);
    expect(await client.multi().decr("stock").exec()).toBeNull();
    other.disconnect();
  });

  it("publishes and subscribes, with patterns", async () => {
    const subscriber = connect();
    const received: string[] = [];
    subscriber.on("message", (channel, message) => void received.push(`${channel}=${message}`));
    subscriber.on("pmessage", (pattern, channel, message) => void received.push(`${pattern}:${channel}=${message}`));
    expect(await subscriber.subscribe("news", "other")).toBe(2);
    expect(await subscriber.psubscribe("n*")).toBe(3);
    expect(await client.publish("news", "hello")).toBe(2);
    await expect.poll(() => received).toEqual(["news=hello", "n*:news=hello"]);
    await subscriber.unsubscribe("news", "other");
    await subscriber.punsubscribe("n*");
    expect(await subscriber.get("none")).toBeNull();
    subscriber.disconnect();
  });

  it("waits for a key", async () => {
    const waiter = connect();
    const popped = waiter.blpop("queue", 0);
    await client.rpush("queue", "job");
    expect(await popped).toEqual(["queue", "job"]);
    expect(await waiter.blpop("queue", 0.01)).toBeNull();
    waiter.disconnect();
  });

  it("runs scripts, as commands of its own too", async () => {
    client.defineCommand("add", { numberOfKeys: 1, lua: "return redis.call('INCRBY', KEYS[1], ARGV[1])" });
    const scripted = client as unknown as { add(key: string, by: number): Promise<number> };
    expect(await scripted.add("sum", 2)).toBe(2);
    await client.script("FLUSH");
    expect(await scripted.add("sum", 3)).toBe(5);
    expect(await client.eval("return {KEYS[1], ARGV[1], 3.9, false}", 1, "k", "a")).toEqual(["k", "a", 3, null]);
  });

  it("reads a stream through a group, waits for it, claims and acknowledges", async () => {
    await client.xgroup("CREATE", "stream", "group", "$", "MKSTREAM");
    const reader = connect();
    const read = reader.xreadgroup("GROUP", "group", "me", "COUNT", 10, "BLOCK", 0, "STREAMS", "stream", ">");
    const id = await client.xadd("stream", "*", "field", "value");
    expect(await read).toEqual([["stream", [[id, ["field", "value"]]]]]);
    expect(await client.xpending("stream", "group")).toEqual([1, id, id, [["me", "1"]]]);
    expect(await client.xautoclaim("stream", "group", "you", 0, "0")).toEqual(["0-0", [[id, ["field", "value"]]], []]);
    expect(await client.xack("stream", "group", id as string)).toBe(1);
    reader.disconnect();
  });

  // In RESP3 ioredis 6 hands out no invalidation, whatever the server.
  it.skipIf(version === "ioredis 6")("hears of changed keys on a connection of their own", async () => {
    const listener = connect();
    const changed: string[] = [];
    listener.on("message", (_channel, key) => void changed.push(key));
    const listenerId = await listener.client("ID");
    await listener.subscribe("__redis__:invalidate");
    await client.client("TRACKING", "ON", "REDIRECT", listenerId);
    await client.get("cached");
    const writer = connect();
    await writer.set("cached", "new");
    await expect.poll(() => changed).toEqual(["cached"]);
    await client.client("TRACKING", "OFF");
    listener.disconnect();
    writer.disconnect();
  });

  it("comes back after the server has ended its connection", async () => {
    const again = connect({ retryStrategy: () => 1 });
    const id = await again.client("ID");
    await client.client("KILL", "ID", id);
    expect(await again.ping()).toBe("PONG");
    again.disconnect();
  });
});
