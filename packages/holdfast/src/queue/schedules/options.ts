import { InvalidArgumentError } from "../../base/errors.ts";
import {
  type Duration,
  givenOptions,
  type OptionNames,
  timeOf,
  toMs,
  toTimerMs,
  wholeBetween,
} from "../../base/options.ts";
import { checkName } from "../check-name.ts";
import type { QueuePriority } from "../add-options.ts";
import { isTimeZone } from "../../core/window/time-zone.ts";
import { parseCron } from "./cron.ts";

/** At most so many of the ticks that were missed are run. */
export interface QueueScheduleCatchUp {
  readonly catchUp: number;
}

export type QueueScheduleMissed = "skip" | "once" | QueueScheduleCatchUp;

export type QueueScheduleOverlap = "all" | "skip" | "bufferOne" | "cancelOther";
const OVERLAPS: readonly QueueScheduleOverlap[] = ["all", "skip", "bufferOne", "cancelOther"];

export interface QueueScheduleOptions<Payload> {
  /** Five fields (minute, hour, day of the month, month, day of the week), or six with seconds first. Either this or `every`. */
  readonly cron?: string;
  /** At least 100 ms. Counted from `start`, or from 1970 without one, so that no restart shifts it. */
  readonly every?: Duration;
  /** Of `cron`: an IANA name such as `Europe/Berlin`. @default "UTC" */
  readonly timeZone?: string;
  /** Of each of its jobs. */
  readonly payload: Payload;
  /** What becomes of ticks that came while nothing ticked: none runs, one stands for all, or the last so many run. @default "once" */
  readonly missed?: QueueScheduleMissed;
  /** How late a tick may come and not count as missed. @default "1m" */
  readonly grace?: Duration;
  /** While the job of the tick before is not over: run beside it, do not run, run once when it is over, or cancel that one. @default "all" */
  readonly overlap?: QueueScheduleOverlap;
  /** No tick before: a Date, or milliseconds since 1970. @default none */
  readonly start?: Date | number;
  /** No tick after. @default none */
  readonly end?: Date | number;
  /** After so many jobs it is done. @default none */
  readonly max?: number;
  /** Each tick is later by up to so long, always by as much for the same id and tick, and never past the next one. @default 0 */
  readonly jitter?: Duration;
  /** Of its jobs. @default "normal" */
  readonly priority?: QueuePriority;
  /** Of its jobs. @default the queue's */
  readonly attempts?: number;
}

export interface QueueSchedulePageOptions {
  /** Of the page before. @default the first ids in alphabetical order */
  readonly cursor?: string;
  /** @default 50 */
  readonly limit?: number;
}

export interface QueueTickerOptions {
  /** How often it looks by itself, should a wake-up be lost. @default "5s" */
  readonly poll?: Duration;
}

/** What is stored of a schedule beside its payload: equal plans have equal JSON. */
export interface SchedulePlan {
  readonly cron?: string;
  readonly everyMs?: number;
  readonly timeZone?: string;
  readonly startMs?: number;
  readonly endMs?: number;
  readonly missed: "skip" | "once" | number;
  readonly graceMs: number;
  readonly overlap: QueueScheduleOverlap;
  readonly max?: number;
  readonly jitterMs: number;
  readonly priority: QueuePriority;
  readonly attempts?: number;
  readonly owner?: string;
}

export const SCHEDULE_OPTIONS: OptionNames<QueueScheduleOptions<unknown>> = {
  cron: true,
  every: true,
  timeZone: true,
  payload: true,
  missed: true,
  grace: true,
  overlap: true,
  start: true,
  end: true,
  max: true,
  jitter: true,
  priority: true,
  attempts: true,
};
export const PAGE_OPTIONS: OptionNames<QueueSchedulePageOptions> = { cursor: true, limit: true };
export const TICKER_OPTIONS: OptionNames<QueueTickerOptions> = { poll: true };
const CATCH_UP: OptionNames<QueueScheduleCatchUp> = { catchUp: true };

/** With `@` and a tick behind it, it is still the id of a job. */
const MAX_ID = 160;
const MIN_EVERY_MS = 100;
const MAX_CATCH_UP = 1_000;
const MAX_PAGE = 200;
const MAX_ATTEMPTS = 1_000;

export function planOf(options: QueueScheduleOptions<unknown>, owner?: string): SchedulePlan {
  const { grace = "1m", jitter = 0, max, attempts, priority = "normal" } = options;
  if (priority !== "high" && priority !== "normal" && priority !== "low")
    throw new InvalidArgumentError("priority", '"high", "normal" or "low"', priority);
  const startMs = options.start === undefined ? undefined : timeOf("start", options.start);
  const endMs = options.end === undefined ? undefined : timeOf("end", options.end);
  if (startMs !== undefined && endMs !== undefined && endMs < startMs)
    throw new InvalidArgumentError("end", "a time after `start`", options.end);
  return {
    ...timesOf(options),
    ...(startMs === undefined ? {} : { startMs }),
    ...(endMs === undefined ? {} : { endMs }),
    missed: missedOf(options.missed),
    graceMs: toMs("grace", grace, 0),
    overlap: overlapOf(options.overlap),
    ...(max === undefined ? {} : { max: wholeBetween("max", max, 1, Number.MAX_SAFE_INTEGER) }),
    jitterMs: toMs("jitter", jitter, 0),
    priority,
    ...(attempts === undefined ? {} : { attempts: wholeBetween("attempts", attempts, 1, MAX_ATTEMPTS) }),
    ...(owner === undefined ? {} : { owner }),
  };
}

/** What decides about its ticks: a change of anything else leaves the next one alone. */
export function timingOf({ cron, everyMs, timeZone, startMs, endMs }: SchedulePlan): string {
  return JSON.stringify([cron, everyMs, timeZone, startMs, endMs]);
}

export function checkScheduleId(id: unknown): string {
  const name = checkName("id", id);
  if (name.length <= MAX_ID) return name;
  throw new InvalidArgumentError("id", `at most ${MAX_ID} characters`, name);
}

export function pageSettings({ cursor, limit = 50 }: QueueSchedulePageOptions): {
  readonly after: string;
  readonly limit: number;
} {
  return {
    after: cursor === undefined ? "-" : `(${checkName("cursor", cursor)}`,
    limit: wholeBetween("limit", limit, 1, MAX_PAGE),
  };
}

export function tickerSettings({ poll = "5s" }: QueueTickerOptions): { readonly pollMs: number } {
  return { pollMs: toTimerMs("poll", poll, 10) };
}

function timesOf({
  cron,
  every,
  timeZone,
}: QueueScheduleOptions<unknown>): Pick<SchedulePlan, "cron" | "everyMs" | "timeZone"> {
  if (cron !== undefined && every !== undefined)
    throw new InvalidArgumentError("every", "nothing beside `cron`", every);
  if (every !== undefined) {
    if (timeZone !== undefined)
      throw new InvalidArgumentError("timeZone", "nothing beside `every`, which is the same in all zones", timeZone);
    return { everyMs: toMs("every", every, MIN_EVERY_MS) };
  }
  const zone = timeZone ?? "UTC";
  if (!isTimeZone(zone))
    throw new InvalidArgumentError("timeZone", "the IANA name of a time zone, such as Europe/Berlin", zone);
  return { cron: parseCron(cron, zone), timeZone: zone };
}

function missedOf(missed: QueueScheduleMissed = "once"): SchedulePlan["missed"] {
  if (missed === "skip" || missed === "once") return missed;
  if (typeof missed !== "object" || missed === null)
    throw new InvalidArgumentError("missed", '"skip", "once" or { catchUp: 10 }', missed);
  return wholeBetween("missed.catchUp", givenOptions(missed, CATCH_UP, "missed").catchUp, 1, MAX_CATCH_UP);
}

function overlapOf(overlap: unknown = "all"): QueueScheduleOverlap {
  if (OVERLAPS.includes(overlap as QueueScheduleOverlap)) return overlap as QueueScheduleOverlap;
  throw new InvalidArgumentError("overlap", `one of ${OVERLAPS.join(", ")}`, overlap);
}
