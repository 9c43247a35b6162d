/** Which variant somebody gets: decided in this process, from what is known of a flag and of whom it is asked for. */
import { murmurHashOf } from "../core/hash/murmur.ts";
import type { FlagCondition, FlagDefinition, FlagRule, FlagScalar, FlagTest, FlagValue } from "./definition.ts";

/** Of whom, or of what, a flag is asked: `targetingKey` is who it is. Attributes may be nested: `user.plan`. */
export interface FlagContext {
  readonly targetingKey?: string;
  readonly [attribute: string]: unknown;
}

/**
 * Why it is this value, in OpenFeature's words. `STATIC`: nothing is asked of the context. `DEFAULT`: no rule holds. `TARGETING_MATCH`: a rule does.
 * `SPLIT`: drawn by weight. `DISABLED`, `ERROR`: the fallback. `STALE`: as one of the first four, but the server may have a newer flag.
 */
export type FlagReason = "STATIC" | "DEFAULT" | "TARGETING_MATCH" | "SPLIT" | "DISABLED" | "STALE" | "ERROR";

export type FlagErrorCode =
  | "FLAG_NOT_FOUND"
  | "TYPE_MISMATCH"
  | "PARSE_ERROR"
  | "PROVIDER_NOT_READY"
  | "TARGETING_KEY_MISSING"
  | "INVALID_CONTEXT";

export interface FlagEvaluation<V> {
  readonly value: V;
  /** Undefined where it is the fallback. */
  readonly variant: string | undefined;
  readonly reason: FlagReason;
  /** Of the flag; 0 where there is none. */
  readonly version: number;
  /** The rule that decided, where it has a name. */
  readonly rule: string | undefined;
  readonly errorCode: FlagErrorCode | undefined;
  readonly errorMessage: string | undefined;
}

/** What is decided of a flag, before the type that is asked for is looked at. */
export type Decision =
  | {
      readonly variant: string;
      readonly value: FlagValue;
      readonly reason: FlagReason;
      readonly rule: string | undefined;
    }
  | { readonly reason: "DISABLED" }
  | { readonly reason: "ERROR"; readonly errorCode: FlagErrorCode; readonly errorMessage: string };

/** Weights are drawn from so many lots. */
const LOTS = 2 ** 32;

/** A flag with what is the same for each evaluation made once: they are many. */
export class CompiledFlag {
  readonly #name: string;
  readonly #flag: FlagDefinition;
  readonly #rules: readonly CompiledRule[];
  readonly #default: CompiledRule;

  constructor(name: string, flag: FlagDefinition) {
    const { rules = [] } = flag;
    this.#name = name;
    this.#flag = flag;
    this.#rules = rules.map((rule) => compiled(rule, "TARGETING_MATCH"));
    this.#default = compiled({ serve: flag.default }, rules.length === 0 ? "STATIC" : "DEFAULT");
  }

  decide(context: FlagContext): Decision {
    if (this.#flag.enabled === false) return DISABLED;
    const { weights, total, served, reason, name } =
      this.#rules.find(({ when }) => holdsAll(when, context)) ?? this.#default;
    const { variants, splitBy = "targetingKey", salt = this.#name } = this.#flag;
    if (served !== undefined) return { variant: served, value: variants[served]!, reason, rule: name };
    const who = attributeOf(context, splitBy);
    if (typeof who !== "string" && typeof who !== "number") return this.#missing(splitBy);
    const variant = drawn(weights, total, `${salt}\0${who}`);
    return { variant, value: variants[variant]!, reason: "SPLIT", rule: name };
  }

  #missing(splitBy: string): Decision {
    const draws = `flag ${JSON.stringify(this.#name)} draws its variants by ${JSON.stringify(splitBy)}`;
    const errorMessage = `${draws}, which the context does not have`;
    return { reason: "ERROR", errorCode: "TARGETING_KEY_MISSING", errorMessage };
  }
}

interface CompiledRule {
  readonly when: readonly (readonly [string, FlagCondition])[];
  /** Undefined where it is drawn. */
  readonly served: string | undefined;
  readonly weights: readonly (readonly [string, number])[];
  readonly total: number;
  readonly reason: FlagReason;
  readonly name: string | undefined;
}

const DISABLED: Decision = { reason: "DISABLED" };

function compiled({ when = {}, serve, name }: FlagRule, reason: FlagReason): CompiledRule {
  const weights = typeof serve === "string" ? [] : Object.entries(serve).filter(([, weight]) => weight > 0);
  return {
    when: Object.entries(when).filter(([, condition]) => condition !== undefined),
    served: typeof serve === "string" ? serve : undefined,
    weights,
    total: weights.reduce((sum, [, weight]) => sum + weight, 0),
    reason,
    name,
  };
}

function holdsAll(when: CompiledRule["when"], context: FlagContext): boolean {
  for (const [attribute, condition] of when) if (!holds(condition, attributeOf(context, attribute))) return false;
  return true;
}

/** The same lot for the same text, in each process, for ever. */
function drawn(weights: CompiledRule["weights"], total: number, lot: string): string {
  let left = (murmurHashOf(lot, 0).high / LOTS) * total;
  for (const [variant, weight] of weights) {
    if (left < weight) return variant;
    left -= weight;
  }
  return weights.at(-1)![0];
}

/** An attribute with that very name, else the one at that path. */
function attributeOf(context: FlagContext, path: string): unknown {
  if (Object.hasOwn(context, path)) return context[path];
  if (!path.includes(".")) return undefined;
  let value: unknown = context;
  for (const part of path.split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, part)) return undefined;
    value = (value as Record<string, unknown>)[part];
  }
  return value;
}

function holds(condition: FlagCondition, attribute: unknown): boolean {
  const values = (Array.isArray(attribute) ? attribute : [attribute]).map((value: unknown) =>
    value instanceof Date ? value.getTime() : value,
  );
  if (typeof condition !== "object") return values.includes(condition);
  if (Array.isArray(condition)) return values.some((value) => condition.includes(value));
  return passes(condition as FlagTest, values);
}

function passes(test: FlagTest, values: readonly unknown[]): boolean {
  const isThere = values.some((value) => value !== undefined && value !== null);
  if (test.exists !== undefined && test.exists !== isThere) return false;
  if (test.in !== undefined && !values.some((value) => test.in!.includes(value as FlagScalar))) return false;
  if (test.not !== undefined && listed(test.not).some((each) => values.includes(each))) return false;
  return (
    compares(values, test.gt, (value, bound) => value > bound) &&
    compares(values, test.gte, (value, bound) => value >= bound) &&
    compares(values, test.lt, (value, bound) => value < bound) &&
    compares(values, test.lte, (value, bound) => value <= bound) &&
    reads(values, test.startsWith, (text, part) => text.startsWith(part)) &&
    reads(values, test.endsWith, (text, part) => text.endsWith(part)) &&
    reads(values, test.contains, (text, part) => text.includes(part))
  );
}

function compares(
  values: readonly unknown[],
  bound: number | undefined,
  isMet: (value: number, bound: number) => boolean,
): boolean {
  return bound === undefined || values.some((value) => typeof value === "number" && isMet(value, bound));
}

function reads(
  values: readonly unknown[],
  parts: string | readonly string[] | undefined,
  isMet: (text: string, part: string) => boolean,
): boolean {
  if (parts === undefined) return true;
  return values.some((value) => typeof value === "string" && listed(parts).some((part) => isMet(value, part)));
}

function listed<T extends FlagScalar>(one: T | readonly T[]): readonly T[] {
  return typeof one === "object" ? one : [one];
}
