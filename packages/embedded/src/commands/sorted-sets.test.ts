import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CommandLine, type Oracle, startOracle } from "../testing/differential.ts";
import { Syntax } from "../testing/grammar.ts";
import { sortedSetPlaceholders, sortedSetSyntax, withoutScanOrder } from "../testing/grammars/sorted-sets.ts";
import { SeededRandom } from "../base/random.ts";

let oracle: Oracle;
beforeAll(async () => {
  oracle = await startOracle();
});
afterAll(() => oracle.close());

const COMMANDS = 800;
/** A real server looks this many times a second for clients whose time is over. */
const OFTEN = "CONFIG SET hz 500";

describe("sorted sets answer as Redis does", () => {
  it.each([1, 2, 3])("in a generated sequence, seed %i", async (seed) => {
    const random = new SeededRandom(seed);
    const syntaxes = sortedSetSyntax.map((notation) => new Syntax(notation));
    const key = (): string =>
      random.pick(["a", "a", "b", "b", "c", "c", "d", "plain", random.chance(0.1) ? "text" : "d"]);
    const placeholders = sortedSetPlaceholders(key);
    const commands = Array.from({ length: COMMANDS }, () => random.pick(syntaxes).generate(random, placeholders));
    const before = [OFTEN, "CONFIG SET zset-max-listpack-entries 128", "SET text x", "SADD plain m n 1"];
    await oracle.expectSame([...before, ...commands], { normalise: withoutScanOrder });
  });

  it("when there are many members", async () => {
    const random = new SeededRandom(7);
    const members = Array.from({ length: 3000 }, (_, i) => [`${random.integer(0, 500)}`, `m${i}`]);
    const ranks = Array.from({ length: 40 }, () => random.integer(0, 3200));
    await oracle.expectSame(
      [
        ["ZADD", "z", ...members.flat()],
        ...ranks.map((rank) => `ZRANK z m${rank}`),
        ...ranks.map((rank) => `ZRANGE z ${rank} ${rank + 5} WITHSCORES`),
        ...ranks.map((rank) => `ZADD z ${rank / 7} m${rank}`),
        ...ranks.map((rank) => `ZRANGEBYSCORE z ${rank / 7} ${rank / 3} LIMIT 3 4`),
        ...ranks.map((rank) => `ZCOUNT z (${rank / 9} ${rank / 4}`),
        ...ranks.map((rank) => `ZREMRANGEBYRANK z ${rank} ${rank + (rank % 50)}`),
        ...ranks.map((rank) => `ZREM z m${rank + 7} m${rank + 9}`),
        "ZRANGE z 0 -1 REV",
        "ZREMRANGEBYSCORE z 100 (300",
        "ZPOPMAX z 400",
        "ZCARD z",
        "ZSCAN z 0 COUNT 5000",
        "OBJECT ENCODING z",
        "COPY z y",
        "ZRANGE y 0 -1 WITHSCORES",
      ],
      { normalise: withoutScanOrder },
    );
  });

  it("with every condition of ZADD", () =>
    oracle.expectSame([
      "ZADD z NX XX 1 a",
      "ZADD z NX GT 1 a",
      "ZADD z GT LT 1 a",
      "ZADD z INCR 1 a 2 b",
      "ZADD z 1",
      "ZADD z 1 a 2",
      "ZADD z NX CH",
      "ZADD z XX 1 a",
      "EXISTS z",
      "ZADD z GT CH 1 a 2 b",
      "ZADD z GT CH 2 a 1 b",
      "ZADD z LT CH 1 a 1 b 5 c",
      "ZADD z INCR XX 1 nothing",
      "ZADD z INCR NX 1 a",
      "ZADD z INCR GT -1 a",
      "ZADD z INCR LT -1 a",
      "ZADD z inf a",
      "ZINCRBY z -inf a",
      "ZADD z 1 x nan y",
      "ZSCORE z x",
    ]));

  it("in how scores are printed", () =>
    oracle.expectSame([
      "ZADD z 0.1 a 1e17 b 99999999999999984 c 1e-5 d 0.0001 e 4.9e-324 f -0 g 123456.789 h 3.0 i 1e21 j 5e18 k",
      "ZRANGE z 0 -1 WITHSCORES",
      "ZSCAN z 0",
      "ZINCRBY z 0.2 a",
      "ZINCRBY z -0 new",
      "CONFIG SET zset-max-listpack-entries 0",
      "ZADD y -0 a 4611686018427387904 b",
      "ZRANGE y 0 -1 WITHSCORES",
      "ZUNION 1 y WEIGHTS -1 WITHSCORES",
      "CONFIG SET zset-max-listpack-entries 128",
    ]));

  it("when members are drawn by chance", () =>
    oracle.expectSame([
      "ZADD z 1 a",
      "ZRANDMEMBER z",
      "ZRANDMEMBER z 1 WITHSCORES",
      "ZRANDMEMBER z -3 WITHSCORES",
      "ZRANDMEMBER z 5 BAD",
      "ZRANDMEMBER z 5 WITHSCORES more",
      "ZRANDMEMBER z -9223372036854775807 WITHSCORES",
      "ZRANDMEMBER z 9223372036854775807",
      "ZRANDMEMBER nothing",
      "ZRANDMEMBER nothing 5",
    ]));

  it("with keyspace events", async () => {
    const [client, listener] = [await oracle.connect(), await oracle.connect()];
    await client.same("FLUSHALL");
    await client.same("CONFIG SET notify-keyspace-events KEAn");
    await listener.same("PSUBSCRIBE __keyevent@0__:*");
    const told: readonly (readonly [CommandLine, number])[] = [
      ["ZADD z 1 a 2 b 3 c 4 d 5 e 6 f", 2],
      ["ZADD z 1 a", 0],
      ["ZINCRBY z 1 a", 1],
      ["ZREM z a nothing", 1],
      ["ZREMRANGEBYRANK z 0 0", 1],
      ["ZREMRANGEBYSCORE z 3 3", 1],
      ["ZREMRANGEBYLEX z [d [d", 1],
      ["ZRANGESTORE y z 0 0", 2],
      ["ZUNIONSTORE y 1 z", 1],
      ["ZINTERSTORE y 2 z nothing", 1],
      ["ZDIFFSTORE y 1 z", 2],
      ["ZPOPMIN z", 1],
      ["ZMPOP 1 z MAX COUNT 5", 2],
    ];
    for (const [command, events] of told) {
      await client.same(command);
      for (let i = 0; i < events; i += 1) await listener.sameMessage();
    }
    client.close();
    listener.close();
  });

  it.each(["BZPOPMIN a b 0", "BZPOPMAX b a 0", "BZMPOP 0 2 a b MIN COUNT 2"])("to waiters: %s", async (blocking) => {
    for (const resp of [2, 3] as const) {
      const [waiting, other] = [await oracle.connect(resp), await oracle.connect(resp)];
      await other.same("FLUSHALL");
      const { finished } = waiting.start(blocking);
      const both = [1, 2].map(() => expect.stringMatching(/blocked_clients:1\r/));
      await expect.poll(() => other.both("INFO clients")).toEqual(both);
      for (const command of ["RPUSH a x", "DEL a", "ZADD c 1 x 2 y 3 z", "ZRANGESTORE a c 0 -1"])
        await other.same(command);
      await finished;
      await other.same("ZRANGE a 0 -1 WITHSCORES");
      waiting.close();
      other.close();
    }
  });

  it("reads bounds as C strings", () =>
    oracle.expectSame([
      "ZADD z 0 a 1 b",
      ["ZRANGEBYSCORE", "z", "\0x", "1\0x"],
      ["ZCOUNT", "z", "(0\0", "1"],
      ["ZCOUNT", "z", "(\0", "1"],
    ]));

  it("takes REV once", () => oracle.expectSame(["ZRANGE z 0 -1 REV REV", "ZRANGE z 0 1 BYSCORE BYSCORE"]));
});
