import { afterAll, beforeAll, describe, it } from "vitest";
import { type Oracle, startOracle } from "../testing/differential.ts";

let oracle: Oracle;
beforeAll(async () => {
  oracle = await startOracle();
});
afterAll(() => oracle.close());

describe.each([2, 3] as const)("pub/sub in RESP%i is Redis's", (resp) => {
  it("delivers by name, by pattern and by shard", async () => {
    const [listener, speaker] = await Promise.all([oracle.connect(resp), oracle.connect()]);
    await listener.both("PING");
    for (const subscription of ["SUBSCRIBE a", "SUBSCRIBE a", "PSUBSCRIBE a*", "PSUBSCRIBE [b", "SSUBSCRIBE a"]) {
      await listener.subscription(subscription, resp);
    }
    await speaker.same("PUBLISH a hello");
    await listener.sameMessage();
    await listener.sameMessage();
    await speaker.same(["PUBLISH", "ab", "\x00\r\n\xff"]);
    await listener.sameMessage();
    await speaker.same("SPUBLISH a shard");
    await listener.sameMessage();
    await speaker.same("PUBLISH nobody x");
    for (const question of [
      "PUBSUB CHANNELS",
      "PUBSUB CHANNELS b*",
      "PUBSUB NUMSUB a x",
      "PUBSUB NUMPAT",
      "PUBSUB NUMSUB",
    ]) {
      await speaker.same(question);
    }
    for (const question of ["PUBSUB SHARDCHANNELS", "PUBSUB SHARDNUMSUB a", "PUBSUB HELP", "PUBSUB CHANNELS a b"]) {
      await speaker.same(question);
    }
    for (const subscription of [
      "UNSUBSCRIBE a",
      "UNSUBSCRIBE a",
      "UNSUBSCRIBE",
      "SUNSUBSCRIBE",
      "PUNSUBSCRIBE a*",
      "PUNSUBSCRIBE",
    ]) {
      await listener.subscription(subscription, resp);
    }
    await speaker.same("PUBLISH a hello");
    await listener.same("GET nothing");
    listener.close();
    speaker.close();
  });

  it("allows a subscriber what Redis allows", async () => {
    const listener = await oracle.connect(resp);
    await listener.subscription("SUBSCRIBE a", resp);
    await listener.same("PING");
    await listener.same("PING x");
    await listener.same("GET a");
    await listener.same("MULTI");
    await listener.same("RESET");
    await listener.same("GET a");
    listener.close();
  });

  it("tells keyspace events", async () => {
    const [listener, speaker] = await Promise.all([oracle.connect(resp), oracle.connect()]);
    await speaker.both("FLUSHALL");
    await speaker.same("CONFIG SET notify-keyspace-events KEAmn");
    await speaker.same("CONFIG GET notify-keyspace-events");
    await listener.subscription("PSUBSCRIBE __key*@*", resp);
    const commands: readonly (readonly [string, number])[] = [
      ["SET a 1", 4],
      ["SET a 1 EX 100", 4],
      ["GET nothing", 2],
      ["INCR a", 2],
      ["APPEND a 1", 2],
      ["SETRANGE a 0 x", 2],
      ["GETEX a PERSIST", 2],
      ["RENAME a b", 6],
      ["EXPIRE b 100", 2],
      ["PERSIST b", 2],
      ["COPY b c", 4],
      ["MOVE c 1", 6],
      ["DEL b", 2],
      ["MSET x 1 y 2", 8],
      ["GETDEL x", 2],
      ["EXPIRE y -1", 2],
      ["INCRBYFLOAT f 1.5", 4],
    ];
    for (const [command, events] of commands) {
      await speaker.same(command);
      for (let i = 0; i < events; i++) await listener.sameMessage();
    }
    await speaker.same("CONFIG SET notify-keyspace-events Q");
    await speaker.same("CONFIG SET notify-keyspace-events ''");
    listener.close();
    speaker.close();
  });

  it("match an empty channel with no pattern but the empty one", async () => {
    const [listener, speaker] = await Promise.all([oracle.connect(3), oracle.connect()]);
    await listener.subscription("PSUBSCRIBE *", 3);
    await speaker.same("PUBLISH '' x");
    await listener.subscription("SUBSCRIBE ''", 3);
    await speaker.same("PUBLISH '' x");
    await listener.sameMessage();
    await speaker.same("PUBSUB CHANNELS");
    await speaker.same("PUBSUB CHANNELS *");
    listener.close();
    speaker.close();
  });
});
