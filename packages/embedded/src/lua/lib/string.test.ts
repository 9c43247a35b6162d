import { expect, it } from "vitest";
import type { HostReply } from "../host.ts";
import { errorOf, run } from "../testing/host.ts";

it.each<[string, HostReply]>([
  [
    "return {('x'):rep(3), #'abc', ('hello'):sub(2, -2), ('hello'):sub(-3), ('x'):sub(5)}",
    ["xxx", 3, "ell", "llo", ""],
  ],
  ["return {string.byte('abc', 1, -1)}", [97, 98, 99]],
  ["return string.char(72, 0, 255)", "H\0\xff"],
  [
    "return {string.upper('a\\233'), string.lower('ABC'), string.reverse('abc'), string.len('a\\0b')}",
    ["A\xe9", "abc", "cba", 3],
  ],
  ["return {string.find('a.b', '.', 1, true)}", [2, 2]],
  ["return {string.find('hello', 'l+')}", [3, 4]],
  ["return {string.find('abc', '', 10)}", [4, 3]],
  ["return {string.match('key=val', '(%w+)=(%w+)')}", ["key", "val"]],
  ["return {string.match('  trim  ', '^%s*(.-)%s*$')}", ["trim"]],
  ["return {string.match('abc', '()b()')}", [2, 3]],
  ["return {string.find('THE (quick) fox', '%b()')}", [5, 11]],
  ["return {string.gsub('THE (quick) fox', '%f[%a]%a+', 'X')}", ["X (X) X", 3]],
  ["return {string.gsub('hello', '', '-')}", ["-h-e-l-l-o-", 6]],
  ["return {string.gsub('abc def', '(%w+) (%w+)', '%2 %1 %0')}", ["def abc abc def", 1]],
  ["return {string.gsub('abc', '%w', {a = 'A', b = false})}", ["Abc", 3]],
  ["return {string.gsub('abc', '%w', function(c) if c == 'b' then return 7 end end)}", ["a7c", 3]],
  ["return {string.gsub('a,b,,c', ',', ';', 2)}", ["a;b;,c", 2]],
  [
    "local r = {} for k, v in string.gmatch('a=1, b=2', '(%w+)=(%w+)') do r[#r + 1] = k .. v end return r",
    ["a1", "b2"],
  ],
])("%s", (source, expected) => {
  expect(run(source)).toEqual(expected);
});

it.each([
  ["return string.rep()", "bad argument #1 to 'rep' (string expected, got no value)"],
  ["return ('x'):rep({})", "bad argument #1 to 'rep' (number expected, got table)"],
  ["local r = string.rep r({})", "bad argument #1 to 'r' (string expected, got table)"],
  ["return string.char(256)", "bad argument #1 to 'char' (invalid value)"],
  ["return string.gsub('abc', '%', 'x')", "malformed pattern (ends with '%')"],
  ["return string.find('abc', '[a')", "malformed pattern (missing ']')"],
  ["return string.gsub('abc', 'a', '%2')", "invalid capture index"],
  ["return string.find('abc', '(()')", "unfinished capture"],
  ["return string.find('abc', '%f')", "missing '[' after '%f' in pattern"],
  ["return string.gsub('abc', 'b', function() return {} end)", "invalid replacement value (a table)"],
  ["return string.gsub('abc', 'b')", "bad argument #3 to 'gsub' (string/function/table expected)"],
])("%s fails", (source, message) => {
  expect(errorOf(source)).toBe(`ERR user_script:1: ${message} script: sha, on @user_script:1.`);
});

it("a function can be dumped, but no bytecode is loaded", () => {
  expect(run("return select(2, loadstring(string.dump(function() end), '=dumped'))")).toBe(
    "dumped:1: unexpected symbol near 'char(27)'",
  );
  expect(errorOf("string.dump(string.dump)")).toContain("unable to dump given function");
});

it("a pattern that backtracks without end meets the budget", () => {
  let budgets = 0;
  const onBudget = (): void => {
    budgets += 1;
    if (budgets === 3) throw new Error("enough");
  };
  const source = "return string.find(string.rep('a', 60), string.rep('a*', 30) .. 'b')";
  expect(() => run(source, { limits: { onBudget } })).toThrow("enough");
});
