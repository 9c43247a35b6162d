import { expect, it } from "vitest";
import { errorOf, run } from "../testing/host.ts";

it.each([
  [
    "1, -1, 128, -129, 65536, 2^40",
    "\x01\xff\xcc\x80\xd1\xff\x7f\xce\x00\x01\x00\x00\xcf\x00\x00\x01\x00\x00\x00\x00\x00",
  ],
  ["1.5, 0.1", "\xca\x3f\xc0\x00\x00\xcb\x3f\xb9\x99\x99\x99\x99\x99\x9a"],
  ["'x', nil, true, false", "\xa1x\xc0\xc3\xc2"],
  ["{1, 2, {a = 1}}", "\x93\x01\x02\x81\xa1a\x01"],
  ["{}", "\x90"],
  ["{[1] = 1, [3] = 3}", "\x82\x01\x01\x03\x03"],
])("pack(%s)", (values, expected) => {
  expect(run(`return cmsgpack.pack(${values})`)).toBe(expected);
});

it("what is packed comes back", () => {
  const source = "return {cmsgpack.unpack(cmsgpack.pack(1, 'a', {1, 2}, -7, 2^33, -2^40, string.rep('x', 300)))}";
  expect(run(source)).toEqual([1, "a", [1, 2], -7, 8589934592, -1099511627776, "x".repeat(300)]);
});

it("parts of a stream", () => {
  expect(run("return {cmsgpack.unpack_one('\\1\\2\\3')}")).toEqual([1, 1]);
  expect(run("return {cmsgpack.unpack_limit('\\1\\2\\3', 2, 1)}")).toEqual([-1, 2, 3]);
});

it("tables nested deeper than 16 levels become nil", () => {
  const source = "local a = {} a.a = a local packed = cmsgpack.pack(a) return {#packed, packed:byte(-1)}";
  expect(run(source)).toEqual([49, 0xc0]);
});

it.each([
  ["cmsgpack.unpack('\\145')", "Missing bytes in input."],
  ["cmsgpack.unpack('\\193')", "Bad data format in input."],
  ["cmsgpack.pack()", "bad argument #0 to 'pack' (MessagePack pack needs input.)"],
  ["cmsgpack.unpack_one('x', 5)", "Start offset 5 greater than input length 1."],
  ["cmsgpack.unpack_limit('x', -1)", "Invalid request to unpack with offset of 0 and limit of 1."],
])("%s fails", (source, message) => {
  expect(errorOf(source)).toContain(`user_script:1: ${message}`);
});
