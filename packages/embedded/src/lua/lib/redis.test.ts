import { describe, expect, it } from "vitest";
import type { HostReply } from "../host.ts";
import { CommandHost, errorOf, run } from "../testing/host.ts";

describe("redis.call and redis.pcall", () => {
  it("arguments are byte strings; numbers keep 17 digits", () => {
    expect(
      run(
        "return {redis.call('ECHO', 1.5), redis.call('ECHO', 2^53), redis.call('ECHO', 0.1), redis.call('ECHO', '\\0\\255')}",
      ),
    ).toEqual(["1.5", "9007199254740992", "0.10000000000000001", "\0\xff"]);
  });

  it("an error is thrown by call and returned by pcall, and stays marked as counted", () => {
    const message = "ERR Unknown Redis command called from script";
    expect(run("return redis.call('NOSUCH')")).toEqual({
      type: "error",
      value: `${message} script: sha, on @user_script:1.`,
      counted: true,
    });
    expect(run("return redis.pcall('NOSUCH')")).toEqual({ type: "error", value: message, counted: true });
    expect(run("return redis.pcall('NOSUCH').err")).toBe(message);
  });

  it.each([
    ["redis.call()", "ERR Please specify at least one argument for this redis lib call"],
    ["redis.call('ECHO', {})", "ERR Lua redis lib command arguments must be strings or integers"],
    ["redis.call('ECHO', nil)", "ERR Lua redis lib command arguments must be strings or integers"],
  ])("%s fails", (source, message) => {
    expect(errorOf(source)).toBe(`${message} script: sha, on @user_script:1.`);
  });
});

describe("replies of commands as Lua values", () => {
  const replies: Record<string, HostReply> = {
    big: 9007199254740993n,
    nested: [1, [null, "x"], { type: "status", value: "OK" }],
    truth: true,
    double: { type: "double", value: 1.5 },
    bignum: { type: "bignum", value: "123" },
    verbatim: { type: "verbatim", format: "txt", value: "hi" },
    map: {
      type: "map",
      entries: [
        ["a", 1],
        ["b", [2]],
      ],
    },
    set: { type: "set", items: ["m"] },
  };
  it.each<[string, HostReply]>([
    ["local r = redis.call('big') return tostring(r)", "9.007199254741e+15"],
    ["local r = redis.call('nested') return {r[1], tostring(r[2][1]), r[2][2], r[3].ok}", [1, "false", "x", "OK"]],
    ["return tostring(redis.call('GET', 'x'))", "false"],
    ["redis.setresp(3) return tostring(redis.call('GET', 'x'))", "nil"],
    ["redis.setresp(3) return redis.call('truth') == true and 'yes'", "yes"],
    ["return tostring(redis.call('double').double)", "1.5"],
    ["return redis.call('bignum').big_number", "123"],
    ["local v = redis.call('verbatim').verbatim_string return v.format .. v.string", "txthi"],
    ["local m = redis.call('map').map return {m.a, m.b[1]}", [1, 2]],
    ["return redis.call('set').set.m and 1", 1],
  ])("%s", (source, expected) => {
    expect(run(source, { host: new CommandHost(replies) })).toEqual(expected);
  });
});

describe("the rest of redis.*", () => {
  it.each<[string, HostReply]>([
    ["return redis.error_reply('MYERR x')", { type: "error", value: "MYERR x" }],
    ["return redis.error_reply('x')", { type: "error", value: "ERR x" }],
    ["return redis.error_reply('-x y')", { type: "error", value: "x y" }],
    ["return redis.error_reply(1)", { type: "error", value: "ERR wrong number or type of arguments" }],
    ["return redis.status_reply('FINE')", { type: "status", value: "FINE" }],
    ["return redis.sha1hex('abc')", "a9993e364706816aba3e25717850c26c9cd0d89d"],
    [
      "return {redis.REDIS_VERSION, redis.REDIS_VERSION_NUM, redis.LOG_WARNING, redis.REPL_ALL}",
      ["7.0.15", 0x7000f, 3, 3],
    ],
    ["return {redis.replicate_commands(), redis.breakpoint(), redis.acl_check_cmd('get', 'x')}", [1, null, 1]],
  ])("%s", (source, expected) => {
    expect(run(source)).toEqual(expected);
  });

  it("log reaches the host with its texts joined", () => {
    const host = new CommandHost();
    run("redis.log(redis.LOG_NOTICE, 'a', 1, {}, 'b')", { host });
    expect(host.logged).toEqual([[2, "a 1 b"]]);
  });

  it("setresp reaches the host", () => {
    const host = new CommandHost();
    run("redis.setresp(3)", { host });
    expect(host.resp).toBe(3);
  });

  it.each([
    ["redis.log(1)", "redis.log() requires two arguments or more."],
    ["redis.log('x', 'y')", "First argument must be a number (log level)."],
    ["redis.log(9, 'x')", "Invalid debug level."],
    ["redis.setresp(4)", "RESP version must be 2 or 3."],
    ["redis.set_repl()", "redis.set_repl() requires two arguments."],
    ["redis.set_repl(9)", "Invalid replication flags. Use REPL_AOF, REPL_REPLICA, REPL_ALL or REPL_NONE."],
    ["redis.sha1hex()", "wrong number of arguments"],
    ["redis.acl_check_cmd('nosuch')", "Invalid command passed to redis.acl_check_cmd()"],
  ])("%s fails", (source, message) => {
    expect(errorOf(source)).toBe(`ERR ${message} script: sha, on @user_script:1.`);
  });
});
