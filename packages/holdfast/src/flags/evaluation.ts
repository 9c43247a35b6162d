/** Which variant somebody gets: decided in this process, from what is known of a flag and of whom it is asked for. */
import { murmurHashOf } from "../core/hash/murmur.ts";
import type {
  FlagCondition,
  FlagDefinition,
  FlagRule,
  FlagScalar,
  FlagServe,
  FlagTest,
  FlagValue,
} from "./definition.ts";

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
  | "TARGETING_KEY_MISSING";

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

export function decide(name: string, flag: FlagDefinition, context: FlagContext): Decision {
  if (flag.enabled === false) return { reason: "DISABLED" };
  const { rules = [] } = flag;
  const rule = rules.find(({ when = {} }) =>
    Object.entries(when).every(
      ([attribute, condition]) => condition === undefined || holds(condition, attributeOf(context, attribute)),
    ),
  );
  return serve(name, flag, rule, context);
}

function serve(name: string, flag: FlagDefinition, rule: FlagRule | undefined, context: FlagContext): Decision {
  const { splitBy = "targetingKey", salt = name, variants } = flag;
  const served = rule?.serve ?? flag.default;
  const label = rule?.name;
  if (typeof served === "string") {
    const reason =
      rule !== undefined
        ? "TARGETING_MATCH"
        : flag.rules === undefined || flag.rules.length === 0
          ? "STATIC"
          : "DEFAULT";
    return { variant: served, value: variants[served]!, reason, rule: label };
  }
  const who = attributeOf(context, splitBy);
  if (typeof who !== "string" && typeof who !== "number")
    return {
      reason: "ERROR",
      errorCode: "TARGETING_KEY_MISSING",
      errorMessage: `flag ${JSON.stringify(name)} draws its variants by ${JSON.stringify(splitBy)}, which the context does not have`,
    };
  const variant = drawn(served, `${salt}\0${who}`);
  return { variant, value: variants[variant]!, reason: "SPLIT", rule: label };
}

/** The same lot for the same text, in each process, for ever. */
function drawn(weights: Exclude<FlagServe, string>, lot: string): string {
  const entries = Object.entries(weights).filter(([, weight]) => weight > 0);
  const total = entries.reduce((sum, [, weight]) => sum + weight, 0);
  let left = (murmurHashOf(lot, 0).high / LOTS) * total;
  for (const [variant, weight] of entries) {
    if (left < weight) return variant;
    left -= weight;
  }
  return entries.at(-1)![0];
}

/** An attribute with that very name, else the one at that path. */
function attributeOf(context: FlagContext, path: string): unknown {
  if (Object.hasOwn(context, path)) return context[path];
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
