import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Oracle, startOracle } from "../testing/differential.ts";
import { Syntax } from "../testing/grammar.ts";
import { bitmapPlaceholders, bitmapSyntax } from "../testing/grammars/bitmaps.ts";
import { SeededRandom } from "../base/random.ts";

let oracle: Oracle;
beforeAll(async () => {
  oracle = await startOracle();
});
afterAll(() => oracle.close());

const COMMANDS = Number(process.env["FUZZ_COMMANDS"] ?? 500);

describe("bitmaps answer as Redis does", () => {
  it("sets and gets bits", () =>
    oracle.expectSame([
      "SETBIT b 7 1",
      "SETBIT b 7 1",
      "SETBIT b 7 0",
      "SETBIT b 100 0",
      "STRLEN b",
      "GETBIT b 7",
      "GETBIT b 100000",
      "GETBIT nothing 0",
      "SETBIT b -1 0",
      "SETBIT b x 0",
      "SETBIT b 4294967296 0",
      "GETBIT b 4294967296",
      "SETBIT b 0 2",
      "SETBIT b 0 x",
      "SETBIT b x 2",
      "SET n 123",
      "GETBIT n 2",
      "SETBIT n 7 0",
      "GET n",
      "OBJECT ENCODING n",
      "SADD s a",
      "SETBIT s 0 1",
      "GETBIT s 0",
    ]));

  it("counts and finds bits", () =>
    oracle.expectSame([
      ["SET", "k", "foobar\xff\x00"],
      "BITCOUNT k",
      "BITCOUNT k 1",
      "BITCOUNT k 1 1",
      "BITCOUNT k 5 30 BIT",
      "BITCOUNT k -9 -1 bit",
      "BITCOUNT k 0 -1 BYTE",
      "BITCOUNT k 0 -1 WORD",
      "BITCOUNT k -1 -5 WORD",
      "BITCOUNT k 0 1 BIT x",
      "BITCOUNT k x 1",
      "BITCOUNT k 0 x",
      "BITCOUNT k -100 -200",
      "BITCOUNT k -9223372036854775807 -9223372036854775808",
      "BITCOUNT nothing x y z",
      ["SET", "ones", "\xff\xff\xff"],
      "BITPOS ones 0",
      "BITPOS ones 0 0",
      "BITPOS ones 0 0 -1",
      "BITPOS ones 0 5",
      "BITPOS ones 1 5",
      "BITPOS ones 1 9 12 BIT",
      "BITPOS ones 0 9 12 BIT",
      "BITPOS ones 2",
      "BITPOS ones x",
      "BITPOS ones 1 x",
      "BITPOS ones 1 0 -1 WORD",
      "BITPOS ones 1 0 x WORD",
      "BITPOS ones 1 0 x BIT",
      "BITPOS ones 1 0 -1 BIT x",
      "BITPOS nothing 0 x",
      "BITPOS nothing 1",
      ["SET", "empty", ""],
      "BITPOS empty 0",
      "BITPOS empty 1",
      "BITCOUNT empty",
      "BITCOUNT empty 0 -1",
      "SADD s a",
      "BITCOUNT s x y",
      "BITPOS s 1",
      "BITPOS s 2",
    ]));

  it("combines strings", () =>
    oracle.expectSame([
      ["SET", "a", "\xff\x0f\xaa"],
      ["SET", "b", "\x0f\xff"],
      "BITOP AND to a b",
      "GET to",
      "BITOP or to a b nothing",
      "GET to",
      "BITOP XOR to a b a",
      "GET to",
      "BITOP NOT to a",
      "GET to",
      "OBJECT ENCODING to",
      "BITOP AND to a nothing",
      "GET to",
      "BITOP NOT to a b",
      "BITOP NAND to a b",
      "EXPIRE to 100",
      "BITOP NOT to to",
      "TTL to",
      "BITOP OR to nothing",
      "EXISTS to",
      "SADD s a",
      "BITOP OR to a s",
      "BITOP OR s a b",
      "TYPE s",
    ]));

  it("changes large bitmaps in place", () =>
    oracle.expectSame([
      "SETBIT b 80000000 1",
      "SETBIT b 12345678 1",
      "BITCOUNT b",
      "BITPOS b 1",
      "BITPOS b 1 2000000",
      "STRLEN b",
    ]));
});

describe("bit fields answer as Redis does", () => {
  it("gets, sets and adds", () =>
    oracle.expectSame([
      "BITFIELD k SET u8 0 255 GET u8 0 INCRBY u8 0 10 GET i8 0",
      "BITFIELD k SET i5 7 -3 GET i5 7 GET u5 7 GET i64 0 GET u63 1",
      "BITFIELD k SET i64 #1 -9223372036854775808 INCRBY i64 #1 -1",
      "BITFIELD k OVERFLOW SAT INCRBY i64 #1 5 INCRBY i64 #1 9223372036854775807",
      "BITFIELD k OVERFLOW FAIL INCRBY u2 100 5 OVERFLOW WRAP INCRBY u2 100 5",
      "BITFIELD k OVERFLOW SAT INCRBY u2 102 5 INCRBY u2 102 -9 SET u4 110 -1 SET i4 114 100 SET i4 114 -100",
      "BITFIELD k OVERFLOW SAT SET i8 0 -9223372036854775808 SET i8 0 9223372036854775807",
      "BITFIELD k OVERFLOW FAIL SET u63 0 -1 SET u63 0 9223372036854775807",
      "GET k",
      "BITFIELD k",
      "BITFIELD nothing GET u8 0",
      "EXISTS nothing",
      "BITFIELD nothing OVERFLOW FAIL SET u2 9 100",
      "STRLEN nothing",
      "BITFIELD k OVERFLOW SAT",
      "BITFIELD_RO k GET u8 0 GET i64 #1 OVERFLOW SAT",
      "BITFIELD_RO k GET u8 0 SET u8 0 1",
      "SET n 12345",
      "BITFIELD n GET u16 8",
      "OBJECT ENCODING n",
    ]));

  it("refuses", () =>
    oracle.expectSame([
      "BITFIELD k GET",
      "BITFIELD k GET u8",
      "BITFIELD k SET u8 0",
      "BITFIELD k GET u64 0",
      "BITFIELD k GET i65 0",
      "BITFIELD k GET u0 0",
      "BITFIELD k GET x8 0",
      "BITFIELD k GET u08 0",
      "BITFIELD k GET u8 -1",
      "BITFIELD k GET u8 #x",
      "BITFIELD k GET u8 4294967296",
      "BITFIELD k GET u8 #4294967296",
      "BITFIELD k SET u8 0 x",
      "BITFIELD k OVERFLOW",
      "BITFIELD k OVERFLOW x",
      "BITFIELD k WRITE u8 0 1",
      "SADD s a",
      "BITFIELD s GET u8 0",
      "BITFIELD s SET u8 0 1",
      "BITFIELD_RO s SET u8 0 1",
      "BITFIELD_RO s GET u8 0",
    ]));
});

describe("bitmaps and bit fields", () => {
  it("publish keyspace events only for changes", async () => {
    const [client, listener] = [await oracle.connect(), await oracle.connect()];
    await client.same("FLUSHALL");
    await client.same("CONFIG SET notify-keyspace-events KEAn");
    await listener.subscription("PSUBSCRIBE __keyevent@0__:*", 2);
    await client.same("SETBIT b 0 0");
    await client.same("SETBIT b 0 0");
    await client.same("SETBIT b 9 0");
    await client.same("BITFIELD b SET u1 0 0");
    await client.same("BITFIELD f OVERFLOW FAIL SET u1 0 5");
    await client.same("BITFIELD f SET u1 0 1");
    await client.same("BITOP OR to b f");
    await client.same("BITOP OR to nothing");
    for (const _event of "new setbit setbit new setbit new set del".split(" ")) await listener.sameMessage();
    await client.same("SET last 1");
    expect(await listener.sameMessage()).toContain("new");
    client.close();
    listener.close();
  });

  it.each([1, 2, 3])("answer alike in a generated sequence, seed %i", async (seed) => {
    const random = new SeededRandom(seed);
    const syntaxes = bitmapSyntax.map((notation) => new Syntax(notation));
    const placeholders = { ...bitmapPlaceholders, key: () => random.pick(["a", "a", "b", "b", "c", "list"]) };
    const commands = Array.from({ length: COMMANDS }, () => random.pick(syntaxes).generate(random, placeholders));
    await oracle.expectSame(["SADD list x", ...commands]);
  });
});
