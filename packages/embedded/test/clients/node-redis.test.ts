/** node-redis, as it comes, in both versions of the protocol. */
import { createClient, defineScript } from "@redis/client";
import { createServer, type EmbeddedServer } from "holdfast-embedded";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

const ADD = defineScript({
  SCRIPT: "return redis.call('INCRBY', KEYS[1], ARGV[1])",
  NUMBER_OF_KEYS: 1,
  parseCommand: (parser, key: string, by: number) => {
    parser.pushKey(key);
    parser.push(String(by));
  },
  transformReply: (reply: number) => reply,
});

let server: EmbeddedServer;
beforeAll(async () => {
  server = createServer();
  await server.listen();
});
afterAll(() => server.close());

describe.each([3, 2] as const)("node-redis, RESP%i", (RESP) => {
  const create = () => createClient({ url: `redis://127.0.0.1:${server.port}`, RESP, scripts: { add: ADD } });
  const connected = async () => {
    const client = create();
    client.on("error", () => undefined);
    await client.connect();
    return client;
  };

  let client: Awaited<ReturnType<typeof connected>>;
  beforeAll(async () => {
    client = await connected();
  });
  afterAll(() => client.close());
  beforeEach(() => client.flushAll());

  it("runs commands of every family", async () => {
    expect(await client.set("text", "häß", { expiration: { type: "EX", value: 60 } })).toBe("OK");
    expect(await client.get("text")).toBe("häß");
    expect(await client.ttl("text")).toBe(60);
    expect(await client.get("none")).toBeNull();
    expect(await client.hSet("hash", { a: "1", b: "2" })).toBe(2);
    expect({ ...(await client.hGetAll("hash")) }).toEqual({ a: "1", b: "2" });
    await client.rPush("list", ["x", "y"]);
    expect(await client.lRange("list", 0, -1)).toEqual(["x", "y"]);
    await client.sAdd("set", ["m", "n"]);
    expect([...(await client.sMembers("set"))].sort()).toEqual(["m", "n"]);
    await client.zAdd("zset", [
      { score: 1.5, value: "one" },
      { score: Infinity, value: "last" },
    ]);
    expect(await client.zRangeWithScores("zset", 0, -1)).toEqual([
      { value: "one", score: 1.5 },
      { value: "last", score: Infinity },
    ]);
    await client.geoAdd("geo", { longitude: 13.4, latitude: 52.5, member: "Berlin" });
    expect(await client.geoSearch("geo", { longitude: 13, latitude: 52 }, { radius: 100, unit: "km" })).toEqual([
      "Berlin",
    ]);
    await client.pfAdd("hll", ["a", "b", "c"]);
    expect(await client.pfCount("hll")).toBe(3);
    await expect(client.lPush("text", "x")).rejects.toThrow(/^WRONGTYPE /);
  });

  it("walks the keys", async () => {
    await Promise.all(Array.from({ length: 500 }, (_, at) => client.set(`key:${at}`, "1")));
    const found = new Set<string>();
    for await (const keys of client.scanIterator({ MATCH: "key:*", COUNT: 50 })) for (const key of keys) found.add(key);
    expect(found.size).toBe(500);
  });

  it("pipelines, and runs transactions", async () => {
    const replies = await Promise.all(Array.from({ length: 1000 }, () => client.incr("counter")));
    expect(replies).toEqual(Array.from({ length: 1000 }, (_, at) => at + 1));
    expect(await client.multi().set("a", "1").incr("a").get("a").exec()).toEqual(["OK", 2, "2"]);
    expect(await client.multi().set("b", "1").get("b").execAsPipeline()).toEqual(["OK", "1"]);
  });

  it("refuses a transaction whose watched key has changed", async () => {
    const other = await connected();
    await client.watch("stock");
    await other.set("stock", "0");
    await expect(client.multi().decr("stock").exec()).rejects.toThrow("One (or more) of the watched keys");
    expect(await client.get("stock")).toBe("0");
    await other.close();
  });

  it("publishes and subscribes, with patterns and shards", async () => {
    const subscriber = await connected();
    const received: string[] = [];
    await subscriber.subscribe("news", (message, channel) => void received.push(`${channel}=${message}`));
    await subscriber.pSubscribe("n*", (message, channel) => void received.push(`${channel}~${message}`));
    await subscriber.sSubscribe("shard", (message, channel) => void received.push(`${channel}/${message}`));
    expect(await client.publish("news", "hello")).toBe(2);
    expect(await client.sPublish("shard", "hello")).toBe(1);
    await expect.poll(() => received).toEqual(["news=hello", "news~hello", "shard/hello"]);
    await subscriber.unsubscribe("news");
    await subscriber.pUnsubscribe();
    await subscriber.sUnsubscribe("shard");
    expect(await client.publish("news", "hello")).toBe(0);
    expect(await subscriber.get("none")).toBeNull();
    await subscriber.close();
  });

  it("waits for a key", async () => {
    const waiter = await connected();
    const popped = waiter.blPop("queue", 0);
    const moved = waiter.bzPopMin("zset", 0);
    await client.rPush("queue", "job");
    expect(await popped).toEqual({ key: "queue", element: "job" });
    await client.zAdd("zset", { score: 2, value: "job" });
    expect(await moved).toEqual({ key: "zset", value: "job", score: 2 });
    expect(await waiter.blPop("queue", 0.01)).toBeNull();
    await waiter.close();
  });

  it("runs scripts", async () => {
    await client.scriptFlush();
    expect(await client.add("sum", 2)).toBe(2);
    expect(await client.add("sum", 3)).toBe(5);
    expect(await client.eval("return {KEYS[1], ARGV[1], 3.9, false}", { keys: ["k"], arguments: ["a"] })).toEqual([
      "k",
      "a",
      3,
      null,
    ]);
    await expect(client.eval("return redis.error_reply('OOPS no')")).rejects.toThrow("OOPS no");
  });

  it("reads a stream through a group", async () => {
    await client.xGroupCreate("stream", "group", "0", { MKSTREAM: true });
    const id = await client.xAdd("stream", "*", { field: "value" });
    const read = await client.xReadGroup("group", "me", { key: "stream", id: ">" }, { COUNT: 10 });
    expect(read).toMatchObject([{ name: "stream", messages: [{ id, message: { field: "value" } }] }]);
    expect(await client.xPending("stream", "group")).toMatchObject({ pending: 1, firstId: id, lastId: id });
    expect(await client.xAck("stream", "group", id)).toBe(1);
    expect(await client.xInfoGroups("stream")).toMatchObject([{ name: "group", pending: 0, lag: 0 }]);
  });
});

it("node-redis caches on the client's side, and hears when a value changes", async () => {
  const url = `redis://127.0.0.1:${server.port}`;
  const writer = await createClient({ url }).connect();
  const reader = createClient({ url, RESP: 3, clientSideCache: { ttl: 0, maxEntries: 100, evictPolicy: "LRU" } });
  await reader.connect();
  await writer.set("cached", "old");
  expect(await reader.get("cached")).toBe("old");
  const { hits } = server.engine.stats;
  expect(await reader.get("cached")).toBe("old");
  expect(server.engine.stats.hits).toBe(hits);
  await writer.set("cached", "new");
  await expect.poll(() => reader.get("cached")).toBe("new");
  await Promise.all([writer.close(), reader.close()]);
});
