/** What is looked for: by field, the ranges of values that fit. */
import { InvalidArgumentError, kindGiven } from "../../base/errors.ts";
import { givenOptions, listOf, type OptionNames } from "../../base/options.ts";
import { after, byBytes, prefixRange, type Range, storedKeys, typeRange, valueKey } from "./entry.ts";

/** What an index can hold. */
export type RecordIndexValue = string | number | boolean | Date | null;

type Member<V> = NonNullable<V> extends readonly (infer M)[] ? M : V;

/** All that are given must hold, of one and the same member where the field is an array. */
export interface RecordRange<V> {
  readonly eq?: V;
  /** One of these, 100 at most. */
  readonly in?: readonly V[];
  readonly gt?: V;
  readonly gte?: V;
  readonly lt?: V;
  readonly lte?: V;
  /** Of a text: how it begins. */
  readonly prefix?: string;
}

/** By field that is in an index: the value, a member of the array, or a range of them. */
export type RecordWhere<T> = {
  readonly [Field in keyof T]?: Extract<Member<T[Field]>, RecordIndexValue> | RecordRange<Member<T[Field]>>;
};

/** What one field must be. */
export interface Condition {
  readonly field: string;
  /** In order, and apart from each other. */
  readonly ranges: readonly Range[];
}

const RANGE: OptionNames<RecordRange<unknown>> = {
  eq: true,
  in: true,
  gt: true,
  gte: true,
  lt: true,
  lte: true,
  prefix: true,
};
const MAX_VALUES = 100;

export function conditionsOf(where: object, isIndexed: (field: string) => boolean): Condition[] {
  if (typeof where !== "object" || where === null || Array.isArray(where))
    throw new InvalidArgumentError("where", 'an object such as { country: "DE" }', kindGiven(where));
  return Object.entries(where)
    .filter(([, given]) => given !== undefined)
    .map(([field, given]) => {
      if (!isIndexed(field))
        throw new InvalidArgumentError(`where.${field}`, "a field that is named in `index`", field);
      return { field, ranges: rangesOf(`where.${field}`, given) };
    });
}

/** Which of the value's keys fit, in order. */
export function fitting({ ranges }: Condition, value: unknown): Buffer[] {
  const keys = storedKeys(value).filter((key) => ranges.some((range) => isWithin(range, key)));
  return keys.length < 2 ? keys : keys.toSorted(byBytes);
}

function isWithin({ min, max }: Range, key: Buffer): boolean {
  return Buffer.compare(key, min) >= 0 && Buffer.compare(key, max) < 0;
}

function rangesOf(field: string, given: unknown): Range[] {
  if (typeof given !== "object" || given === null || given instanceof Date) return [equal(field, given)];
  const { eq, in: values, gt, gte, lt, lte, prefix } = givenOptions(given as RecordRange<unknown>, RANGE, field);
  if (prefix !== undefined && (typeof prefix !== "string" || !prefix.isWellFormed()))
    throw new InvalidArgumentError(`${field}.prefix`, "a well-formed string", prefix);
  const choices: Range[][] = [];
  if (eq !== undefined) choices.push([equal(field, eq)]);
  if (values !== undefined) {
    const all = listOf(`${field}.in`, values as Iterable<unknown>, "values");
    if (all.length > MAX_VALUES)
      throw new InvalidArgumentError(`${field}.in`, `at most ${MAX_VALUES} values`, all.length);
    choices.push(apart(all.map((value) => equal(`${field}.in`, value))));
  }
  if (prefix !== undefined) choices.push([prefixRange(prefix)]);
  for (const [name, value] of Object.entries({ gt, gte, lt, lte }))
    if (value !== undefined) choices.push([bounded(name as "gt", keyOf(`${field}.${name}`, value))]);
  if (choices.length === 0)
    throw new InvalidArgumentError(field, "a value, or at least one of eq, in, gt, gte, lt, lte, prefix", given);
  return choices.reduce((a, b) => a.flatMap((one) => b.flatMap((other) => common(one, other))));
}

function equal(field: string, value: unknown): Range {
  const min = keyOf(field, value);
  return { min, max: after(min) };
}

function bounded(name: "gt" | "gte" | "lt" | "lte", key: Buffer): Range {
  const all = typeRange(key);
  if (name === "gte") return { ...all, min: key };
  if (name === "gt") return { ...all, min: after(key) };
  return { ...all, max: name === "lt" ? key : after(key) };
}

function keyOf(field: string, value: unknown): Buffer {
  const key = typeof value === "string" && !value.isWellFormed() ? undefined : valueKey(value);
  if (key !== undefined) return key;
  throw new InvalidArgumentError(field, "a well-formed string, a number, a boolean, a Date or null", kindGiven(value));
}

function common(a: Range, b: Range): Range[] {
  const min = Buffer.compare(a.min, b.min) > 0 ? a.min : b.min;
  const max = Buffer.compare(a.max, b.max) < 0 ? a.max : b.max;
  return Buffer.compare(min, max) < 0 ? [{ min, max }] : [];
}

/** In order, none twice. */
function apart(ranges: readonly Range[]): Range[] {
  const sorted = ranges.toSorted((a, b) => Buffer.compare(a.min, b.min));
  return sorted.filter(({ min }, at) => at === 0 || !min.equals(sorted[at - 1]!.min));
}
