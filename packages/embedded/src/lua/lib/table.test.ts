import { expect, it } from "vitest";
import type { HostReply } from "../host.ts";
import { errorOf, run } from "../testing/host.ts";

it.each<[string, HostReply]>([
  ["local t = {1, 2, 3} table.insert(t, 4) table.insert(t, 1, 0) return t", [0, 1, 2, 3, 4]],
  ["local t = {1, 2, 3} return {table.remove(t), table.remove(t, 1), #t}", [3, 1, 1]],
  ["return table.concat({1, 2.5, 'x'}, ', ')", "1, 2.5, x"],
  ["return table.concat({1, 2, 3}, '-', 2, 3)", "2-3"],
  ["return {table.getn({1, 2}), table.maxn({1, 2, [10] = 3})}", [2, 10]],
  ["local t = {3, 1, 2, 5, 4, 9, 8} table.sort(t) return t", [1, 2, 3, 4, 5, 8, 9]],
  ["local t = {'b', 'a', 'c'} table.sort(t, function(a, b) return a > b end) return t", ["c", "b", "a"]],
  ["local n = 0 table.foreach({5, 6, x = 7}, function(_, v) n = n + v end) return n", 18],
  ["return table.foreachi({5, 6, 7}, function(i, v) if v == 6 then return i end end)", 2],
  ["return {unpack({1, 2, 3}, 2)}", [2, 3]],
  ["return {select('#', unpack({}, 1, 3)), select(-1, 1, 2, 3)}", [3, 3]],
])("%s", (source, expected) => {
  expect(run(source)).toEqual(expected);
});

it.each([
  ["table.sort({3, 1, 'x'})", "attempt to compare string with number"],
  ["table.sort({1, 2, 3, 4, 5, 6}, function() return true end)", "user_script:1: invalid order function for sorting"],
  ["table.concat({1, {}, 3})", "user_script:1: invalid value (table) at index 2 in table for 'concat'"],
  ["table.insert({1}, 1, 2, 3)", "user_script:1: wrong number of arguments to 'insert'"],
  ["table.insert(nil, 1)", "user_script:1: bad argument #1 to 'insert' (table expected, got nil)"],
  ["return unpack({}, 1, 8000)", "user_script:1: too many results to unpack"],
])("%s fails", (source, message) => {
  expect(errorOf(source)).toBe(`ERR ${message} script: sha, on @user_script:1.`);
});
