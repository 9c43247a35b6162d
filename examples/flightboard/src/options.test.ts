import { afterEach, expect, it, vi } from "vitest";
import { parseOptions, toArgs } from "./options.ts";

afterEach(() => {
  vi.unstubAllEnvs();
});

it("children are given what the launcher was given", () => {
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

it("the server is the embedded one, unless one is named or another kind is asked for", () => {
  vi.stubEnv("HOLDFAST_URL", undefined);
  vi.stubEnv("REDIS_URL", undefined);
  expect(parseOptions([])).toMatchObject({ url: undefined, server: "embedded" });
  expect(parseOptions(["--server", "redis"])).toMatchObject({ url: undefined, server: "redis" });
  vi.stubEnv("REDIS_URL", "redis://somewhere:1");
  expect(parseOptions([]).url).toBe("redis://somewhere:1");
  vi.stubEnv("HOLDFAST_URL", "");
  expect(parseOptions([]).url).toBe("redis://somewhere:1");
  vi.stubEnv("HOLDFAST_URL", "redis://somewhere:2");
  expect(parseOptions([]).url).toBe("redis://somewhere:2");
  expect(parseOptions(["--url", "redis://somewhere:3"]).url).toBe("redis://somewhere:3");
  expect(parseOptions(["--server", "embedded"])).toMatchObject({ url: undefined, server: "embedded" });
});

it.each([
  [["--flights", "0"], /--flights: expected a whole number/],
  [["--flights", "many"], /--flights/],
  [["--speed", "-1"], /--speed/],
  [["--port", "70000"], /--port/],
  [["--server", "postgres"], /--server/],
  [["--server", "redis", "--url", "redis://somewhere:1"], /give one of them/],
  [["--chaos"], /--chaos needs --once/],
  [["--flight", "5"], /Unknown option/],
])("refuses %j", (argv, message) => {
  expect(() => parseOptions(argv)).toThrow(message);
});
