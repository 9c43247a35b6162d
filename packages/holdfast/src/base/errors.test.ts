/**
 * What could go wrong, and the test for it:
 * - what was given is quoted, and was a password or a value ... "shows of what was given"
 * - a mistake cannot be found by its message .................. the same: the kind, and of a small number the number
 */
import { describe, expect, it } from "vitest";
import { InvalidArgumentError, said } from "./errors.ts";

describe("InvalidArgumentError", () => {
  it.each<[string, unknown]>([
    ["a string of 7 characters", "hunter2"],
    ["an empty string", ""],
    ["another number", 4_111_111_111_111_111],
    ["-1", -1],
    ["1.5", 1.5],
    ["NaN", Number.NaN],
    ["Infinity", Infinity],
    ["a bigint", 10n ** 20n],
    ["a symbol", Symbol("hunter2")],
    ["a function", () => "hunter2"],
    ["an array", ["hunter2"]],
    ["an object", { hunter2: 1 }],
    ["7 bytes", Buffer.from("hunter2")],
    ["null", null],
    ["undefined", undefined],
    ["true", true],
    ["nothing", said("nothing")],
  ])("shows of what was given only: %s", (words, got) => {
    expect(new InvalidArgumentError("field", "another", got).message).toBe(`field: expected another, got ${words}`);
  });
});
