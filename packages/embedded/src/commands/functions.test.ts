// What could go wrong: a library or a function is loaded, refused, called or listed otherwise than by Redis. Longer than other files, since
// all of it is one list of commands whose answers are compared.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type CommandLine, type Oracle, startOracle } from "../testing/differential.ts";

let oracle: Oracle;
beforeAll(async () => {
  oracle = await startOracle();
});
afterAll(() => oracle.close());

/** Loads a library of this code; line numbers in errors count from the line above it. */
const load = (code: string, name = "lib"): string[] => ["FUNCTION", "LOAD", "REPLACE", `#!lua name=${name}\n${code}`];

/** Loads a function of this body, and calls it with the key `k` and the argument `a`. */
const call = (body: string): CommandLine[] => [
  load(`redis.register_function('f', function(KEYS, ARGV)\n${body}\nend)`),
  ["FCALL", "f", "1", "k", "a"],
];

describe("libraries", () => {
  it("are loaded, listed, replaced and deleted", () =>
    oracle.expectSame([
      "FUNCTION FLUSH",
      "FUNCTION LIST",
      "FUNCTION STATS",
      load("redis.register_function('f', function() return 1 end)"),
      "FUNCTION LIST",
      "FUNCTION LIST WITHCODE",
      "FCALL f 0",
      "FCALL F 0",
      load("redis.register_function('f', function() return 2 end)"),
      "FCALL f 0",
      load("redis.register_function('g', function() return 3 end)"),
      "FCALL f 0",
      "FCALL g 0",
      load("redis.register_function('h', function() return 4 end)", "other"),
      "FUNCTION LIST LIBRARYNAME o*",
      "FUNCTION LIST LIBRARYNAME O*",
      "FUNCTION LIST LIBRARYNAME x* WITHCODE",
      "FUNCTION STATS",
      "FLUSHALL",
      "FCALL g 0",
      "FUNCTION DELETE lib",
      "FUNCTION DELETE lib",
      "FCALL g 0",
      "FCALL h 0",
      "FUNCTION FLUSH SYNC",
      "FCALL h 0",
      "FUNCTION STATS",
    ]));

  it("keep what they were when they cannot be replaced", () =>
    oracle.expectSame([
      "FUNCTION FLUSH",
      load("redis.register_function('f', function() return 1 end)"),
      load("redis.register_function('g', function() return 2 end)", "other"),
      load("redis.register_function('f', nosuch)"),
      load("redis.register_function('G', function() return 3 end)"),
      load("return 1"),
      ["FUNCTION", "LOAD", "#!lua name=lib\nredis.register_function('x', redis.log)"],
      "FCALL f 0",
      "FCALL g 0",
      "FUNCTION STATS",
    ]));

  it("share their locals with their functions, not with other libraries", () =>
    oracle.expectSame([
      "FUNCTION FLUSH",
      load(
        "local n = 0 redis.register_function('f', function() n = n + 1 return n end) redis.register_function('g', function() return -n end)",
      ),
      load("local n = 10 redis.register_function('h', function() n = n + 1 return n end)", "other"),
      "FCALL f 0",
      "FCALL f 0",
      "FCALL g 0",
      "FCALL h 0",
    ]));

  it("begin with a line that names them", () =>
    oracle.expectSame(
      [
        "",
        "return 1",
        "#!lua name=lib",
        "#!lua\n",
        "#!\n",
        "#!python name=lib\n",
        "#!Lua NAME=lib\n",
        "#!lua name=lib more\n",
        "#!lua name=lib name=lib\n",
        "#!lua name=\n",
        "#!lua name='a b'\n",
        "#!lua name=a\\0b\n",
        "#!lua 'name\n",
        " #!lua name=lib\n",
        '#!lua name="lib"\nredis.register_function("f", redis.log)',
      ].map((source) => ["FUNCTION", "LOAD", "REPLACE", source]),
    ));

  it("are refused with wrong arguments", () =>
    oracle.expectSame([
      "FUNCTION",
      "FUNCTION NOSUCH",
      "FUNCTION LOAD",
      "FUNCTION LOAD REPLACE",
      "FUNCTION LOAD NEVER x",
      "FUNCTION LOAD REPLACE REPLACE x",
      "FUNCTION LIST NEVER",
      "FUNCTION LIST WITHCODE WITHCODE",
      "FUNCTION LIST LIBRARYNAME",
      "FUNCTION LIST LIBRARYNAME a LIBRARYNAME b",
      "FUNCTION DELETE",
      "FUNCTION FLUSH NEVER",
      "FUNCTION FLUSH SYNC SYNC",
      "FUNCTION KILL",
      "FUNCTION HELP",
      ["EVAL", "return redis.call('FUNCTION', 'LIST')", "0"],
    ]));
});

describe("while it is loaded a library", () => {
  it("registers functions", () =>
    oracle.expectSame(
      [
        "redis.register_function('f', redis.log)",
        "redis.register_function(5, redis.log)",
        "redis.register_function{function_name='f', callback=redis.log, description='words'}",
        "redis.register_function{Function_Name='f', CALLBACK=redis.log, flags={'NO-WRITES', nil, 'bad'}}",
        "redis.register_function{function_name='f', callback=redis.log, flags={'allow-cross-slot-keys', 'no-cluster', 'allow-stale', 'allow-oom', 'no-writes'}}",
        "redis.register_function()",
        "redis.register_function('f', redis.log, 1)",
        "redis.register_function({}, redis.log)",
        "redis.register_function('f', 'g')",
        "redis.register_function('f g', redis.log)",
        "redis.register_function('', redis.log)",
        "redis.register_function('f')",
        "redis.register_function{}",
        "redis.register_function{'f'}",
        "redis.register_function{[{}]='f'}",
        "redis.register_function{function_name='f'}",
        "redis.register_function{callback=redis.log}",
        "redis.register_function{function_name={}, callback=redis.log}",
        "redis.register_function{function_name='f', callback=5}",
        "redis.register_function{function_name='f', callback=redis.log, description={}}",
        "redis.register_function{function_name='f', callback=redis.log, flags='no-writes'}",
        "redis.register_function{function_name='f', callback=redis.log, flags={'bad'}}",
        "redis.register_function{function_name='f', callback=redis.log, flags={{}}}",
        "redis.register_function{function_name='f', callback=redis.log, more=1}",
        "redis.register_function('f', redis.log) redis.register_function('f', redis.log)",
        "redis.register_function('f', redis.log) nosuch()",
      ].flatMap((code) => ["FUNCTION FLUSH", load(code), "FUNCTION LIST"]),
    ));

  it("sees hardly anything else", () =>
    oracle.expectSame(
      [
        "redis.call('PING')",
        "redis.setresp(3)",
        "local x = redis.nosuch",
        "redis.x = 1",
        "x = 1",
        "local x = string",
        "local x = _G",
        "local x = KEYS",
        "error('no')",
        "redis.log(1)",
        "redis.log(redis.LOG_DEBUG, 'x')",
        "local t = {} t.x.y = 1",
        "local function f() return f() + 1 end f()",
        "this is no Lua",
        "local x = ('x'):rep(3) redis.register_function('f', function() return x end)",
        "local x = redis.REDIS_VERSION redis.register_function('f', function() return x end)",
      ].map((code) => load(code)),
    ));

  it("may not run for long", () => oracle.expectSame([load("while true do end"), "PING"], { resp: 2 }));
});

describe("functions", () => {
  it("get their keys and arguments, and answer as scripts do", () =>
    oracle.expectSame([
      ...call("return {KEYS[1], ARGV[1], #KEYS, #ARGV}"),
      "FCALL f 0",
      "FCALL f 2 a b",
      ["FCALL", "f", "0", "\x00\xff"],
      ...call("return redis.call('SET', KEYS[1], ARGV[1])"),
      ...call("return redis.call('GET', KEYS[1])"),
      ...call("return {ok = 'fine'}"),
      ...call("return redis.error_reply('MY bad')"),
      ...call("redis.setresp(3) redis.call('HSET', 'h', 'a', '1') return redis.call('HGETALL', 'h')"),
      ...call("return 3.99, 'more'"),
      ...call(""),
    ]));

  it("fail with their name and place", () =>
    oracle.expectSame([
      ...call("error('no')"),
      ...call("error({err = 'MY error'})"),
      ...call("error()"),
      ...call("return nosuch"),
      ...call("local t = nil\nreturn t.x"),
      ...call("return redis.call('NOSUCH')"),
      ...call("return redis.pcall('NOSUCH')"),
      ...call("return {pcall(redis.call, 'INCR', 'k', 'k')}"),
      ...call("return loadstring('return KEYS')()"),
      ...call("coroutine.wrap(function() error('no') end)()"),
      ...call("local function f() return f() + 1 end f()"),
      load("redis.register_function('f', redis.log)"),
      "FCALL f 1 a",
      "FCALL nosuch 0",
      "FCALL nosuch x",
      "FCALL f x",
      "FCALL f -1",
      "FCALL f 2 a",
      "FCALL f",
      ["EVAL", "return redis.call('FCALL', 'f', 0)", "0"],
    ]));

  it("see the globals of scripts but what is EVAL's own, and change none", () =>
    oracle.expectSame([
      ...call("local names = {} for name in pairs(_G) do table.insert(names, name) end table.sort(names) return names"),
      ...call("local names = {} for name in pairs(redis) do table.insert(names, name) end return names"),
      ...call("return KEYS == rawget(_G, 'KEYS')"),
      ...call("return redis.breakpoint()"),
      ...call("return redis.register_function"),
      ...call("x = 1"),
      ...call("redis = 1"),
      ...call("redis.call = 1"),
      ...call("_G.x = 1"),
      ...call("rawset(_G, 'x', 1)"),
      ...call("setmetatable(_G, {})"),
      ...call("getmetatable(_G).__index = 1"),
      ...call("return getmetatable(_G).__index('x')"),
      load("local early = redis redis.register_function('f', function() early.register_function('g', early.log) end)"),
      "FCALL f 0",
      load("local early = redis redis.register_function('f', function() early.x = 1 end)"),
      "FCALL f 0",
      load("local early = redis redis.register_function('f', function() return early.call end)"),
      "FCALL f 0",
      load(
        "local function ping() return redis.call('PING') end redis.register_function('f', function() return ping() end)",
      ),
      "FCALL f 0",
    ]));

  it("keep to their flags", () =>
    oracle.expectSame([
      load("redis.register_function('f', function() return redis.call('SET', 'k', '1') end)"),
      "FCALL f 0",
      "FCALL_RO f 0",
      load(
        "redis.register_function{function_name='f', callback=function() return redis.call('SET', 'k', '2') end, flags={'no-writes'}}",
      ),
      "FCALL f 0",
      "FCALL_RO f 0",
      load(
        "redis.register_function{function_name='f', callback=function() return redis.call('GET', 'k') end, flags={'no-writes'}}",
      ),
      "FCALL f 0",
      "FCALL_RO f 0",
      "FCALL_RO nosuch 0",
    ]));

  it("run within a transaction", () =>
    oracle.expectSame([
      load("redis.register_function('f', function(keys) return redis.call('INCR', keys[1]) end)"),
      "MULTI",
      "FCALL f 1 a",
      "FCALL nosuch 0",
      "FCALL f 1 a",
      "EXEC",
    ]));

  it("wait for the end of a pause of writes, except those without writes; what only looks at libraries does not", async () => {
    const [caller, other] = await Promise.all([oracle.connect(), oracle.connect()]);
    const blocked = async (): Promise<number[]> =>
      (await other.both("INFO clients")).map((info) => Number(/blocked_clients:(\d+)/.exec(info)?.[1]));
    await other.same("FUNCTION FLUSH");
    const reads =
      "redis.register_function{function_name='reads', callback=function() return 1 end, flags={'no-writes'}}";
    await other.same(load(`redis.register_function('f', function() return redis.call('SET', 'k', '1') end) ${reads}`));
    await other.same("CLIENT PAUSE 3600000 WRITE");
    const called = caller.start("FCALL f 0");
    await expect.poll(blocked).toEqual([1, 1]);
    await other.same("FUNCTION STATS");
    await other.same("FCALL reads 0");
    await other.same("FCALL_RO reads 0");
    for (const command of ["MULTI", "FCALL reads 0", ["EVAL", "#!lua flags=no-writes\nreturn 2", "0"], "EXEC"])
      await other.same(command);
    await other.same("CLIENT UNPAUSE");
    await called.finished;
    caller.close();
    other.close();
  });

  it("invalidate caches by the keys they declare", async () => {
    const [reader, writer] = await Promise.all([oracle.connect(3), oracle.connect()]);
    await reader.same(load("redis.register_function('f', function() return redis.call('GET', 'other') end)"));
    await reader.same("CLIENT TRACKING ON");
    await reader.same("FCALL f 2 a b");
    await writer.same("SET other 1");
    await writer.same("SET b 1");
    await reader.sameMessage();
    await reader.same("PING");
    reader.close();
    writer.close();
  });
});

describe("COMMAND", () => {
  it("names the keys of calls", () =>
    oracle.expectSame([
      "COMMAND GETKEYS FCALL f 2 a b c",
      "COMMAND GETKEYS FCALL f 0",
      "COMMAND GETKEYS FCALL_RO f 1 a",
      "COMMAND GETKEYSANDFLAGS FCALL f 2 a b c",
      "COMMAND GETKEYSANDFLAGS FCALL_RO f 1 a",
    ]));

  // Without what the embedded server has for no command: tips for clients, and notes on keys.
  const unlike = /^(request_policy|response_policy|nondeterministic|notes$|We cannot tell)/;
  const words = (reply: string): string[] =>
    reply.split("\r\n").filter((word) => !/^[*$]/.test(word) && !unlike.test(word));

  it.each([
    "fcall",
    "fcall_ro",
    ...["load", "delete", "flush", "list", "stats", "kill", "dump", "restore"].map((name) => `function|${name}`),
  ])("knows arity, flags, categories and key specifications of %s", async (name) => {
    const pair = await oracle.connect();
    const [real, embedded] = await pair.both(["COMMAND", "INFO", name]);
    // Categories are unordered.
    expect(words(embedded).toSorted()).toEqual(words(real).toSorted());
    pair.close();
  });
});

it("what is left for later says so", async () => {
  const pair = await oracle.connect();
  expect(await pair.embeddedOnly("FUNCTION DUMP")).toBe(
    "-ERR FUNCTION DUMP is not supported by the embedded server\r\n",
  );
  expect(await pair.embeddedOnly("FUNCTION RESTORE x")).toBe(
    "-ERR FUNCTION RESTORE is not supported by the embedded server\r\n",
  );
  pair.close();
});
