import { expect, it } from "vitest";
import type { HostReply } from "../host.ts";
import { errorOf, run } from "../testing/host.ts";

it.each<[string, HostReply]>([
  [
    "local co = coroutine.wrap(function(a) local b = coroutine.yield(a + 1) return b * 2 end) return {co(1), co(10)}",
    [2, 20],
  ],
  [
    "local co = coroutine.create(function(a) error('oops' .. a) end) return {coroutine.resume(co, 1)}",
    [null, "user_script:1: oops1"],
  ],
  [
    "local co = coroutine.create(function() end) coroutine.resume(co) return {coroutine.status(co), coroutine.resume(co)}",
    ["dead", null, "cannot resume dead coroutine"],
  ],
  [
    "local function each(n) return coroutine.wrap(function() for i = 1, n do coroutine.yield(i) end end) end local s = 0 for v in each(5) do s = s + v end return s",
    15,
  ],
  [
    "local co co = coroutine.create(function() return coroutine.status(co), coroutine.running() == co end) return {coroutine.resume(co)}",
    [1, "running", 1],
  ],
  [
    "local function deep(n) if n == 0 then coroutine.yield('bottom') else deep(n - 1) end return n end local co = coroutine.wrap(function() return deep(50) end) return {co(), co()}",
    ["bottom", 50],
  ],
  ["return {coroutine.running()}", []],
])("%s", (source, expected) => {
  expect(run(source)).toEqual(expected);
});

it("as in Lua 5.1, a yield does not cross a library function or leave the script", () => {
  const message = "attempt to yield across metamethod/C-call boundary";
  expect(run("return {coroutine.wrap(function() return pcall(function() coroutine.yield(1) end) end)()}")).toEqual([
    null,
    message,
  ]);
  expect(errorOf("coroutine.yield(1)")).toContain(message);
  expect(run("return {pcall(_G['corou' .. 'tine'].wrap(function() _G['corou' .. 'tine'].yield(1) end))}")).toEqual([
    null,
    message,
  ]);
});

it("wrap passes errors on with its caller's place before them", () => {
  expect(errorOf("local w = coroutine.wrap(function() error('in') end)\nw()")).toContain(
    "ERR user_script:2: user_script:1: in",
  );
});

it.each([
  ["coroutine.create(print and 1)", "Script attempted to access nonexistent global variable 'print'"],
  ["coroutine.create(type)", "bad argument #1 to 'create' (Lua function expected)"],
  ["coroutine.resume(1)", "bad argument #1 to 'resume' (coroutine expected)"],
])("%s fails", (source, message) => {
  expect(errorOf(source)).toContain(message);
});
