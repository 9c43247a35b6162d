import { type Duration, type OptionNames, parseOptions, toTimerMs, wholeBetween } from "../base/options.ts";
import { type WindowLength, type Windows, windowsOf } from "../core/window/windows.ts";

export interface ActivesOptions {
  /** `hour`, `day`, `week` (from Monday), `month`, or a duration. The same in all processes. @default "day" */
  readonly window?: WindowLength;
  /** Windows that are kept, this one included, up to 1,000. @default 90 */
  readonly keep?: number;
  /** Where days, weeks and months begin. @default "UTC" */
  readonly timeZone?: string;
  /** Users that there may be, up to a hundred million; it may be raised. @default 1_000_000 */
  readonly maxUsers?: number;
  /** Slots that the users are spread over, 1 to 256. The same in all processes, as another number begins again. @default 16 */
  readonly partitions?: number;
  /** Deadline of each request to the server. @default the handle's `timeout` */
  readonly timeout?: Duration;
}

export interface ActivesSettings {
  readonly windows: Windows;
  readonly keep: number;
  readonly partitions: number;
  /** Of one partition. */
  readonly maxUsers: number;
  readonly timeoutMs: number | undefined;
}

const MAX_KEEP = 1_000;
const MAX_USERS = 100_000_000;
const MAX_PARTITIONS = 256;
/** Places have three bytes. */
const MAX_PLACES = 2 ** 24;
/** Standard deviations that a partition may have more users than the mean. */
const SLACK = 5;
const NAMES: OptionNames<ActivesOptions> = {
  window: true,
  keep: true,
  timeZone: true,
  maxUsers: true,
  partitions: true,
  timeout: true,
};

export function activesSettings(where: string, given: ActivesOptions | undefined): ActivesSettings {
  return parseOptions(where, given, NAMES, (options) => {
    const { window = "day", keep = 90, timeZone, maxUsers = 1_000_000, partitions = 16, timeout } = options;
    const spread = wholeBetween("partitions", partitions, 1, MAX_PARTITIONS);
    const mean = wholeBetween("maxUsers", maxUsers, 1, Math.min(MAX_USERS, spread * (MAX_PLACES / 2))) / spread;
    return {
      windows: windowsOf(window, timeZone),
      keep: wholeBetween("keep", keep, 1, MAX_KEEP),
      partitions: spread,
      maxUsers: spread === 1 ? maxUsers : Math.ceil(mean + SLACK * Math.sqrt(mean)),
      timeoutMs: timeout === undefined ? undefined : toTimerMs("timeout", timeout),
    };
  });
}
