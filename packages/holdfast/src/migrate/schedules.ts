/** BullMQ's job schedulers, as they are to be written for `queue.schedules`. They are reported, not moved. */
import type { StoredSchedule } from "./source.ts";

export interface BullMQSchedule {
  readonly id: string;
  readonly cron: string | undefined;
  /** Milliseconds. */
  readonly every: number | undefined;
  readonly timeZone: string | undefined;
  /** Milliseconds since 1970. */
  readonly startAt: number | undefined;
  readonly endAt: number | undefined;
  /** How many runs it has at most. */
  readonly limit: number | undefined;
  readonly nextAt: number;
  readonly name: string;
  readonly payload: unknown;
  /** The line to write. */
  readonly code: string;
}

export function bullMQSchedule(stored: StoredSchedule): BullMQSchedule {
  const { id, name, pattern, timeZone, nextAt, data } = stored;
  const every = numberOf(stored.every);
  const payload = data === undefined ? undefined : (JSON.parse(data) as unknown);
  const options = [
    pattern === undefined ? `every: ${every}` : `cron: ${JSON.stringify(pattern)}`,
    ...(timeZone === undefined ? [] : [`timeZone: ${JSON.stringify(timeZone)}`]),
    ...(data === undefined ? [] : [`payload: ${data}`]),
  ];
  return {
    id,
    cron: pattern,
    every,
    timeZone,
    startAt: numberOf(stored.startDate),
    endAt: numberOf(stored.endDate),
    limit: numberOf(stored.limit),
    nextAt,
    name,
    payload,
    code: `await queue.schedules.set(${JSON.stringify(id)}, { ${options.join(", ")} });`,
  };
}

function numberOf(text: string | undefined): number | undefined {
  return text === undefined ? undefined : Number(text);
}
