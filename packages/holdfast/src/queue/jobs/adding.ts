/** Options of `add` that say when a job is over before it begins, what it is found by, and what its unique key does. */
import { InvalidArgumentError } from "../../base/errors.ts";
import { type Duration, givenOptions, listOf, type OptionNames, toMs } from "../../base/options.ts";
import { checkName } from "../check-name.ts";

/**
 * What becomes of a job that is added while another one has its unique key.
 * - `drop`: it is left out.
 * - `replace`: it takes the place of one that has not started, with its payload and its time (debounce); one that runs stays.
 * - `untilStarted`: left out until the other one starts.
 * - `rerun`: runs once more after one that runs; of several the last one.
 * - `cancelRunning`: as `replace`, but one that runs is cancelled.
 */
export type QueueUniqueMode = "drop" | "replace" | "untilStarted" | "rerun" | "cancelRunning";

/** A key that only one job at a time may have. */
export interface QueueUnique {
  readonly key: string;
  /** @default "drop" */
  readonly mode?: QueueUniqueMode;
  /** Counted from when the job was added (throttle); with mode `drop` only. @default until the job is over */
  readonly for?: Duration;
}

/** Empty: `drop`. Written into records and scripts. */
export type UniqueLetter = "" | "p" | "s" | "r" | "c";

export interface UniqueSettings {
  readonly uniqueKey: string;
  /** 0: until the job is over. */
  readonly uniqueMs: number;
  readonly uniqueMode: UniqueLetter;
}

const UNIQUE_OPTIONS: OptionNames<QueueUnique> = { key: true, mode: true, for: true };
const LETTERS: Readonly<Record<QueueUniqueMode, UniqueLetter>> = {
  drop: "",
  replace: "p",
  untilStarted: "s",
  rerun: "r",
  cancelRunning: "c",
};
const MAX_TAGS = 10;

export function uniqueSettings(unique: string | QueueUnique | undefined, isPlaced: boolean): UniqueSettings {
  if (unique === undefined) return { uniqueKey: "", uniqueMs: 0, uniqueMode: "" };
  const given = typeof unique === "object" ? givenOptions(unique, UNIQUE_OPTIONS, "unique") : { key: unique };
  const uniqueKey = checkName("unique", given.key);
  const { mode = "drop", for: window } = given;
  if (!Object.hasOwn(LETTERS, mode))
    throw new InvalidArgumentError("unique.mode", `one of ${Object.keys(LETTERS).join(", ")}`, mode);
  if (window !== undefined && mode !== "drop")
    throw new InvalidArgumentError("unique.for", 'nothing beside a mode other than "drop"', window);
  if (isPlaced && mode === "rerun")
    throw new InvalidArgumentError("unique.mode", 'another one than "rerun" beside `delay`, `at` or `group`', mode);
  return { uniqueKey, uniqueMs: window === undefined ? 0 : toMs("unique.for", window), uniqueMode: LETTERS[mode] };
}

/** A number: milliseconds after it was added; a text: milliseconds since 1970. */
export function expiryOf(expires: Duration | Date | undefined): number | string | undefined {
  if (expires === undefined) return undefined;
  if (!(expires instanceof Date)) return toMs("expires", expires);
  const ms = expires.getTime();
  if (ms >= 0) return String(ms);
  throw new InvalidArgumentError("expires", "a duration or a Date", expires);
}

export function tagsOf(tags: readonly string[] | undefined): readonly string[] {
  if (tags === undefined) return [];
  const list = listOf("tags", tags, "texts").map((tag) => checkName("tags", tag));
  if (list.length > MAX_TAGS) throw new InvalidArgumentError("tags", `at most ${MAX_TAGS} of them`, list.length);
  return list;
}
