import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fixedDigits } from "./decimal.ts";
import { formatExact, formatGeneral, formatNumber, parseNumber, toInt32, toInteger } from "./number.ts";

const finite = fc.double({ noNaN: true, noDefaultInfinity: true });

describe("printing", () => {
  it.each([
    [0.1, "0.1"],
    [1e14, "1e+14"],
    [99999999999999, "99999999999999"],
    [1e15, "1e+15"],
    [123456789012345680, "1.2345678901235e+17"],
    [1e-5, "1e-05"],
    [0.0001, "0.0001"],
    [-0, "-0"],
    [5e-324, "4.9406564584125e-324"],
    [1.7976931348623157e308, "1.7976931348623e+308"],
    [Infinity, "inf"],
    [-Infinity, "-inf"],
    [1234567890123.25, "1234567890123.2"],
    [1234567890123.75, "1234567890123.8"],
    [99999999999999.5, "1e+14"],
  ])("%d is %s", (number, text) => {
    expect(formatNumber(number)).toBe(text);
  });

  it("17 digits are read back as the same number", () => {
    fc.assert(
      fc.property(finite, (number) => {
        expect(Number(formatExact(number))).toBe(number);
      }),
    );
  });

  it("away from ties, digits are those of toPrecision", () => {
    fc.assert(
      fc.property(finite, fc.integer({ min: 1, max: 17 }), (number, precision) => {
        // A number with few digits is exact, or it may be a tie.
        fc.pre(Number(number.toPrecision(precision + 1)) !== number);
        expect(Number(formatGeneral(number, precision))).toBe(Number(number.toPrecision(precision)));
      }),
    );
  });

  it("an exact tie goes to the even digit", () => {
    expect([0.5, 1.5, 2.5, 3.5].map((number) => fixedDigits(number, 0))).toEqual(["0", "2", "2", "4"]);
    expect([0.125, 0.375].map((number) => fixedDigits(number, 2))).toEqual(["0.12", "0.38"]);
  });
});

describe("reading", () => {
  it.each([
    ["10", 10],
    [" \t10\n", 10],
    ["1e2", 100],
    [".5", 0.5],
    ["5.", 5],
    ["0x10", 16],
    ["-0X1f", -31],
    ["0x1p4", 16],
    ["0x.8", 0.5],
    ["inf", Infinity],
    ["-Infinity", -Infinity],
    ["10\0x", 10],
    ["", undefined],
    ["abc", undefined],
    ["1x", undefined],
    ["0x", undefined],
    ["1 2", undefined],
    ["e5", undefined],
  ])("%j", (text, number) => {
    expect(parseNumber(text)).toBe(number);
  });

  it("whatever is printed is read", () => {
    fc.assert(
      fc.property(finite, (number) => {
        expect(parseNumber(formatExact(number))).toBe(number);
      }),
    );
  });
});

it("conversions to integers are those of x86-64", () => {
  expect([3.99, -3.99, 2 ** 63, Number.NaN, -(2 ** 70)].map(toInteger)).toEqual([
    3,
    -3,
    -(2 ** 63),
    -(2 ** 63),
    -(2 ** 63),
  ]);
  expect([2 ** 31, 2 ** 32 + 5, -1.5, 2 ** 70].map(toInt32)).toEqual([-(2 ** 31), 5, -1, 0]);
});
