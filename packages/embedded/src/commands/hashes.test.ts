import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CommandLine, type Oracle, startOracle } from "../testing/differential.ts";
import { Syntax } from "../testing/grammar.ts";
import { hashPlaceholders, hashSyntax, withoutFieldOrder } from "../testing/grammars/hashes.ts";
import { SeededRandom } from "../base/random.ts";

let oracle: Oracle;
beforeAll(async () => {
  oracle = await startOracle();
});
afterAll(() => oracle.close());

const COMMANDS = Number(process.env["FUZZ_COMMANDS"] ?? 400);

describe("hashes answer as Redis does", () => {
  it("sets and reads fields", () =>
    oracle.expectSame([
      "HSET h a 1 b 2",
      "HSET h a 3 c 4",
      "HSET h a",
      "HSET h a 1 b",
      "HMSET h a 5 d 6",
      "HMSET h a 5 d",
      "HSETNX h a 7",
      "HSETNX h e 7",
      "HSETNX new f 1",
      "HGET h a",
      "HGET h nothing",
      "HGET nothing a",
      "HMGET h a nothing b a",
      "HMGET nothing a b",
      "HGETALL h",
      "HGETALL nothing",
      "HKEYS h",
      "HVALS h",
      "HKEYS nothing",
      "HLEN h",
      "HLEN nothing",
      "HSTRLEN h a",
      "HSTRLEN h nothing",
      "HSTRLEN nothing a",
      "HEXISTS h a",
      "HEXISTS h nothing",
      "HEXISTS nothing a",
      ["HSET", "h", "", "", "\x00\xff\r\n", "\xe9"],
      "HGETALL h",
      "HDEL h a b a nothing",
      "HGETALL h",
      ["HDEL", "h", "c", "d", "e", "", "\x00\xff\r\n", "z"],
      "EXISTS h",
      "HDEL h a",
      "TYPE new",
    ]));

  it("counts in 64 bits and in long doubles", () =>
    oracle.expectSame([
      "HINCRBY h n 5",
      "HINCRBY h n -7",
      "HINCRBY h n 9223372036854775807",
      "HINCRBY h n 9223372036854775807",
      "HINCRBY h n -9223372036854775808",
      "HINCRBY h n 1.5",
      "HINCRBY h n 9223372036854775808",
      "HSET h text abc space ' 1' float 1.5",
      "HINCRBY h text 1",
      "HINCRBY h space 1",
      "HINCRBY h float 1",
      "HINCRBYFLOAT h n 0.1",
      "HINCRBYFLOAT h f 0.1",
      "HINCRBYFLOAT h f 0.2",
      "HINCRBYFLOAT h f 1e20",
      "HINCRBYFLOAT h f -1e20",
      "HINCRBYFLOAT h f inf",
      "HINCRBYFLOAT h f -infinity",
      "HINCRBYFLOAT h f nan",
      "HINCRBYFLOAT h f abc",
      "HINCRBYFLOAT h text 1",
      "HINCRBYFLOAT h space 1",
      ["HINCRBYFLOAT", "h", "f", ""],
      "HSET h inf inf",
      "HINCRBYFLOAT h inf 1",
      "HINCRBYFLOAT h float 1.23456789012345678",
      "HINCRBYFLOAT h whole 5",
      "HINCRBYFLOAT new f 3.0",
      "HGETALL h",
    ]));

  it("counts beyond the range of doubles", () =>
    oracle.expectSame(["HINCRBYFLOAT h f 1e400", "HINCRBYFLOAT h g inf", "HGET h f"]));

  it("refuses other types and wrong options", () =>
    oracle.expectSame([
      "SET s 1",
      "HSET s a 1",
      "HSETNX s a 1",
      "HGET s a",
      "HMGET s a",
      "HGETALL s",
      "HKEYS s",
      "HVALS s",
      "HLEN s",
      "HSTRLEN s a",
      "HEXISTS s a",
      "HDEL s a",
      "HINCRBY s a 1",
      "HINCRBYFLOAT s a 1",
      "HSCAN s 0",
      "HSCAN s 0 COUNT 0",
      "HRANDFIELD s",
      "HRANDFIELD s 0",
      "HINCRBY s a x",
      "HSCAN nothing 0 BAD",
      "HSCAN nothing x",
      "HSET h a 1",
      "HSCAN h 0 COUNT 0",
      "HSCAN h 0 COUNT x",
      "HSCAN h 0 MATCH",
      "HSCAN h 0 TYPE string",
      "HSCAN h x",
      "HRANDFIELD h x",
      "HRANDFIELD h 1 BAD",
      "HRANDFIELD h 1 WITHVALUES x",
      "HRANDFIELD h -9223372036854775808",
      "HRANDFIELD h -9223372036854770000 WITHVALUES",
      "HRANDFIELD h 9223372036854770000 WITHVALUES",
      "HRANDFIELD h 9223372036854770000",
      "HRANDFIELD h 9223372036854775808",
    ]));

  it("walks and draws", () =>
    oracle.expectSame([
      "HSET h a 1 b 2 c 3",
      "HSCAN h 0",
      "HSCAN h 17",
      "HSCAN h 0 MATCH [ab] COUNT 1",
      "HSCAN nothing 0",
      "HRANDFIELD h 3",
      "HRANDFIELD h 10 withvalues",
      "HRANDFIELD h 0",
      "HRANDFIELD h 0 WITHVALUES",
      "HRANDFIELD nothing",
      "HRANDFIELD nothing 5",
      "HRANDFIELD nothing 5 WITHVALUES",
      "HSET one only 1",
      "HRANDFIELD one",
      "HRANDFIELD one 1",
      "HRANDFIELD one 1 WITHVALUES",
      "HRANDFIELD one -3",
      "HRANDFIELD one -3 WITHVALUES",
    ]));

  it("draws every choice of fields", async () => {
    const pair = await oracle.connect();
    await pair.both("FLUSHALL");
    await pair.both("HSET h a 1 b 2 c 3 d 4 e 5 f 6 g 7 h 8");
    const seen = new Set<string>();
    for (let i = 0; i < 400; i += 1) {
      const [, reply] = await pair.both(`HRANDFIELD h ${(i % 7) + 1}`);
      const fields = reply.match(/[a-h](?=\r\n)/g) ?? [];
      expect(new Set(fields).size).toBe((i % 7) + 1);
      for (const field of fields) seen.add(`${fields.length}${field}`);
    }
    expect(seen.size).toBe(7 * 8);
    pair.close();
  });

  it("names encodings, which never go back", () =>
    oracle.expectSame([
      "HSET h a 1",
      "OBJECT ENCODING h",
      ["HSET", "h", "a", "x".repeat(64)],
      "OBJECT ENCODING h",
      ["HSET", "h", "a", "x".repeat(65)],
      "OBJECT ENCODING h",
      "HSET h a 1",
      "OBJECT ENCODING h",
      "COPY h copy",
      "OBJECT ENCODING copy",
      ["HSET", "many", ...Array.from({ length: 1024 }, (_, i) => String(i))],
      "OBJECT ENCODING many",
      "HSET many more 1",
      "OBJECT ENCODING many",
      "HDEL many more",
      "OBJECT ENCODING many",
      ["HINCRBYFLOAT", "counted", "f".repeat(65), "1"],
      "OBJECT ENCODING counted",
    ]));

  it("publishes keyspace events", async () => {
    for (const resp of [2, 3] as const) {
      const [client, listener] = [await oracle.connect(resp), await oracle.connect(resp)];
      await client.same("FLUSHALL");
      await client.same("CONFIG SET notify-keyspace-events KEAn");
      await listener.subscription("PSUBSCRIBE __keyevent@0__:*", resp);
      const told: CommandLine[] = [
        "HSET h a 1 b 2",
        "HSETNX h c 1",
        "HINCRBY h n 1",
        "HINCRBYFLOAT h n 1",
        "HDEL h a nothing",
      ];
      for (const command of [...told, "HSETNX h c 2", "HDEL h nothing", "HDEL h b c n"]) await client.same(command);
      for (const _event of ["new", ...told, "hdel", "del"]) await listener.sameMessage();
      client.close();
      listener.close();
    }
  });

  it.each([1, 2, 3])("in a generated sequence, seed %i", async (seed) => {
    const random = new SeededRandom(seed);
    const syntaxes = hashSyntax.map((notation) => new Syntax(notation));
    const placeholders = { ...hashPlaceholders, key: () => random.pick(["a", "a", "b", "b", "c", "text"]) };
    const commands = Array.from({ length: COMMANDS }, () => random.pick(syntaxes).generate(random, placeholders));
    await oracle.expectSame(["SET text x", ...commands], { normalise: withoutFieldOrder });
  });

  it.each([1, 2])("in the same order while they are small, seed %i", async (seed) => {
    const random = new SeededRandom(seed);
    const syntaxes = hashSyntax.map((notation) => new Syntax(notation));
    const placeholders = { ...hashPlaceholders, key: () => random.pick(["a", "b"]), long: () => "short" };
    const commands = Array.from({ length: COMMANDS }, () => random.pick(syntaxes).generate(random, placeholders));
    await oracle.expectSame(commands);
  });
});
