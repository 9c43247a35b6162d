import { expect, it } from "vitest";
import { createLuaEngine, type HostReply } from "../engine.ts";
import { CommandHost, errorOf, run } from "../testing/host.ts";

it.each<[string, HostReply]>([
  ["return {math.floor(-1.5), math.ceil(1.2), math.max(1, 5, 3), math.min(4, 2), math.abs(-3)}", [-2, 2, 5, 2, 3]],
  ["return {math.fmod(-7, 3), -7 % 3, math.fmod(7, -3), 7 % -3}", [-1, 2, 1, -2]],
  ["return {math.frexp(8)}", [0, 4]],
  ["return {tostring(math.frexp(8)), math.ldexp(0.5, 4), tostring(math.ldexp(0, 12345))}", ["0.5", 8, "0"]],
  ["local a, b = math.modf(-3.75) return {a, tostring(b)}", [-3, "-0.75"]],
  ["return {tostring(math.pi), tostring(math.huge), tostring(-math.huge)}", ["3.1415926535898", "inf", "-inf"]],
])("%s", (source, expected) => {
  expect(run(source)).toEqual(expected);
});

it("a fresh server's pseudo-random numbers, and those of a seed, are Redis's own", () => {
  expect(run("return tostring(math.random())")).toBe("0.39646477363839");
  expect(run("math.randomseed(0) return {tostring(math.random()), math.random(10), math.random(5, 7)}")).toEqual([
    "0.17082803611217",
    8,
    5,
  ]);
});

it("the pseudo-random sequence goes on from script to script", () => {
  const script = createLuaEngine().compile("return tostring(math.random())");
  expect(script.run(new CommandHost(), [], [])).not.toBe(script.run(new CommandHost(), [], []));
});

it.each([
  ["math.random(0)", "bad argument #1 to 'random' (interval is empty)"],
  ["math.random(5, 4)", "bad argument #2 to 'random' (interval is empty)"],
  ["math.random(1, 2, 3)", "wrong number of arguments"],
  ["math.floor('x')", "bad argument #1 to 'floor' (number expected, got string)"],
])("%s fails", (source, message) => {
  expect(errorOf(source)).toContain(`user_script:1: ${message}`);
});
