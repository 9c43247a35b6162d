import { describe, expect, it } from "vitest";
import { InvalidArgumentError } from "./errors.ts";
import { type Duration, givenOptions, type OptionNames, parseOptions, toMs } from "./options.ts";

describe("toMs", () => {
  it.each<[Duration, number]>([
    [1500, 1500],
    ["250ms", 250],
    ["1.5s", 1500],
    ["10m", 600_000],
    ["2h", 7_200_000],
    ["1d", 86_400_000],
  ])("%j is %i ms", (duration, ms) => {
    expect(toMs("ttl", duration)).toBe(ms);
  });

  it.each(["1 s", "s", "", "-1s", "1e3s", -1, 0, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60])(
    "refuses %j by the field's name",
    (bad) => {
      expect(() => toMs("ttl", bad as Duration)).toThrow(InvalidArgumentError);
      expect(() => toMs("ttl", bad as Duration)).toThrow(/^ttl: expected a duration of at least 1 ms/);
    },
  );

  it("a field may allow zero", () => {
    expect(toMs("negativeTtl", 0, 0)).toBe(0);
  });
});

interface Sample {
  readonly ttl?: Duration | undefined;
  readonly grace?: Duration | undefined;
  readonly secret?: string | undefined;
}

const SAMPLE: OptionNames<Sample> = { ttl: true, grace: true, secret: true };

describe("parseOptions", () => {
  const parse = (given: unknown): number =>
    parseOptions('cache "users"', given as Sample, SAMPLE, ({ ttl }) => toMs("ttl", ttl ?? "5m"));

  it("takes a field that is undefined for one that is not given", () => {
    expect(parse(undefined)).toBe(300_000);
    expect(parse({ ttl: undefined })).toBe(300_000);
    expect({ grace: 1, ...givenOptions<Sample>({ grace: undefined, ttl: 5 }, SAMPLE) }).toEqual({ grace: 1, ttl: 5 });
  });

  it.each<[unknown, string]>([
    [{ tll: 5 }, 'cache "users": tll: expected another name (did you mean "ttl"?), got an unknown option'],
    [{ TTL: 5 }, 'cache "users": TTL: expected another name (did you mean "ttl"?), got an unknown option'],
    [{ timeout: 5 }, 'cache "users": timeout: expected one of ttl, grace, secret, got an unknown option'],
    [
      { ttl: "5 minutes" },
      'cache "users": ttl: expected a duration of at least 1 ms, such as 1500 or "1.5s", got "5 minutes"',
    ],
    [60, 'cache "users": options: expected an object such as { ttl: ... }, got 60'],
    [null, 'cache "users": options: expected an object such as { ttl: ... }, got null'],
    ["5m", 'cache "users": options: expected an object such as { ttl: ... }, got a string of 2 characters'],
    [
      { __proto__: null, toString: 1 },
      'cache "users": toString: expected one of ttl, grace, secret, got an unknown option',
    ],
  ])("refuses %j and says what to do", (given, message) => {
    expect(() => parse(given)).toThrow(expect.objectContaining({ code: "INVALID_ARGUMENT", message }));
  });

  it("shows no value of an option it does not know, which may be a secret", () => {
    expect(() => parse({ secrett: "hunter2" })).toThrow(expect.not.stringContaining("hunter2"));
    expect(() => parse({ secrett: "hunter2" })).toThrow(/did you mean "secret"/);
  });
});
