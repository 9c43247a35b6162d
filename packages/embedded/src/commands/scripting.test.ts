import { afterAll, beforeAll, describe, it } from "vitest";
import { type Oracle, startOracle } from "../testing/differential.ts";

let oracle: Oracle;
beforeAll(async () => {
  oracle = await startOracle();
});
afterAll(() => oracle.close());

const evaluate = (script: string, keys: string[] = [], ...args: string[]): string[] => [
  "EVAL",
  script,
  String(keys.length),
  ...keys,
  ...args,
];

describe("scripts answer as Redis does", () => {
  it("turn results into replies", () =>
    oracle.expectSame([
      evaluate("return 1"),
      evaluate("return 3.99"),
      evaluate("return -3.99"),
      evaluate("return 'text'"),
      evaluate("return true"),
      evaluate("return false"),
      evaluate("return nil"),
      evaluate("return {1, 'two', {3, {4}}, nil, 5}"),
      evaluate("return {ok = 'fine'}"),
      evaluate("return {err = 'MY bad'}"),
      evaluate("return {double = 3.25}"),
      evaluate("return {map = {a = 1}}"),
      evaluate("return redis.status_reply('a')"),
      evaluate("return redis.error_reply('a')"),
      evaluate("return {KEYS[1], KEYS[2], ARGV[1], #KEYS, #ARGV}", ["k1", "k2"], "a\x00\xff"),
      evaluate("return 1700000000123456"),
    ]));

  it("call commands", () =>
    oracle.expectSame([
      evaluate("return redis.call('SET', KEYS[1], ARGV[1])", ["a"], "1"),
      evaluate("return redis.call('INCRBY', KEYS[1], 9007199254740990)", ["a"]),
      evaluate("return redis.call('GET', 'nothing')"),
      evaluate("return type(redis.call('GET', 'nothing'))"),
      evaluate("return redis.call('MGET', KEYS[1], 'nothing')", ["a"]),
      evaluate("return redis.call('SET', 'a', 'x')['ok']"),
      evaluate("return redis.pcall('INCR', 'a')['err']"),
      evaluate("return redis.pcall('INCR', 'a')"),
      evaluate("return redis.call('INCR', 'a')"),
      evaluate("return redis.call('NOSUCH')"),
      evaluate("return redis.call('GET')"),
      evaluate("return redis.call()"),
      evaluate("return redis.call('SUBSCRIBE', 'a')"),
      evaluate("return redis.pcall('MULTI')"),
      evaluate("redis.call('SELECT', 5) redis.call('SET', 'five', 1) return 1"),
      "GET five",
      evaluate("return redis.call('LCS', 'a', 'a', 'IDX')"),
      evaluate("redis.setresp(3) return redis.call('LCS', 'a', 'a', 'IDX')"),
      evaluate("redis.setresp(3) return redis.call('GET', 'nothing') == nil"),
      evaluate("return redis.call('PING')"),
      evaluate("return redis.sha1hex('')"),
    ]));

  it("fail as they should", () =>
    oracle.expectSame([
      evaluate("error('no')"),
      evaluate("error({err = 'MY error'})"),
      evaluate("return nosuch"),
      evaluate("nosuch = 1"),
      evaluate("this is no Lua"),
      evaluate("local t = nil\nreturn t.x"),
      "EVAL",
      "EVAL 'return 1'",
      "EVAL 'return 1' x",
      "EVAL 'return 1' -1",
      "EVAL 'return 1' 2 a",
      "EVALSHA 0123456789012345678901234567890123456789 0",
      "EVALSHA short 0",
      "SCRIPT NOSUCH",
      "SCRIPT KILL",
      "SCRIPT LOAD 'this is no Lua'",
      "SCRIPT FLUSH BAD",
      "SCRIPT HELP",
    ]));

  it("are kept by their SHA-1", () =>
    oracle.expectSame([
      "SCRIPT FLUSH",
      "SCRIPT LOAD 'return 42'",
      "EVALSHA 1fa00e76656cc152ad327c13fe365858fd7be306 0",
      "EVALSHA 1FA00E76656CC152AD327C13FE365858FD7BE306 0",
      "SCRIPT EXISTS 1fa00e76656cc152ad327c13fe365858fd7be306 0000000000000000000000000000000000000000",
      "SCRIPT FLUSH ASYNC",
      "EVALSHA 1fa00e76656cc152ad327c13fe365858fd7be306 0",
      "EVAL 'return 42' 0",
      "EVALSHA 1fa00e76656cc152ad327c13fe365858fd7be306 0",
    ]));

  it("keep to their flags", () =>
    oracle.expectSame([
      ["EVAL_RO", "return redis.call('GET', KEYS[1])", "1", "a"],
      ["EVAL_RO", "return redis.call('SET', KEYS[1], '1')", "1", "a"],
      ["EVAL", "#!lua flags=no-writes\nreturn redis.call('SET', KEYS[1], '1')", "1", "a"],
      ["EVAL", "#!lua\nreturn redis.call('SET', KEYS[1], '1')", "1", "a"],
      ["EVAL_RO", "#!lua\nreturn 1", "0"],
      ["EVAL_RO", "#!lua flags=no-writes\nreturn 1", "0"],
      ["EVAL", "#!lua flags=bad\nreturn 1", "0"],
      ["EVAL", "#!lua name=x\nreturn 1", "0"],
      ["EVAL", "#!python\nreturn 1", "0"],
      ["EVAL", "#!lua", "0"],
      ["EVAL", "#!lua\nerror('line two')", "0"],
    ]));

  it("run within a transaction, at one time", () =>
    oracle.expectSame([
      "MULTI",
      evaluate("return redis.call('SET', KEYS[1], '1')", ["a"]),
      evaluate("error('no')"),
      "GET a",
      "EXEC",
      evaluate(
        "redis.call('SET', 'a', '1', 'PX', '1') local t = redis.call('TIME') while redis.call('TIME')[2] == t[2] do end return redis.call('EXISTS', 'a')",
      ),
    ]));

  it("write where there are enough replicas", () =>
    oracle.expectSame([
      "SET a 1",
      "MULTI",
      "INCR a",
      "CONFIG SET min-replicas-to-write 1",
      "EXEC",
      "MULTI",
      "INCR a",
      "CONFIG SET min-replicas-max-lag 0",
      "EXEC",
      "CONFIG SET min-replicas-to-write 1 min-replicas-max-lag 10",
      "GET a",
      "SET a 2",
      "MULTI",
      "SET a 2",
      "GET a",
      "EXEC",
      "PUBLISH a b",
      evaluate("return redis.call('GET', 'a')"),
      evaluate("return redis.call('SET', 'a', 3)"),
      evaluate("return redis.pcall('SET', 'a', 3)"),
      evaluate("#!lua\nreturn 1"),
      evaluate("#!lua flags=no-writes\nreturn redis.call('GET', 'a')"),
      ["EVAL_RO", "return redis.call('SET', 'a', 3)", "0"],
      "CONFIG SET min-replicas-to-write 0",
      "SET a 2",
    ]));

  it("invalidate caches by the keys they declare", async () => {
    const [reader, writer] = await Promise.all([oracle.connect(3), oracle.connect()]);
    await writer.both("FLUSHALL");
    await reader.same("CLIENT TRACKING ON");
    await reader.same(evaluate("return redis.call('GET', 'other')", ["a", "b"]));
    await writer.same("SET other 1");
    await writer.same("SET b 1");
    await reader.sameMessage();
    await reader.same("PING");
    reader.close();
    writer.close();
  });
});
