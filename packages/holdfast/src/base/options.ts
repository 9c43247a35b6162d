/** Options at the door. A duration: a number is always milliseconds; a string carries its unit. */
import { InvalidArgumentError, said } from "./errors.ts";

export type Duration = number | `${number}${"ms" | "s" | "m" | "h" | "d"}`;

const UNIT_MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
/** What is meant for a duration, and no secret. */
const NEARLY =
  /^-?\d{0,5}(?:\.\d{1,3})? ?(?:ms|milli|s|sec|m|min|h|hr|hour|d|day|w|week|month|y|year|minute|second|millisecond)s?$/i;
const DURATION = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;

/** Whole milliseconds of a duration, refused by the field's name when it is not one or is below `min`. */
export function toMs(field: string, value: Duration, min = 1): number {
  const ms = typeof value === "number" ? value : typeof value === "string" ? parse(value) : Number.NaN;
  if (Number.isFinite(ms) && Math.round(ms) >= min && ms <= Number.MAX_SAFE_INTEGER) return Math.round(ms);
  const got = typeof value === "string" && NEARLY.test(value) ? said(JSON.stringify(value)) : value;
  throw new InvalidArgumentError(field, `a duration of at least ${min} ms, such as 1500 or "1.5s"`, got);
}

/** The longest delay that Node's timers know, about 24 days: a longer one would fire at once. */
export const MAX_TIMER_MS: number = 2 ** 31 - 1;

/** As `toMs`, for what a timer of this process waits for. */
export function toTimerMs(field: string, value: Duration, min = 1): number {
  const ms = toMs(field, value, min);
  if (ms <= MAX_TIMER_MS) return ms;
  throw new InvalidArgumentError(field, "a duration of at most 24 days", value);
}

/** The last moment that a Date knows. */
const MAX_TIME_MS = 8.64e15;

/** Whole milliseconds since 1970 of a moment, refused by the field's name when it is none. */
export function timeOf(field: string, at: Date | number): number {
  const ms = at instanceof Date ? at.getTime() : at;
  if (typeof ms === "number" && ms >= 0 && ms <= MAX_TIME_MS) return Math.floor(ms);
  throw new InvalidArgumentError(field, "a Date or milliseconds since 1970", at);
}

/** A whole number within its bounds, refused by the field's name. */
export function wholeBetween(field: string, value: number, min: number, max: number): number {
  if (Number.isSafeInteger(value) && value >= min && value <= max) return value;
  throw new InvalidArgumentError(field, `a whole number from ${min} to ${max}`, value);
}

/** The elements of a list that a user gave, refused by the field's name when it is none. A text is none either. */
export function listOf<T>(field: string, given: Iterable<T>, what: string): T[] {
  const iterable = typeof given === "object" && given !== null && typeof given[Symbol.iterator] === "function";
  if (iterable) return [...given];
  throw new InvalidArgumentError(field, `a list of ${what}`, given);
}

function parse(value: string): number {
  const match = DURATION.exec(value);
  if (match === null) return Number.NaN;
  return Number(match[1]) * UNIT_MS[match[2] as keyof typeof UNIT_MS];
}

/** All the names that an options type has; a missing or a surplus one does not compile. */
export type OptionNames<T extends object> = Readonly<Record<keyof T & string, true>>;

/**
 * Options as a user wrote them, parsed once. Refused by name: what is not an object, and a name that is not known,
 * with the nearest one that is. A field that is undefined counts as not given.
 * @param where the instance as messages name it, such as `cache "users"`
 * @throws InvalidArgumentError whose message begins with `where`, also for what `parse` refuses
 */
export function parseOptions<T extends object, Parsed>(
  where: string,
  given: T | undefined,
  names: OptionNames<T>,
  parse: (options: T) => Parsed,
): Parsed {
  try {
    return parse(givenOptions(given, names));
  } catch (error) {
    throw error instanceof InvalidArgumentError ? error.at(where) : error;
  }
}

/**
 * The check of `parseOptions` alone, for the options of one call, or for an object among options, named by `field`.
 * Allocates nothing where no field is undefined.
 */
export function givenOptions<T extends object>(given: T | undefined, names: OptionNames<T>, field = "options"): T {
  if (given === undefined) return NOTHING as T;
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw new InvalidArgumentError(field, `an object such as { ${Object.keys(names)[0]}: ... }`, given);
  }
  for (const name of Object.keys(given)) {
    if (!Object.hasOwn(names, name)) throw unknownOption(name, Object.keys(names));
  }
  return withoutUndefined(given);
}

/** A type whose fields may also be written as undefined, which counts as not given. */
export type Loose<T> = { readonly [K in keyof T]: T[K] | undefined };

/** Without the fields that are undefined, so that what is left may be spread over defaults. Copies only where there are some. */
export function withoutUndefined<T extends object>(given: Loose<T>): T {
  for (const value of Object.values(given)) {
    if (value === undefined)
      return Object.fromEntries(Object.entries(given).filter(([, each]) => each !== undefined)) as T;
  }
  return given as T;
}

const NOTHING: object = Object.freeze({});

function unknownOption(name: string, known: readonly string[]): InvalidArgumentError {
  const nearest = known
    .map((each) => ({ each, distance: editDistance(name.toLowerCase(), each.toLowerCase()) }))
    .toSorted((a, b) => a.distance - b.distance)[0];
  const isNear = nearest !== undefined && nearest.distance <= Math.max(1, Math.floor(nearest.each.length / 3));
  const expected = isNear ? `another name (did you mean "${nearest.each}"?)` : `one of ${known.join(", ")}`;
  return new InvalidArgumentError(name, expected, said("an unknown option"));
}

/** Levenshtein's distance, with two neighbours in the wrong order as one step (Damerau). */
function editDistance(a: string, b: string): number {
  const rows = Array.from({ length: a.length + 1 }, (_, i) => [i, ...Array.from({ length: b.length }, () => 0)]);
  for (let j = 1; j <= b.length; j += 1) rows[0]![j] = j;
  for (let i = 1; i <= a.length; i += 1) {
    for (let j = 1; j <= b.length; j += 1) {
      const substituted = rows[i - 1]![j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let least = Math.min(rows[i - 1]![j]! + 1, rows[i]![j - 1]! + 1, substituted);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        least = Math.min(least, rows[i - 2]![j - 2]! + 1);
      rows[i]![j] = least;
    }
  }
  return rows[a.length]![b.length]!;
}
