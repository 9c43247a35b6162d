import { describe, expect, it } from "vitest";
import { addInt64, formatDouble, parseDouble, parseInt64 } from "./numbers.ts";

describe("64-bit integers", () => {
  it.each([
    ["0", 0],
    ["-1", -1],
    ["9007199254740991", 9007199254740991],
    ["9007199254740992", 9007199254740992n],
    ["-9223372036854775808", -9223372036854775808n],
    ["9223372036854775807", 9223372036854775807n],
    ["9223372036854775808", undefined],
    ["", undefined],
    ["-", undefined],
    ["-0", undefined],
    ["01", undefined],
    ["+1", undefined],
    [" 1", undefined],
    ["1.0", undefined],
    ["12345678901234567x", undefined],
  ])("reads %j as %s", (text, value) => expect(parseInt64(text)).toBe(value));

  it("adds without losing a digit", () => {
    expect(addInt64(9007199254740991, 1)).toBe(9007199254740992n);
    expect(addInt64(9223372036854775807n, -9223372036854775807n)).toBe(0);
    expect(addInt64(9223372036854775807n, 1)).toBeUndefined();
  });
});

describe("doubles", () => {
  it.each([
    ["1", 1],
    [".5", 0.5],
    ["5.", 5],
    ["-1e3", -1000],
    ["0x1p-1", 0.5],
    ["0xA", 10],
    ["-inf", -Infinity],
    ["+Infinity", Infinity],
    ["nan", undefined],
    ["", undefined],
    [".", undefined],
    ["1 ", undefined],
    ["1e", undefined],
    ["0x", undefined],
  ])("reads %j as %s", (text, value) => expect(parseDouble(text)).toBe(value));

  it.each([
    [3, "3"],
    [-0, "-0"],
    [3.3, "3.2999999999999998"],
    [0.1, "0.10000000000000001"],
    [1e17, "1e+17"],
    [123456789012345680, "1.2345678901234568e+17"],
    [99999999999999984, "99999999999999984"],
    [0.0001, "0.0001"],
    [0.00001, "1.0000000000000001e-05"],
    [1e-300, "1e-300"],
    [1.5e300, "1.5000000000000001e+300"],
    [Infinity, "inf"],
    [-Infinity, "-inf"],
  ])("prints %d as %s", (value, text) => expect(formatDouble(value)).toBe(text));
});
