import { afterAll, beforeAll, describe, it } from "vitest";
import { type Oracle, startOracle } from "../testing/differential.ts";

let oracle: Oracle;
beforeAll(async () => {
  oracle = await startOracle();
});
afterAll(() => oracle.close());

describe("strings answer as Redis does", () => {
  it("sets and gets, with every condition", () =>
    oracle.expectSame([
      "SET a 1",
      "GET a",
      "SET a 2 NX",
      "SET b 2 XX",
      "SET b 2 NX GET",
      "SET b 3 XX GET",
      "SET b 3 NX XX",
      "SET b 3 EX 10 PX 10",
      "SET b 3 EX 10 KEEPTTL",
      "SET b 3 EX 0",
      "SET b 3 EX -1",
      "SET b 3 EX ten",
      "SET b 3 EX 9223372036854775807",
      "SET b 3 PX 9223372036854775807",
      "SET b 3 BAD",
      "SET b",
      "SET b 3 EX",
      "SET b 4 EX 100",
      "TTL b",
      "SET b 5 KEEPTTL",
      "TTL b",
      "SET b 6",
      "TTL b",
      "SET b 7 EXAT 9999999999",
      "PEXPIRETIME b",
      "SET b 7 PXAT 1000",
      "GET b",
      "SETNX c 1",
      "SETNX c 2",
      "SETEX c 0 x",
      "PSETEX c -1 x",
      "SETEX c 100 x",
      "GETSET c y",
      "TTL c",
      "GETDEL c",
      "GETDEL c",
    ]));

  it("reads several, and what is no string", () =>
    oracle.expectSame([
      "MSET a 1 b 2",
      "MSET a 1 b",
      "MSETNX b 3 c 4",
      "MSETNX c 4 d 5",
      "MSETNX c",
      "MGET a b c d nothing",
      "GETEX a",
      "GETEX a EX 100",
      "TTL a",
      "GETEX a PERSIST",
      "TTL a",
      "GETEX a PERSIST EX 10",
      "GETEX a EX 0",
      "GETEX a KEEPTTL",
      "GETEX a PXAT 1",
      "EXISTS a",
      "GETEX nothing EX 0",
      "STRLEN b",
      "STRLEN nothing",
    ]));

  it("counts in 64 bits", () =>
    oracle.expectSame([
      "INCR n",
      "INCRBY n 9007199254740990",
      "INCR n",
      "INCR n",
      "GET n",
      "SET n 9223372036854775806",
      "INCR n",
      "INCR n",
      "DECRBY n -9223372036854775808",
      "DECRBY n 9223372036854775807",
      "DECRBY n 9223372036854775807",
      "DECRBY n 9223372036854775807",
      "SET n -9223372036854775808",
      "DECR n",
      "INCRBY n 9223372036854775808",
      "INCRBY n 1.5",
      'SET n " 1"',
      "INCR n",
      "SET n 01",
      "INCR n",
      "SET n -0",
      "INCR n",
      ["SET", "n", ""],
      "INCR n",
    ]));

  it("adds in long doubles", () =>
    oracle.expectSame([
      "INCRBYFLOAT f 0.1",
      "INCRBYFLOAT f 0.2",
      "INCRBYFLOAT f 3.0e3",
      "INCRBYFLOAT f -3000.3",
      "INCRBYFLOAT f 1e-5",
      "INCRBYFLOAT f 5.0e-20",
      "SET f 3",
      "INCRBYFLOAT f 1.1",
      "SET f 17179869184",
      "INCRBYFLOAT f 1.5",
      "SET f 123456789012345678",
      "INCRBYFLOAT f 0.123456789",
      "INCRBYFLOAT f 1e18",
      "INCRBYFLOAT f 1e300",
      "SET f 10.5",
      "INCRBYFLOAT f 0.0000000000000000001",
      "INCRBYFLOAT f inf",
      "INCRBYFLOAT f nan",
      "INCRBYFLOAT f abc",
      "INCRBYFLOAT f 0x1p3",
      "SET f -1.0",
      "INCRBYFLOAT f 1",
      "SET f abc",
      "INCRBYFLOAT f 1",
    ]));

  it("adds in long doubles to the ends of their range", () => {
    const decimal = "1e4932 -1e4932 9e4932 1e99999 0e99999 1e4000 1e-4940 1e-4960 1e-99999 1e . 1. infinity 1_0";
    const hexadecimal =
      "0x1.8p3 -0x.8 0x1.00000000000000002p0 0x1fffffffffffffffp0 0x1p16383 0x1p16384 0x1p-16460 0x 0x1p";
    const numbers = [
      ...`${decimal} ${hexadecimal}`.split(" "),
      ...[400, 4900, 4950].map((length) => "1".repeat(length)),
      ...[4000, 5118, 5119].map((length) => `${"0".repeat(length)}1`),
    ];
    return oracle.expectSame(
      numbers.flatMap((number) => [
        `MSET s ${number} t 1`,
        "INCRBYFLOAT s 1",
        `INCRBYFLOAT t ${number}`,
        `HSET h f ${number} g 1`,
        "HINCRBYFLOAT h f 1",
        `HINCRBYFLOAT h g ${number}`,
      ]),
    );
  });

  it("changes a part", () =>
    oracle.expectSame([
      "APPEND s hello",
      "APPEND s \\x00world",
      "SETRANGE s 1 EY",
      "SETRANGE s 20 end",
      "GET s",
      "SETRANGE s -1 x",
      "SETRANGE s 536870912 x",
      ["SETRANGE", "nothing", "5", ""],
      "EXISTS nothing",
      "SETRANGE new 3 x",
      "GETRANGE s 0 -1",
      "GETRANGE s -3 -1",
      "GETRANGE s -100 3",
      "GETRANGE s 5 3",
      "GETRANGE s -1 -5",
      "GETRANGE s 2 1000",
      "SUBSTR s 0 3",
      "STRLEN s",
      "APPEND s !",
      "GET s",
      ["SET", "bytes", "\xff\x00\r\n\x80"],
      "GET bytes",
      "SETRANGE bytes 1 \xe9",
    ]));

  it("finds the longest common subsequence", () =>
    oracle.expectSame([
      "MSET a ohmytext b mynewtext empty ''",
      "LCS a b",
      "LCS a b LEN",
      "LCS a b IDX",
      "LCS a b IDX MINMATCHLEN 4",
      "LCS a b IDX MINMATCHLEN 4 WITHMATCHLEN",
      "LCS a b LEN IDX",
      "LCS a empty",
      "LCS a nothing IDX",
      "LCS a b BAD",
      ["MSET", "a", "x".repeat(11_585), "b", "y".repeat(11_585)],
      "LCS a b LEN",
      "LCS a b BAD",
      "CONFIG SET proto-max-bulk-len 1mb",
      ["MSET", "a", "x".repeat(511), "b", "y".repeat(511)],
      "LCS a b LEN",
      "APPEND a x",
      "LCS a b LEN",
      "CONFIG SET proto-max-bulk-len 512mb",
    ]));

  it("knows how Redis keeps them after a change in place", () =>
    oracle.expectSame([
      "INCR n",
      "APPEND n 5",
      "OBJECT ENCODING n",
      "APPEND new 5",
      "OBJECT ENCODING new",
      "SET s text",
      "SETRANGE s 9 ''",
      "OBJECT ENCODING s",
      "SETRANGE s 536870912 x",
      "OBJECT ENCODING s",
      "RPUSH l x",
      "SETRANGE l 536870912 x",
      "SETRANGE l 0 ''",
      "APPEND l x",
    ]));

  it("takes deadlines to the last millisecond of 64 bits", () =>
    oracle.expectSame([
      "SET s x PXAT 9223372036854775807",
      "SET s x PXAT 9223372036854775808",
      "SET s x PX 9223372036854775807",
      "SET s x EXAT 9223372036854775",
      "SET s x EXAT 9223372036854776",
      "GETEX s PXAT 9223372036854775807",
      "GETEX s EX 9223372036854775807",
    ]));
});
