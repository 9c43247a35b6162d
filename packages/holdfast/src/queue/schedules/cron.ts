/**
 * Patterns of cron in a time zone, by `croner`. A pattern without `*` and without a step in seconds, minutes and hours names
 * times of the day: each runs once a day; one that the clock skips runs at the first moment after the gap, one that comes twice
 * runs at the first. Any other pattern follows the clock: what it skips does not run, what comes twice runs twice.
 *
 * Every question names its moment: the clock of this process is never asked.
 */
import { Cron } from "croner";
import { InvalidArgumentError } from "../../base/errors.ts";

const MAX_PATTERN = 200;
const MOST_PATTERNS = 1_000;
const MOST_ANSWERS = 64;

/** Parsing takes about 100 microseconds. */
const parsed = new Map<string, CronTimes>();

export function cronTimes(pattern: string, timeZone: string): CronTimes {
  const name = `${timeZone} ${pattern}`;
  let times = parsed.get(name);
  if (times === undefined) {
    times = new CronTimes(pattern, timeZone);
    if (parsed.size === MOST_PATTERNS) parsed.clear();
    parsed.set(name, times);
  }
  return times;
}

export class CronTimes {
  readonly #cron: Cron;
  readonly #after = new Map<number, number | undefined>();
  readonly #before = new Map<number, number | undefined>();

  constructor(pattern: string, timeZone: string) {
    this.#cron = new Cron(pattern, { timezone: timeZone, paused: true, fixedTimeRule: "no-wildcard" });
  }

  /** The first tick after this moment, in milliseconds. */
  after(ms: number): number | undefined {
    return remembered(this.#after, ms, () => this.#cron.nextRun(new Date(ms))?.getTime());
  }

  /** The last tick before this moment. */
  before(ms: number): number | undefined {
    return remembered(this.#before, ms, () => this.#cron.previousRuns(1, new Date(ms))[0]?.getTime());
  }
}

/** Schedules of one pattern ask for the same ticks, and each answer takes about 100 microseconds. */
function remembered(
  answers: Map<number, number | undefined>,
  ms: number,
  ask: () => number | undefined,
): number | undefined {
  if (answers.has(ms)) return answers.get(ms);
  if (answers.size === MOST_ANSWERS) answers.clear();
  const answer = ask();
  answers.set(ms, answer);
  return answer;
}

export function parseCron(pattern: unknown, timeZone: string): string {
  if (typeof pattern !== "string" || pattern.length > MAX_PATTERN || pattern.includes(":"))
    throw new InvalidArgumentError("cron", 'a pattern such as "0 7 * * *", or `every` instead', pattern);
  const trimmed = pattern.trim().replace(/\s+/g, " ");
  let times;
  try {
    times = cronTimes(trimmed, timeZone);
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^CronPattern: /, "") : "";
    throw new InvalidArgumentError("cron", `a pattern such as "0 7 * * *" (${reason})`, pattern);
  }
  if (times.after(0) === undefined)
    throw new InvalidArgumentError("cron", "a pattern that some day of the calendar matches", pattern);
  return trimmed;
}
