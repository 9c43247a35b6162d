/** The two small libraries for bits and bytes: bit and struct. */
import { describe, expect, it } from "vitest";
import type { HostReply } from "../host.ts";
import { errorOf, run } from "../testing/host.ts";

describe("bit", () => {
  it.each<[string, HostReply]>([
    ["bit.tobit(0xffffffff), bit.tobit(2.5), bit.tobit(1.5), bit.tobit('7')", [-1, 2, 2, 7]],
    ["bit.tohex(255), bit.tohex(-1, 4), bit.tohex(255, -8)", ["000000ff", "ffff", "000000FF"]],
    ["bit.band(0xff, 0x0f), bit.bor(1, 2, 4), bit.bxor(5, 3), bit.bnot(0)", [15, 7, 6, -1]],
    ["bit.lshift(1, 31), bit.rshift(-1, 28), bit.arshift(-16, 2)", [-2147483648, 15, -4]],
    ["bit.rol(0x12345678, 12), bit.ror(0x12345678, 12), bit.bswap(0x12345678)", [0x45678123, 0x67812345, 0x78563412]],
    ["bit.band(2^40 + 5, 7)", [5]],
  ])("%s", (values, expected) => {
    expect(run(`return {${values}}`)).toEqual(expected);
  });

  it.each([
    ["bit.band()", "bad argument #1 to 'band' (number expected, got no value)"],
    ["bit.bor(1, {})", "bad argument #2 to 'bor' (number expected, got table)"],
  ])("%s fails", (source, message) => {
    expect(errorOf(source)).toContain(`user_script:1: ${message}`);
  });
});

describe("struct", () => {
  it.each<[string, HostReply]>([
    ["struct.pack('>I2I4hb', 1, 2, -3, 4)", "\0\x01\0\0\0\x02\xff\xfd\x04"],
    ["struct.pack('<i3', -2)", "\xfe\xff\xff"],
    ["struct.pack('>fd', 1.5, 2.5)", "\x3f\xc0\0\0\x40\x04\0\0\0\0\0\0"],
    ["struct.pack('sc2x', 'ab', 'cde')", "ab\0cd\0"],
    ["struct.pack('!8bd', 1, 0)", "\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"],
    ["{struct.unpack('>I2I4hb', '\\0\\1\\0\\0\\0\\2\\255\\253\\4')}", [1, 2, -3, 4, 10]],
    ["{struct.unpack('bc0', '\\3abc')}", ["abc", 5]],
    ["{struct.unpack('s', 'ab\\0cd')}", ["ab", 4]],
    ["struct.size('!8 b i8 d c5')", 29],
  ])("%s", (expression, expected) => {
    expect(run(`return ${expression}`)).toEqual(expected);
  });

  it.each([
    ["struct.pack('i33', 1)", "integral size 33 is larger than limit of 32"],
    ["struct.pack('z', 1)", "bad argument #1 to 'pack' (invalid format option 'z')"],
    ["struct.pack('bb', 1)", "bad argument #3 to 'pack' (number expected, got nil)"],
    ["struct.pack('!3')", "alignment 3 is not a power of 2"],
    ["struct.unpack('i4', 'abc')", "bad argument #2 to 'unpack' (data string too short)"],
    ["struct.unpack('s', 'abc')", "unfinished string in data"],
    ["struct.unpack('c0', 'abc')", "format 'c0' needs a previous size"],
    ["struct.unpack('b', 'abc', 0)", "bad argument #3 to 'unpack' (offset must be 1 or greater)"],
    ["struct.size('s')", "bad argument #1 to 'size' (option 's' has no fixed size)"],
  ])("%s fails", (source, message) => {
    expect(errorOf(source)).toContain(`user_script:1: ${message}`);
  });
});
