import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CommandLine, type Oracle, startOracle } from "../testing/differential.ts";
import { Syntax } from "../testing/grammar.ts";
import { integerPlaceholders, setPlaceholders, setSyntax, withoutMemberOrder } from "../testing/grammars/sets.ts";
import { SeededRandom } from "../base/random.ts";

let oracle: Oracle;
beforeAll(async () => {
  oracle = await startOracle();
});
afterAll(() => oracle.close());

const COMMANDS = Number(process.env["FUZZ_COMMANDS"] ?? 400);
const ANY_ORDER = { normalise: withoutMemberOrder };

describe("sets answer as Redis does", () => {
  it("adds, removes and moves members", () =>
    oracle.expectSame(
      [
        "SADD s a b c a",
        "SADD s a",
        "SCARD s",
        "SCARD nothing",
        "SISMEMBER s a",
        "SISMEMBER s z",
        "SISMEMBER nothing a",
        "SMISMEMBER s a z b",
        "SMISMEMBER nothing a b",
        "SMEMBERS s",
        "SMEMBERS nothing",
        "SREM s a z",
        "SREM nothing a",
        "SMOVE s t b",
        "SMOVE s t b",
        "SMOVE s s c",
        "SMOVE s s z",
        "SMOVE nothing t b",
        "SMOVE s t c",
        "EXISTS s",
        "SMEMBERS t",
        ["SADD", "t", "", "\x00\xff\r\n"],
        "SMEMBERS t",
        ["SREM", "t", "b", "c", "", "\x00\xff\r\n", "d"],
        "EXISTS t",
      ],
      ANY_ORDER,
    ));

  it("keeps integers in order", () =>
    oracle.expectSame([
      "SADD i 30 -4 2 9223372036854775807 100 -9223372036854775808 -40 0 3",
      "SMEMBERS i",
      "SSCAN i 0 COUNT 1",
      "SRANDMEMBER i 100",
      "SUNION i",
      "SREM i 2",
      "SINTER i i",
      "SPOP i 100",
    ]));

  it("combines sets", () =>
    oracle.expectSame(
      [
        "SADD a 1 2 3 4 5",
        "SADD b 4 5 6 x",
        "SADD c 5 y",
        "SINTER a b c",
        "SINTER a nothing",
        "SINTER a",
        "SUNION a b nothing c",
        "SUNION nothing",
        "SDIFF a b c",
        "SDIFF a a",
        "SDIFF a nothing",
        "SDIFF nothing a",
        "SDIFF a b a",
        "SINTERSTORE to a b",
        "SMEMBERS to",
        "SUNIONSTORE to to c",
        "SMEMBERS to",
        "SDIFFSTORE to a b",
        "SMEMBERS to",
        "EXPIRE to 100",
        "SUNIONSTORE to a",
        "TTL to",
        "SINTERSTORE to a nothing",
        "EXISTS to",
        "SDIFFSTORE to nothing",
        "SET text x",
        "SUNIONSTORE text a",
        "SINTERCARD 3 a b c",
        "SINTERCARD 2 a b LIMIT 1",
        "SINTERCARD 2 a b limit 0",
        "SINTERCARD 2 a b LIMIT 10",
        "SINTERCARD 2 a nothing",
        "SINTERCARD 0 a",
        "SINTERCARD x a",
        "SINTERCARD 3 a b",
        "SINTERCARD 1 a b",
        "SINTERCARD 1 a LIMIT",
        "SINTERCARD 1 a LIMIT -1",
        "SINTERCARD 1 a LIMIT x",
        "SINTERCARD 1 a LIMIT 1 LIMIT 2",
      ],
      ANY_ORDER,
    ));

  it("refuses other types and wrong options", () =>
    oracle.expectSame([
      "SET t 1",
      "SADD s a",
      "SADD t a",
      "SREM t a",
      "SMOVE t s a",
      "SMOVE s t a",
      "SMOVE s t z",
      "SMOVE nothing t a",
      "SCARD t",
      "SISMEMBER t a",
      "SMISMEMBER t a",
      "SMEMBERS t",
      "SINTER t s",
      "SINTER nothing t",
      "SUNION s t",
      "SDIFF nothing t",
      "SINTERSTORE x s t",
      "SINTERCARD 2 s t",
      "SPOP t",
      "SPOP t 0",
      "SPOP t -1",
      "SPOP s x",
      "SPOP s -1",
      "SPOP s 1 2",
      "SRANDMEMBER t",
      "SRANDMEMBER t 0",
      "SRANDMEMBER s x",
      "SRANDMEMBER s 1 2",
      "SRANDMEMBER s -9223372036854775808",
      "SRANDMEMBER s 9223372036854775807",
      "SSCAN t 0",
      "SSCAN s x",
      "SSCAN s 0 COUNT 0",
      "SSCAN nothing 0 BAD",
    ]));

  it("pops and draws", () =>
    oracle.expectSame(
      [
        "SADD s a b c",
        "SRANDMEMBER s 3",
        "SRANDMEMBER s 30",
        "SRANDMEMBER s 0",
        "SRANDMEMBER nothing",
        "SRANDMEMBER nothing 3",
        "SPOP s 0",
        "SPOP s 3",
        "EXISTS s",
        "SPOP s",
        "SPOP s 3",
        "SADD one x",
        "SRANDMEMBER one",
        "SRANDMEMBER one 1",
        "SRANDMEMBER one -3",
        "SPOP one",
        "EXISTS one",
      ],
      ANY_ORDER,
    ));

  it("pops different members until none is left", async () => {
    const pair = await oracle.connect();
    await pair.both("FLUSHALL");
    const all = Array.from({ length: 1000 }, (_, i) => `m${i}`);
    await pair.same(["SADD", "s", ...all]);
    const popped: string[] = [];
    for (const count of [1, 900, 10, 80, 9]) {
      const [real, embedded] = await pair.both(`SPOP s ${count}`);
      expect(embedded.split("\r\n", 1)).toEqual(real.split("\r\n", 1));
      popped.push(...(embedded.match(/m\d+/g) ?? []));
      await pair.same("SCARD s");
    }
    expect(popped.toSorted()).toEqual(all.toSorted());
    pair.close();
  });

  it("names encodings, which only SPOP of nearly all may turn back", () =>
    oracle.expectSame(
      [
        ["SADD", "i", ...Array.from({ length: 512 }, (_, n) => String(n))],
        "OBJECT ENCODING i",
        "SADD i 512",
        "OBJECT ENCODING i",
        "SREM i 512",
        "OBJECT ENCODING i",
        "COPY i copy",
        "OBJECT ENCODING copy",
        "SPOP i 500",
        "OBJECT ENCODING i",
        "SADD s 1 2 a",
        "SREM s a",
        "OBJECT ENCODING s",
        "SUNIONSTORE t s",
        "OBJECT ENCODING t",
        "SADD t 01",
        "OBJECT ENCODING t",
        "SADD u 9223372036854775808",
        "OBJECT ENCODING u",
        "SADD large a b c 1 2",
        "SADD small a b c",
        "SDIFFSTORE d large small",
        "OBJECT ENCODING d",
        "SDIFFSTORE d large small small small",
        "OBJECT ENCODING d",
      ],
      { normalise: (reply, [name]) => (name === "SPOP" ? "" : reply) },
    ));

  it("walks a large set while it changes", async () => {
    const pair = await oracle.connect();
    await pair.both("FLUSHALL");
    const stay = Array.from({ length: 500 }, (_, i) => `stay${i}`);
    await pair.same(["SADD", "s", ...stay, ...Array.from({ length: 500 }, (_, i) => `go${i}`)]);
    const seen = new Set<string>();
    let cursor = "0";
    let round = 0;
    do {
      const [, reply] = await pair.both(`SSCAN s ${cursor} COUNT 7`);
      cursor = /^\*2\r\n\$\d+\r\n(\d+)/.exec(reply)?.[1] ?? "";
      for (const member of reply.match(/stay\d+/g) ?? []) seen.add(member);
      await pair.same(["SREM", "s", ...Array.from({ length: 5 }, (_, i) => `go${round * 5 + i}`)]);
      await pair.same(`SADD s new${round++}`);
    } while (cursor !== "0");
    expect(seen.size).toBe(stay.length);
    pair.close();
  });

  it("publishes keyspace events", async () => {
    const [client, listener] = [await oracle.connect(), await oracle.connect()];
    await client.same("FLUSHALL");
    await client.same("CONFIG SET notify-keyspace-events KEAn");
    await listener.subscription("PSUBSCRIBE __keyevent@0__:*", 2);
    const commands: CommandLine[] = ["SADD s a b", "SADD s a", "SMOVE s t a", "SMOVE s t b", "SREM t z", "SREM t a"];
    const stores: CommandLine[] = [
      "SUNIONSTORE u t",
      "SINTERSTORE u t",
      "SDIFFSTORE u t",
      "SDIFFSTORE u nothing",
      "SPOP t",
      "SPOP t 2",
    ];
    for (const command of [...commands, ...stores, "SADD v 1 2", "SPOP v 5"]) await client.same(command);
    const events =
      "new sadd srem new sadd srem del sadd srem new sunionstore sinterstore sdiffstore del spop del new sadd spop del";
    for (const _event of events.split(" ")) await listener.sameMessage();
    await client.same("SADD last 1");
    expect(await listener.sameMessage()).toContain("new");
    client.close();
    listener.close();
  });

  it.each([1, 2, 3])("in a generated sequence, seed %i", async (seed) => {
    const random = new SeededRandom(seed);
    const syntaxes = setSyntax.map((notation) => new Syntax(notation));
    const placeholders = { ...setPlaceholders, key: () => random.pick(["a", "a", "b", "b", "c", "d", "text"]) };
    const commands = Array.from({ length: COMMANDS }, () => random.pick(syntaxes).generate(random, placeholders));
    await oracle.expectSame(["SET text x", ...commands], ANY_ORDER);
  });

  it.each([1, 2])("in the same order while they have only integers, seed %i", async (seed) => {
    const random = new SeededRandom(seed);
    const syntaxes = setSyntax.map((notation) => new Syntax(notation));
    const placeholders = { ...integerPlaceholders, key: () => random.pick(["a", "b", "c", "d"]) };
    const commands = Array.from({ length: COMMANDS }, () => random.pick(syntaxes).generate(random, placeholders));
    await oracle.expectSame(commands);
  });
});
