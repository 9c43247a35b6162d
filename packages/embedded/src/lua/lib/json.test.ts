import { expect, it } from "vitest";
import { createLuaEngine } from "../engine.ts";
import { CommandHost, errorOf, run } from "../testing/host.ts";

it.each([
  ["{1, 2, {a = 1, b = 2, c = {}}, 'x\"y/z\\0'}", '[1,2,{"a":1,"c":{},"b":2},"x\\"y\\/z\\u0000"]'],
  ["{[1] = 1, [2] = 2, [5] = 3}", "[1,2,null,null,3]"],
  ["{1.5, 1e100, 0.1, 1e14, 123456789012345678}", "[1.5,1e+100,0.1,1e+14,1.2345678901235e+17]"],
  ["{a = cjson.null}", '{"a":null}'],
  ["{}", "{}"],
  ["{[1.5] = true, [-1] = false}", '{"1.5":true,"-1":false}'],
])("encode %s", (value, expected) => {
  expect(run(`return cjson.encode(${value})`)).toBe(expected);
});

it.each([
  ['{"a":[1,2,{"b":null}],"c":"\\u00e9\\ud83d\\ude00"}', "return v.c", "\xc3\xa9\xf0\x9f\x98\x80"],
  ["[1,2.5,-3e2,true,false,null]", "return {#v, v[3], v[6] == cjson.null and 'null'}", [6, -300, "null"]],
  ["0x10", "return v", 16],
  ["[1e400, -inf]", "return tostring(v[1]) .. tostring(v[2])", "inf-inf"],
])("decode %s", (json, code, expected) => {
  expect(run(`local v = cjson.decode(ARGV[1]) ${code}`, { argv: [json] })).toEqual(expected);
});

it.each([
  ["[1,]", "Expected value but found T_ARR_END at character 4"],
  ['{"a":1,}', "Expected object key string but found T_OBJ_END at character 8"],
  ['{"a" 1}', "Expected colon but found T_NUMBER at character 6"],
  ["[1 2]", "Expected comma or array end but found T_NUMBER at character 4"],
  ["", "Expected value but found T_END at character 1"],
  ["nul", "Expected value but found invalid token at character 1"],
  ['"abc', "Expected value but found unexpected end of string at character 5"],
  ['"\\x"', "Expected value but found invalid escape code at character 2"],
  ['"\\ud800x"', "Expected value but found invalid unicode escape code at character 2"],
  ["1 2", "Expected the end but found T_NUMBER at character 3"],
  ["[".repeat(1001), "Found too many nested data structures (1001) at character 1001"],
  ["\0\0", "JSON parser does not support UTF-16 or UTF-32"],
])("decode %s fails", (json, message) => {
  expect(errorOf("cjson.decode(ARGV[1])", { argv: [json] })).toContain(`user_script:1: ${message}`);
});

it.each([
  ["function() end", "Cannot serialise function: type not supported"],
  ["{[true] = 1}", "Cannot serialise boolean: table key must be a number or string"],
  ["1/0", "Cannot serialise number: must not be NaN or Inf"],
  ["{[1] = 1, [100] = 2}", "Cannot serialise table: excessively sparse array"],
  ["1, 2", "bad argument #1 to 'encode' (expected 1 argument)"],
])("encode %s fails", (value, message) => {
  expect(errorOf(`cjson.encode(${value})`)).toContain(`user_script:1: ${message}`);
});

it("a table that contains itself is refused by its depth", () => {
  expect(errorOf("local t = {} t[1] = t cjson.encode(t)")).toContain("Cannot serialise, excessive nesting (1001)");
});

it("options answer their value, and stay set for later scripts of the same engine only", () => {
  const engine = createLuaEngine();
  const host = new CommandHost();
  const defaults = "return {cjson.encode_max_depth(), cjson.decode_max_depth(), cjson.encode_number_precision()}";
  expect(engine.compile(defaults).run(host, [], [])).toEqual([1000, 1000, 14]);
  engine.compile("cjson.encode_sparse_array(true) cjson.encode_number_precision(3)").run(host, [], []);
  expect(engine.compile("return cjson.encode({1/3, [100] = 2})").run(host, [], [])).toBe('{"1":0.333,"100":2}');
  expect(errorOf("cjson.encode({1/3, [100] = 2})")).toContain("excessively sparse array");
});

it.each([
  ["cjson.encode_max_depth(0)", "bad argument #1 to 'encode_max_depth' (expected integer between 1 and 2147483647)"],
  ["cjson.encode_max_depth(1, 2)", "bad argument #2 to 'encode_max_depth' (found too many arguments)"],
  ["cjson.encode_invalid_numbers('foo')", "bad argument #1 to 'encode_invalid_numbers' (invalid option 'foo')"],
])("%s fails", (source, message) => {
  expect(errorOf(source)).toContain(`user_script:1: ${message}`);
});
