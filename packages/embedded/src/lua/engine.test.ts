import { describe, expect, it, vi } from "vitest";
import { compileScript, createLuaEngine, type HostReply, LuaCompileError, ScriptInterrupt } from "./engine.ts";
import { CommandHost, errorOf, run } from "./testing/host.ts";

describe("results as replies", () => {
  it.each<[string, HostReply]>([
    ["return 3.99", 3],
    ["return -3.99", -3],
    ["return 2^53", 2n ** 53n],
    ["return 1e300", -(2n ** 63n)],
    ["return true", 1],
    ["return false", null],
    ["return nil", null],
    ["", null],
    ["redis.setresp(3) return {true, false}", [true, false]],
    ["return {1, 'x', nil, 3}", [1, "x"]],
    ["return {ok = 'a\\r\\nb'}", { type: "status", value: "a  b" }],
    ["return {err = 'no code'}", { type: "error", value: "no code" }],
    ["return {double = 1.5}", { type: "double", value: 1.5 }],
    ["return {big_number = '123'}", { type: "bignum", value: "123" }],
    ["return {map = {a = 1}}", { type: "map", entries: [["a", 1]] }],
    ["return {set = {a = true}}", { type: "set", items: ["a"] }],
    ["return {verbatim_string = {format = 'txt', string = 'v'}}", { type: "verbatim", format: "txt", value: "v" }],
    [
      "return {1, {err = 'E x'}, {ok = 'fine'}}",
      [1, { type: "error", value: "E x" }, { type: "status", value: "fine" }],
    ],
    ["return function() end", null],
    ["return 1, 2", 1],
  ])("%s", (source, expected) => {
    expect(run(source)).toEqual(expected);
  });

  it("a table that contains itself ends in an error", () => {
    let reply = run("local t = {} t[1] = t return t");
    while (Array.isArray(reply)) reply = reply[0]!;
    expect(reply).toEqual({ type: "error", value: "ERR reached lua stack limit" });
  });
});

describe("uncaught errors", () => {
  it.each([
    ["error('x')", "ERR user_script:1: x script: sha, on @user_script:1."],
    ["error('x', 0)", "ERR x script: sha, on @user_script:1."],
    ["error({err = 'MYERR x'})", "MYERR x script: sha, on @user_script:1."],
    ["error()", "ERR nil script: sha, on @user_script:1."],
    ["error('line1\\nline2')", "ERR user_script:1: line1 line2 script: sha, on @user_script:1."],
    ["\n\nlocal function f()\nerror('x')\nend\nf()", "ERR user_script:4: x script: sha, on @user_script:4."],
  ])("%s", (source, expected) => {
    expect(errorOf(source)).toBe(expected);
  });
});

it.each([
  `return ${"1+".repeat(50_000)}1`,
  `if false then ${"elseif false then ".repeat(50_000)}end`,
  `local x = {} x${".y".repeat(50_000)} = 1`,
  `local function f() end return f${"()".repeat(50_000)}`,
])("a source too deep for this compiler, though not for Lua's, is refused: %.20s", async (source) => {
  // As in a new process: what other files have made hot has smaller frames, and more of them fit on the stack.
  vi.resetModules();
  const cold = await import("./engine.ts");
  expect(() => cold.compileScript(source)).toThrow(cold.LuaCompileError);
  expect(() => cold.compileScript(source)).toThrow("user_script:1: chunk has too many syntax levels");
});

it("KEYS and ARGV are the script's own and fresh in every run", () => {
  const script = compileScript("KEYS[1] = KEYS[1] .. '!' return {KEYS[1], ARGV[1], #KEYS, #ARGV}");
  const host = new CommandHost();
  expect(script.run(host, ["k"], ["a", "b"])).toEqual(["k!", "a", 1, 2]);
  expect(script.run(host, ["\0\xff"], [])).toEqual(["\0\xff!"]);
});

it("what the host throws ends the script and comes out as it is", () => {
  const host = new CommandHost();
  host.call = () => {
    throw new Error("the server's own trouble");
  };
  expect(() => run("return pcall(redis.call, 'GET', 'x')", { host })).toThrow("the server's own trouble");
});

it("a script that is no Lua is refused with Redis's text", () => {
  expect(() => compileScript("return +")).toThrow(
    new LuaCompileError("Error compiling script (new function): user_script:1: unexpected symbol near '+'"),
  );
});

describe("runaway scripts", () => {
  const stop = (message = "ERR Script killed by user with SCRIPT KILL..."): { onBudget: () => void } => ({
    onBudget: () => {
      throw new ScriptInterrupt(message);
    },
  });

  it.each([
    "while true do end",
    "repeat until false",
    "for i = 1, math.huge do end",
    "while true do pcall(function() while true do end end) end",
    "local function f() pcall(f) end while true do f() end",
    "local s = '' while true do s = ('x'):rep(1000) end",
    "coroutine.wrap(function() while true do pcall(function() while true do end end) end end)()",
    "local t = setmetatable({}, {__index = function(t, k) while true do end end}) return t.x",
    "table.sort({3, 2, 1}, function() while true do end end)",
  ])("%s is stopped", (source) => {
    expect(errorOf(source, { limits: stop() })).toBe(
      "ERR Script killed by user with SCRIPT KILL... script: sha, on @user_script:1.",
    );
  });

  it("the budget counts rounds and calls", () => {
    let budgets = 0;
    const onBudget = (): void => void budgets++;
    run("for i = 1, 100000 do end", { limits: { budget: 1000, onBudget } });
    expect(budgets).toBeGreaterThan(95);
    expect(budgets).toBeLessThan(105);
  });

  it("memory is bounded", () => {
    const source = "local t = {} while true do t[#t + 1] = {#t, tostring(#t)} end";
    const limits = { maxHeapGrowth: 32 * 1024 * 1024, budget: 10_000 };
    expect(errorOf(source, { limits })).toContain("used too much memory");
  });

  it("a string that is too long is Lua's error", () => {
    expect(run("return {pcall(string.rep, 'x', 2^30)}")).toEqual([null, "not enough memory"]);
    expect(run("local s = 'x' return {pcall(function() while true do s = s .. s end end)}")).toEqual([
      null,
      "not enough memory",
    ]);
  });

  it("a recursion without end is Lua's error, and the engine works on", () => {
    const engine = createLuaEngine();
    const host = new CommandHost();
    const deep = engine.compile("local function f() return 1 + f() end return f()", "sha");
    expect(deep.run(host, [], [])).toMatchObject({ value: expect.stringContaining("stack overflow") });
    expect(engine.compile("local function f() return 1 + f() end return {pcall(f)}").run(host, [], [])).toEqual([
      null,
      "user_script:1: stack overflow",
    ]);
    expect(engine.compile("return 1").run(host, [], [])).toBe(1);
  });

  it("a command is not begun where the stack may not last for it", () => {
    const host = new CommandHost();
    let calls = 0;
    let failures = 0;
    host.call = () => {
      calls += 1;
      try {
        return descend(500);
      } catch {
        failures += 1;
        return null;
      }
    };
    run("local function f() redis.call('GET', 'x') return 1 + f() end return {pcall(f)}", { host });
    expect(calls).toBeGreaterThan(200);
    expect(failures).toBe(0);
  });
});

function descend(levels: number): number {
  return levels === 0 ? 0 : descend(levels - 1) + 1;
}
