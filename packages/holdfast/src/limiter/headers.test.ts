import { describe, expect, it } from "vitest";
import { HoldfastError } from "../base/errors.ts";
import { decided, decidedByPolicy, type LimiterPolicy } from "./decision.ts";
import { rateLimitHeaders } from "./headers.ts";

const policy: LimiterPolicy = { name: "api", limit: 100, windowMs: 60_000, burst: 100 };

describe("rateLimitHeaders", () => {
  it("an allowed call carries what is left", () => {
    expect(rateLimitHeaders(decided(policy, true, 42, 0, 30_001))).toEqual({
      "RateLimit-Policy": '"api";q=100;w=60',
      RateLimit: '"api";r=42;t=31',
    });
  });

  it("a denied call carries when to come back, in whole seconds rounded up", () => {
    expect(rateLimitHeaders(decided(policy, false, 0, 1, 600))).toEqual({
      "RateLimit-Policy": '"api";q=100;w=60',
      RateLimit: '"api";r=0;t=1',
      "Retry-After": "1",
    });
  });

  it("what the outage policy decided claims nothing about what is left", () => {
    const cause = new HoldfastError("UNAVAILABLE", "away");
    expect(rateLimitHeaders(decidedByPolicy(policy, true, cause))).toEqual({ "RateLimit-Policy": '"api";q=100;w=60' });
    expect(rateLimitHeaders(decidedByPolicy(policy, false, cause))).toEqual({
      "RateLimit-Policy": '"api";q=100;w=60',
      "Retry-After": "1",
    });
  });

  it.each([
    ['say "hi" \\', '"say \\"hi\\" \\\\"'],
    ["größe", '"gr%C3%B6%C3%9Fe"'],
    ["a\r\nSet-Cookie: b", '"a%0D%0ASet-Cookie: b"'],
    ["🚀\uD800", '"%F0%9F%9A%80%EF%BF%BD"'],
  ])("the name %j cannot break out of its string", (name, expected) => {
    const headers = rateLimitHeaders(decided({ ...policy, name }, true, 1, 0, 0));
    expect(headers["RateLimit"]).toBe(`${expected};r=1;t=0`);
    expect(() => new Headers(headers)).not.toThrow();
  });
});
