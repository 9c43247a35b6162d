import { InvalidArgumentError } from "../../base/errors.ts";
import {
  type Duration,
  givenOptions,
  listOf,
  type OptionNames,
  timeOf,
  toMs,
  wholeBetween,
} from "../../base/options.ts";
import { isTimeZone } from "../../core/window/time-zone.ts";
import { type WindowLength, windowsOf } from "../../core/window/windows.ts";
import { calendarPeriods, givenPeriods, type Periods } from "./periods.ts";

/** A calendar's unit, or a duration: a number of days, or one that divides a day, at least 1 minute. Weeks begin on Monday. */
export type LeaderboardPeriod = WindowLength;

export interface LeaderboardWindowOptions {
  /** As `board.window` knows it: letters, digits, - and _, at most 32. @default what `every` is, where that is a text */
  readonly name?: string;
  /** How long its periods are. */
  readonly every?: LeaderboardPeriod;
  /** Instead of `every`: the moments at which a period ends and the next one begins, in order; 2 to 1000, at least a minute apart. */
  readonly starts?: readonly (Date | number)[];
  /** Periods that are over and can still be read, 1 to 100; each is kept for an hour at least. @default 2 */
  readonly keep?: number;
}

export interface LeaderboardArchiveOptions {
  /** The best of a period, which are kept when it is over, 1 to 1000. @default 100 */
  readonly top?: number;
  /** How long. @default "365d" */
  readonly keep?: Duration;
}

/** What the leaderboard's options have of it. */
export interface WindowsOptions {
  /** Boards of a period each, up to 6, which every write is for too, such as `"day"`, `"week"`, `"month"`. @default none */
  readonly windows?: readonly (LeaderboardPeriod | LeaderboardWindowOptions)[];
  /** Whose days, weeks and months they are. @default "UTC" */
  readonly timeZone?: string;
  /** What is kept of a period that is over. @default { top: 100, keep: "365d" } */
  readonly archive?: LeaderboardArchiveOptions;
}

export interface WindowSettings {
  readonly name: string;
  readonly period: Periods;
  readonly keep: number;
}

export interface WindowsSettings {
  readonly windows: readonly WindowSettings[];
  readonly archiveTop: number;
  readonly archiveKeepMs: number;
}

/** What processes and servers may be apart by, before and after a moment. */
export const SLACK_MS = 60_000;
const MAX_WINDOWS = 6;
const MAX_KEEP = 100;
const MAX_ARCHIVED = 1_000;
const MAX_STARTS = 1_000;
const NAME = /^[A-Za-z0-9_-]{1,32}$/;
const WINDOW_NAMES: OptionNames<LeaderboardWindowOptions> = { name: true, every: true, starts: true, keep: true };
const ARCHIVE_NAMES: OptionNames<LeaderboardArchiveOptions> = { top: true, keep: true };

export function windowsSettings({ windows, timeZone, archive }: WindowsOptions): WindowsSettings | undefined {
  if (windows === undefined) {
    if (timeZone !== undefined) throw new InvalidArgumentError("timeZone", "nothing without `windows`", timeZone);
    if (archive !== undefined) throw new InvalidArgumentError("archive", "nothing without `windows`", archive);
    return undefined;
  }
  const zone = timeZone ?? "UTC";
  if (!isTimeZone(zone)) throw new InvalidArgumentError("timeZone", "a time zone such as Europe/Berlin", zone);
  const all = listOf("windows", windows, "windows").map((each) => windowOf(each, zone));
  if (all.length === 0 || all.length > MAX_WINDOWS)
    throw new InvalidArgumentError("windows", `1 to ${MAX_WINDOWS} windows`, windows);
  if (new Set(all.map(({ name }) => name)).size < all.length)
    throw new InvalidArgumentError("windows", "windows with different names", windows);
  const { top = 100, keep = "365d" } = givenOptions(archive, ARCHIVE_NAMES, "archive");
  return {
    windows: all,
    archiveTop: wholeBetween("archive.top", top, 1, MAX_ARCHIVED),
    archiveKeepMs: toMs("archive.keep", keep, SLACK_MS),
  };
}

function windowOf(given: LeaderboardPeriod | LeaderboardWindowOptions, zone: string): WindowSettings {
  const isLength = typeof given === "string" || typeof given === "number";
  const {
    every,
    starts,
    keep = 2,
    ...named
  } = isLength ? ({ every: given } as LeaderboardWindowOptions) : givenOptions(given, WINDOW_NAMES, "windows");
  if ((every === undefined) === (starts === undefined))
    throw new InvalidArgumentError("windows", "either `every` or `starts` for each", given);
  const name = named.name ?? every;
  if (typeof name !== "string" || !NAME.test(name))
    throw new InvalidArgumentError("windows.name", "1 to 32 letters, digits, - and _", name);
  const period = starts === undefined ? everyPeriod(every!, zone) : givenPeriods(momentsOf(starts));
  return { name, period, keep: wholeBetween("windows.keep", keep, 1, MAX_KEEP) };
}

function everyPeriod(every: LeaderboardPeriod, zone: string): Periods {
  const windows = windowsOf(every, zone);
  const { start, end } = windows.numbered(0);
  if (end - start < SLACK_MS) throw new InvalidArgumentError("windows", "periods of at least 1 minute", every);
  return calendarPeriods(windows);
}

function momentsOf(starts: readonly (Date | number)[]): number[] {
  const moments = listOf("windows.starts", starts, "moments").map((at) => timeOf("windows.starts", at));
  const isOrdered = moments.every((at, place) => place === 0 || at >= moments[place - 1]! + SLACK_MS);
  if (isOrdered && moments.length >= 2 && moments.length <= MAX_STARTS) return moments;
  throw new InvalidArgumentError("windows.starts", "2 to 1000 moments in order, at least a minute apart", starts);
}
