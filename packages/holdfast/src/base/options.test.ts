import { describe, expect, test } from "vitest";
import { InvalidArgumentError } from "./errors.ts";
import { type Duration, toMs } from "./options.ts";

describe("toMs", () => {
  test.each<[Duration, number]>([
    [1500, 1500],
    ["250ms", 250],
    ["1.5s", 1500],
    ["10m", 600_000],
    ["2h", 7_200_000],
    ["1d", 86_400_000],
  ])("%j is %i ms", (duration, ms) => {
    expect(toMs("ttl", duration)).toBe(ms);
  });

  test.each(["1 s", "s", "", "-1s", "1e3s", -1, 0, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60])(
    "refuses %j by the field's name",
    (bad) => {
      expect(() => toMs("ttl", bad as Duration)).toThrow(InvalidArgumentError);
      expect(() => toMs("ttl", bad as Duration)).toThrow(/^ttl: expected a duration of at least 1 ms/);
    },
  );

  test("a field may allow zero", () => {
    expect(toMs("negativeTtl", 0, 0)).toBe(0);
  });
});
