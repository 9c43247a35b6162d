import { describe, expect, it } from "vitest";
import { LuaSyntaxError } from "../runtime/errors.ts";
import { parse } from "./parser.ts";

function lines(count: number, make: (at: number) => string): string {
  return Array.from({ length: count }, (_, at) => make(at)).join("\n");
}

describe("what is not Lua 5.1 is refused where Lua refuses it", () => {
  it.each([
    ["if x then", "1: 'end' expected near '<eof>'"],
    ["return 1 +", "1: unexpected symbol near '<eof>'"],
    ["local x = = 1", "1: unexpected symbol near '='"],
    ["for i = 1 do end", "1: ',' expected near 'do'"],
    ["for i do end", "1: '=' or 'in' expected near 'do'"],
    ["function f( end", "1: <name> or '...' expected near 'end'"],
    ["local function 1", "1: '<name>' expected near '1'"],
    ["return 'abc", "1: unfinished string near '<eof>'"],
    ["return 'abc\nx", "1: unfinished string near ''abc'"],
    ['return "abc\\400"', "1: escape sequence too large near '\"abc'"],
    ["return [[abc\n", "2: unfinished long string near '<eof>'"],
    ["return [=abc", "1: invalid long string delimiter near '[='"],
    ["return --[==[ comment", "1: unfinished long comment near '<eof>'"],
    ["return 3x", "1: malformed number near '3x'"],
    ["return 1..2", "1: malformed number near '1..2'"],
    ["break", "1: no loop to break near '<eof>'"],
    ["return function() return ... end", "1: cannot use '...' outside a vararg function near '...'"],
    ["goto x", "1: '=' expected near 'x'"],
    ["a.b:c = 1", "1: function arguments expected near '='"],
    ["(x)", "1: syntax error near '<eof>'"],
    ["local t = {a=1 b=2}", "1: '}' expected near 'b'"],
    ["return 1 2", "1: '<eof>' expected near '2'"],
    ["do\nreturn 1", "2: 'end' expected (to close 'do' at line 1) near '<eof>'"],
    ["f\n(1)", "2: ambiguous syntax (function call x new statement) near '('"],
    ["return @", "1: unexpected symbol near '@'"],
    ["return \x01", "1: unexpected symbol near 'char(1)'"],
    ["\x1bLua", "1: unexpected symbol near 'char(27)'"],
    [`return ${"(".repeat(200)}1${")".repeat(200)}`, "1: chunk has too many syntax levels"],
    [lines(201, (at) => `local a${at}`), "201: main function has more than 200 local variables"],
    [
      `${lines(61, (at) => `local a${at}`)}\nfunction f() return ${lines(61, (at) => `a${at}`).replaceAll("\n", "+")} end`,
      "62: function at line 62 has more than 60 upvalues",
    ],
  ])("%s", (source, message) => {
    expect(() => parse(source, "@user_script")).toThrow(new LuaSyntaxError(`user_script:${message}`));
  });
});

it.each([
  "return --[[ comment ]] 1",
  "--[==[ a\n]] ]==] return 1",
  "return 1;",
  "local s = 'a\\\nb\\65\\z'",
  "local t = {1, 2; x = 3, ['y'] = 4, f()}",
  "f{...} g'str' h[[long]] a.b.c:d()",
  `return ${"(".repeat(190)}1${")".repeat(190)}`,
  lines(200, (at) => `local a${at}`),
])("accepts %s", (source) => {
  expect(parse(source, "@user_script").block.length).toBeGreaterThan(0);
});
