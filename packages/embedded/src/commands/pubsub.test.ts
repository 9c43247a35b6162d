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

  it("publishes keyspace events", async () => {
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
      for (let i = 0; i < events; i += 1) await listener.sameMessage();
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

  it("publishes which reads found no key", async () => {
    const [listener, speaker] = await Promise.all([oracle.connect(3), oracle.connect()]);
    await speaker.both("FLUSHALL");
    await speaker.both("CONFIG SET notify-keyspace-events Em");
    await listener.subscription("PSUBSCRIBE *", 3);
    const reads =
      "EXISTS n,TYPE n,TTL n,PTTL n,EXPIRETIME n,PEXPIRETIME n,TOUCH n,OBJECT ENCODING n,OBJECT FREQ n,OBJECT IDLETIME n," +
      "DEL n,UNLINK n,PERSIST n,EXPIRE n 100,RENAME n m,RENAMENX n m,COPY n m,MOVE n 1,SORT n,SORT n STORE m,SORT_RO n," +
      "GET n,MGET n m,STRLEN n,GETRANGE n 0 1,SUBSTR n 0 1,GETEX n,GETDEL n,LCS n m,APPEND a x,SETRANGE n 0 ''," +
      "SET b 1 XX,SET b 1 GET,SETNX b 1,GETSET c 1,MSETNX d 1,INCR e,GETBIT n 1,BITCOUNT n,BITPOS n 1,BITFIELD n GET u8 0," +
      "BITFIELD_RO n GET u8 0,BITOP AND m n,PFCOUNT n,PFCOUNT n m,PFMERGE f n,HGET n f,HMGET n f,HGETALL n,HKEYS n," +
      "HVALS n,HLEN n,HSTRLEN n f,HEXISTS n f,HSCAN n 0,HRANDFIELD n,HDEL n f,HSETNX h f 1,HINCRBY g f 1,LLEN n,LINDEX n 0," +
      "LRANGE n 0 1,LPOS n x,LPOP n,LMPOP 1 n LEFT,LMOVE n m LEFT LEFT,LREM n 0 x,LSET n 0 x,LTRIM n 0 1,LPUSHX n x," +
      "LINSERT n BEFORE x y,SCARD n,SISMEMBER n x,SMISMEMBER n x,SMEMBERS n,SRANDMEMBER n,SPOP n,SREM n x,SMOVE n m x," +
      "SSCAN n 0,SINTER n m,SINTERCARD 1 n,SUNION n m,SDIFF n m,SINTERSTORE i n m,SUNIONSTORE i n m,SDIFFSTORE i n m," +
      "ZCARD n,ZSCORE n x,ZMSCORE n x,ZRANK n x,ZREVRANK n x,ZCOUNT n 0 1,ZLEXCOUNT n - +,ZRANGE n 0 1,ZRANGESTORE m n 0 1," +
      "ZRANGEBYSCORE n 0 1,ZREVRANGE n 0 1,ZRANDMEMBER n,ZSCAN n 0,ZPOPMIN n,ZMPOP 1 n MIN,ZREM n x,ZREMRANGEBYRANK n 0 1," +
      "ZUNION 1 n,ZINTER 1 n,ZDIFF 1 n,ZINTERCARD 1 n,ZUNIONSTORE m 1 n,ZDIFFSTORE m 1 n,GEOPOS n x,GEOHASH n x," +
      "GEODIST n x y,GEOSEARCH n FROMLONLAT 0 0 BYRADIUS 1 m,GEOSEARCHSTORE m n FROMLONLAT 0 0 BYRADIUS 1 m," +
      "GEORADIUS n 0 0 1 m,XLEN n,XRANGE n - +,XREAD STREAMS n 0,XINFO STREAM n,XINFO GROUPS n,XPENDING n g,XACK n g 1," +
      "XDEL n 1,XTRIM n MAXLEN 1,XADD n NOMKSTREAM * a b,XGROUP DESTROY n g,XREADGROUP GROUP g c STREAMS n >," +
      "XCLAIM n g c 0 1,XAUTOCLAIM n g c 0 0,WATCH n,KEYS n,DBSIZE";
    for (const command of reads.split(",")) {
      await speaker.same(command);
      await listener.same("PING");
    }
    await speaker.both("CONFIG SET notify-keyspace-events ''");
    listener.close();
    speaker.close();
  });
});
