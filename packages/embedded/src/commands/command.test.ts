import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Oracle, startOracle } from "../testing/differential.ts";

let oracle: Oracle;
beforeAll(async () => {
  oracle = await startOracle();
});
afterAll(() => oracle.close());

type Item = string | Item[];

/** A RESP2 reply as nested lists; numbers as their text. */
function decode(bytes: string): Item {
  let at = 0;
  const read = (): Item => {
    const end = bytes.indexOf("\r\n", at);
    const marker = bytes.charAt(at);
    const rest = bytes.slice(at + 1, end);
    at = end + 2;
    if (marker === "*") return Array.from({ length: Number(rest) }, read);
    if (marker !== "$") return rest;
    const start = at;
    at += Number(rest) + 2;
    return bytes.slice(start, at - 2);
  };
  return read();
}

/** By name: what COMMAND says of it and of its subcommands, without documentation and in an order of its own. */
function described(reply: string): Map<string, unknown> {
  const found = new Map<string, unknown>();
  const enter = (item: Item): void => {
    const [name, arity, flags, first, last, step, categories, , keys, subcommands] = item as Item[];
    const specifications = (keys as Item[][]).map((spec) => spec.slice(spec.indexOf("flags")));
    const sorted = [flags, categories].map((words) => [...(words as string[])].sort());
    found.set(name as string, [arity, ...sorted, first, last, step, specifications]);
    for (const subcommand of subcommands as Item[]) enter(subcommand);
  };
  for (const item of decode(reply) as Item[]) enter(item);
  return found;
}

/** Redis does not say which subcommands DEBUG has. */
const isListed = (name: string): boolean => !name.startsWith("debug");

describe("COMMAND", () => {
  it("says of every command that is there what Redis says: arity, flags, categories, keys and what is done to them", async () => {
    const pair = await oracle.connect();
    const [real, embedded] = (await pair.both("COMMAND")).map(described) as [
      Map<string, unknown>,
      Map<string, unknown>,
    ];
    const names = [...embedded.keys()].filter(isListed);
    expect(names.length).toBeGreaterThan(300);
    for (const name of names) expect({ name, is: embedded.get(name) }).toEqual({ name, is: real.get(name) });
    const [, list] = (await pair.both("COMMAND LIST")).map((reply) => (decode(reply) as string[]).sort());
    expect(list).toEqual([...embedded.keys()].sort());
    pair.close();
  });

  it("finds the keys in a command line, and what is done to each", () =>
    oracle.expectSame([
      ...[
        "SET a b",
        "SET a b EX 1 GET",
        "BITFIELD a GET u8 0",
        "BITFIELD a GET u8 0 SET u8 0 1",
        "SORT a BY w GET x STORE b STORE c",
        "SORT a",
        "SORT_RO a",
        "LMOVE a b LEFT RIGHT",
        "COPY a b",
        "RENAME a b",
        "XREADGROUP GROUP g c STREAMS a b 1 2",
        "XREAD STREAMS a 1",
        "GEORADIUS a 1 2 3 m STORE x",
        "ZUNIONSTORE d 2 a b",
        "ZUNION 2 a b",
        "SINTERSTORE d a b",
        "BITOP AND d a b",
        "PFMERGE d a b",
        "MSET a 1 b 2",
        "OBJECT ENCODING a",
        "LMPOP 2 a b LEFT",
        "BLPOP a b 0",
        "PFCOUNT a b",
        "DEL a b",
        "EVAL x 2 a b c",
        "EVAL x 0",
        "EVAL_RO x 1 a",
        "SPUBLISH a b",
        "PUBLISH a b",
        "PING",
        "NOSUCH a",
        "GET",
      ].flatMap((line) => [`COMMAND GETKEYS ${line}`, `COMMAND GETKEYSANDFLAGS ${line}`]),
      "COMMAND INFO nosuch client|nosuch get|x",
      "COMMAND LIST FILTERBY MODULE x",
      "COMMAND LIST FILTERBY ACLCAT nosuch",
      "COMMAND LIST nosuch",
    ]));
});

describe("what is left for a later version", () => {
  it("answers as Redis without a cluster and without modules", () =>
    oracle.expectSame([
      "READONLY",
      "READWRITE",
      "ASKING",
      "CLUSTER INFO",
      "CLUSTER INFO x",
      "CLUSTER KEYSLOT",
      "CLUSTER KEYSLOT a",
      "CLUSTER GETKEYSINSLOT 1 1",
      "MODULE LIST",
      "SLOWLOG GET x",
      "SLOWLOG GET -2",
      "SLOWLOG LEN x",
      "SHUTDOWN SAVE NOSAVE",
      "SHUTDOWN ABORT NOW",
      "SHUTDOWN ABORT",
    ]));
});
