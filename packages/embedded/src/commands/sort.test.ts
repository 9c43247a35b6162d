import { afterAll, beforeAll, describe, it } from "vitest";
import { type Oracle, startOracle } from "../testing/differential.ts";

let oracle: Oracle;
beforeAll(async () => {
  oracle = await startOracle();
});
afterAll(() => oracle.close());

describe("SORT answers as Redis does", () => {
  it("in every order", () =>
    oracle.expectSame([
      "RPUSH list 3 10 2 -1.5 2",
      "SADD set b a c",
      "ZADD zset 3 a 1 b 2 c",
      "SORT list",
      "SORT list DESC",
      "SORT list ALPHA",
      "SORT list ALPHA DESC LIMIT 1 2",
      "SORT list LIMIT -5 2",
      "SORT list LIMIT 10 2",
      "SORT list LIMIT 0 -5",
      "SORT list BY nosort",
      "SORT list BY nosort DESC LIMIT 1 3",
      "SORT set",
      "SORT set ALPHA",
      "SORT zset BY nosort",
      "SORT zset BY nosort DESC",
      "SORT zset BY nosort DESC LIMIT 1 1",
      "SORT nothing",
      "SORT_RO list DESC",
      "SORT_RO list STORE x",
    ]));

  it("by texts with NUL in them, which end there unless the result is kept", () =>
    oracle.expectSame([
      String.raw`RPUSH list "b\x00a" "a\x00z" b "a\x00a" a "b\x00"`,
      "SORT list ALPHA",
      "SORT list ALPHA DESC",
      "SORT list ALPHA STORE kept",
      "LRANGE kept 0 -1",
      "SORT list ALPHA DESC STORE kept",
      "LRANGE kept 0 -1",
      String.raw`RPUSH numbers 1 2 3`,
      String.raw`MSET w_1 "x\x00b" w_2 "x\x00a" w_3 ""`,
      "SORT numbers BY w_* ALPHA",
      "SORT numbers BY w_* ALPHA STORE kept",
      "LRANGE kept 0 -1",
    ]));

  it("by weights, with values from elsewhere", () =>
    oracle.expectSame([
      "RPUSH list 1 2 3 4",
      "MSET w_1 30 w_2 10 w_3 20 v_1 one v_2 two",
      "HSET h_1 f x g 2",
      "HSET h_2 f y g 1",
      "SORT list BY w_*",
      "SORT list BY w_* GET # GET v_* GET h_*->f GET v_1 GET *",
      "SORT list BY h_*->g",
      "SORT list BY h_*->f ALPHA DESC",
      "SORT list BY v_*",
      "SORT list GET h_*->",
      "SORT list BY w_* GET v_* STORE out",
      "LRANGE out 0 -1",
      "TYPE out",
      "SORT nothing STORE out",
      "EXISTS out",
      "SADD set b a c",
      "SORT set BY nosort STORE out",
      "LRANGE out 0 -1",
    ]));

  it("refuses what it cannot sort", () =>
    oracle.expectSame([
      "HSET h f 1",
      "SORT h",
      "SET s 1",
      "SORT s",
      "RPUSH list a 1",
      "SORT list",
      "SORT list LIMIT 0",
      "SORT list LIMIT x 1",
      "SORT list BY",
      "SORT list BAD",
      "SORT list STORE",
      "COMMAND GETKEYS SORT list BY w_* STORE out",
    ]));

  it("turns a sorted set into a skip list", () =>
    oracle.expectSame([
      "ZADD z 1 a",
      "SORT_RO z BY none",
      "OBJECT ENCODING z",
      "ZADD y 1 1",
      "SORT y",
      "OBJECT ENCODING y",
    ]));

  // Last and once: Redis does not reset errno, so that later numbers would fail as well.
  it("reads weights as strtod reads C strings", () =>
    oracle.expectSame(
      [
        ["RPUSH", "list", "3", " 2", "", "\t1", "4\0x", "0x10", "-inf"],
        "SORT list",
        ...[" ", "\0", "1 ", "4.9e-324", "1e-400", "1e400", "nan"].flatMap((text) => [
          ["RPUSH", "one", text],
          "SORT one",
          "DEL one",
        ]),
      ],
      { resp: 2 },
    ));
});
