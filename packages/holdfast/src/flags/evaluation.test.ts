/**
 * What could go wrong, and the test for each:
 * - a condition holds where it must not, or the reverse ......... "conditions"
 * - another rule decides than the first that holds .............. "the first rule"
 * - who is in falls out when a weight rises ..................... "moves nobody out"
 * - shares are not what the weights say ......................... "as the weights say"
 * - two flags put the same people in ............................ "lots of their own"
 * - a lot is another one in the next release .................... "for ever"
 * - a broken flag is stored ..................................... "refused at the door"
 */
import { describe, expect, it } from "vitest";
import { checkDefinition, type FlagCondition, type FlagDefinition, type FlagServe } from "./definition.ts";
import { CompiledFlag, type Decision, type FlagContext } from "./evaluation.ts";

const decide = (name: string, flag: FlagDefinition, context: FlagContext): Decision =>
  new CompiledFlag(name, flag).decide(context);
const ON_OFF: FlagDefinition = { variants: { on: true, off: false }, default: "off" };
const matching = (condition: FlagCondition, context: FlagContext): boolean => {
  const flag = checkDefinition({ ...ON_OFF, rules: [{ when: { it: condition }, serve: "on" }] });
  return (decide("f", flag, context) as { variant?: string }).variant === "on";
};
const drawn = (name: string, serve: FlagServe, who: string, salt?: string): string => {
  const flag = checkDefinition({ ...ON_OFF, default: serve, ...(salt !== undefined && { salt }) });
  return (decide(name, flag, { targetingKey: who }) as { variant: string }).variant;
};
const PEOPLE = Array.from({ length: 10_000 }, (_, at) => `user-${at}`);

describe("evaluation of flags", () => {
  it.each<[FlagCondition, unknown, boolean]>([
    ["DE", "DE", true],
    ["DE", "de", false],
    ["DE", undefined, false],
    [["DE", "AT"], "AT", true],
    [["DE", "AT"], ["FR", "AT"], true],
    [[], "AT", false],
    [1, "1", false],
    [true, true, true],
    [{ in: ["a"] }, "a", true],
    [{ not: "a" }, "b", true],
    [{ not: "a" }, undefined, true],
    [{ not: ["a", "b"] }, ["c", "b"], false],
    [{ gt: 18 }, 18, false],
    [{ gte: 18 }, 18, true],
    [{ gte: 18, lt: 30 }, 30, false],
    [{ lte: 3 }, 3, true],
    [{ lt: 3 }, "2", false],
    [{ gt: 1_000 }, new Date(1_001), true],
    [{ startsWith: "v2." }, "v2.1", true],
    [{ startsWith: ["a", "b"] }, "bc", true],
    [{ endsWith: "@acme.com" }, "eve@acme.com.evil", false],
    [{ contains: "x" }, ["a", "axb"], true],
    [{ contains: "x" }, 5, false],
    [{ exists: true }, "", true],
    [{ exists: true }, null, false],
    [{ exists: false }, undefined, true],
    [{}, undefined, true],
    [{ in: undefined as never }, 1, true],
  ])("conditions: %j of %j is %s", (condition, it_, holds) => {
    expect(matching(condition, { it: it_ })).toBe(holds);
  });

  it("attributes may be nested, and a name with a dot comes first", () => {
    const flag = checkDefinition({ ...ON_OFF, rules: [{ when: { "user.plan": "pro" }, serve: "on" }] });
    const variant = (context: FlagContext): unknown => (decide("f", flag, context) as { variant: string }).variant;
    expect(variant({ user: { plan: "pro" } })).toBe("on");
    expect(variant({ user: { plan: "pro" }, "user.plan": "free" })).toBe("off");
    expect(variant({ user: "pro" })).toBe("off");
    expect(matching({ exists: true }, Object.create({ it: 1 }) as FlagContext)).toBe(false);
  });

  it("the first rule that holds decides, and it is said why", () => {
    const rules = [
      { name: "staff", when: { staff: true }, serve: "on" },
      { name: "half of Germany", when: { country: "DE" }, serve: { on: 1, off: 1 } },
      { when: { country: ["DE", "AT"] }, serve: "off" },
    ];
    const flag = checkDefinition({ ...ON_OFF, rules });
    expect(decide("f", flag, { staff: true, country: "DE" })).toEqual({
      variant: "on",
      value: true,
      reason: "TARGETING_MATCH",
      rule: "staff",
    });
    expect(decide("f", flag, { country: "DE", targetingKey: "u" })).toMatchObject({
      reason: "SPLIT",
      rule: "half of Germany",
    });
    expect(decide("f", flag, { country: "AT" })).toMatchObject({ reason: "TARGETING_MATCH", rule: undefined });
    expect(decide("f", flag, {})).toMatchObject({ variant: "off", reason: "DEFAULT" });
    expect(decide("f", checkDefinition(ON_OFF), {})).toMatchObject({ variant: "off", reason: "STATIC" });
    expect(decide("f", checkDefinition({ ...flag, enabled: false }), { staff: true })).toEqual({ reason: "DISABLED" });
  });

  it("who cannot be drawn is an error, not in", () => {
    const flag = checkDefinition({ ...ON_OFF, default: { on: 1, off: 1 }, splitBy: "company" });
    expect(decide("f", flag, { targetingKey: "u" })).toMatchObject({
      reason: "ERROR",
      errorCode: "TARGETING_KEY_MISSING",
    });
    expect(decide("f", flag, { company: 7 })).toMatchObject({ reason: "SPLIT" });
  });

  it("shares are as the weights say, within three standard deviations", () => {
    for (const share of [0.01, 0.2, 0.5, 0.99]) {
      const count = PEOPLE.filter((who) => drawn("f", { on: share, off: 1 - share }, who) === "on").length;
      const deviation = Math.sqrt(PEOPLE.length * share * (1 - share));
      expect(Math.abs(count - PEOPLE.length * share)).toBeLessThan(3 * deviation);
    }
    expect(PEOPLE.every((who) => drawn("f", { off: 0, on: 3 }, who) === "on")).toBe(true);
  });

  it("a weight that rises moves nobody out of what is named first", () => {
    let before = new Set<string>();
    for (const on of [1, 5, 20, 50, 100]) {
      const now = new Set(PEOPLE.filter((who) => drawn("f", { on, off: 100 - on }, who) === "on"));
      expect([...before].every((who) => now.has(who))).toBe(true);
      before = now;
    }
    expect(before.size).toBe(PEOPLE.length);
  });

  it("flags draw lots of their own, and with one salt the same", () => {
    const half: FlagServe = { on: 1, off: 1 };
    const same = (a: string, b: string, salt?: string): number =>
      PEOPLE.filter((who) => drawn(a, half, who, salt) === drawn(b, half, who, salt)).length;
    expect(Math.abs(same("a", "b") - PEOPLE.length / 2)).toBeLessThan(150);
    expect(same("a", "b", "launch")).toBe(PEOPLE.length);
  });

  it("lots are the same for ever", () => {
    const variants = PEOPLE.slice(0, 24).map((who) =>
      drawn("new-checkout", { on: 30, off: 70 }, who) === "on" ? 1 : 0,
    );
    expect(variants.join("")).toMatchInlineSnapshot(`"010101000001110000010101"`);
  });

  it.each<[string, unknown, RegExp]>([
    ["no object", 5, /flag/],
    ["an unknown field", { ...ON_OFF, rule: [] }, /flag\.rule\b/],
    ["no variants", { variants: {}, default: "on" }, /variants/],
    ["variants of two types", { variants: { a: 1, b: "x" }, default: "a" }, /variants\.b/],
    ["a value that is none", { variants: { a: null }, default: "a" }, /variants\.a/],
    ["a number that is none", { variants: { a: Number.NaN }, default: "a" }, /variants\.a/],
    ["a name that is a number", { variants: { 1: true }, default: "1" }, /variants/],
    ["a default that is none", { ...ON_OFF, default: "maybe" }, /default.*on, off/],
    ["weights that are none", { ...ON_OFF, default: { on: -1, off: 2 } }, /default/],
    ["weights whose sum is none", { ...ON_OFF, default: { on: 1e308, off: 1e308 } }, /default/],
    ["no weight", { ...ON_OFF, default: { on: 0 } }, /default/],
    ["no weights", { ...ON_OFF, default: {} }, /default/],
    ["a rule that serves what is not there", { ...ON_OFF, rules: [{ serve: "x" }] }, /rules\[0\]\.serve/],
    ["a condition that is none", { ...ON_OFF, rules: [{ when: { a: null }, serve: "on" }] }, /rules\[0\]\.when\.a/],
    [
      "a test of an unknown kind",
      { ...ON_OFF, rules: [{ when: { a: { matches: "x" } }, serve: "on" }] },
      /when\.a\.matches/,
    ],
    ["a bound that is no number", { ...ON_OFF, rules: [{ when: { a: { gt: "5" } }, serve: "on" }] }, /when\.a\.gt/],
    ["enabled that is no boolean", { ...ON_OFF, enabled: "no" }, /enabled/],
  ])("%s is refused at the door", (_, given, message) => {
    expect(() => checkDefinition(given as FlagDefinition)).toThrow(message);
  });
});
