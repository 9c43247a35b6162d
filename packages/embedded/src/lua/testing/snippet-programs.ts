/** Random programs: tables that grow and shrink, loops, closures, metatables, coroutines, errors on various lines. */
import type { Dice } from "./dice.ts";
import { expression, numberLiteral, plainValue, stringLiteral, tableLiteral } from "./snippet-values.ts";

/** Writes to a table in random order, then shows its order, its border and its JSON. */
export function tableProgram(dice: Dice): string {
  const key = (): string => {
    if (dice.chance(0.5)) return `[${dice.integer(-1, 20)}]`;
    if (dice.chance(0.7)) return `.${dice.pick(["a", "b", "c", "dd", "ee", "ff"])}${dice.integer(0, 9)}`;
    return `[${dice.pick(["true", "1.5", "2^33", '"x y"', "false", "-1", "0"])}]`;
  };
  const step = (): string => {
    const kind = dice.fraction();
    if (kind < 0.5) return `t${key()} = ${dice.integer(1, 99)}`;
    if (kind < 0.65) return `t${key()} = nil`;
    if (kind < 0.75) return `table.insert(t, ${dice.integer(1, 99)})`;
    if (kind < 0.8) return `table.remove(t${dice.chance(0.5) ? "" : ", 1"})`;
    if (kind < 0.9) return `for i = ${dice.integer(1, 5)}, ${dice.integer(5, 20)} do t[i] = i end`;
    return `for i = ${dice.integer(1, 5)}, ${dice.integer(5, 20)} do t['k' .. i] = i end`;
  };
  return [
    `local t = ${dice.pick(["{}", "{}", "{1, 2, 3}", "{a0 = 1, 5, nil, 7}", tableLiteral(dice, 0)])}`,
    ...dice.some(14, step, 1),
    "local s = {}",
    "for k, v in pairs(t) do s[#s + 1] = tostring(k) .. '=' .. tostring(v) end",
    "return {#t, table.maxn(t), table.concat(s, ' '), next(t) == nil and 1 or 0}",
  ].join("\n");
}

/** A list sorted by a comparator that may be wrong. */
export function sortProgram(dice: Dice): string {
  const items = dice.some(20, () => String(dice.integer(0, 30)));
  const comparator = dice.pick([
    "",
    ", function(a, b) return a > b end",
    ", function(a, b) return a % 7 < b % 7 end",
    ", function(a, b) return a <= b end",
    ", function(a, b) return tostring(a) < tostring(b) end",
    ", function(a, b) if a == 7 then error('seven') end return a < b end",
  ]);
  return `local t = {${items.join(", ")}}\ntable.sort(t${comparator})\nreturn t`;
}

/** Statements over a few variables, on lines of their own; the result is what they ended with. */
export function statementProgram(dice: Dice): string {
  const names = ["a", "b", "c", "t", "f"];
  const value = (): string => expression(dice, names, 2);
  const block = (depth: number): string => dice.some(3, () => statement(depth), 1).join("\n");
  const statement = (depth: number): string => {
    const kind = dice.fraction();
    if (depth <= 0 || kind < 0.3) return `${dice.pick(["a", "b", "c", "t.x", "t[1]", "t[a]"])} = ${value()}`;
    if (kind < 0.4) return `local ${dice.pick(["a", "b", "c"])}, d = ${value()}, ${value()}`;
    if (kind < 0.5)
      return `if ${value()} then\n${block(depth - 1)}\nelseif ${value()} then\n${block(depth - 1)}\nelse b = 1 end`;
    if (kind < 0.58)
      return `for i = ${value()}, ${dice.integer(1, 5)} do\nif i < -9 then break end\nlog(i)\n${block(depth - 1)}\nend`;
    if (kind < 0.64) return `for k, v in pairs(${tableLiteral(dice, 0)}) do\nlog(k, v)\n${block(depth - 1)}\nend`;
    if (kind < 0.7)
      return `local i = 0\nwhile i < 3 do\ni = i + 1\n${block(depth - 1)}\nif ${value()} then break end\nend`;
    if (kind < 0.76) return `local i = 0\nrepeat\ni = i + 1\nlocal z = i\n${block(depth - 1)}\nuntil z > 2`;
    if (kind < 0.86) return `log(pcall(function()\n${block(depth - 1)}\nreturn ${value()}\nend))`;
    if (kind < 0.92)
      return `f = function(a, ...)\n${block(depth - 1)}\nreturn ${dice.pick(["a", "...", "a, b", "c"])}\nend\nlog(f(${value()}))`;
    // An error table without a text that nobody catches crashes the real server.
    return dice.pick([
      `error(tostring(${value()}):sub(1, 5), ${dice.integer(0, 3)})`,
      `a, b = b, a`,
      `t, c = {}, f`,
      `log(${value()})`,
      "do local a = b end",
    ]);
  };
  return [
    "local out = {}",
    "local function log(...) for i = 1, select('#', ...) do local v = select(i, ...) out[#out + 1] = type(v) == 'table' and 'table' or type(v) == 'function' and 'function' or tostring(v) end end",
    `local a, b, c = ${numberLiteral(dice)}, ${stringLiteral(dice)}, ${plainValue(dice, 1)}`,
    "local t, f = {1, 2, x = 'y'}, function(...) return ... end",
    dice.chance(0.5) ? block(3) : `log(pcall(function()\n${block(3)}\nend))`,
    "log(a, b, c)",
    "return out",
  ].join("\n");
}

export function metatableProgram(dice: Dice): string {
  const events = [
    "index",
    "newindex",
    "call",
    "add",
    "sub",
    "concat",
    "eq",
    "lt",
    "le",
    "unm",
    "tostring",
    "mod",
    "len",
  ];
  const handlers = dice.some(6, () => {
    const body = dice.pick([
      "return 'h'",
      "return (...)",
      "return 7",
      "error('in handler')",
      "return true",
      "return nil",
    ]);
    return `__${dice.pick(events)} = ${dice.chance(0.85) ? `function(...) ${body} end` : dice.pick(["{k = 5}", "t2", "9"])}`;
  });
  const use = (): string =>
    dice.pick([
      "o + 1",
      "2 - o",
      "o .. 'x'",
      "'x' .. o",
      "o == p",
      "o < p",
      "o <= p",
      "o > 1",
      "-o",
      "o % 3",
      "o(1, 2)",
      "o.k",
      "o[1]",
      "tostring(o)",
      "#o",
      "rawget(o, 'k')",
      "o:k(1)",
      "rawequal(o, p)",
      "getmetatable(o) == mt",
      "o.k.z",
    ]);
  return [
    "local t2 = {k = 'two'}",
    `local mt = {${handlers.join(", ")}}`,
    "local o, p = setmetatable({}, mt), setmetatable({}, mt)",
    "local r = {}",
    ...dice.some(
      4,
      () => `r[#r + 1] = {pcall(function() local v = ${use()} return type(v), type(v) == 'table' and 0 or v end)}`,
      1,
    ),
    `r[#r + 1] = {pcall(function() o.${dice.pick(["k", "z"])} = ${dice.integer(1, 9)} return rawget(o, 'k') end)}`,
    dice.chance(0.3) ? `r[#r + 1] = ${use()} and 1` : "",
    "return r",
  ].join("\n");
}

export function coroutineProgram(dice: Dice): string {
  const inside = dice.some(4, () =>
    dice.pick([
      "x = coroutine.yield(x)",
      "local a, b = coroutine.yield(x, 2) x = a",
      "for i = 1, 2 do coroutine.yield(i) end",
      "error('inside')",
      "error({err = 'T x'})",
      "do return x, 'end' end",
      "x = tostring(x) .. coroutine.status(coroutine.running())",
      "coroutine.yield(pcall(error, 'caught'))",
      "pcall(coroutine.yield, 1)",
      "local function g(n) if n > 0 then coroutine.yield(n) return g(n - 1) end return 'g' end x = g(2)",
      "x = x.y",
    ]),
  );
  const drive = dice.pick([
    "for i = 1, 4 do put(coroutine.resume(co, i)) put(coroutine.status(co)) end",
    "local w = coroutine.wrap(body) for i = 1, 3 do put(w(i)) end",
    "put(pcall(function() local w = coroutine.wrap(body) for i = 1, 4 do put(w(i)) end end))",
    "put(coroutine.resume(co)) put(coroutine.resume(co)) put(coroutine.resume(co)) put(coroutine.resume(1))",
  ]);
  return [
    "local r = {}",
    "local function put(...) for i = 1, select('#', ...) do local v = select(i, ...) r[#r + 1] = type(v) == 'table' and 'table' or tostring(v) end end",
    "local function body(x)",
    ...inside,
    "return x",
    "end",
    "local co = coroutine.create(body)",
    drive,
    "return r",
  ].join("\n");
}

/** A valid program with a few characters or tokens changed: mostly a syntax error. */
export function brokenProgram(dice: Dice): string {
  const whole = dice.pick([statementProgram, metatableProgram, tableProgram])(dice);
  const tokens = whole.match(/\w+|\s+|[^\w\s]/g)!;
  const noise = [
    "end",
    "then",
    "(",
    ")",
    "=",
    "local",
    "..",
    "...",
    "}",
    "[[",
    '"',
    "--[[",
    "and",
    "function",
    "5x",
    "'",
    "until",
    "\n",
    "~",
    "return",
  ];
  for (let count = dice.integer(1, 2); count > 0; count -= 1) {
    const at = dice.integer(0, tokens.length - 1);
    if (dice.chance(0.5)) tokens.splice(at, 1);
    else tokens.splice(at, 0, " ", dice.pick(noise), " ");
  }
  // A changed loop might never end; the changed program is only compiled.
  return `return loadstring(${luaString(tokens.join(""))}, '@broken') and 'compiles' or select(2, loadstring(${luaString(tokens.join(""))}, '@broken'))`;
}

/** Values of all kinds as results of the script itself. */
export function replyProgram(dice: Dice): string {
  const special = (): string =>
    dice.pick([
      () => `{ok = ${stringLiteral(dice)}}`,
      () => `{double = ${numberLiteral(dice)}}`,
      () => `{map = ${tableLiteral(dice, 1)}}`,
      () => "{set = {a = true, b = true, [1] = true}}",
      () => "{big_number = '12345678901234567890'}",
      () => "{verbatim_string = {format = 'txt', string = 'v'}}",
      () => "redis.status_reply('S')",
      () => "redis.error_reply('E rr')",
      () => "{err = 'no code'}",
      () => plainValue(dice, 3),
      () => numberLiteral(dice),
    ])();
  const resp = dice.chance(0.2) ? "redis.setresp(3) " : "";
  return `${resp}return ${dice.chance(0.4) ? `{${dice.some(4, special).join(", ")}}` : special()}`;
}

export function expressionProgram(dice: Dice): string {
  const variables = ["a", "b", "t", "up"];
  const code = `local a, b, t = ${plainValue(dice, 0)}, ${plainValue(dice, 0)}, ${tableLiteral(dice, 1)}`;
  const result = expression(dice, variables, 4);
  const show = `local v = ${result}\nreturn type(v) == 'table' and {'table', #v} or type(v) == 'function' and 'function' or tostring(v)`;
  return `local up = ${plainValue(dice, 0)}\n${dice.chance(0.5) ? `${code}\n${show}` : `return (function()\n${code}\n${show}\nend)()`}`;
}

function luaString(text: string): string {
  return `"${text.replace(/[\\"\n]/g, (character) => (character === "\n" ? "\\n" : `\\${character}`))}"`;
}
