import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  createLuaEngine,
  type HostReply,
  LuaCompileError,
  type LuaEngine,
  type LuaHost,
  PausedScript,
  ScriptInterrupt,
  type ScriptLimits,
} from "./engine.ts";
import { CommandHost } from "./testing/host.ts";
import { snippetOf } from "./testing/snippets.ts";

const KEYS = ["k1"];
const ARGV = ["a1", "10"];

/** Remembers the commands, and counts. */
class CountingHost extends CommandHost {
  readonly calls: string[] = [];

  override call(args: string[]): HostReply {
    this.calls.push(args.join(" "));
    return args[0] === "COUNT" ? this.calls.length : super.call(args);
  }
}

interface Limits {
  /** @default 3, so that there is a pause every few steps */
  readonly budget?: number;
  /** How often the script may go on before its first pause. @default 0 */
  readonly after?: number;
  /** How often it pauses then: a pause deep in a recursion is slow. @default without limit */
  readonly most?: number;
}

function pausing({ budget = 3, after = 0, most = Infinity }: Limits): ScriptLimits {
  let asked = 0;
  return { budget, pause: () => asked++ >= after && asked <= after + most };
}

interface Outcome {
  readonly reply: HostReply;
  readonly pauses: number;
}

function runWithPauses(
  engine: LuaEngine,
  source: string,
  limits: Limits = {},
  host: LuaHost = new CommandHost(),
): Outcome {
  let outcome = engine.compile(source, "sha").start(host, KEYS, ARGV, pausing(limits));
  let pauses = 0;
  for (; outcome instanceof PausedScript; pauses += 1) outcome = outcome.resume();
  return { reply: outcome, pauses };
}

function paused(source: string, host: LuaHost = new CommandHost(), limits: Limits = {}): PausedScript {
  const outcome = createLuaEngine().compile(source, "sha").start(host, KEYS, ARGV, pausing(limits));
  if (!(outcome instanceof PausedScript)) throw new Error("it did not pause");
  return outcome;
}

describe("a script that pauses", () => {
  it.each<[what: string, source: string]>([
    ["a loop", "local s = 0 for i = 1, 50 do s = s + i end return s"],
    ["a while", "local i = 0 while i < 50 do i = i + 1 end return i"],
    ["a repeat", "local i = 0 repeat i = i + 1 until i == 50 return i"],
    ["an iterator", "local s = 0 for i in ipairs({1, 2, 3, 4, 5, 6}) do s = s + i end return s"],
    ["a recursion", "local function f(n) if n == 0 then return 0 end return n + f(n - 1) end return f(20)"],
    ["pcall", "return {pcall(function() for i = 1, 50 do end error('x') end)}"],
    ["xpcall", "return {xpcall(function() for i = 1, 50 do end error('x') end, function(m) return 'h ' .. m end)}"],
    [
      "a coroutine",
      "local w = coroutine.wrap(function(a) for i = 1, 50 do end return coroutine.yield(a) end) return {w(1), w(2)}",
    ],
    ["a loaded string", "return loadstring('local s = 0 for i = 1, 50 do s = s + i end return s')()"],
    [
      "pcall in a coroutine in pcall",
      "return {pcall(coroutine.wrap(function() return pcall(function() for i = 1, 50 do end end) end))}",
    ],
  ])("has the same result: %s", (_, source) => {
    const { reply, pauses } = runWithPauses(createLuaEngine(), source);
    expect(reply).toEqual(createLuaEngine().compile(source, "sha").run(new CommandHost(), KEYS, ARGV));
    expect(pauses).toBeGreaterThan(1);
  });

  it("is not kept from it by library functions that call back all the time", () => {
    const source = "for i = 1, 20 do ('x'):rep(100):gsub('.', function() for j = 1, 100 do end end) end return 1";
    const { reply, pauses } = runWithPauses(createLuaEngine(), source, { budget: 1000 });
    expect(reply).toBe(1);
    expect(pauses).toBeGreaterThan(15);
  });

  it("calls no command twice", () => {
    const source = "local t = {} for i = 1, 20 do t[i] = redis.call('COUNT', i) end return t";
    const host = new CountingHost();
    const numbers = Array.from({ length: 20 }, (_, at) => at + 1);
    const { reply, pauses } = runWithPauses(createLuaEngine(), source, { budget: 100, after: 3 }, host);
    expect(pauses).toBeGreaterThan(0);
    expect(reply).toEqual(numbers);
    expect(host.calls).toEqual(numbers.map((number) => `COUNT ${number}`));
  });

  it("calls no command twice when it calls more than is recorded", () => {
    const source = "local n for i = 1, 30000 do n = redis.call('COUNT', i) end return n";
    const host = new CountingHost();
    expect(runWithPauses(createLuaEngine(), source, { after: Infinity }, host)).toEqual({ reply: 30_000, pauses: 0 });
    expect(host.calls).toHaveLength(30_000);
  });

  it("calls no command twice when the replies are more than is recorded", () => {
    const source = "local n = 0 for i = 1, 20 do n = n + #redis.call('BIG') + redis.call('COUNT') end return n";
    const host = new (class extends CountingHost {
      override call(args: string[]): HostReply {
        return args[0] === "BIG" ? "x".repeat(2 ** 20) : super.call(args);
      }
    })();
    const { reply } = runWithPauses(createLuaEngine(), source, { after: Infinity }, host);
    expect(reply).toBe(20 * 2 ** 20 + 210);
    expect(host.calls).toHaveLength(20);
  });

  it("sees the protocol, the random numbers, addresses and options as before", () => {
    const source = `
      local before = {math.random(1000), tostring({}), tostring({}), (cjson.encode_max_depth()), (cjson.encode_max_depth(7))}
      redis.setresp(3)
      redis.call('PING', table.concat(before, ' '))
      for i = 1, 200 do end
      return redis.call('PING', table.concat(before, ' '))`;
    const host = new CountingHost();
    const engine = createLuaEngine();
    runWithPauses(engine, source, { budget: 20, after: 2 }, host);
    expect(new Set(host.calls).size).toBe(1);
    expect(host.calls).toHaveLength(2);
    expect(host.resp).toBe(3);
    expect(engine.compile("return cjson.encode_max_depth()").run(new CommandHost(), [], [])).toBe(7);
  });

  it("is ended when it does not take the same course again", () => {
    let runs = 0;
    const host = new (class extends CommandHost {
      // Not recorded, and not the same twice: no real host is like that.
      override aclCheck(): boolean {
        return ++runs > 1;
      }
    })();
    const source =
      "local x = redis.acl_check_cmd('GET') redis.call('PING', tostring(x)) for i = 1, 500 do end return 1";
    expect(runWithPauses(createLuaEngine(), source, { budget: 100, after: 1 }, host).reply).toEqual({
      type: "error",
      value:
        "ERR Script ended: paused for other clients, it did not take the same course again script: sha, on @user_script:1.",
    });
  });

  it("leaves an engine that runs the next one", () => {
    const engine = createLuaEngine();
    runWithPauses(engine, "for i = 1, 50 do end error('no')");
    const outcome = engine.compile("while true do end").start(new CommandHost(), [], [], pausing({}));
    (outcome as PausedScript).interrupt(new ScriptInterrupt("ERR enough"));
    expect(engine.compile("return loadstring('return 42')()").run(new CommandHost(), [], [])).toBe(42);
  });
});

describe("a paused script is ended", () => {
  it.each([
    ["in a loop", "\nwhile true do end", 2],
    [
      "in pcall, which catches nothing, at the line of the call",
      "\nwhile true do\npcall(function()\nwhile true do end end) end",
      3,
    ],
    ["in xpcall", "xpcall(function()\nwhile true do end end, function() return 1 end)", 1],
    ["in a coroutine", "pcall(coroutine.wrap(function()\nwhile true do end end))", 1],
  ])("%s", (_, source, line) => {
    const script = paused(source);
    for (let step = 0; step < 5; step += 1) expect(script.resume()).toBeInstanceOf(PausedScript);
    expect(script.interrupt(new ScriptInterrupt("ERR enough"))).toEqual({
      type: "error",
      value: `ERR enough script: sha, on @user_script:${line}.`,
    });
  });

  it("while it is still given what it had learnt before", () => {
    const host = new CountingHost();
    const script = paused("for i = 1, 100 do redis.call('COUNT') end while true do end", host, {
      budget: 40,
      after: 50,
    });
    const calls = host.calls.length;
    expect(script.interrupt(new ScriptInterrupt("ERR enough"))).toMatchObject({ type: "error" });
    expect(host.calls).toHaveLength(calls);
  });
});

it("scripts have the same results with pauses as without", () => {
  const [, ...cases] = readFileSync(new URL("testing/cases.txt", import.meta.url), "utf8").split("\n===\n");
  const snippets = Array.from({ length: 1000 }, (_, at) => snippetOf(at + 1));
  const [plain, pausingEngine] = [createLuaEngine(), createLuaEngine()];
  const found: unknown[] = [];
  let paused = 0;
  for (const [at, source] of [...cases, ...snippets].entries()) {
    if (!compiles(plain, source) || /collectgarbage|gcinfo/.test(source)) continue;
    const expected = comparable(plain.compile(source, "sha").run(new CommandHost(), KEYS, ARGV));
    const { reply, pauses } = runWithPauses(pausingEngine, source, { budget: 0, after: at % 4, most: 50 });
    if (pauses > 0) paused += 1;
    if (comparable(reply) !== expected) found.push({ source, expected, reply: comparable(reply) });
  }
  expect(found).toEqual([]);
  expect(paused).toBeGreaterThan(500);
}, 120_000);

function compiles(engine: LuaEngine, source: string): boolean {
  try {
    engine.compile(source);
    return true;
  } catch (error) {
    if (error instanceof LuaCompileError) return false;
    throw error;
  }
}

/** Addresses differ between two engines. */
function comparable(reply: HostReply): string {
  const text = JSON.stringify(reply, (_, value: unknown) => (typeof value === "bigint" ? `${value}n` : value));
  return text.replace(/0x[0-9a-f]{6,}/g, "0xADDRESS");
}
