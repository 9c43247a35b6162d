import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Oracle, startOracle } from "../testing/differential.ts";

let oracle: Oracle;
beforeAll(async () => {
  oracle = await startOracle();
});
afterAll(() => oracle.close());

/** KEYS returns its keys in no order. */
const sorted = (reply: string, [name]: readonly string[]): string =>
  name === "KEYS" ? reply.split("\r\n").sort().join() : reply;

describe("keys answer as Redis does", () => {
  it("come and go", () =>
    oracle.expectSame(
      [
        "MSET a 1 b 2 c 3",
        "EXISTS a a b x",
        "TOUCH a x a",
        "TYPE a",
        "TYPE x",
        "DBSIZE",
        "KEYS *",
        "KEYS [ab]",
        "KEYS [^a]",
        "KEYS ?",
        "KEYS a\\*",
        "DEL a x a",
        "UNLINK b b",
        "RANDOMKEY",
        "DEL c",
        "RANDOMKEY",
        "KEYS *",
      ],
      { normalise: sorted },
    ));

  it("go elsewhere with their time to live", () =>
    oracle.expectSame([
      "SET a 1 PXAT 9999999999999",
      "RENAME a b",
      "RENAME a b",
      "PEXPIRETIME b",
      "RENAME b b",
      "RENAMENX b b",
      "SET c 2",
      "RENAMENX b c",
      "RENAME b c",
      "PEXPIRETIME c",
      "COPY c c",
      "COPY c d",
      "PEXPIRETIME d",
      "COPY c d",
      "COPY c d REPLACE",
      "COPY c c DB 3",
      "COPY c d DB 16",
      "COPY c d DB x",
      "COPY c d BAD",
      "COPY nothing d REPLACE",
      "MOVE c 3",
      "MOVE c 4",
      "MOVE c 0",
      "MOVE c 99",
      "MOVE c x",
      "SWAPDB 0 4",
      "GET d",
      "SWAPDB 0 99",
      "SWAPDB x 0",
      "SWAPDB 0 x",
      "SELECT 4",
      "PEXPIRETIME d",
    ]));

  it("live as long as they are told", () =>
    oracle.expectSame([
      "SET a 1",
      "TTL a",
      "PTTL nothing",
      "EXPIRE a 100 XX",
      "EXPIRE a 100 GT",
      "EXPIRE a 100 LT",
      "EXPIRE a 200 NX",
      "EXPIRE a 200 GT",
      "EXPIRE a 300 LT",
      "EXPIRE a 100 XX LT",
      "TTL a",
      "EXPIRE a 100 NX XX",
      "EXPIRE a 100 GT LT",
      "EXPIRE a 100 BAD",
      "EXPIRE a x",
      "EXPIRE a 9223372036854775807",
      "EXPIRE a -9223372036854775808",
      "PEXPIRE a 9223372036854775807",
      "PEXPIREAT a 9223372036854775000",
      "EXPIREAT a 9999999999",
      "EXPIRETIME a",
      "PEXPIRETIME a",
      "PERSIST a",
      "PERSIST a",
      "EXPIRE a -1",
      "EXISTS a",
      "EXPIRE nothing 10",
      "PERSIST nothing",
    ]));

  it("are kept in the encodings which Redis chooses", () =>
    oracle.expectSame(
      [
        "SET i 123",
        "OBJECT ENCODING i",
        "SET s abc",
        "OBJECT ENCODING s",
        ["SET", "l", "x".repeat(44)],
        "OBJECT ENCODING l",
        ["SET", "l", "x".repeat(45)],
        "OBJECT ENCODING l",
        "SETRANGE s 1 x",
        "OBJECT ENCODING s",
        "OBJECT REFCOUNT s",
        "OBJECT ENCODING nothing",
        "OBJECT FREQ s",
        "OBJECT IDLETIME s",
        "OBJECT HELP",
      ],
      // Redis's clock for it begins a new second at a moment of its own.
      { normalise: (reply, [, word]) => (word === "IDLETIME" ? reply.replace(/^:\d+/, ":seconds") : reply) },
    ));

  it("are flushed", () =>
    oracle.expectSame([
      "SET a 1",
      "FLUSHDB ASYNC",
      "GET a",
      "SET a 1",
      "FLUSHALL SYNC",
      "GET a",
      "FLUSHALL BAD",
      "FLUSHDB SYNC ASYNC",
    ]));

  it("refuse wrong scans", () =>
    oracle.expectSame([
      "SCAN x",
      "SCAN 0 COUNT 0",
      "SCAN 0 COUNT x",
      "SCAN 0 BAD",
      "SCAN 0 MATCH",
      "SCAN 0",
      "SCAN -1",
      "SCAN 0 TYPE nope",
    ]));

  it("are all found by a scan, whatever is changed meanwhile", async () => {
    const pair = await oracle.connect();
    await pair.both("FLUSHALL");
    for (let i = 0; i < 300; i += 1) await pair.both(`SET stays:${i} x`);
    for (let i = 0; i < 300; i += 1) await pair.both(`SET goes:${i} x`);
    const found = new Set<string>();
    let cursor = "0";
    let step = 0;
    do {
      const reply = (await pair.both(`SCAN ${cursor} COUNT 7`))[1].split("\r\n");
      cursor = reply[2] ?? "0";
      for (const word of reply) if (word.startsWith("stays:")) found.add(word);
      for (let i = 0; i < 12; i += 1) await pair.both(`DEL goes:${step * 12 + i}`);
      await pair.both(`SET new:${step++} x`);
    } while (cursor !== "0");
    expect(found.size).toBe(300);
    pair.close();
  });

  it("read cursors as strtoul does", () =>
    oracle.expectSame([
      "SCAN ''",
      ["SCAN", "\0"],
      ["SCAN", "0\0x"],
      "SCAN -",
      "SCAN ' 1'",
      "SCAN 18446744073709551616",
      "SCAN -18446744073709551616",
      "ZSCAN nothing ''",
    ]));

  it("refuse numbers of databases beyond an int", () =>
    oracle.expectSame([
      "SET a 1",
      "SELECT 9007199254740993",
      "SELECT 9223372036854775808",
      "SELECT 16",
      "COPY a b DB 2147483648",
      "MOVE a -2147483649",
      "SWAPDB 0 9007199254740993",
      "SWAPDB x 0",
      "SWAPDB 0 -1",
    ]));

  it("match an empty name with no pattern but the empty one, and KEYS * finds it", () =>
    oracle.expectSame(["SET '' 1", "KEYS *", "KEYS **", "KEYS ''", "SCAN 0 MATCH *", "SCAN 0 MATCH **"]));
});
