import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Oracle, startOracle } from "../testing/differential.ts";
import { Syntax } from "../testing/grammar.ts";
import { hyperLogLogPlaceholders, hyperLogLogSyntax } from "../testing/grammars/hyperloglog.ts";
import { SeededRandom } from "../base/random.ts";

let oracle: Oracle;
beforeAll(async () => {
  oracle = await startOracle();
});
afterAll(() => oracle.close());

const COMMANDS = Number(process.env["FUZZ_COMMANDS"] ?? 300);

describe("HyperLogLog answers as Redis does, to the byte", () => {
  it("adds, counts and merges", () =>
    oracle.expectSame([
      "PFADD h",
      "PFADD h",
      "GET h",
      "PFCOUNT h",
      "PFADD h a b c",
      "PFADD h a b c",
      "GET h",
      "PFCOUNT h",
      "GET h",
      ["PFADD", "h", "", "\x00", "\xff\xfe", "12345678", "123456789abcdef0"],
      "PFCOUNT h",
      "PFADD i a x y",
      "PFCOUNT h i nothing",
      "PFCOUNT nothing",
      "PFCOUNT nothing nothing",
      "PFMERGE to h i",
      "PFCOUNT to",
      "GET to",
      "PFMERGE empty",
      "GET empty",
      "EXPIRE h 100",
      "PFADD h more",
      "TTL h",
      "OBJECT ENCODING h",
    ]));

  it("becomes dense at the limit, and for a rank that the sparse one cannot hold", async () => {
    const pair = await oracle.connect();
    await pair.same("FLUSHALL");
    for (let start = 0; start < 6000; start += 250) {
      await pair.same(["PFADD", "h", ...Array.from({ length: 250 }, (_, i) => `element ${start + i}`)]);
      await pair.same("PFDEBUG ENCODING h");
      await pair.same("GET h");
      await pair.same("PFCOUNT h");
    }
    expect(await pair.same("PFDEBUG ENCODING h")).toBe("+dense\r\n");
    await pair.same("PFDEBUG GETREG h");
    await pair.same("PFADD small a b");
    await pair.same("PFMERGE small h");
    await pair.same("GET small");
    pair.close();
  });

  it("refuses what is no HyperLogLog", () =>
    oracle.expectSame([
      "SET s hello",
      "SET n 12345",
      "SADD set a",
      "PFADD s a",
      "PFADD n a",
      "OBJECT ENCODING n",
      "PFADD set a",
      "PFCOUNT s",
      "PFCOUNT set",
      "PFCOUNT s nothing",
      "PFMERGE to s",
      "PFMERGE s to",
      "PFADD h a b c",
      "APPEND h x",
      "PFCOUNT h",
      "PFADD h d",
      "PFMERGE to h",
      "PFADD dense a",
      "PFDEBUG TODENSE dense",
      "PFDEBUG TODENSE dense",
      "PFDEBUG DECODE dense",
      "APPEND dense x",
      "PFCOUNT dense",
      "PFADD magic a",
      "SETRANGE magic 0 0123",
      "PFCOUNT magic",
      "PFADD kind a",
      ["SETRANGE", "kind", "4", "\x02"],
      "PFCOUNT kind",
      "PFADD short a",
      ["SETRANGE", "short", "15", "\x80\x3f"],
      "PFCOUNT short",
      "PFCOUNT short kind",
      "PFADD short b c d e",
      "PFDEBUG TODENSE short",
      "PFDEBUG DECODE nothing",
      "PFDEBUG OTHER magic",
      "PFDEBUG OTHER to",
      "PFDEBUG DECODE",
    ]));

  it("keeps what was added to a damaged one before an element met the damage", () =>
    oracle.expectSame([
      "PFADD h e61",
      ["SETRANGE", "h", "16", "\xb0"],
      "PFADD h e159 e69",
      "GET h",
      "PFADD empty",
      ["SETRANGE", "empty", "17", "L"],
      "PFADD empty e94 e156 e276",
      "GET empty",
    ]));

  it("tests itself", () => oracle.expectSame(["PFSELFTEST"], { resp: 2 }));

  it("publishes keyspace events", async () => {
    const [client, listener] = [await oracle.connect(), await oracle.connect()];
    await client.same("FLUSHALL");
    await client.same("CONFIG SET notify-keyspace-events KEAn");
    await listener.subscription("PSUBSCRIBE __keyevent@0__:*", 2);
    for (const command of ["PFADD h a", "PFADD h a", "PFCOUNT h", "PFMERGE to h", "PFMERGE to h", "PFADD h b"])
      await client.same(command);
    for (const _event of "new pfadd new pfadd pfadd pfadd".split(" ")) await listener.sameMessage();
    await client.same("SET last 1");
    expect(await listener.sameMessage()).toContain("new");
    client.close();
    listener.close();
  });

  it.each([1, 2, 3])("in a generated sequence, seed %i", async (seed) => {
    const random = new SeededRandom(seed);
    const syntaxes = hyperLogLogSyntax.map((notation) => new Syntax(notation));
    const placeholders = { ...hyperLogLogPlaceholders, key: () => random.pick(["a", "a", "b", "b", "c"]) };
    const commands = Array.from({ length: COMMANDS }, () => random.pick(syntaxes).generate(random, placeholders));
    await oracle.expectSame(["CONFIG SET hll-sparse-max-bytes 3000", ...commands]);
  });
});
