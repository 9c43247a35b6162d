/** What a flag is: its variants, and who gets which. */
import { InvalidArgumentError, kindGiven } from "../base/errors.ts";

/** What a flag is worth: all variants of a flag are of the same type. */
export type FlagValue = boolean | number | string | { readonly [name: string]: unknown } | readonly unknown[];

/** A variant, or several by weight: `{ on: 20, off: 80 }` is 20 of 100. Who is in stays in when a weight that is named first rises. */
export type FlagServe = string | { readonly [variant: string]: number };

export type FlagScalar = string | number | boolean;

/** All that is given must hold. An attribute that is a list is met where one of its members is. */
export interface FlagTest {
  readonly in?: readonly FlagScalar[];
  /** None of these; an attribute that is not there is none of them. */
  readonly not?: FlagScalar | readonly FlagScalar[];
  /** Of numbers and dates; a date in a context is compared by its milliseconds. */
  readonly gt?: number;
  readonly gte?: number;
  readonly lt?: number;
  readonly lte?: number;
  /** Of texts, as are the next two. */
  readonly startsWith?: string | readonly string[];
  readonly endsWith?: string | readonly string[];
  readonly contains?: string | readonly string[];
  /** Whether the attribute is there. */
  readonly exists?: boolean;
}

/** A value, one of several values, or a test. */
export type FlagCondition = FlagScalar | readonly FlagScalar[] | FlagTest;

export interface FlagRule {
  /** Conditions by attribute, `country` or `user.plan`; all must hold. Without one it always does. */
  readonly when?: { readonly [attribute: string]: FlagCondition };
  readonly serve: FlagServe;
  /** For evaluations and people. @default none */
  readonly name?: string;
}

export interface FlagDefinition<V extends FlagValue = FlagValue> {
  readonly variants: { readonly [variant: string]: V };
  /** What is served where no rule holds. */
  readonly default: FlagServe;
  /** The first that holds decides. @default none */
  readonly rules?: readonly FlagRule[];
  /** False: everybody gets the fallback of the code. @default true */
  readonly enabled?: boolean;
  /** By which attribute weights are drawn. @default "targetingKey" */
  readonly splitBy?: string;
  /** Flags with the same salt draw the same lots. @default the flag's name */
  readonly salt?: string;
  /** For people. @default none */
  readonly description?: string;
}

const FIELDS = ["variants", "default", "rules", "enabled", "splitBy", "salt", "description"];
const RULE_FIELDS = ["when", "serve", "name"];
const TESTS: { readonly [Name in keyof Required<FlagTest>]: readonly [(value: unknown) => boolean, string] } = {
  in: [isListOf(isScalar), "a list of texts, numbers and booleans"],
  not: [(value) => isScalar(value) || isListOf(isScalar)(value), "a text, a number, a boolean or a list of them"],
  gt: [Number.isFinite, "a number"],
  gte: [Number.isFinite, "a number"],
  lt: [Number.isFinite, "a number"],
  lte: [Number.isFinite, "a number"],
  startsWith: [isTexts, "a text or a list of texts"],
  endsWith: [isTexts, "a text or a list of texts"],
  contains: [isTexts, "a text or a list of texts"],
  exists: [(value) => typeof value === "boolean", "true or false"],
};
const MAX_VARIANTS = 100;
const MAX_RULES = 100;

/** Returns what is stored of it. @param field what it is called in errors @throws InvalidArgumentError that names the field */
export function checkDefinition<V extends FlagValue>(given: FlagDefinition<V>, field = "flag"): FlagDefinition<V> {
  checkObject(field, given, FIELDS);
  const { variants, rules = [], enabled, splitBy, salt, description } = given;
  checkVariants(`${field}.variants`, variants);
  checkServe(`${field}.default`, given.default, variants);
  if (!Array.isArray(rules) || rules.length > MAX_RULES)
    throw new InvalidArgumentError(`${field}.rules`, `a list of at most ${MAX_RULES} rules`, kindGiven(rules));
  for (const [at, rule] of rules.entries()) checkRule(`${field}.rules[${at}]`, rule, variants);
  if (enabled !== undefined && typeof enabled !== "boolean")
    throw new InvalidArgumentError(`${field}.enabled`, "true or false", kindGiven(enabled));
  for (const [name, text] of Object.entries({ splitBy, salt, description }))
    if (text !== undefined && typeof text !== "string")
      throw new InvalidArgumentError(`${field}.${name}`, "a text", kindGiven(text));
  return given;
}

function checkVariants(field: string, variants: FlagDefinition["variants"]): void {
  checkObject(field, variants);
  const values = entriesOf(variants);
  if (values.length === 0 || values.length > MAX_VARIANTS)
    throw new InvalidArgumentError(field, `1 to ${MAX_VARIANTS} variants`, values.length);
  const type = typeOf(values[0]![1]);
  for (const [name, value] of values) {
    // Whose order an object would not keep.
    if (name === "" || /^\d+$/.test(name)) throw new InvalidArgumentError(field, "names that are no numbers", name);
    const kind = typeOf(value);
    const expected = `a value of type ${type ?? "boolean, number, text or object"}, as its others`;
    if (kind === undefined || kind !== type)
      throw new InvalidArgumentError(`${field}.${name}`, expected, kindGiven(value));
  }
}

/** Without what is not given. */
function entriesOf<V>(given: { readonly [name: string]: V }): [string, V][] {
  return Object.entries(given).filter(([, value]) => value !== undefined);
}

/** What a value is, as types of flags are told apart; undefined where it can be none. */
export function typeOf(value: unknown): "boolean" | "number" | "string" | "object" | undefined {
  if (typeof value === "boolean" || typeof value === "string") return typeof value as "boolean" | "string";
  if (typeof value === "number") return Number.isFinite(value) ? "number" : undefined;
  return typeof value === "object" && value !== null ? "object" : undefined;
}

function checkRule(field: string, rule: FlagRule, variants: FlagDefinition["variants"]): void {
  checkObject(field, rule, RULE_FIELDS);
  const { when = {}, serve, name } = rule;
  checkObject(`${field}.when`, when);
  for (const [attribute, condition] of entriesOf(when)) checkCondition(`${field}.when.${attribute}`, condition);
  checkServe(`${field}.serve`, serve, variants);
  if (name !== undefined && typeof name !== "string")
    throw new InvalidArgumentError(`${field}.name`, "a text", kindGiven(name));
}

function checkCondition(field: string, condition: FlagCondition): void {
  if (isScalar(condition) || isListOf(isScalar)(condition)) return;
  checkObject(field, condition, Object.keys(TESTS));
  for (const [name, value] of Object.entries(condition)) {
    if (value === undefined) continue;
    const [isWell, expected] = TESTS[name as keyof FlagTest];
    if (!isWell(value)) throw new InvalidArgumentError(`${field}.${name}`, expected, kindGiven(value));
  }
}

function checkServe(field: string, serve: FlagServe, variants: FlagDefinition["variants"]): void {
  if (typeof serve !== "string") checkObject(field, serve);
  const weights = typeof serve === "string" ? [] : entriesOf(serve);
  const known = entriesOf(variants).map(([name]) => name);
  for (const name of typeof serve === "string" ? [serve] : weights.map(([variant]) => variant))
    if (!known.includes(name)) throw new InvalidArgumentError(field, `one of its variants (${known.join(", ")})`, name);
  if (typeof serve === "string") return;
  const isWell = weights.every(([, weight]) => Number.isFinite(weight) && weight >= 0);
  const total = weights.reduce((sum, [, weight]) => sum + weight, 0);
  if (!isWell || total <= 0 || !Number.isFinite(total))
    throw new InvalidArgumentError(field, "a variant, or weights of 0 and more by variant, one of them above 0", serve);
}

function checkObject(field: string, value: object, names?: readonly string[]): void {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new InvalidArgumentError(field, "an object", kindGiven(value));
  if (names === undefined) return;
  for (const name of Object.keys(value))
    if (!names.includes(name)) throw new InvalidArgumentError(`${field}.${name}`, `one of ${names.join(", ")}`, name);
}

function isScalar(value: unknown): value is FlagScalar {
  return (
    typeof value === "string" || typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value))
  );
}

function isListOf(isWell: (value: unknown) => boolean): (value: unknown) => boolean {
  return (value) => Array.isArray(value) && value.every((each) => isWell(each));
}

function isTexts(value: unknown): boolean {
  return typeof value === "string" || isListOf((each) => typeof each === "string")(value);
}
