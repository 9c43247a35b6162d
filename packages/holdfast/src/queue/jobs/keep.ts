/** Retention: which jobs that are over are kept, by count and by age. */
import { InvalidArgumentError } from "../../base/errors.ts";
import { type Duration, givenOptions, type OptionNames, toMs, wholeBetween } from "../../base/options.ts";

/** A number is a count, a text such as `"7d"` an age; where both are given, both hold. */
export type QueueRetention =
  | number
  | Extract<Duration, string>
  | {
      /** The last so many. @default any number */
      readonly count?: number;
      /** Those that ended no longer ago. @default for ever */
      readonly age?: Duration;
    };

export interface QueueKeep {
  /** Jobs that ended well. @default none */
  readonly completed?: QueueRetention;
  /** Jobs that were given up. @default the last 100,000 */
  readonly dead?: QueueRetention;
}

export interface Retention {
  /** -1: any number. */
  readonly count: number;
  /** 0: for ever. */
  readonly ageMs: number;
}

export interface KeepSettings {
  readonly completed: Retention;
  readonly dead: Retention;
}

const KEEP_OPTIONS: OptionNames<QueueKeep> = { completed: true, dead: true };
const RETENTION_OPTIONS: OptionNames<Extract<QueueRetention, object>> = { count: true, age: true };
const MAX_KEPT = 10_000_000;
const DEAD = 100_000;

export function keepSettings(given: QueueKeep | undefined): KeepSettings {
  const { completed = 0, dead = DEAD } = givenOptions(given, KEEP_OPTIONS, "keep");
  return { completed: retentionOf("keep.completed", completed), dead: retentionOf("keep.dead", dead) };
}

function retentionOf(field: string, given: QueueRetention): Retention {
  if (typeof given === "number") return { count: wholeBetween(field, given, 0, MAX_KEPT), ageMs: 0 };
  if (typeof given === "string") return { count: -1, ageMs: toMs(field, given) };
  const { count, age } = givenOptions(given, RETENTION_OPTIONS, field);
  if (count === undefined && age === undefined)
    throw new InvalidArgumentError(field, "a count, an age, or both", given);
  return {
    count: count === undefined ? -1 : wholeBetween(`${field}.count`, count, 0, MAX_KEPT),
    ageMs: age === undefined ? 0 : toMs(`${field}.age`, age),
  };
}
