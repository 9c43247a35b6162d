/**
 * What could go wrong, and the test for each:
 * - two lists of arguments have one key ..... "different arguments have different keys" (fast-check)
 * - equal ones have two ..................... "equal arguments have one key"
 * - what a key would lose is let through .... "refuses"
 */
import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { InvalidArgumentError } from "../../base/errors.ts";
import { keyOfArguments } from "./key.ts";

/** Without undefined at the end, which does not count. */
const trimmed = (args: readonly unknown[]): unknown[] => args.slice(0, args.findLastIndex((x) => x !== undefined) + 1);

/** Few enough that equal and nearly equal ones come up. */
const argument = fc.anything({
  maxDepth: 2,
  maxKeys: 2,
  key: fc.constantFrom("a", "b,"),
  values: [
    fc.constantFrom<unknown>(0, -0, 1, 1n, "1", "", ",", "[]", null, undefined, true, Number.NaN),
    fc.constantFrom(0, 1).map((ms) => new Date(ms)),
  ],
  withMap: true,
  withSet: true,
});

describe("keys of arguments", () => {
  it("different arguments have different keys", () => {
    const pair = fc.tuple(fc.array(argument, { maxLength: 3 }), fc.array(argument, { maxLength: 3 }));
    // Not the other way around: the order of a Map's items may matter to a function, and is no difference here.
    const holds = ([one, two]: [unknown[], unknown[]]): boolean =>
      keyOfArguments(one) !== keyOfArguments(two) || isDeepStrictEqual(trimmed(one), trimmed(two));
    expect(fc.check(fc.property(pair, holds), { numRuns: 5_000 }).counterexample).toBeNull();
  });

  it.each([
    [[{ a: 1, b: [2] }], [{ b: [2], a: 1 }]],
    [[1], [1, undefined, undefined]],
    [[new Date(5)], [new Date(5)]],
    [[Buffer.from("a")], [new Uint8Array([97])]],
    [[new Map([["a", 1]])], [new Map([["a", 1]])]],
  ])("equal arguments have one key: %o %o", (one, two) => {
    expect(keyOfArguments(one)).toBe(keyOfArguments(two));
  });

  it.each([
    [["1"], [1]],
    [[1n], [1]],
    [[0], [-0]],
    [[null], []],
    [[{}], [{ a: undefined }]],
    [["a,b"], ["a", "b"]],
    [[["a"], "b"], [["a", "b"]]],
    [[new Date(5)], ["Date(5)"]],
    [[new Set([1])], [[1]]],
    [[Number.NaN], ["NaN"]],
  ])("other arguments have another key: %o %o", (one, two) => {
    expect(keyOfArguments(one)).not.toBe(keyOfArguments(two));
  });

  const circle: unknown[] = [];
  circle.push(circle);
  it.each([
    ["a function", () => 1, "argument 1: "],
    ["a symbol", Symbol("a"), "argument 1: "],
    [
      "a class instance",
      {
        at: new (class Point {
          readonly x = 1;
        })(),
      },
      "argument 1.at: ",
    ],
    ["an invalid date", new Date(Number.NaN), "argument 1: "],
    ["a promise", Promise.resolve(1), "argument 1: "],
    // eslint-disable-next-line no-sparse-arrays
    ["a hole", [1, , 2], "argument 1: "],
    ["a field beside the items", Object.assign([1], { index: 0 }), "argument 1: "],
    ["a field that is a symbol", { [Symbol("a")]: 1 }, "argument 1: "],
    ["a circle", circle, "at most 32 levels"],
  ])("refuses %s", (_, value, message) => {
    expect(() => keyOfArguments([value])).toThrow(InvalidArgumentError);
    expect(() => keyOfArguments([value])).toThrow(message);
  });
});
