import { expect, it } from "vitest";
import { errorOf, run } from "../testing/host.ts";

it.each([
  ["'%d', 1700000000000", "1700000000000"],
  ["'%d|%d|%5.3d', 3.99, -3.99, 7", "3|-3|  007"],
  ["'%d %d', 2^63, -2^63", "-9223372036854775808 -9223372036854775808"],
  ["'%x %u', -1, -1", "ffffffffffffffff 18446744073709551615"],
  ["'%5d|%-5d|%05d|%+d|% d', 42, 42, 42, 42, 42", "   42|42   |00042|+42| 42"],
  ["'%x|%X|%o|%#x|%#o', 255, 255, 8, 255, 8", "ff|FF|10|0xff|010"],
  ["'%e|%.0e|%g|%G', 12345.678, 15, 1e20, 1e-10", "1.234568e+04|2e+01|1e+20|1E-10"],
  ["'%.0f %.0f %.0f %.2f', 0.5, 1.5, 2.5, 2.675", "0 2 2 2.67"],
  ["'%.20f', 0.1", "0.10000000000000000555"],
  ["'%g %g %.3g %#g', 100000, 1e6, 0.00012345, 1", "100000 1e+06 0.000123 1.00000"],
  ["'%5.1f|%-8.2f|%08.2f', 1/0, 1.5, -1.5", "  inf|1.50    |-0001.50"],
  ["'%s|%10.4s|%-5s|', 'a', 'abcdefgh', 'x'", "a|      abcd|x    |"],
  ["'%q', 'a\\nb\\0c\"\\\\'", '"a\\\nb\\000c\\"\\\\"'],
  ["'%c%c%%', 72, 105", "Hi%"],
])("string.format(%s)", (args, expected) => {
  expect(run(`return string.format(${args})`)).toBe(expected);
});

it.each([
  ["'%d'", "bad argument #2 to 'format' (no value)"],
  ["'%d', 'x'", "bad argument #2 to 'format' (number expected, got string)"],
  ["'%y', 1", "invalid option '%y' to 'format'"],
  ["'%123d', 1", "invalid format (width or precision too long)"],
  ["'%------d', 1", "invalid format (repeated flags)"],
])("string.format(%s) fails", (args, message) => {
  expect(errorOf(`return string.format(${args})`)).toContain(`user_script:1: ${message}`);
});
