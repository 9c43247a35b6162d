/** What is stored beside a position: a few small values, and the conditions that searches put on them. */
import { InvalidArgumentError } from "../base/errors.ts";
import { givenOptions, listOf } from "../base/options.ts";

export type GeoFieldValue = string | number | boolean;
/** At most 8, of 512 bytes together as JSON. */
export type GeoFields = Readonly<Record<string, GeoFieldValue>>;

export interface GeoFieldRange {
  /** At least. @default none */
  readonly min?: number;
  /** At most. @default none */
  readonly max?: number;
}

/** Of each field: the value, a list of values of which it is one, or a range of numbers. A member without the field is no match. */
export type GeoWhere = Readonly<Record<string, GeoFieldValue | readonly GeoFieldValue[] | GeoFieldRange>>;

const MAX_FIELDS = 8;
const MAX_BYTES = 512;
/** In place of fields: what is there stays. */
const KEPT = "";

/** As they are stored; undefined keeps those that are there, and an empty object removes them. */
export function storedFields(fields: GeoFields | undefined): string {
  if (fields === undefined) return KEPT;
  const text = JSON.stringify(Object.fromEntries(checkedFields(fields)));
  if (Buffer.byteLength(text) <= MAX_BYTES) return text;
  throw new InvalidArgumentError("fields", `at most ${MAX_BYTES} bytes of JSON`, fields);
}

export function fieldsOf(stored: string): GeoFields | undefined {
  return stored === "" ? undefined : (JSON.parse(stored) as GeoFields);
}

/** Whether stored fields fulfil every condition. */
export function filterOf(where: GeoWhere | undefined): ((stored: string) => boolean) | undefined {
  if (where === undefined) return undefined;
  const conditions = entriesOf("where", where).map(([name, condition]) => [name, conditionOf(condition)] as const);
  return (stored) => {
    const fields = fieldsOf(stored);
    return conditions.every(
      ([name, holds]) => fields !== undefined && Object.hasOwn(fields, name) && holds(fields[name]!),
    );
  };
}

function checkedFields(fields: GeoFields): [string, GeoFieldValue][] {
  const entries = entriesOf("fields", fields);
  if (entries.length > MAX_FIELDS) throw new InvalidArgumentError("fields", `at most ${MAX_FIELDS} fields`, fields);
  return entries.map(([name, value]) => [name, checkValue("fields", value)]);
}

function conditionOf(condition: GeoWhere[string]): (value: GeoFieldValue) => boolean {
  if (typeof condition !== "object") {
    const wanted = checkValue("where", condition);
    return (value) => value === wanted;
  }
  if (Array.isArray(condition)) {
    const wanted = new Set(
      listOf<GeoFieldValue>("where", condition, "values").map((value) => checkValue("where", value)),
    );
    return (value) => wanted.has(value);
  }
  const { min = -Infinity, max = Infinity } = givenOptions(
    condition as GeoFieldRange,
    { min: true, max: true },
    "where",
  );
  if (typeof min !== "number" || typeof max !== "number" || Number.isNaN(min) || Number.isNaN(max))
    throw new InvalidArgumentError("where", "numbers as min and max", condition);
  return (value) => typeof value === "number" && value >= min && value <= max;
}

function entriesOf<Value>(field: string, given: Readonly<Record<string, Value | undefined>>): [string, Value][] {
  if (typeof given !== "object" || given === null || Array.isArray(given))
    throw new InvalidArgumentError(field, 'an object such as { kind: "taxi" }', given);
  return Object.entries(given).filter((entry): entry is [string, Value] => entry[1] !== undefined);
}

function checkValue(field: string, value: unknown): GeoFieldValue {
  if (typeof value === "boolean" || (typeof value === "string" && value.isWellFormed())) return value;
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw new InvalidArgumentError(field, "strings, finite numbers and booleans", value);
}
