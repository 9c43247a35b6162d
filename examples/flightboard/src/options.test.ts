import { expect, test } from "vitest";
import { parseOptions, toArgs } from "./options.ts";

test("children are given what the launcher was given", () => {
  const options = parseOptions([
    "--flights",
    "500",
    "--speed",
    "120",
    "--url",
    "redis://somewhere:1",
    "--name",
    "worker",
  ]);
  expect(parseOptions(toArgs(options))).toMatchObject({ ...options, seed: expect.any(Number) });
  const fast = parseOptions(["--once", "--own-server", "--seed", "3"]);
  expect(fast.speed).toBe(Infinity);
  expect(parseOptions(toArgs(fast))).toMatchObject({ speed: Infinity, ownServer: true });
});

test.each([
  [["--flights", "0"], /--flights: expected a whole number/],
  [["--flights", "many"], /--flights/],
  [["--speed", "-1"], /--speed/],
  [["--port", "70000"], /--port/],
  [["--chaos"], /--chaos needs --once/],
  [["--flight", "5"], /Unknown option/],
])("refuses %j", (argv, message) => {
  expect(() => parseOptions(argv)).toThrow(message);
});
