import { describe, expect, it } from "vitest";
import type { HostReply } from "../host.ts";
import { errorOf, run } from "../testing/host.ts";

describe("basic functions", () => {
  it.each<[string, HostReply]>([
    [
      "return {tonumber('0x10'), tonumber('  12  '), tonumber('1e2'), tonumber('zz', 36), tonumber('10', 2)}",
      [16, 12, 100, 1295, 2],
    ],
    ["return {tostring(tonumber('abc')), tostring(tonumber('8', 8)), tostring(tonumber(''))}", ["nil", "nil", "nil"]],
    ["return tostring(tonumber('-ff', 16))", "1.844674407371e+19"],
    [
      "return {tostring(nil), tostring(true), tostring(12), tostring(1e15), tostring(0.1), tostring(-0.0 * 1)}",
      ["nil", "true", "12", "1e+15", "0.1", "-0"],
    ],
    [
      "return {tostring(1/0), tostring(2^53), tostring(100/3), tostring(cjson.null)}",
      ["inf", "9.007199254741e+15", "33.333333333333", "userdata: (nil)"],
    ],
    ["return {select('#'), select('#', nil, nil)}", [0, 2]],
    [
      "return {type(nil), type(1), type('x'), type({}), type(type), type(cjson.null)}",
      ["nil", "number", "string", "table", "function", "userdata"],
    ],
    ["return {rawequal('a', 'a'), rawequal({}, {})}", [1, null]],
    ["return {next({5})}", [1, 5]],
    ["return {loadstring('return ...')(7)}", [7]],
    ["local n = 0 return load(function() n = n + 1 return ({'return ', '42'})[n] end)()", 42],
    ["return select(2, loadstring('return +'))", `[string "return +"]:1: unexpected symbol near '+'`],
    ["return select(2, loadstring('x = = 1', '@foo'))", "foo:1: unexpected symbol near '='"],
    ["return _VERSION", "Lua 5.1"],
  ])("%s", (source, expected) => {
    expect(run(source)).toEqual(expected);
  });

  it("addresses distinguish objects and stay", () => {
    const source = "local t = {} return {tostring(t) == tostring(t), tostring(t) == tostring({}), tostring(t)}";
    expect(run(source)).toEqual([1, null, expect.stringMatching(/^table: 0x[0-9a-f]+$/)]);
  });
});

describe("errors", () => {
  it.each<[string, HostReply]>([
    ["return {pcall(error, 'x')}", [null, "x"]],
    ["return {pcall(function() error('x') end)}", [null, "user_script:1: x"]],
    ["return {pcall(function() error('x', 0) end)}", [null, "x"]],
    ["return {pcall(function() error('x', 2) end)}", [null, "x"]],
    ["local function f()\n error('x', 2)\nend\nreturn {pcall(function()\nf()\nend)}", [null, "user_script:5: x"]],
    ["return {pcall(error, {err = 'MY text'})}", [null, "MY text"]],
    ["return {pcall(error, {code = 5})}", [null, []]],
    ["return {xpcall(function() error('x') end, function(e) return 'h:' .. e end)}", [null, "h:user_script:1: x"]],
    ["return {pcall(redis.call, 'NOSUCH')}", [null, "ERR Unknown Redis command called from script"]],
    ["return {pcall(function() return 1, 2, 3 end)}", [1, 1, 2, 3]],
  ])("%s", (source, expected) => {
    expect(run(source)).toEqual(expected);
  });

  it.each([
    ["return nosuch", "Script attempted to access nonexistent global variable 'nosuch'"],
    ["x = 1", "Attempt to modify a readonly table"],
    ["redis.call = 1", "Attempt to modify a readonly table"],
    ["getmetatable('').__index = nil", "Attempt to modify a readonly table"],
    ["local x; return x.y", "attempt to index local 'x' (a nil value)"],
    ["local t = {} return t.a.b", "attempt to index field 'a' (a nil value)"],
    ["local t = {} t:go()", "attempt to call method 'go' (a nil value)"],
    ["local a; local function f() return a() end f()", "attempt to call upvalue 'a' (a nil value)"],
    ["return nil + 1", "attempt to perform arithmetic on a nil value"],
    ["local s = 'x' return s + 1", "attempt to perform arithmetic on local 's' (a string value)"],
    ["return {} .. 'x'", "attempt to concatenate a table value"],
    ["return #5", "attempt to get length of a number value"],
    ["return 'a' < 1", "attempt to compare string with number"],
    ["return {} < {}", "attempt to compare two table values"],
    ["for i = 'a', 2 do end", "'for' initial value must be a number"],
    ["for k in pairs(nil) do end", "bad argument #1 to 'pairs' (table expected, got nil)"],
    ["for k in next, 5 do end", "bad argument #1 to '(for generator)' (table expected, got number)"],
    ["local t = {} t[nil] = 1", "table index is nil"],
    ["local t = {} t[0/0] = 1", "table index is NaN"],
    ["assert(false)", "assertion failed!"],
    ["setmetatable({})", "bad argument #2 to 'setmetatable' (nil or table expected)"],
    ["setmetatable(setmetatable({}, {__metatable = 1}), {})", "cannot change a protected metatable"],
  ])("%s", (source, message) => {
    expect(errorOf(source)).toBe(`ERR user_script:1: ${message} script: sha, on @user_script:1.`);
  });

  it("the line is the one of the failing part, also in a statement over several lines", () => {
    expect(errorOf("local x = 1\nlocal y\n\nreturn x +\n  y")).toContain(
      "user_script:5: attempt to perform arithmetic",
    );
    expect(errorOf("redis.call(\n'NOSUCH',\n'x')")).toMatch(/on @user_script:1\.$/);
  });

  it("library errors below a table name no line", () => {
    expect(errorOf("rawset(_G, 'x', 1)")).toBe(
      "ERR Attempt to modify a readonly table script: sha, on @user_script:1.",
    );
  });
});

describe("metatables", () => {
  it.each<[string, HostReply]>([
    ["local t = setmetatable({}, {__index = function(_, k) return k .. '!' end}) return t.foo", "foo!"],
    ["local t = setmetatable({}, {__index = setmetatable({a = 1}, {__index = {b = 2}})}) return {t.a, t.b}", [1, 2]],
    ["local t = setmetatable({}, {__newindex = function(t, k, v) rawset(t, k, v * 2) end}) t.x = 5 return t.x", 10],
    ["local t = setmetatable({}, {__call = function(_, a, b) return a + b end}) return t(1, 2)", 3],
    [
      "local mt = {__add = function() return 'add' end, __concat = function() return 'cat' end, __unm = function() return 'unm' end} local o = setmetatable({}, mt) return {o + 1, 1 + o, o .. 'x', 'x' .. o, -o}",
      ["add", "add", "cat", "cat", "unm"],
    ],
    [
      "local mt = {__eq = function() return true end, __lt = function() return true end} local a, b = setmetatable({}, mt), setmetatable({}, mt) return {a == b, a < b, a <= b, a ~= b}",
      [1, 1, null, null],
    ],
    [
      "return {tostring(setmetatable({}, {__tostring = function() return 'T' end})), #setmetatable({}, {__len = function() return 9 end})}",
      ["T", 0],
    ],
    ["return getmetatable(setmetatable({}, {__metatable = 'locked'}))", "locked"],
  ])("%s", (source, expected) => {
    expect(run(source)).toEqual(expected);
  });
});
